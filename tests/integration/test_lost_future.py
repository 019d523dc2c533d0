"""A backup's database goes on under a new instance: who was in the future that is lost begins anew, whatever of the desk went on meanwhile; what they
offer again is taken as if for the first time; and the log is whole, by two keys."""
import os
import shutil

import pytest

from harness import Desk, RpcError, ulid, until
from program import Program
from raw_socket import RawSocket

CUSTOMER, AGENT = "127.0.0.2", "127.0.0.3"
SOME = {"store alone": ("store",), "all who know of the log": ("store", "fanout", "gateway")}


@pytest.fixture
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.ticket = desk.customer.rpc("ticket.create", subject="It burns", body="Help!")["id"]
        yield desk
        desk.proof()


def stop(desk, services):
    for service in reversed(services):
        desk.terminate(service)
    if "gateway" in services:
        desk.customer.close(), desk.agent.close()


def backup(desk):
    """Of a store that stands still."""
    desk.terminate("store")
    shutil.copytree(desk.root / "state/store", desk.root / "copy")
    desk.start("store")


def restore(desk, services=("store",)):
    """The database as it was, beside a key that wrote nothing yet."""
    stop(desk, services)
    shutil.rmtree(desk.root / "state/store")
    shutil.copytree(desk.root / "copy", desk.root / "state/store")
    (desk.root / "keys/store/instance").write_text(os.urandom(32).hex() + "\n")
    desk.start(*services)


def write(device, ticket, body, op_id=None):
    return device.rpc("comment.add", ticket=ticket, body=body, op_id=op_id or ulid())["comment"]


def bodies(device, ticket):
    return [comment["body"] for comment in device.rpc("comment.list", ticket=ticket)["items"]]


def reset_of(live):
    """What a socket that stays open is told, behind what it has yet to be told of before."""
    while (message := live.message()).get("type") != "reset":
        assert message["from"] == live.cursor, "a gap"
        live.cursor = message["to"]
    live.cursor = message["cursor"]
    return message


@pytest.mark.parametrize("services", SOME.values(), ids=SOME)
def test_who_was_in_the_lost_future_begins_anew_and_who_was_not_may_have_been(desk, services):
    desk.heard_all()
    live = RawSocket(desk.agent)
    backup(desk)
    before = live.cursor
    known = desk.customer.rpc("project.info")
    op_id = ulid()
    lost = write(desk.customer, desk.ticket, "Smoke, too", op_id)
    assert live.events(1)[0]["data"]["comment"] == lost
    in_lost = live.cursor
    restore(desk, services)
    if "gateway" in services:
        live = RawSocket(desk.agent, in_lost)
        assert live.hello["mode"] == "reset" and "restored" in live.hello["reason"]
    else:
        assert "restored" in reset_of(live)["reason"]
    assert bodies(desk.agent, desk.ticket) == ["Help!"]
    again = write(desk.customer, desk.ticket, "Smoke, too", op_id)
    assert (again["id"], again["body"]) == (lost["id"], lost["body"]), "by its op id it is the same one"
    assert live.events(1)[0]["data"]["comment"] == again
    for cursor in (before, in_lost):
        other = RawSocket(desk.agent, cursor)
        assert other.hello["mode"] == "reset" and "restored" in other.hello["reason"]
        other.close()
    other = RawSocket(desk.agent, live.cursor)
    assert other.hello["mode"] == "live"
    other.close()
    assert desk.agent.rpc("ticket.get", ticket=desk.ticket, at_cursor=before)["ticket"]["comments"] == 1, "that place in the log is where it was"
    with pytest.raises(RpcError):
        desk.agent.rpc("ticket.get", ticket=desk.ticket, at_cursor=in_lost)
    assert bodies(desk.agent, desk.ticket) == ["Help!", "Smoke, too"]
    assert desk.customer.rpc("project.info") == known
    live.close()


def test_the_log_is_whole_over_restores_and_says_of_them(desk):
    admin = desk.member("127.0.0.4", "ada@example.org", "Ada", "admin")
    backup(desk)
    for n in range(3):
        write(desk.customer, desk.ticket, f"The {n}th future")
        restore(desk)
        assert bodies(desk.customer, desk.ticket) == ["Help!"]
        desk.proof()
        if n == 1:
            shutil.rmtree(desk.root / "copy")
            backup(desk)
    begun = admin.rpc("audit.list", kind="instance.begin")["items"]
    assert len(begun) == 2, "of the third restore, and of the second, which was backed up"
    number = desk.customer.rpc("ticket.create", subject="On and on", body="x")["number"]
    assert number == 1 + desk.customer.rpc("ticket.get", ticket=desk.ticket)["ticket"]["number"]


def test_what_is_a_user_s_own_is_told_on_to_those_who_are_there(desk):
    comments = [write(desk.customer, desk.ticket, body)["id"] for body in ("one", "two", "three")]
    backup(desk)
    for comment in comments:        # counts that would be counted out once more
        desk.agent.rpc("read.mark", ticket=desk.ticket, comment=comment)
    desk.agent.rpc("draft.save", ticket=desk.ticket, body="Of the future that is lost")
    restore(desk)
    until("fanout has begun anew", lambda: "the log is another one than before" in desk.log("fanout"))
    live = desk.agent.live()
    for comment in comments:
        desk.agent.rpc("read.mark", ticket=desk.ticket, comment=comment)
        until(f"{comment} is told to be read", lambda: any(event["type"] == "read.marked" and event["data"]["comment"] == comment
                                                           for event in live.mentions))
    with pytest.raises(RpcError):
        desk.agent.rpc("draft.get", ticket=desk.ticket)
    desk.agent.rpc("draft.save", ticket=desk.ticket, body="Anew")
    until("the draft is told of", lambda: any(event["type"] == "draft.changed" for event in live.mentions))
    live.close()


def test_a_program_that_follows_says_so_and_goes_on(desk):
    watch = Program(desk.assist_command(AGENT, "watch"), {"XDG_STATE_HOME": str(desk.root / "home"), "TZ": "UTC"})
    try:
        watch.until_said("watching")
        backup(desk)
        write(desk.customer, desk.ticket, "Of the future that is lost")
        watch.until_said("Of the future that is lost")
        restore(desk)
        watch.until_said("restored from a backup")
        write(desk.customer, desk.ticket, "As it is now")
        watch.until_said("As it is now")
    finally:
        watch.close()
