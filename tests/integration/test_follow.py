"""`assist ticket show --follow` and `assist watch`: what a person at a terminal sees of others, as it happens."""
import json
import signal

import pytest

from harness import Desk, until
from program import Program
from terminal import Terminal

CUSTOMER, AGENT, WATCHER = "127.0.0.2", "127.0.0.3", "127.0.0.6"
NOT_THERE = 3


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.member(WATCHER, "mona@example.org", "Mona")
        yield desk


class Assist(Program):
    def __init__(self, desk, device, *args):
        super().__init__(desk.assist_command(device, *args), {"XDG_STATE_HOME": str(desk.root / "home"), "TZ": "UTC"})

    def interrupted(self):
        self.process.send_signal(signal.SIGINT)
        return self.ended()


@pytest.fixture
def assist(desk):
    programs = []

    def begin(*args):
        programs.append(Assist(desk, *args))
        return programs[-1]
    yield begin
    for program in programs:
        program.close()


class Person:
    """Somebody with a client of their own."""

    def __init__(self, desk, device):
        self.device = desk.devices[device]
        self.device.open()
        self.live = self.device.live()

    def look_at(self, number, **more):
        got = self.device.rpc("ticket.get", number=number)
        self.ticket = got["ticket"]["id"]
        self.device.rpc("presence.view", session=self.live.hello["session"], ticket=self.ticket, grant=got["grant"], **more)

    def type(self):
        self.device.rpc("typing.relay", session=self.live.hello["session"], ticket=self.ticket)

    def leave(self):
        self.live.close()


@pytest.fixture
def person(desk):
    people = []

    def come(device):
        people.append(Person(desk, device))
        return people[-1]
    yield come
    for each in people:
        if each.live.thread.is_alive():
            each.leave()


@pytest.fixture
def number(desk):
    return desk.assist(CUSTOMER, "ticket", "new", "The printer burns", "Since noon.")["number"]


def test_who_follows_a_ticket_sees_who_looks_who_types_and_what_they_write(desk, assist, person, number):
    agnes = desk.devices[AGENT]
    following = assist(AGENT, "ticket", "show", number, "--follow")
    following.until_said("following; Ctrl-C ends it")
    following.until_said("  Since noon.")               # by another pipe than the line before
    assert following.out[:5] == [f"#{number}  The printer burns", "new, normal, from Carl", "", "Carl, just now", "  Since noon."]
    carl = person(CUSTOMER)
    carl.look_at(number)
    following.until_said("Carl is looking.")
    carl.type()
    following.until_said("Carl is typing…")
    carl.device.rpc("comment.add", ticket=carl.ticket, body="It still\ndoes.")
    following.until_said("  does.")
    assert until("it is read", lambda: agnes.rpc("ticket.get", number=number)["ticket"]["unread"] == 0)
    desk.assist(AGENT, "ticket", "note", number, "Again.")
    following.until_said("  Again.")
    desk.assist(AGENT, "ticket", "reply", number, "Switch it off.", "--state", "pending")
    following.until_said("Agnes set state: pending")
    carl.leave()
    following.until_said("Carl is gone.")
    assert following.interrupted() == 0
    assert following.out[5:] == ["Carl is looking.", "Carl is typing…", "", "Carl, just now", "  It still", "  does.",
                                 "", "[internal note] Agnes, just now", "  Again.", "", "Agnes, just now", "  Switch it off.",
                                 "", "Agnes set state: pending", "Carl is gone."]


def test_what_is_written_on_a_merged_ticket_comes_too(desk, assist, number):
    agnes = desk.devices[AGENT]
    other = desk.assist(CUSTOMER, "ticket", "new", "It burns again", "Other smoke.")["number"]
    following = assist(AGENT, "ticket", "show", number, "--follow")
    following.until_said("following; Ctrl-C ends it")
    desk.assist(AGENT, "ticket", "merge", other, "into", number)
    following.until_said("Another ticket was merged into this one. The ticket is new.")
    following.until_said("  Other smoke.")
    desk.assist(CUSTOMER, "ticket", "reply", other, "Blue smoke.")
    following.until_said("  Blue smoke.")
    assert until("it is read", lambda: agnes.rpc("ticket.get", number=number)["ticket"]["unread"] == 0)
    desk.assist(AGENT, "undo")
    following.until_said("A ticket that was merged into this one is apart again. The ticket is new.")
    desk.assist(CUSTOMER, "ticket", "reply", other, "Red smoke.")
    desk.assist(CUSTOMER, "ticket", "reply", number, "No smoke.")
    following.until_said("  No smoke.")
    assert following.interrupted() == 0
    assert [sum(words in line for line in following.said) for words in ("Other", "Blue", "Red", "No smoke")] == [1, 1, 0, 1]


def test_the_customer_sees_the_agent_and_nothing_of_notes(desk, assist, person, number):
    following = assist(CUSTOMER, "ticket", "show", number, "--follow")
    following.until_said("following")
    agnes = person(AGENT)
    agnes.look_at(number, activity="drafting", note=True)
    following.until_said("Agnes is looking.")
    desk.assist(AGENT, "ticket", "note", number, "They say this every week.")
    desk.assist(AGENT, "ticket", "reply", number, "Off with it.")
    following.until_said("Off with it.")
    assert following.interrupted() == 0
    assert not [line for line in following.said if "week" in line or "draft" in line]


