"""Where tickets stand, on real processes: what wakes by itself though store is killed around it, what a late reply becomes, the project's own
names for states, and all of it typed at a terminal."""
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


@pytest.fixture
def ticket(desk):
    return desk.customer.rpc("ticket.create", subject="It squeaks", body="Since Monday")


def now_ms():
    return int(time.time() * 1000)


def state(device, ticket):
    return device.rpc("ticket.get", ticket=ticket["id"])["ticket"]["state"]


def rests(desk, ticket, ms):
    """Pending for so long, or longer where the machine is slow: a time that has come already is refused. When it wakes."""
    while True:
        wake_at = now_ms() + ms
        try:
            desk.agent.rpc("ticket.set", ticket=ticket["id"], state="pending", wake_at=wake_at)
            return wake_at
        except RpcError as refused:
            assert refused.data.get("field") == "wake_at" and now_ms() >= wake_at, refused
            ms *= 2


def changes_until_open(live, ticket):
    """What the log told of a ticket's state until it was open."""
    told = []
    while not told or told[-1]["state"] != "open":
        event = live.next("ticket.changed")
        if event["data"]["ticket"] == ticket["id"] and "state" in event["data"]:
            told.append(dict(event["data"], actor=event["actor"]))
    return told


def test_a_pending_ticket_opens_by_itself_and_both_sides_see_it(desk, ticket):
    live = [desk.customer.live(), desk.agent.live()]
    wake_at = now_ms() + 1500
    now = desk.agent.rpc("ticket.set", ticket=ticket["id"], state="pending", wake_at=wake_at)
    assert (now["state"], now["wake_at"]) == ("pending", wake_at)
    for each in live:
        told = changes_until_open(each, ticket)
        assert [(change["state"], change.get("wake_at")) for change in told] == [("pending", wake_at), ("open", None)]
        assert set(told[-1]["actor"]) == {"0"}, "the desk itself did it"
        each.close()
    assert now_ms() >= wake_at
    assert "wake_at" not in desk.customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]


def test_it_wakes_once_however_store_is_killed_around_it(desk, ticket):
    live = desk.agent.live()
    wake_at = rests(desk, ticket, 400)
    desk.kill("store")  # its time comes while nobody is there
    until("the time has come", lambda: now_ms() > wake_at)
    desk.start("store")
    until("it woke", lambda: state(desk.agent, ticket) == "open")
    desk.crash("store")
    last = desk.agent.rpc("ticket.set", ticket=ticket["id"], state="solved")
    assert last["state"] == "solved" and last["conflicts"] == []
    desk.agent.rpc("comment.add", ticket=ticket["id"], body="the end")
    live.next("comment.added")
    actors = [event["actor"] for event in live.events if event["type"] == "ticket.changed" and event["data"]["ticket"] == ticket["id"]]
    assert actors == [desk.agent.user, "0" * 26, desk.agent.user], "once"
    live.close()
    desk.proof()


@pytest.mark.parametrize("late_ms", [-30, -3, 0, 3, 30])
def test_it_wakes_once_when_store_is_killed_right_then(desk, ticket, late_ms):
    wake_at = rests(desk, ticket, 300)
    until("the moment", lambda: now_ms() >= wake_at + late_ms)
    desk.crash("store")
    until("it woke", lambda: state(desk.agent, ticket) == "open")
    desk.crash("store")
    kinds = [item["kind"] for item in desk.admin.rpc("audit.list", ticket=ticket["id"])["items"]]
    assert kinds == ["ticket.state", "ticket.state", "comment.add", "ticket.create"]


def test_the_projects_own_names_are_typed_and_shown(desk, ticket):
    number = ticket["number"]
    assert desk.assist(AGENT, "label", "list", json_output=False) == "There is no label.\n"
    assert desk.run_assist(AGENT, "label", "new", "Waiting for the vendor", "--state", "pending").returncode == 4
    desk.assist(ADMIN, "label", "new", "Waiting for the vendor", "--state", "pending")
    assert [item["name"] for item in desk.assist(CUSTOMER, "label", "list")["items"]] == ["Waiting for the vendor"]
    live = desk.customer.live()
    out = desk.assist(AGENT, "ticket", "set", number, "--label", "waiting for the VENDOR", "--wake", "3d", json_output=False)
    assert out.startswith(f"Ticket #{number} is pending until 20")
    change = live.next("ticket.changed")["data"]
    label = desk.customer.rpc("label.list")["items"][0]
    assert (change["state"], change["label"]) == ("pending", label["label"]) and change["wake_at"] > now_ms()
    shown = desk.assist(CUSTOMER, "ticket", "show", number, json_output=False).splitlines()
    assert shown[1].startswith("pending (Waiting for the vendor) until 20") and shown[1].endswith(", normal, from Carl")
    desk.admin.rpc("label.save", label=label["label"], name="At the vendor's", state="pending")
    assert live.next("label.changed")["data"]["label"]["name"] == "At the vendor's"
    assert "(At the vendor's)" in desk.assist(AGENT, "ticket", "show", number, json_output=False)
    desk.assist(ADMIN, "label", "retire", "at the vendor's")
    assert desk.run_assist(AGENT, "ticket", "set", number, "--state", "pending", "--label", "At the vendor's").returncode == 2
    desk.assist(AGENT, "ticket", "set", number, "--wake", "none")
    now = desk.customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]
    assert "wake_at" not in now and now["label"] == label["label"], "who has it keeps it"
    out = desk.assist(AGENT, "ticket", "reply", number, "It comes on Friday.", "--state", "pending", "--wake", "tomorrow 9:00", json_output=False)
    assert desk.customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]["wake_at"] > now_ms()
    desk.crash("store")
    assert desk.customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]["wake_at"] > now_ms()
    desk.customer.rpc("comment.add", ticket=ticket["id"], body="It came today.")
    now = desk.customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]
    assert now["state"] == "open" and "wake_at" not in now and "label" not in now
    live.close()


def test_what_is_wrong_is_told(desk, ticket):
    for params, field in (({"wake_at": now_ms() + 60000}, "wake_at"), ({"state": "pending", "wake_at": 1}, "wake_at"),
                          ({"state": "pending", "wake_at": now_ms() + 6 * 366 * 86400000}, "wake_at"), ({"label": ticket["id"]}, "label")):
        with pytest.raises(RpcError) as refused:
            desk.agent.rpc("ticket.set", params, ticket=ticket["id"])
        assert (refused.value.code, refused.value.data["field"]) == (-32602, field), params
    for params in ({"wake_at": now_ms() + 60000}, {"label": None}):
        with pytest.raises(RpcError) as refused:
            desk.customer.rpc("ticket.set", params, ticket=ticket["id"])
        assert refused.value.code == -32602 and "agents only" in refused.value.data["reason"]
    done = desk.run_assist(AGENT, "ticket", "set", ticket["number"], "--state", "pending", "--wake", "soonish")
    assert done.returncode == 2 and "tomorrow 9:00" in done.stderr
    done = desk.run_assist(AGENT, "ticket", "set", ticket["number"], "--label", "Nowhere")
    assert done.returncode == 2 and 'there is no label "Nowhere"' in done.stderr
