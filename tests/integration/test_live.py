"""Coming back: from memory, from the log, and where neither will do. What one sees meanwhile is what one may see."""
import json
import os
import select
import shutil
import signal
import threading
import time

import pytest

from harness import Desk, Device, RpcError, until
from raw_socket import RawSocket
from wire import Client, Fault

CUSTOMER, AGENT, PHONE = "127.0.0.2", "127.0.0.3", "127.0.0.4"
TAIL_PRELOAD, RESET_OPS = 4096, 10000
UNAVAILABLE = 32006


@pytest.fixture
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "linus@example.org", "Linus")
        desk.agent = desk.member(AGENT, "ada@example.org", "Ada", "agent")
        yield desk


def comments(device, ticket, n, begin=0, body=""):
    """Many of them, by batches."""
    batch = 10 if body else 50
    for first in range(begin, begin + n, batch):
        calls = [{"jsonrpc": "2.0", "id": i, "method": "comment.add", "params": {"ticket": ticket, "body": f"{i} {body}"}}
                 for i in range(first, min(first + batch, begin + n))]
        answers = json.loads(device.post("/rpc", calls).body)
        assert all("result" in answer for answer in answers), answers


def numbers(events):
    return [int(event["data"]["comment"]["body"].split()[0]) for event in events if event["type"] == "comment.added"]


def test_who_comes_back_while_store_stands_still_misses_nothing(desk):
    """Hundreds of them: what is in memory is nobody else's work."""
    ticket = desk.customer.rpc("ticket.create", subject="It burns", body="0")["id"]
    desk.heard_all()
    cursors = []
    for device, n in ((desk.customer, 100), (desk.agent, 200)):
        sockets = [RawSocket(device) for _ in range(n)]
        cursors += [(device, w.cursor) for w in sockets]
        for w in sockets:
            w.close()
    comments(desk.customer, ticket, 20)
    watching = RawSocket(desk.agent, cursors[-1][1])
    assert numbers(watching.events(20)) == list(range(20)), "it is in memory now"
    desk.processes["store"].send_signal(signal.SIGSTOP)
    try:
        back = [RawSocket(device, cursor) for device, cursor in cursors]
        for w in back:
            assert w.hello["mode"] == "replay" and numbers(w.events(20)) == list(range(20))
    finally:
        desk.processes["store"].send_signal(signal.SIGCONT)
    comments(desk.customer, ticket, 1, begin=20)
    for w in back + [watching]:
        assert numbers(w.events(1)) == [20]
        w.close()


def test_who_was_away_for_long_reads_the_log_and_who_was_away_for_too_long_begins_anew(desk):
    ticket = desk.customer.rpc("ticket.create", subject="It burns", body="Help!")["id"]
    desk.heard_all()
    w = RawSocket(desk.customer)
    cursor, n = w.cursor, TAIL_PRELOAD + 1000
    w.close()
    comments(desk.customer, ticket, n)
    desk.crash("fanout")                            # its memory goes back for a while only
    w = RawSocket(desk.customer, cursor)
    assert w.hello["mode"] == "replay" and numbers(w.events(n)) == list(range(n))
    assert w.pages > 4 and w.pulls == 0
    comments(desk.customer, ticket, 1, begin=n)
    assert numbers(w.events(1)) == [n], "then it is live"
    w.close()
    comments(desk.customer, ticket, RESET_OPS - n, begin=n)
    for asked in (cursor, cursor):
        w = RawSocket(desk.customer, asked)
        assert w.hello["mode"] == "reset" and "cheaper" in w.hello["reason"]
        w.close()
    comments(desk.customer, ticket, 1, begin=RESET_OPS)
    w = RawSocket(desk.customer, w.cursor)
    assert numbers(w.events(1)) == [RESET_OPS], "a reset says where to go on from"
    w.close()


def test_a_page_waits_for_its_acknowledgement_over_a_restart_of_fanout(desk):
    ticket = desk.customer.rpc("ticket.create", subject="It burns", body="Help!")["id"]
    desk.heard_all()
    w, other = RawSocket(desk.customer), RawSocket(desk.agent)
    cursor = w.cursor
    w.close()
    comments(desk.customer, ticket, 12, body="x" * 60000)
    other.events(12)
    w = RawSocket(desk.customer, cursor)
    page = w.message()
    assert page["more"]
    desk.crash("fanout")
    comments(desk.customer, ticket, 1, begin=12)
    assert numbers(other.events(1)) == [12], "the gateway has found the new one"
    w.send('{"type":"ping"}')
    assert w.message() == {"type": "pong"}
    assert w.message()["events"] == [], "nothing comes that was not asked for"
    w.cursor = page["to"]
    w.acknowledge()
    assert numbers(page["events"]) + numbers(w.events(13 - len(page["events"]))) == list(range(13))
    w.close(), other.close()


