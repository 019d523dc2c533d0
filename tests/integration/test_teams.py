"""Teams and types on real processes: turns that outlive kill -9, live events, what customers are told."""
import pytest
from harness import Desk, Live, RpcError

CUSTOMER, AGNES, ARTHUR, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agnes = desk.member(AGNES, "agnes@example.org", "Agnes", "agent")
        desk.arthur = desk.member(ARTHUR, "arthur@example.org", "Arthur", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def people(desk):
    return {person["name"]: person["id"] for person in desk.agnes.rpc("person.list")["items"]}


def until_comment(live):
    """What the log told until a comment came."""
    events = []
    while not events or events[-1]["type"] != "comment.added":
        events.append(live.next())
    return [event for event in events[:-1] if event["type"].startswith(("ticket.", "team.", "type."))]


def test_who_files_with_a_type_reaches_the_next_of_its_team_whatever_is_killed(desk):
    who = people(desk)
    team = desk.admin.rpc("team.save", name="Network", members=[who["Agnes"], who["Arthur"]], rotate=True)["team"]
    kind = desk.admin.rpc("type.save", name="Outage", team=team["team"])["type"]
    assert kind["team"] == team["team"]
    assert desk.customer.rpc("type.list")["items"] == [{"type": kind["type"], "name": "Outage", "retired": False}]
    turns = []
    for i in range(4):
        filed = desk.customer.rpc("ticket.create", subject=f"Down {i}", body="All of it", type=kind["type"])
        assert filed["type"] == kind["type"] and "team" not in filed
        turns.append(desk.agnes.rpc("ticket.get", ticket=filed["id"])["ticket"]["assignee"])
        desk.kill("store")
        desk.start("store")
    assert turns == [who["Agnes"], who["Arthur"]] * 2
    assert len(desk.agnes.rpc("ticket.list", team=team["team"])["items"]) == 4


def test_both_sides_hear_of_it_as_far_as_they_may(desk):
    team = desk.admin.rpc("team.save", name="Accounts", members=[people(desk)["Arthur"]])["team"]
    kind = desk.admin.rpc("type.save", name="Invoice")["type"]
    ticket = desk.customer.rpc("ticket.create", subject="Wrong sum", body="1 + 1 = 3")
    customer, agent = Live(desk.customer), Live(desk.agnes)
    desk.admin.rpc("team.save", team=team["team"], name="Accounting", members=team["members"])
    desk.admin.rpc("type.save", type=kind["type"], name="Bill")
    desk.arthur.rpc("ticket.set", ticket=ticket["id"], type=kind["type"], team=team["team"])
    desk.arthur.rpc("ticket.set", ticket=ticket["id"], team=None)
    desk.arthur.rpc("comment.add", ticket=ticket["id"], body="We look at it.")
    heard = until_comment(agent)
    assert [event["type"] for event in heard] == ["team.changed", "type.changed", "ticket.changed", "ticket.routed", "ticket.routed"]
    assert heard[0]["data"]["team"]["name"] == "Accounting" and heard[3]["data"]["team"] == team["team"] and "team" not in heard[4]["data"]
    told = until_comment(customer)
    assert [event["type"] for event in told] == ["type.changed", "ticket.changed"]
    assert told[0]["data"]["type"] == {"type": kind["type"], "name": "Bill", "retired": False} and told[1]["data"]["type"] == kind["type"]
    customer.close()
    agent.close()


def test_what_is_wrong_is_said(desk):
    ticket = desk.customer.rpc("ticket.create", subject="s", body="b")
    for device, method, params, code, field in (
            (desk.admin, "team.save", {"name": "x", "members": [people(desk)["Carl"]]}, -32602, "members"),
            (desk.admin, "type.save", {"name": "x", "team": ticket["id"]}, -32602, "team"),
            (desk.agnes, "ticket.set", {"ticket": ticket["id"], "team": ticket["id"]}, -32602, "team"),
            (desk.customer, "ticket.set", {"ticket": ticket["id"], "type": ticket["id"]}, -32602, "type"),
            (desk.customer, "ticket.create", {"subject": "s", "body": "b", "type": ticket["id"]}, -32602, "type"),
            (desk.admin, "team.save", {"name": "NETWORK", "members": []}, -32004, None)):
        with pytest.raises(RpcError) as failed:
            device.rpc(method, **params)
        assert failed.value.code == code and failed.value.data.get("field") == field
