"""Who looks, types and is there, as people at both ends of a desk see it. Nobody waits here for time to pass but for a gateway's end: when
what ends is the unit tests' matter."""
import hashlib
import struct
import subprocess

import pytest

from harness import BIN, CROCKFORD, Desk, RpcError, base64url, ulid, until
from raw_socket import RawSocket

NOT_FOUND, FORBIDDEN, RATE_LIMITED, TOO_LARGE, EXPIRED = -32003, -32002, -32005, -32007, -32008


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        yield desk


@pytest.fixture(scope="module")
def linus(desk):
    return desk.member("127.0.0.2", "linus@example.org", "Linus")


@pytest.fixture(scope="module")
def ann(desk):
    return desk.member("127.0.0.3", "ann@example.org", "Ann", "agent")


@pytest.fixture
def own_desk():
    """One whose services a test may kill."""
    with Desk() as desk:
        desk.customer = desk.member("127.0.0.2", "linus@example.org", "Linus")
        desk.agent = desk.member("127.0.0.3", "ann@example.org", "Ann", "agent")
        yield desk


class Seat:
    """A person at a device, with a live session."""

    def __init__(self, device):
        self.device, self.live = device, device.live()
        self.session = self.live.hello["session"]

    def rpc(self, method, **params):
        return self.device.rpc(method, params, session=self.session)

    def look(self, ticket, **more):
        grant = self.device.rpc("ticket.get", ticket=ticket)["grant"]
        return as_dict(self.rpc("presence.view", ticket=ticket, grant=grant, **more)["people"])

    def told(self, kind):
        with self.live.change:
            return [event["data"] for event in self.live.mentions if event["type"] == kind]

    def people(self, ticket):
        """At a ticket, as it was told last."""
        told = [data for data in self.told("presence.changed") if data["ticket"] == ticket]
        return as_dict(told[-1]["people"]) if told else None

    def sees(self, ticket, expected, deadline_s=30):
        try:
            until("what they see", lambda: self.people(ticket) == expected, deadline_s)
        except AssertionError:
            raise AssertionError(f"{self.people(ticket)} instead of {expected}")

    def online(self, user):
        """As it was told last: a status, or None for somebody who is not there."""
        shown = None
        for data in self.told("presence.online"):
            if data["complete"]:
                shown = None
            for person in data["people"]:
                if person["user"] == user:
                    shown = person["status"] if person["online"] else None
        return shown


def as_dict(people):
    return {viewer["user"]: viewer["activity"] for viewer in people}


@pytest.fixture
def seat():
    seats = []

    def take(device):
        seats.append(Seat(device))
        return seats[-1]
    yield take
    for each in seats:
        if not each.live.error:
            each.live.close()


def ticket_of(device):
    return device.rpc("ticket.create", subject="It burns", body="Help!")["id"]


def code_of(call, *args, **params):
    with pytest.raises(RpcError) as e:
        call(*args, **params)
    return e.value.code


def can(call, *args):
    try:
        return call(*args) is not None
    except RpcError:
        return False


def test_a_customer_and_an_agent_see_each_other_look_type_and_leave(linus, ann, seat):
    ticket, customer, agent, passer_by = ticket_of(linus), seat(linus), seat(ann), seat(ann)
    assert customer.look(ticket) == {linus.user: "viewing"}
    assert agent.look(ticket) == {linus.user: "viewing", ann.user: "viewing"}
    for each in customer, agent:
        each.sees(ticket, {linus.user: "viewing", ann.user: "viewing"})
    agent.rpc("typing.relay", ticket=ticket)
    customer.sees(ticket, {linus.user: "viewing", ann.user: "typing"})
    agent.look(ticket, activity="drafting")
    customer.sees(ticket, {linus.user: "viewing", ann.user: "drafting"})
    assert as_dict(linus.rpc("presence.list", tickets=[ticket])["items"][0]["people"]) == {linus.user: "viewing", ann.user: "drafting"}
    agent.rpc("presence.leave", ticket=ticket)
    customer.sees(ticket, {linus.user: "viewing"})
    agent.look(ticket)
    customer.live.cut()
    agent.sees(ticket, {ann.user: "viewing"})
    assert linus.rpc("presence.list", tickets=[ticket])["items"] == []      # who does not look is not told
    assert as_dict(ann.rpc("presence.list", tickets=[ticket, ulid()])["items"][0]["people"]) == {ann.user: "viewing"}
    assert passer_by.people(ticket) is None


