"""Tickets put aside, on real processes: two devices of one agent, kill -9 around the time, searches and the terminal."""
import time

import pytest
from harness import Desk, RpcError, until

CUSTOMER, AGENT, LAPTOP, OTHER = "127.0.0.2", "127.0.0.3", "127.0.0.13", "127.0.0.4"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.laptop = desk.bind(LAPTOP, "agnes@example.org")
        desk.other = desk.member(OTHER, "arthur@example.org", "Arthur", "agent")
        yield desk
        desk.proof()


@pytest.fixture
def ticket(desk):
    return desk.customer.rpc("ticket.create", subject="It squeaks", body="Since Monday")


def aside(device):
    return [item["ticket"] for item in device.rpc("snooze.list")["items"]]


def put_aside(device, ticket, ms):
    """For so long, or longer where the machine is slow: a time that has come already is refused. When it ends."""
    while True:
        until_at = int(time.time() * 1000) + ms
        try:
            device.rpc("snooze.set", ticket=ticket["id"], until_at=until_at)
            return until_at
        except RpcError as refused:
            assert refused.data.get("field") == "until_at" and time.time() * 1000 >= until_at, refused
            ms *= 2


def told(live, ticket):
    """Whether it was put aside, as often as it was told."""
    with live.change:
        return [event["data"]["snoozed"] for event in live.mentions
                if event["type"] == "snooze.changed" and event["data"]["ticket"] == ticket["id"]]


def test_it_is_put_aside_on_all_devices_of_one_agent_and_comes_back_though_store_is_killed(desk, ticket):
    laptop, other = desk.laptop.live(), desk.other.live()
    put_aside(desk.agent, ticket, 60 * 60 * 1000)
    until("the laptop is told", lambda: told(laptop, ticket) == [True])
    assert aside(desk.laptop) == [ticket["id"]] and aside(desk.other) == []
    numbers = [item["ticket"]["number"] for item in desk.laptop.rpc("ticket.search", query="snoozed:yes")["items"]]
    assert numbers == [ticket["number"]]
    until_at = put_aside(desk.agent, ticket, 500)
    desk.kill("store")
    until("its time has come", lambda: time.time() * 1000 > until_at)
    desk.start("store")
    until("the laptop is told that it is back", lambda: told(laptop, ticket)[-1:] == [False])
    assert aside(desk.agent) == [] and told(other, ticket) == []
    desk.crash("store")
    assert aside(desk.agent) == []
    laptop.close(), other.close()


def test_a_reply_brings_it_back_and_a_note_does_not(desk, ticket):
    laptop = desk.laptop.live()
    desk.agent.rpc("snooze.set", ticket=ticket["id"])
    desk.other.rpc("note.add", ticket=ticket["id"], body="Hm")
    desk.agent.rpc("comment.add", ticket=ticket["id"], body="I will look at it.")
    assert ticket["id"] in aside(desk.agent)
    desk.crash("store")
    desk.customer.rpc("comment.add", ticket=ticket["id"], body="Thank you!")
    assert ticket["id"] not in aside(desk.agent)
    until("the laptop is told", lambda: told(laptop, ticket) == [True, False])
    laptop.close()


def test_it_is_taken_up_again_by_hand(desk, ticket):
    desk.agent.rpc("snooze.set", ticket=ticket["id"])
    assert desk.laptop.rpc("snooze.end", ticket=ticket["id"])["ticket"] == ticket["id"]
    assert ticket["id"] not in aside(desk.agent)


def test_at_a_terminal(desk, ticket):
    number = ticket["number"]
    assert desk.assist(AGENT, "snooze", "list", json_output=False) == "Nothing is put aside.\n"
    assert desk.assist(AGENT, "snooze", number, json_output=False) == f"Ticket #{number} is put aside until somebody replies.\n"
    out = desk.assist(AGENT, "snooze", number, "2d", json_output=False)
    assert out.startswith(f"Ticket #{number} is put aside until 20") and out.endswith(", or until somebody replies.\n")
    out = desk.assist(LAPTOP, "snooze", "list", json_output=False).splitlines()
    assert out[0].split() == ["#", "UNTIL", "SUBJECT"] and out[1].split()[0] == str(number) and out[1].endswith("It squeaks")
    assert desk.assist(AGENT, "search", "snoozed:yes")["items"][0]["ticket"]["number"] == number
    assert desk.assist(AGENT, "snooze", "end", number, json_output=False) == f"Ticket #{number} is back.\n"
    assert aside(desk.agent) == []
    assert desk.run_assist(CUSTOMER, "snooze", number).returncode == 4
    assert desk.run_assist(AGENT, "snooze", number, "whenever").returncode == 2
    done = desk.run_assist(CUSTOMER, "search", "snoozed:yes")
    assert done.returncode == 2 and "for agents" in done.stderr
    with pytest.raises(RpcError) as refused:
        desk.agent.rpc("snooze.set", ticket=ticket["id"], until_at=1)
    assert refused.value.data["field"] == "until_at"