def test_nothing_is_missed_and_nothing_said_twice_when_the_gateway_is_killed(desk, assist, person, number):
    following = assist(AGENT, "ticket", "show", number, "--follow")
    following.until_said("following")
    desk.assist(CUSTOMER, "ticket", "reply", number, "One.")
    following.until_said("  One.")
    desk.crash("gateway")
    desk.assist(CUSTOMER, "ticket", "reply", number, "Two.")
    following.until_said("  Two.")
    carl = person(CUSTOMER)
    carl.look_at(number)
    following.until_said("Carl is looking.")                 # it is at the ticket again by itself
    assert [person["user"] for item in carl.device.rpc("presence.list", tickets=[carl.ticket])["items"] for person in item["people"]
            ].count(desk.devices[AGENT].user) == 1
    assert following.interrupted() == 0
    assert [sum(words in line for line in following.said) for words in ("One.", "Two.", "broke", "Since noon.")] == [1, 1, 1, 1]


def test_a_ticket_that_is_nobody_elses_any_more_ends_it(desk, assist, number):
    mona, agnes = desk.devices[WATCHER], desk.devices[AGENT]
    agnes.open()
    ticket = agnes.rpc("ticket.get", number=number)["ticket"]["id"]
    agnes.rpc("ticket.set", ticket=ticket, add_watchers=[mona.user])
    following = assist(WATCHER, "ticket", "show", number, "--follow")
    following.until_said("following")
    agnes.rpc("ticket.set", ticket=ticket, remove_watchers=[mona.user])
    assert following.ended() == NOT_THERE
    assert following.said[-1] == "assist: this ticket is not yours to see any more"


def test_scripts_get_the_thread_and_then_the_events_as_they_are(desk, assist, number):
    following = assist(AGENT, "--json", "ticket", "show", number, "--follow")
    following.until_said("following")
    following.until_said("Since noon.")
    assert json.loads(following.out[0])["ticket"]["number"] == number
    other = desk.assist(CUSTOMER, "ticket", "new", "Another", "x")["number"]
    desk.assist(CUSTOMER, "ticket", "reply", other, "Elsewhere.")
    desk.assist(CUSTOMER, "ticket", "reply", number, "Here.")
    following.until_said("Here.")
    said = [json.loads(line) for line in following.out[1:]]
    assert [event["data"]["comment"]["body"] for event in said if event["type"] == "comment.added"] == ["Here."]
    assert following.interrupted() == 0


def test_on_a_terminal_typing_stands_in_the_last_line_until_it_is_over(desk, person, number):
    terminal = Terminal(desk.assist_command(AGENT, "ticket", "show", number, "--follow"), {"XDG_STATE_HOME": str(desk.root / "home")})
    try:
        terminal.until_seen("following")
        carl = person(CUSTOMER)
        carl.look_at(number)
        terminal.until_seen("Carl is looking.\r\n")
        carl.type()
        terminal.until_seen("Carl is typing…")
        carl.device.rpc("comment.add", ticket=carl.ticket, body="Typed.")
        terminal.until_seen("  Typed.\r\n")
        carl.leave()
        terminal.until_seen("Carl is gone.\r\n")
        assert "Carl is typing…\r\n" not in terminal.seen            # nothing stands below it
        assert terminal.seen.index("Carl is typing…\r\x1b[K") < terminal.seen.index("Typed.")
        assert terminal.seen.endswith("Carl is typing…\r\x1b[KCarl is gone.\r\n")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.ended() == 0
    finally:
        terminal.close()


def test_watch_tells_who_is_there_and_who_comes_to_people_alone(desk, assist, person):
    desk.member("127.0.0.7", "nora@example.org", "Nora")
    carl = person(CUSTOMER)
    watching, script = assist(AGENT, "watch"), assist(AGENT, "--json", "watch")
    for each in (watching, script):
        each.until_said("watching; Ctrl-C ends it")
    watching.until_said("Here now: ")
    assert "Carl" in watching.out[0]
    nora = person("127.0.0.7")
    watching.until_said("Nora is here.")
    nora.device.rpc("presence.status", session=nora.live.hello["session"], text="at lunch")
    watching.until_said("Nora is here: at lunch.")
    carl.device.rpc("ticket.create", subject="It prints", body="Blank.")
    for each in (watching, script):
        each.until_said("Blank.")
    assert watching.interrupted() == 0 == script.interrupted()
    assert [json.loads(line)["type"] for line in script.out] == ["ticket.created", "comment.added"]


def test_watch_tells_of_people_devices_and_the_desk_in_words(desk, assist, number):
    watching, mona = assist(AGENT, "watch"), assist(WATCHER, "watch")
    for each in (watching, mona):
        each.until_said("watching")
    zoe = desk.user("zoe@example.org", "Zoe")
    watching.until_said("Zoe, customer, belongs to this desk.")
    desk.ctl("user", "disable", "zoe@example.org")
    watching.until_said("Zoe, customer, may not come in any more.")
    desk.assist(AGENT, "ticket", "show", number, json_output=False)           # a mark, which is no news to who set it
    desk.bind("127.0.0.8", "agnes@example.org")
    watching.until_said("A device of yours is bound: loopback:127.0.0.8.")
    desk.ctl("project", "set", "The printers")
    watching.until_said("This desk is called The printers now.")
    agnes = desk.devices[AGENT]
    ticket = agnes.rpc("ticket.get", number=number)["ticket"]["id"]
    agnes.rpc("ticket.set", ticket=ticket, add_watchers=[desk.devices[WATCHER].user])
    mona.until_said(f"#{number} is yours to see now.")
    agnes.rpc("ticket.set", ticket=ticket, remove_watchers=[desk.devices[WATCHER].user])
    mona.until_said("A ticket is not yours to see any more.")
    assert watching.interrupted() == 0 == mona.interrupted()
    assert not [line for line in watching.said if "mark" in line or zoe in line]