def test_typing_falls_back_by_itself(linus, ann, seat):
    ticket, customer, agent = ticket_of(linus), seat(linus), seat(ann)
    customer.look(ticket)
    agent.look(ticket)
    customer.rpc("typing.relay", ticket=ticket)
    agent.sees(ticket, {linus.user: "typing", ann.user: "viewing"})
    agent.sees(ticket, {linus.user: "viewing", ann.user: "viewing"})


def test_customers_learn_nothing_of_notes(linus, ann, seat):
    ticket, customer, agent = ticket_of(linus), seat(linus), seat(ann)
    customer.look(ticket)
    agent.look(ticket)
    both = {linus.user: "viewing", ann.user: "viewing"}
    customer.sees(ticket, both)
    told = len(customer.told("presence.changed"))
    agent.rpc("typing.relay", ticket=ticket, note=True)
    agent.sees(ticket, {**both, ann.user: "typing"})
    assert agent.look(ticket, activity="drafting", note=True) == {**both, ann.user: "drafting"}
    agent.sees(ticket, {**both, ann.user: "drafting"})
    assert as_dict(linus.rpc("presence.list", tickets=[ticket])["items"][0]["people"]) == both
    assert code_of(customer.look, ticket, note=True) == FORBIDDEN
    assert code_of(customer.rpc, "typing.relay", ticket=ticket, note=True) == FORBIDDEN
    agent.rpc("typing.relay", ticket=ticket)
    customer.sees(ticket, {**both, ann.user: "typing"})
    assert len(customer.told("presence.changed")) == told + 1       # nothing in between


def test_two_devices_are_one_viewer(desk, linus, ann, seat):
    ticket, phone = ticket_of(linus), desk.bind("127.0.0.4", "linus@example.org")
    at_desk, at_phone, agent = seat(linus), seat(phone), seat(ann)
    agent.look(ticket)
    at_desk.look(ticket)
    assert at_phone.look(ticket, activity="drafting") == {ann.user: "viewing", linus.user: "drafting"}
    agent.sees(ticket, {ann.user: "viewing", linus.user: "drafting"})
    at_phone.live.close()
    agent.sees(ticket, {ann.user: "viewing", linus.user: "viewing"})
    at_desk.live.close()
    agent.sees(ticket, {ann.user: "viewing"})


def grant_of(desk, user, ticket, agent, expires_at):
    """As store makes them."""
    def bytes_of(text):
        n = 0
        for c in text:
            n = n << 5 | CROCKFORD.index(c)
        return n.to_bytes(16, "big")
    path, = desk.root.glob("**/store/caller")
    key = hashlib.blake2b(b"grant", key=bytes.fromhex(path.read_text()), digest_size=32).digest()
    text = b"\1" + bytes_of(user) + bytes_of(ticket) + bytes([agent]) + struct.pack(">q", expires_at)
    return base64url(text + hashlib.blake2b(text, key=key, digest_size=16).digest())


def test_only_a_grant_of_ones_own_for_this_ticket_and_only_ones_own_session_count(desk, linus, ann, seat):
    ticket, other, customer, agent = ticket_of(linus), ticket_of(ann), seat(linus), seat(ann)
    grant = linus.rpc("ticket.get", ticket=ticket)["grant"]
    agents = ann.rpc("ticket.get", ticket=ticket)["grant"]
    now = customer.live.hello["now"]

    def view(who, **params):
        return who.rpc("presence.view", ticket=ticket, **params)

    assert code_of(view, customer, grant=grant[:-1] + ("A" if grant[-1] != "A" else "B")) == NOT_FOUND
    assert code_of(view, customer, grant="x") == NOT_FOUND
    assert code_of(view, customer, grant=agents) == NOT_FOUND
    assert code_of(view, agent, grant=grant) == NOT_FOUND
    assert code_of(customer.rpc, "presence.view", ticket=other, grant=grant) == NOT_FOUND
    assert code_of(view, customer, grant=grant_of(desk, linus.user, ticket, False, now - 1)) == EXPIRED
    assert code_of(view, customer, grant=grant_of(desk, linus.user, ticket, True, now + 60000)) == NOT_FOUND     # of when they were an agent
    view(customer, grant=grant_of(desk, linus.user, ticket, False, now + 600000))
    for session in agent.session, ulid():
        assert code_of(linus.rpc, "presence.view", session=session, ticket=ticket, grant=grant) == NOT_FOUND
        assert code_of(linus.rpc, "presence.leave", session=session, ticket=ticket) == NOT_FOUND
        assert code_of(linus.rpc, "typing.relay", session=session, ticket=ticket) == NOT_FOUND
        assert code_of(linus.rpc, "presence.status", session=session, text="x") == NOT_FOUND
    assert code_of(agent.rpc, "typing.relay", ticket=ticket) == NOT_FOUND                # who does not look does not type