@pytest.mark.parametrize("fanout_is_new", [False, True])
def test_who_loses_access_within_a_replay_sees_no_more_of_it(desk, fanout_is_new):
    ticket = desk.agent.rpc("ticket.create", subject="Not Linus's", body="x")["id"]
    desk.agent.rpc("ticket.set", ticket=ticket, add_watchers=[desk.customer.user])
    desk.heard_all()
    w = RawSocket(desk.customer)
    cursor = w.cursor
    w.close()
    comments(desk.agent, ticket, 30, body="x" * 60000)
    if fanout_is_new:
        desk.crash("fanout")
    w = RawSocket(desk.customer, cursor)
    page = w.message()
    assert page["more"] and 0 < len(numbers(page["events"])) < 30
    desk.heard_all()
    other = RawSocket(desk.customer)
    desk.agent.rpc("ticket.set", ticket=ticket, remove_watchers=[desk.customer.user])
    assert [e["type"] for e in other.events(1)] == ["access.lost"], "fanout knows"
    other.close()
    mine = desk.customer.rpc("ticket.create", subject="Linus's", body="x")["id"]
    w.cursor = page["to"]
    w.acknowledge()
    events = w.events(3)
    assert [e["type"] for e in events] == ["access.lost", "ticket.created", "comment.added"]
    assert events[0]["data"]["ticket"] == ticket and events[1]["data"]["ticket"]["id"] == mine
    w.close()


def test_a_cursor_of_another_desk_or_of_a_lost_future_begins_anew(desk):
    with Desk() as other:
        stranger = other.member(CUSTOMER, "linus@example.org", "Linus")
        w = RawSocket(stranger)
        elsewhere = w.cursor
        w.close()
    assert RawSocket(desk.customer, elsewhere).status == 400, "each desk has keys of its own: to this one it is forged"
    ticket = desk.customer.rpc("ticket.create", subject="It burns", body="Help!")["id"]
    for service in ("gateway", "fanout", "store"):
        desk.terminate(service)
    desk.customer.close(), desk.agent.close()
    state, copy = desk.root / "state" / "store", desk.root / "copy"
    shutil.copytree(state, copy)
    desk.start("store", "fanout", "gateway")
    desk.heard_all()
    w = RawSocket(desk.customer)
    comments(desk.customer, ticket, 3)
    w.events(3)
    for service in ("gateway", "fanout", "store"):
        desk.terminate(service)
    desk.customer.close()
    shutil.rmtree(state)
    copy.rename(state)
    desk.start("store", "fanout", "gateway")
    for others in (0, 5):                           # behind the cursor's position, and past it
        comments(desk.customer, ticket, others)
        again = RawSocket(desk.customer, w.cursor)
        assert again.hello["mode"] == "reset" and "restored" in again.hello["reason"]
        again.close()


def test_a_storm_is_let_in_at_a_pace(desk):
    desk.configure({"gateway": {"admissions": 2}})
    desk.restart("gateway")
    desk.customer.close(), desk.agent.close()
    stranger = Device(desk, "127.0.0.9")
    stranger.open()
    for token in [stranger.token] * 3 + [None, "x"]:
        stranger.token = token
        assert RawSocket(stranger).status == 401, "who is nobody takes nobody's place"
    got_in = [RawSocket(desk.agent)]
    while got_in[-1].status == 101:         # a slow machine lets in more than two meanwhile
        got_in.append(RawSocket(desk.agent))
    refused = got_in.pop()
    assert refused.status == 503 and int(refused.headers["Retry-After"]) >= 1 and len(got_in) >= 2
    assert desk.agent.rpc("project.info"), "calls have nothing to do with it"
    until("the gateway tells of it", lambda: desk.figure("gateway", "live_put_off_total") == 1)
    late = []

    def is_in():
        late.append(RawSocket(desk.agent))
        return late[-1].status == 101
    until("there is room", is_in)
    for w in got_in + late + [refused]:
        w.close()


def test_a_gateway_that_stops_says_bye_to_each_a_little_apart(desk):
    sockets, heard = [RawSocket(desk.agent) for _ in range(200)], {}
    by_fd, poll = {w.socket.fileno(): w for w in sockets}, select.poll()
    for fd in by_fd:
        poll.register(fd, select.POLLIN)
    stopping = threading.Thread(target=desk.terminate, args=("gateway",))
    stopping.start()
    while len(heard) < len(sockets):
        ready = poll.poll(15000)
        assert ready, "the rest was not told"
        for fd, _ in ready:
            message = by_fd[fd].message()
            if message.get("type") == "bye":
                assert message["retry_after_ms"] >= 1000 and by_fd[fd].wait_closed() == 1001
                by_fd[fd].close()
                heard[fd] = time.monotonic()
                poll.unregister(fd)
    stopping.join()
    assert "under way" not in desk.log("gateway"), "it has waited for them"
    assert max(heard.values()) - min(heard.values()) > 0.5, "of 2 s"
    desk.agent.close()
    desk.start("gateway")


def test_an_answer_to_a_ping_does_not_put_the_bye_off(desk):
    pinged, others = RawSocket(desk.agent), [desk.agent.live() for _ in range(40)]      # which answer theirs
    while pinged.frame(deadline_s=40)[0] != 9:
        pass
    stopping = threading.Thread(target=desk.terminate, args=("gateway",))
    stopping.start()
    until("it takes no more", lambda: not desk.is_healthy())
    pinged.send(b"", opcode=10)
    while (message := pinged.message())["type"] != "bye":
        pass
    assert message["retry_after_ms"] >= 1000
    pinged.close()
    stopping.join()
    for live in others:
        live.close()
    desk.agent.close()
    desk.start("gateway")


