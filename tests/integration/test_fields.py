"""Custom fields on real processes: what both sides see and hear, kill -9, what is found."""
import pytest
from harness import Desk, Live, RpcError

CUSTOMER, AGNES, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agnes = desk.member(AGNES, "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        desk.room = desk.admin.rpc("field.save", name="Room", key="room", kind="text", access="write")["field"]["field"]
        desk.cost = desk.admin.rpc("field.save", name="Cost", key="cost", kind="number", access="hidden")["field"]["field"]
        yield desk
        desk.proof()


def test_a_value_is_seen_heard_and_found_by_who_may_and_outlives_the_store(desk):
    assert [field["key"] for field in desk.customer.rpc("field.list")["items"]] == ["room"]
    ticket = desk.customer.rpc("ticket.create", subject="Cold", body="Very", fields=[{"field": desk.room, "value": "Attic"}])
    assert ticket["fields"] == [{"field": desk.room, "value": "Attic"}]
    customer, agent = Live(desk.customer), Live(desk.agnes)
    desk.agnes.rpc("ticket.set", ticket=ticket["id"], fields=[{"field": desk.cost, "value": "12.50"}, {"field": desk.room, "value": "Cellar"}])
    inner = agent.next("ticket.inner_field_changed")["data"]
    assert inner == {"ticket": ticket["id"], "field": desk.cost, "value": "12.5"}
    assert agent.next("ticket.field_changed")["data"]["value"] == "Cellar"
    assert customer.next("ticket.field_changed")["data"] == {"ticket": ticket["id"], "field": desk.room, "value": "Cellar"}
    assert "ticket.inner_field_changed" not in [event["type"] for event in customer.events]
    desk.kill("store")
    desk.start("store")
    assert desk.customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]["fields"] == [{"field": desk.room, "value": "Cellar"}]
    for query, n in ("field.cost:>12", 1), ("field.cost:>13", 0), ("-field.room:cellar", 0), ("field.room:cellar", 1):
        assert len(desk.agnes.rpc("ticket.search", query=query)["items"]) == n
    desk.agnes.rpc("ticket.set", ticket=ticket["id"], fields=[{"field": desk.room, "value": None}])
    assert "value" not in customer.next("ticket.field_changed")["data"]
    assert desk.customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]["fields"] == []
    with pytest.raises(RpcError) as failed:
        desk.customer.rpc("ticket.search", query="heating field.cost:1")
    assert failed.value.data["reason"] == "column 9: there is no field with this key; field.list has them"
    customer.close()
    agent.close()


def test_agents_hear_of_a_new_field(desk):
    agent = Live(desk.agnes)
    saved = desk.admin.rpc("field.save", name="Colour", key="colour", kind="choice", choices=["red", "green"], access="read")["field"]
    assert agent.next("field.changed")["data"]["field"] == saved
    with pytest.raises(RpcError) as failed:
        desk.admin.rpc("field.save", name="Hue", key="Hue", kind="choice", choices=["red"], access="read")
    assert failed.value.data["field"] == "key"
    agent.close()