def test_a_session_shows_sixteen_tickets(desk, linus, ann, seat):
    agent, tickets = seat(ann), [ticket_of(linus) for _ in range(17)]
    for ticket in tickets[:16]:
        agent.look(ticket)
    assert code_of(agent.look, tickets[16]) == TOO_LARGE
    agent.rpc("presence.leave", ticket=tickets[3])
    agent.look(tickets[16])
    assert desk.figure("fanout", "presence_leases") == 16


def test_a_customer_who_may_see_a_ticket_no_more_hears_of_it_no_more(desk, linus, ann, seat):
    bea = desk.member("127.0.0.5", "bea@example.org", "Bea")
    ticket, watcher, agent = ticket_of(linus), seat(bea), seat(ann)
    ann.rpc("ticket.set", ticket=ticket, add_watchers=[bea.user])
    agent.look(ticket)
    watcher.look(ticket)
    watcher.sees(ticket, {ann.user: "viewing", bea.user: "viewing"})
    grant = bea.rpc("ticket.get", ticket=ticket)["grant"]
    ann.rpc("ticket.set", ticket=ticket, remove_watchers=[bea.user])
    agent.sees(ticket, {ann.user: "viewing"})
    watcher.live.next("access.lost")
    told = len(watcher.told("presence.changed"))
    assert bea.rpc("presence.list", tickets=[ticket])["items"] == []
    agent.look(ticket, activity="drafting")
    agent.sees(ticket, {ann.user: "drafting"})
    assert code_of(watcher.rpc, "typing.relay", ticket=ticket) == NOT_FOUND
    assert code_of(watcher.rpc, "presence.view", ticket=ticket, grant=grant) == EXPIRED      # however long it would have been good
    desk.crash("fanout")
    until("fanout knows them again", lambda: code_of(watcher.rpc, "presence.view", ticket=ticket, grant=grant) == EXPIRED)
    ann.rpc("ticket.set", ticket=ticket, add_watchers=[bea.user])
    until("the new one is good", lambda: can(watcher.look, ticket))
    agent.sees(ticket, {ann.user: "drafting", bea.user: "viewing"})
    ann.rpc("ticket.set", ticket=ticket, remove_watchers=[bea.user])
    agent.sees(ticket, {ann.user: "drafting"})
    told = len(watcher.told("presence.changed"))
    agent.look(ticket)
    agent.sees(ticket, {ann.user: "viewing"})
    assert len(watcher.told("presence.changed")) == told


def test_a_changed_role_and_a_disabled_user_end_what_they_showed(desk, linus, ann, seat):
    cleo = desk.member("127.0.0.6", "cleo@example.org", "Cleo", "agent")
    ticket, leaver, agent = ticket_of(linus), seat(cleo), seat(ann)
    agent.look(ticket)
    leaver.look(ticket)
    agent.sees(ticket, {ann.user: "viewing", cleo.user: "viewing"})
    desk.ctl("user", "set", "cleo@example.org", "--role", "customer")
    agent.sees(ticket, {ann.user: "viewing"})
    cleo.open()
    mine = ticket_of(cleo)
    seat(cleo).look(mine)
    agent.look(mine)
    agent.sees(mine, {cleo.user: "viewing", ann.user: "viewing"})
    desk.ctl("user", "disable", "cleo@example.org")
    agent.sees(mine, {ann.user: "viewing"})