def test_a_user_s_other_sessions_hear_of_devices_read_marks_and_drafts(desk):
    ticket = desk.agent.rpc("ticket.create", subject="It burns", body="0", requester=desk.customer.user)["id"]
    comment = desk.agent.rpc("comment.add", ticket=ticket, body="Is it still?")["comment"]["id"]
    laptop, other = desk.customer.live(), desk.agent.live()
    phone = desk.bind(PHONE, "linus@example.org")

    def mentioned(live, kind):
        return [event["data"] for event in live.mentions if event["type"] == kind]
    until("the laptop hears of the phone",
          lambda: mentioned(laptop, "device.changed") == [{"device": f"loopback:{PHONE}", "bound": True}])
    assert desk.customer.rpc("ticket.get", ticket=ticket)["ticket"]["unread"] > 0
    phone.rpc("read.mark", ticket=ticket, comment=comment)
    until("it is read on the laptop, too", lambda: mentioned(laptop, "read.marked"))
    assert mentioned(laptop, "read.marked")[-1] == {"ticket": ticket, "comment": comment, "unread": 0}
    phone.rpc("draft.save", ticket=ticket, body="It smoulders")
    until("the laptop knows of a draft", lambda: mentioned(laptop, "draft.changed"))
    assert laptop.cursor and not any("smoulders" in json.dumps(event) for event in laptop.mentions), "its text is to be fetched"
    at_phone = phone.live()
    binding = next(d["id"] for d in desk.customer.rpc("device.list")["items"] if d["address"] == f"loopback:{PHONE}")
    desk.customer.rpc("device.revoke", device=binding)
    until("the phone is cut off", lambda: at_phone.error)
    until("the laptop hears of it", lambda: mentioned(laptop, "device.changed")[1:] == [{"device": f"loopback:{PHONE}", "bound": False}])
    for kind in ("device.changed", "read.marked", "draft.changed"):
        assert not mentioned(other, kind), "it is nobody else's"
    laptop.close(), other.close()


def test_a_client_that_comes_back_as_somebody_else_begins_anew(desk):
    """The change of a role is an op for the one whom it is about: who meets it in what they missed has seen with other eyes before."""
    w = RawSocket(desk.customer)
    desk.ctl("user", "set", "linus@example.org", "--role", "agent")
    assert w.wait_closed() == 4002
    until("it is in the log", lambda: desk.agent.rpc("person.list") and
          [p["role"] for p in desk.agent.rpc("person.list")["items"] if p["id"] == desk.customer.user] == ["agent"])
    again = RawSocket(desk.customer, w.cursor)
    assert again.hello["mode"] == "reset" and "role" in again.hello["reason"]
    assert (w.hello["role"], again.hello["role"]) == ("customer", "agent")
    again.close()
    with pytest.raises(RpcError):
        desk.customer.rpc("note.list", ticket="0" * 26)


class DeafGateway:
    """One that hears nothing of identity: it takes callers for what they were when it asked."""

    def __init__(self, desk, device):
        with Client(desk.root / "run/assist-identity/rpc.sock") as identity:
            self.sealed = identity.call("session.resolve", [device.token, device.address])[0]
        self.fanout, self.id, self.after, self.number = Client(desk.root / "run/assist-fanout/rpc.sock"), os.urandom(16), 0, 0
        self.session = os.urandom(16)

    def attach(self):
        self.number += 1
        return self.fanout.call("live.attach", [self.id, self.number, self.session], self.sealed)

    def told(self):
        """What is delivered next, of ops."""
        _, self.after, _, items, _ = self.fanout.call("live.follow", [self.id, self.after, 65536])
        return [event[0] for cursor, event, _, _ in items if cursor]


def test_who_is_no_agent_any_more_sees_nothing_of_agents_by_a_gateway_that_has_not_heard_of_it(desk):
    ticket = desk.customer.rpc("ticket.create", subject="Help", body="b")["id"]
    other = desk.member(PHONE, "otto@example.org", "Otto", "agent")
    gateway, told = DeafGateway(desk, desk.agent), []
    gateway.attach()
    other.rpc("note.add", ticket=ticket, body="between us")
    until("the note is told", lambda: told.extend(gateway.told()) or told == ["note.added"])
    desk.ctl("user", "set", "ada@example.org", "--role", "customer")
    until("the role is told", lambda: told.extend(gateway.told()) or "role.changed" in told)
    other.rpc("note.add", ticket=ticket, body="not for her")
    desk.ctl("user", "set", "otto@example.org", "--name", "Ottokar")
    until("the name is told", lambda: told.extend(gateway.told()) or told[-1] == "person.changed")
    assert told.count("note.added") == 1
    with pytest.raises(Fault) as refused:
        gateway.attach()
    assert refused.value.code == UNAVAILABLE
    gateway.fanout.close()
