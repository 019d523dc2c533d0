"""What is a user's own, on two of their devices: how far they have read, and what they are writing."""
import json

import pytest
from harness import Desk, RpcError, ulid, until
from wire import Client

NOT_FOUND, CONFLICT = -32003, -32004


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.phone = desk.member("127.0.0.2", "linus@example.org", "Linus")
        desk.laptop = desk.bind("127.0.0.12", "linus@example.org")
        desk.agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        desk.other_agent = desk.member("127.0.0.4", "arthur@example.org", "Arthur", "agent")
        assert desk.phone.user == desk.laptop.user
        yield desk
        desk.proof()


@pytest.fixture
def ticket(desk):
    return desk.phone.rpc("ticket.create", subject="Two devices", body="I write here and there.")["id"]


class Follower:
    """As fanout reads on; starts at the head."""

    def __init__(self, desk):
        self.path = desk.root / "run/assist-store/rpc.sock"
        self.after = 2**53 - 1
        self.ask()

    def ask(self):
        with Client(self.path) as client:
            self.after, items = client.call("personal.follow", [self.after, None])
        return [(user, event[0], json.loads(event[4])) for user, event, _ in items]

    def until(self, what, wanted):
        """All that is told until something that is wanted, for a device's user, came."""
        seen = []
        until(what, lambda: seen.extend(self.ask()) or any(wanted(*item) for item in seen))
        return seen


def unread(device, ticket):
    listed = {item["id"]: item["unread"] for item in device.rpc("ticket.list", limit=200)["items"]}
    assert device.rpc("ticket.get", ticket=ticket)["ticket"]["unread"] == listed[ticket]
    return listed[ticket]


def test_what_is_read_on_one_device_is_read_on_the_other(desk, ticket):
    follower = Follower(desk)
    first = desk.agent.rpc("comment.add", ticket=ticket, body="Where is there?")["comment"]["id"]
    desk.agent.rpc("note.add", ticket=ticket, body="Odd.")
    second = desk.agent.rpc("comment.add", ticket=ticket, body="And where is here?")["comment"]["id"]
    assert unread(desk.laptop, ticket) == 2 and unread(desk.agent, ticket) == 0 and unread(desk.other_agent, ticket) == 4
    assert desk.phone.rpc("read.mark", ticket=ticket, comment=first)["mark"]["unread"] == 1
    mark = desk.phone.rpc("read.mark", ticket=ticket, comment=second)["mark"]
    assert mark["unread"] == 0 and unread(desk.laptop, ticket) == 0
    seen = follower.until("the laptop is told", lambda user, kind, data: kind == "read.marked" and data["comment"] == second)
    assert all(user == bytes_of(desk.phone.user) for user, kind, data in seen)
    assert seen[-1][2] == {"ticket": ticket, "comment": second, "unread": 0}

    listed = desk.laptop.rpc("read.list")
    assert [item for item in listed["items"] if item["ticket"] == ticket] == [mark]
    assert desk.laptop.rpc("read.mark", ticket=ticket, comment=first)["mark"] == mark, "nothing moves backwards"
    assert desk.laptop.rpc("read.list", after=listed["version"]) == {"items": [], "version": listed["version"], "more": False}
    desk.agent.rpc("comment.add", ticket=ticket, body="Hello?")
    assert unread(desk.laptop, ticket) == 1
    desk.laptop.rpc("comment.add", ticket=ticket, body="Here!")
    assert unread(desk.phone, ticket) == 0, "what one answers one has read"