def test_who_types_too_often_is_told_so_and_nothing_else_of_theirs_suffers(desk, linus, ann, seat):
    dan = desk.member("127.0.0.7", "dan@example.org", "Dan")
    phone = desk.bind("127.0.0.8", "dan@example.org")
    ticket, at_desk, at_phone, agent = ticket_of(dan), seat(dan), seat(phone), seat(ann)
    agent.look(ticket)
    at_desk.look(ticket)
    at_phone.look(ticket)
    refused = None
    for i in range(90):                     # a bucket of 60; one more comes each second
        try:
            (at_desk, at_phone)[i % 2].rpc("typing.relay", ticket=ticket)
        except RpcError as error:
            refused = error
            break
    assert refused.code == RATE_LIMITED and 0 < refused.data["retry_after_ms"] <= 1000 and i >= 60
    at_phone.look(ticket)
    at_desk.look(ticket, activity="drafting")
    agent.sees(ticket, {ann.user: "viewing", dan.user: "drafting"})
    assert dan.rpc("comment.add", ticket=ticket, body="There.")["comment"]
    agent.rpc("typing.relay", ticket=ticket)


def test_presence_comes_back_by_itself_after_fanout_was_killed(own_desk, seat):
    linus, ann = own_desk.customer, own_desk.agent
    bea = own_desk.member("127.0.0.5", "bea@example.org", "Bea")
    ticket = ticket_of(linus)
    ann.rpc("ticket.set", ticket=ticket, add_watchers=[bea.user])
    customer, watcher, agent = seat(linus), seat(bea), seat(ann)
    for who in customer, watcher, agent:
        who.look(ticket)
    agent.look(ticket, activity="drafting")
    agent.rpc("presence.status", text="Till five")
    everybody = {linus.user: "viewing", bea.user: "viewing", ann.user: "drafting"}
    until("it is there", lambda: customer.people(ticket) == everybody and customer.online(ann.user) == "Till five")
    since = {viewer["user"]: viewer["since_at"] for viewer in ann.rpc("presence.list", tickets=[ticket])["items"][0]["people"]}
    settled(own_desk, ann)

    own_desk.kill("fanout")
    ann.rpc("ticket.set", ticket=ticket, remove_watchers=[bea.user])     # who may not any more must not come back
    told = len(customer.told("presence.changed"))
    own_desk.start("fanout")
    left = {linus.user: "viewing", ann.user: "drafting"}
    until("all are told again", lambda: len(customer.told("presence.changed")) > told and customer.people(ticket) == left)
    agent.sees(ticket, left)
    people = ann.rpc("presence.list", tickets=[ticket])["items"][0]["people"]
    assert {viewer["user"]: viewer["since_at"] for viewer in people} == {user: since[user] for user in left}
    assert {"user": ann.user, "status": "Till five"}.items() <= linus.rpc("presence.online")["items"][1].items()
    assert bea.rpc("presence.list", tickets=[ticket])["items"] == []
    customer.rpc("typing.relay", ticket=ticket)
    agent.sees(ticket, {**left, linus.user: "typing"})

    own_desk.crash("fanout")                # what was kept is kept again
    until("they are back", lambda: as_dict(people_at(ann, ticket)) == left)
    agent.rpc("presence.leave", ticket=ticket)
    customer.sees(ticket, {linus.user: "viewing"})


def people_at(device, ticket):
    items = device.rpc("presence.list", tickets=[ticket])["items"]
    return items[0]["people"] if items else []


def settled(desk, device):
    """What fanout has queued, the gateway has taken: it tells an event that came later."""
    live = device.live()
    ticket = ticket_of(device)
    while live.next("ticket.created")["data"]["ticket"]["id"] != ticket:
        pass
    live.close()
    until("the queue is empty", lambda: desk.figure("fanout", "queued_bytes") == 0)


def test_a_lease_ends_after_its_gateway_was_killed_and_who_comes_back_was_not_away(own_desk, seat):
    linus, ann = own_desk.customer, own_desk.agent
    ticket, customer, agent = ticket_of(linus), seat(linus), seat(ann)
    customer.look(ticket)
    agent.look(ticket)
    agent.sees(ticket, {linus.user: "viewing", ann.user: "viewing"})
    own_desk.crash("gateway")
    linus.close(), ann.close()
    agent = seat(ann)
    assert agent.look(ticket) == {linus.user: "viewing", ann.user: "viewing"}
    until("the lease is over", lambda: agent.people(ticket) == {ann.user: "viewing"}, 75)
    assert own_desk.figure("fanout", "presence_leases") == 1


