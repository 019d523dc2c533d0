"""Links between tickets on real processes: both ends, live, through kill -9, on a terminal; what a customer learns of them."""
import pytest
from harness import Desk, Live, RpcError, ulid

CUSTOMER, OTHER, AGENT = "127.0.0.2", "127.0.0.3", "127.0.0.4"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.other = desk.member(OTHER, "olga@example.org", "Olga")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        yield desk
        desk.proof()


def links(device, ticket):
    return [(link["kind"], link["number"]) for link in device.rpc("link.list", ticket=ticket["id"])["links"]]


def test_both_ends_show_it_live_and_after_a_crash(desk):
    mine, hers = (device.rpc("ticket.create", subject="Printer", body="b") for device in (desk.customer, desk.other))
    agent, customer = Live(desk.agent), Live(desk.customer)
    made = desk.agent.rpc("link.add", ticket=hers["id"], kind="blocked_by", other=mine["id"])
    assert [link["kind"] for link in made["links"]] == ["blocked_by"]
    event = agent.next("link.added")
    assert event["data"] == {"ticket": mine["id"], "kind": "blocks", "other": hers["id"]}
    desk.crash("store")
    assert links(desk.agent, mine) == [("blocks", hers["number"])] and links(desk.agent, hers) == [("blocked_by", mine["number"])]
    assert links(desk.customer, mine) == [] and links(desk.other, hers) == []
    desk.agent.rpc("ticket.set", ticket=hers["id"], add_watchers=[desk.customer.user])
    assert links(desk.customer, mine) == [("blocks", hers["number"])]
    desk.agent.rpc("link.remove", ticket=mine["id"], kind="blocks", other=hers["id"])
    assert agent.next("link.removed")["data"]["other"] == hers["id"] and links(desk.agent, hers) == []
    desk.agent.rpc("comment.add", ticket=mine["id"], body="the end")
    customer.next("comment.added")
    assert not any(kind.startswith("link.") for kind in customer.kinds())
    customer.close()
    agent.close()


def test_a_retried_command_acts_once(desk):
    one, two = (desk.customer.rpc("ticket.create", subject="s", body="b") for _ in range(2))
    link = {"ticket": one["id"], "kind": "parent", "other": two["id"], "op_id": ulid()}
    assert desk.agent.rpc("link.add", **link) == desk.agent.rpc("link.add", **link)
    with pytest.raises(RpcError) as failed:
        desk.agent.rpc("link.add", ticket=two["id"], kind="parent", other=one["id"])
    assert failed.value.code == -32004 and links(desk.agent, two) == [("child", one["number"])]


def test_on_a_terminal(desk):
    one, two = (desk.customer.rpc("ticket.create", subject=subject, body="b")["number"] for subject in ("Bassoon", "Oboe"))
    assert desk.run_assist(AGENT, "ticket", "link", f"#{one}", "blocks", two).stdout == f"blocks #{two} Oboe (new)\n"
    shown = desk.run_assist(AGENT, "ticket", "show", two).stdout
    assert f"\nblocked_by #{one} Bassoon (new)\n" in shown
    assert desk.assist(AGENT, "ticket", "show", one)["links"][0]["number"] == two
    assert desk.run_assist(AGENT, "ticket", "unlink", two, "blocked_by", one).stdout == "No links.\n"
    wrong = desk.run_assist(AGENT, "ticket", "link", one, "loves", two)
    assert wrong.returncode == 2 and "parent, blocks, duplicate_of, relates" in wrong.stderr
    assert desk.run_assist(AGENT, "ticket", "link", one, "follow_up", two).returncode == 2
    assert desk.run_assist(CUSTOMER, "ticket", "link", one, "blocks", two).returncode == 4
