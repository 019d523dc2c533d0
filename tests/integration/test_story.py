"""The main job of a desk, on real processes and sockets: a device is bound by a mailed code, a customer asks, an agent answers, and
both see it live."""
import email
import email.policy
import signal
import threading

import pytest
from aiosmtpd.controller import Controller

from harness import SERVICES, Desk, Device, RpcError, code_of, free_port, picture, unbase64url, until

CUSTOMER, AGENT, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
NOT_FOUND, UNAUTHENTICATED = -32003, -32001


class Mailbox:
    """What the SMTP server was told."""

    def __init__(self):
        self.mails = []

    async def handle_DATA(self, server, session, envelope):
        self.mails.append((envelope.rcpt_tos, envelope.original_content))
        return "250 taken"

    def code_for(self, address):
        def find():
            for recipients, content in reversed(self.mails):
                text = email.message_from_bytes(content, policy=email.policy.default).get_content()
                if recipients == [address] and "/bind#" in text:
                    return code_of(text)
        return until(f"a mail to {address}", find)


@pytest.fixture(scope="module")
def mailbox():
    mailbox = Mailbox()
    mailbox.port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    yield mailbox
    controller.stop()


@pytest.fixture(scope="module")
def desk(mailbox):
    with Desk({"mail": {"smtp_url": f"smtp://127.0.0.1:{mailbox.port}", "smtp_starttls": "no"}}) as desk:
        yield desk


def bound_by_mail(desk, mailbox, address, person):
    """What a client does with a device that the desk does not know yet."""
    device = Device(desk, address)
    assert device.open().get("role") is None
    with pytest.raises(RpcError) as refused:
        device.rpc("ticket.list")
    assert refused.value.code == UNAUTHENTICATED
    device.rpc("enroll.start", email=person, label="A new device")
    redeemed = device.rpc("enroll.redeem", code=mailbox.code_for(person))
    device.secret = unbase64url(redeemed["secret"])
    device.open()
    assert device.user == redeemed["user"]
    until("the store knows the user", device.is_known)
    return device


@pytest.fixture(scope="module")
def people(desk, mailbox):
    desk.user("linus@example.org", "Linus")
    desk.user("ann@example.org", "Ann", "agent")
    customer = bound_by_mail(desk, mailbox, CUSTOMER, "linus@example.org")
    agent = bound_by_mail(desk, mailbox, AGENT, "ann@example.org")
    assert (customer.role, agent.role) == ("customer", "agent")
    return customer, agent


def test_a_customer_asks_with_a_picture_and_the_agent_answers_and_both_see_it_live(desk, people):
    customer, agent = people
    data = picture(3 * 1024 * 1024)
    at_customer, at_agent = customer.live(), agent.live()

    upload = customer.upload("screen shot.png", data)
    ticket = customer.rpc("ticket.create", subject="The printer burns", body="Since *this* morning. 火", attachments=[upload])
    assert ticket["number"] == 1 and ticket["state"] == "new" and ticket["requester"] == customer.user

    created = at_agent.next("ticket.created")
    assert created["actor"] == customer.user and created["op_id"] == ticket["op_id"]
    assert created["data"]["ticket"]["id"] == ticket["id"] and created["data"]["ticket"]["subject"] == "The printer burns"
    question = at_agent.next("comment.added")["data"]["comment"]
    assert question["body"] == "Since *this* morning. 火" and question["ticket"] == ticket["id"]
    assert question["attachments"] == [{"id": upload, "name": "screen shot.png", "size": len(data), "type": "image/png"}]

    fetched = agent.http("GET", f"/attachments/{upload}")
    assert fetched.status == 200 and fetched.headers["Content-Type"] == "image/png" and fetched.body == data
    link = agent.rpc("attachment.link", attachment=upload)["url"]
    by_link = agent.http("GET", link, headers={"Authorization": None})
    assert by_link.status == 200 and by_link.body == data
    stranger = Device(desk, STRANGER)
    assert stranger.http("GET", link).status == 404
    stranger.close()

    answer = agent.rpc("comment.add", ticket=ticket["id"], body="Turn it off.", seen_comment=question["id"], state="pending")
    while True:
        event = at_customer.next("comment.added")
        if event["actor"] != customer.user:  # its own question is an echo
            break
    assert event["actor"] == agent.user and event["op_id"] == answer["op_id"]
    assert event["data"]["comment"]["body"] == "Turn it off."
    assert at_customer.next("ticket.changed")["data"] == {"ticket": ticket["id"], "state": "pending"}
    shown = customer.rpc("ticket.get", number=1)["ticket"]
    assert shown["state"] == "pending" and shown["comments"] == 2 and shown["newest_comment"] == answer["comment"]["id"]
    at_customer.close()
    at_agent.close()
    desk.proof()


