"""Tickets as they were, on real processes: by cursor and by time, after kill -9, at a terminal, and what must not come back."""
import datetime
import time

import pytest
from harness import Desk, RpcError, until

CUSTOMER, AGENT, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def look(device, ticket, **at):
    """A ticket with what was written on it; without what is of now alone."""
    got = device.rpc("ticket.get", ticket=ticket, **at)
    got["ticket"].pop("unread", None)
    return (got["ticket"], *(device.rpc(method, ticket=ticket, **at)["items"] for method in ("comment.list", "note.list"))), got["cursor"]


def tick():
    """Another millisecond."""
    now = int(time.time() * 1000)
    until("the next millisecond", lambda: int(time.time() * 1000) > now)
    return now


def test_it_is_shown_as_it_was_and_what_was_redacted_stays_so(desk):
    ticket = desk.customer.rpc("ticket.create", subject="The pin", body="My pin is quokka7")["id"]
    note = desk.agent.rpc("note.add", ticket=ticket, body="They wrote it down.")["comment"]
    first, cursor = look(desk.agent, ticket)
    at = tick()
    comment = desk.agent.rpc("comment.add", ticket=ticket, body="Don't tell!")["comment"]
    desk.agent.rpc("ticket.set", ticket=ticket, subject="About a pin", state="pending", add_tags=["pin"])
    desk.agent.rpc("note.delete", comment=note["id"])
    second, later = look(desk.agent, ticket)
    assert look(desk.agent, ticket, at_cursor=cursor)[0] == look(desk.agent, ticket, at=at)[0] == first
    desk.crash("store")
    assert look(desk.agent, ticket, at_cursor=cursor)[0] == first and look(desk.agent, ticket, at_cursor=later)[0] == second
    desk.agent.rpc("comment.edit", comment=comment["id"], body="Tell nobody!")
    assert look(desk.agent, ticket, at_cursor=later)[0][1][1]["body"] == "Don't tell!"

    moment = datetime.datetime.utcfromtimestamp(at / 1000 + 1).strftime("%Y-%m-%d %H:%M:%S")
    shown = desk.assist(AGENT, "ticket", "show", first[0]["number"], "--at", cursor, json_output=False)
    assert "The pin" in shown and "They wrote it down." in shown and "Tell nobody" not in shown
    assert desk.assist(AGENT, "ticket", "show", first[0]["number"], "--at", moment)["ticket"]["number"] == first[0]["number"]
    done = desk.run_assist(AGENT, "ticket", "show", first[0]["number"], "--at", "2020-01-01")
    assert done.returncode == 3, done
    assert desk.run_assist(AGENT, "ticket", "show", first[0]["number"], "--at", "the other day").returncode == 2

    desk.admin.rpc("comment.redact", comment=first[1][0]["id"])
    for at_then in ({"at": at}, {"at_cursor": cursor}):
        then = look(desk.agent, ticket, **at_then)[0]
        assert "quokka7" not in str(then) and then[1][0]["redacted"] and then[1][0]["body"] == ""
        assert then[0]["changed_at"] == first[0]["changed_at"]
    for params in ({"at": at}, {"at_cursor": cursor}):
        for method in ("ticket.get", "comment.list"):
            with pytest.raises(RpcError) as refused:
                desk.customer.rpc(method, ticket=ticket, **params)
            assert refused.value.code == -32602 and refused.value.data["field"] in params and "agents only" in refused.value.data["reason"]