def test_a_user_at_two_gateways_is_one_and_hears_the_same(own_desk, seat):
    linus, ann = own_desk.customer, own_desk.agent
    with open(own_desk.root / "gateway.log", "ab") as log:
        second = subprocess.Popen([BIN / "assist-gateway", "--root", own_desk.root], stdout=log, stderr=log)
    until("it listens", lambda: own_desk.log("gateway").count("listening at") == 2)
    ticket, customer, agents = ticket_of(linus), seat(linus), [seat(ann) for _ in range(16)]     # the kernel deals them out
    customer.look(ticket)
    for each in agents:
        each.look(ticket)
    for each in [customer] + agents:
        each.sees(ticket, {linus.user: "viewing", ann.user: "viewing"})
    agents[0].rpc("typing.relay", ticket=ticket)
    for each in [customer] + agents:
        each.sees(ticket, {linus.user: "viewing", ann.user: "typing"})
    second.terminate()
    assert second.wait(15) == 0
    linus.close(), ann.close()

    def left():
        return [each for each in [customer] + agents if not each.live.error]
    until("those at the other one are gone", lambda: own_desk.figure("fanout", "sessions") == len(left()) > 0)
    for each in left():
        each.sees(ticket, {ann.user: "viewing", **({linus.user: "viewing"} if customer in left() else {})})


def test_who_read_too_slowly_is_told_anew_who_is_there(linus, ann, seat):
    ticket, customer, slow = ticket_of(linus), seat(linus), RawSocket(ann)
    ann.rpc("presence.view", session=slow.hello["session"], ticket=ticket, grant=ann.rpc("ticket.get", ticket=ticket)["grant"])
    for i in range(150):                    # more than 1 MiB and the kernel's buffers hold: it is told to pull
        linus.rpc("comment.add", ticket=ticket, body=f"{i} " + "x" * 65000)
        slow.send(b"", opcode=10)           # who is silent for long is taken for gone
    customer.look(ticket)
    customer.sees(ticket, {linus.user: "viewing", ann.user: "viewing"})
    slow.events(150)
    assert slow.pulls == 1

    def newest():
        linus.rpc("comment.add", ticket=ticket, body="And now?")
        slow.events(1)
        return as_dict([event["data"] for event in slow.mentions if event["type"] == "presence.changed"][-1]["people"])
    until("they are told anew", lambda: newest() == {linus.user: "viewing", ann.user: "viewing"})
    slow.close()


def test_people_come_and_go_and_a_reconnect_is_neither(desk, linus, ann, seat):
    eve = desk.member("127.0.0.9", "eve@example.org", "Eve", "agent")
    customer, agent = seat(linus), seat(ann)
    first = seat(eve)
    until("both hear of her", lambda: customer.online(eve.user) == "" and agent.online(eve.user) == "")
    first.rpc("presence.status", text="In a meeting")
    until("her status", lambda: customer.online(eve.user) == "In a meeting")
    told = len(agent.told("presence.online"))
    first.live.cut()
    second = seat(eve)
    assert next(p for p in agent.device.rpc("presence.online")["items"] if p["user"] == eve.user)["status"] == "In a meeting"
    second.live.close()
    until("she is gone", lambda: agent.online(eve.user) is None and customer.online(eve.user) is None)
    hers = [p for data in agent.told("presence.online")[told:] for p in data["people"] if p["user"] == eve.user]
    assert [p["online"] for p in hers] == [False]
    assert eve.user not in [p["user"] for p in linus.rpc("presence.online")["items"]]


def test_customers_know_of_agents_and_of_themselves(desk, linus, ann, seat):
    finn = desk.member("127.0.0.10", "finn@example.org", "Finn")
    customer, other, agent = seat(linus), seat(finn), seat(ann)
    customer.rpc("presence.status", text="Waiting")
    until("agents and they themselves hear it", lambda: agent.online(linus.user) == customer.online(linus.user) == "Waiting")
    shown = {person["user"]: person["status"] for person in finn.rpc("presence.online")["items"]}
    assert ann.user in shown and finn.user in shown and linus.user not in shown
    assert linus.user in {person["user"] for person in ann.rpc("presence.online")["items"]}
    page = ann.rpc("presence.online", limit=1)
    assert len(page["items"]) == 1 and page["items"] != ann.rpc("presence.online", limit=1, after=page["next"])["items"]
    heard = {person["user"] for data in other.told("presence.online") for person in data["people"]}
    assert linus.user not in heard
    customer.rpc("presence.status", text="")