def test_a_customer_whose_connection_breaks_misses_nothing_and_sees_nothing_twice(desk, people):
    customer, agent = people
    created = customer.rpc("ticket.create", subject="Resume", body="x")
    ticket, live = created["id"], customer.live(created["cursor"])
    agent.rpc("comment.add", ticket=ticket, body="before")
    assert live.next("comment.added")["data"]["comment"]["body"] == "before"
    assert live.next("ticket.changed")["data"] == {"ticket": ticket, "state": "open"}
    live.cut()

    # more than a page of the log (256 KiB), with what the customer may not see in between
    bodies = [f"{i} " + chr(0x61 + i) * 30000 for i in range(20)]
    for body in bodies:
        agent.rpc("note.add", ticket=ticket, body="between us")
        agent.rpc("comment.add", ticket=ticket, body=body)
    agent.rpc("ticket.set", ticket=ticket, state="solved")

    resumed = customer.live(live.cursor)
    assert resumed.hello["mode"] == "replay" and resumed.hello["cursor"] == live.cursor
    for body in bodies:
        event = resumed.next()
        assert (event["type"], event["data"]["comment"]["body"]) == ("comment.added", body)
    event = resumed.next()
    assert (event["type"], event["data"]) == ("ticket.changed", {"ticket": ticket, "state": "solved"})
    agent.rpc("comment.add", ticket=ticket, body="after")
    event = resumed.next()
    assert (event["type"], event["data"]["comment"]["body"]) == ("comment.added", "after")
    assert len(resumed.events) == len(bodies) + 2
    resumed.close()
    desk.proof()


def test_a_client_that_is_ahead_of_the_live_side_sees_nothing_twice(desk, people):
    customer, agent = people
    ticket = customer.rpc("ticket.create", subject="Ahead", body="x")["id"]
    fanout = desk.processes["fanout"]
    for i in range(10):  # fanout hears of the comment and of the client at once: in either order
        fanout.send_signal(signal.SIGSTOP)
        cursor = customer.rpc("comment.add", ticket=ticket, body=f"{i} mine")["cursor"]
        timer = threading.Timer(0.05, fanout.send_signal, [signal.SIGCONT])
        timer.start()
        live = customer.live(cursor)
        timer.join()
        agent.rpc("comment.add", ticket=ticket, body=f"{i} theirs")
        while True:
            event = live.next()
            if event["type"] == "comment.added":
                break
        assert event["data"]["comment"]["body"] == f"{i} theirs"
        live.close()
    desk.proof()


def told(events):
    return [event["data"]["comment"]["body"] for event in events if event["type"] == "comment.added"]


def test_a_client_resumes_after_every_service_was_killed(desk, people):
    customer, agent = people
    created = customer.rpc("ticket.create", subject="Through it all", body="x")
    ticket, live = created["id"], customer.live(created["cursor"])
    for i in range(10):
        agent.rpc("comment.add", ticket=ticket, body=str(i))
    live.next("comment.added")
    live.cut()
    events = live.events[:]

    for service in SERVICES:
        desk.kill(service)
    desk.start()

    resumed = customer.live(live.cursor)
    agent.rpc("comment.add", ticket=ticket, body="10")
    while not told(events) or told(events)[-1] != "10":
        events.append(resumed.next())
    assert told(events) == [str(i) for i in range(11)]
    changes = [event["data"] for event in events if event["type"] != "comment.added"]
    assert changes == [{"ticket": ticket, "state": "open"}]  # by the first answer
    resumed.close()
    desk.proof()


def test_a_customer_sees_neither_notes_nor_what_is_not_theirs(desk, people):
    customer, agent = people
    other = agent.rpc("ticket.create", subject="An agent's own", body="x")["id"]
    created = customer.rpc("ticket.create", subject="Mine", body="x")
    ticket, live = created["id"], customer.live(created["cursor"])
    note = agent.rpc("note.add", ticket=ticket, body="They are a nuisance")["comment"]["id"]
    agent.rpc("comment.add", ticket=other, body="not theirs")
    agent.rpc("comment.add", ticket=ticket, body="the last one")
    event = live.next()
    assert (event["type"], event["data"]["comment"]["body"]) == ("comment.added", "the last one")
    live.close()
    assert "notes" not in customer.rpc("ticket.get", ticket=ticket)["ticket"]
    for method, params in (("ticket.get", {"ticket": other}), ("comment.list", {"ticket": other}), ("comment.edit", {"comment": note, "body": "x"}),
                           ("comment.delete", {"comment": note}), ("attachment.link", {"attachment": note})):
        with pytest.raises(RpcError) as refused:
            customer.rpc(method, params)
        assert refused.value.code == NOT_FOUND, method
    desk.proof()
