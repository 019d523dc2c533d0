"""Views on real processes: pages, counts that move with the tickets, whose they are, kill -9."""
import pytest
from harness import Desk, Live, RpcError, until

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


def count(device, view):
    return device.rpc("view.count", views=[view["view"]])["items"][0]["count"]


def test_a_shared_view_is_everybodys_and_its_count_moves_with_events(desk):
    agent, other = Live(desk.agnes), Live(desk.customer)
    view = desk.admin.rpc("view.save", name="Mine", query="assignee:me -state:closed", order="urgent", shared=True)["view"]
    assert agent.next("view.changed")["data"]["view"] == view
    assert desk.agnes.rpc("view.list")["items"] == [view] and (count(desk.agnes, view), count(desk.arthur, view)) == (0, 0)
    tickets = [desk.customer.rpc("ticket.create", subject=f"Help {i}", body="Now") for i in range(3)]
    for ticket, priority in zip(tickets, ("low", "urgent", "high")):
        desk.arthur.rpc("ticket.set", ticket=ticket["id"], assignee=desk.agnes.user, priority=priority)
        agent.next("ticket.changed")
    until("all three are counted", lambda: count(desk.agnes, view) == 3)
    desk.kill("store")
    desk.start("store")
    listed, after = [], {}
    while True:
        page = desk.agnes.rpc("ticket.list", view=view["view"], limit=2, **after)
        listed += [ticket["priority"] for ticket in page["items"]]
        if "next" not in page:
            break
        after = {"after": page["next"]}
    assert listed == ["urgent", "high", "low"]
    desk.agnes.rpc("ticket.set", ticket=tickets[0]["id"], state="closed")
    assert (count(desk.agnes, view), count(desk.arthur, view)) == (2, 0)
    assert [event["type"] for event in other.events if event["type"].endswith("view.changed")] == []
    agent.close()
    other.close()


def test_ones_own_view_is_told_to_ones_devices_alone(desk):
    mine, others = Live(desk.agnes), Live(desk.arthur)
    view = desk.agnes.rpc("view.save", name="Waiting", query="state:pending", order="waiting")["view"]
    assert mine.next("own_view.changed")["data"]["view"] == view
    desk.admin.rpc("view.save", name="New ones", query="state:new", order="oldest", shared=True)
    others.next("view.changed")
    assert "own_view.changed" not in [event["type"] for event in others.events]
    for method, params in (("ticket.list", {"view": view["view"]}), ("view.count", {"views": [view["view"]]}),
                           ("view.save", {"view": view["view"], "name": "x", "query": "state:new", "order": "oldest"})):
        with pytest.raises(RpcError) as failed:
            desk.arthur.rpc(method, **params)
        assert failed.value.code == -32003
    mine.close()
    others.close()