def test_a_draft_goes_on_on_the_other_device_and_no_text_is_lost(desk, ticket):
    follower = Follower(desk)
    draft = desk.phone.rpc("draft.save", ticket=ticket, body="It is the one with")["draft"]
    assert "body" not in draft
    seen = follower.until("the laptop is told", lambda user, kind, data: kind == "draft.changed")
    assert seen == [(bytes_of(desk.phone.user), "draft.changed", {"ticket": ticket, "note": False, "version": draft["version"]})]
    desk.crash("store")
    taken = desk.laptop.rpc("draft.get", ticket=ticket)["draft"]
    assert taken == {**draft, "body": "It is the one with"}
    ours = desk.laptop.rpc("draft.save", ticket=ticket, body="It is the one with the blue lid", version=taken["version"])["draft"]
    with pytest.raises(RpcError) as refused:
        desk.phone.rpc("draft.save", ticket=ticket, body="It is the one without", version=draft["version"])
    assert refused.value.code == CONFLICT
    assert refused.value.data["newer"] == {**ours, "body": "It is the one with the blue lid"}
    with pytest.raises(RpcError) as refused:  # the phone sent its own words: the laptop's stay
        desk.phone.rpc("draft.discard", ticket=ticket, version=draft["version"])
    assert refused.value.code == CONFLICT
    assert [item["version"] for item in desk.phone.rpc("draft.list")["items"]] == [ours["version"]]

    desk.laptop.rpc("comment.add", ticket=ticket, body="It is the one with the blue lid")
    desk.laptop.rpc("draft.discard", ticket=ticket, version=ours["version"])
    assert desk.phone.rpc("draft.list")["items"] == []
    with pytest.raises(RpcError) as gone:
        desk.phone.rpc("draft.get", ticket=ticket)
    assert gone.value.code == NOT_FOUND


def test_an_agents_note_is_theirs_alone_until_it_is_written(desk, ticket):
    desk.agent.rpc("draft.save", ticket=ticket, note=True, body="unspeakable thoughts")
    assert desk.agent.rpc("draft.get", ticket=ticket, note=True)["draft"]["body"] == "unspeakable thoughts"
    for device, note in ((desk.other_agent, True), (desk.agent, False), (desk.phone, True), (desk.phone, False)):
        with pytest.raises(RpcError) as unknown:
            device.rpc("draft.get", ticket=ticket, note=note)
        assert unknown.value.code == NOT_FOUND and "unspeakable" not in str(unknown.value.data)
    for call in ({"ticket": ulid(), "body": "x"}, {"ticket": ticket, "body": "x", "note": True}):
        with pytest.raises(RpcError) as unknown:
            desk.phone.rpc("draft.save", call)
        assert unknown.value.code == NOT_FOUND
    assert "unspeakable" not in desk.log("store"), "what somebody writes is never logged"


def bytes_of(text):
    """A ULID as it is on the wire."""
    number = 0
    for digit in text:
        number = number << 5 | "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(digit)
    return number.to_bytes(16, "big")


def test_what_one_device_did_while_fanout_was_away_the_other_hears(desk, ticket):
    laptop, agent = desk.laptop.live(), desk.agent.live()
    comment = desk.agent.rpc("comment.add", ticket=ticket, body="And?")["comment"]["id"]
    laptop.next("comment.added")
    desk.kill("fanout")
    draft = desk.phone.rpc("draft.save", ticket=ticket, body="So")["draft"]
    desk.phone.rpc("read.mark", ticket=ticket, comment=comment)
    desk.agent.rpc("draft.save", ticket=ticket, note=True, body="Hm")
    desk.start("fanout")

    def told(live):
        with live.change:
            return [(event["type"], event["data"]) for event in live.mentions if event["data"].get("ticket") == ticket]

    kinds = {"draft.changed": {"ticket": ticket, "note": False, "version": draft["version"]},
             "read.marked": {"ticket": ticket, "comment": comment, "unread": 0}}
    until("the laptop is told", lambda: all(each in told(laptop) for each in kinds.items()))
    until("the agent is told", lambda: told(agent))
    assert all(data.get("note") for kind, data in told(agent)), "of their own alone"
    heard = len(told(laptop))
    again = desk.phone.rpc("draft.save", ticket=ticket, body="So!", version=draft["version"])["draft"]["version"]
    until("the laptop is told of what is new", lambda: ("draft.changed", {"ticket": ticket, "note": False, "version": again}) in told(laptop))
    assert len(told(laptop)) == heard + 1, "once"
    laptop.close(), agent.close()
