"""Searching on real processes: live edits, deletion, redaction, kill -9; the CLI; what is wrong with a query."""
import pytest
from harness import Desk, RpcError

CUSTOMER, OTHER, AGENT, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.other = desk.member(OTHER, "olga@example.org", "Olga")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def found(device, query, **params):
    return [item["ticket"]["number"] for item in device.rpc("ticket.search", query=query, **params)["items"]]


def test_what_is_written_edited_deleted_and_redacted_is_found_as_it_is_now(desk):
    ticket = desk.customer.rpc("ticket.create", subject="The zeppelin leaks", body="Helium everywhere")
    number = ticket["number"]
    for device in (desk.customer, desk.agent):
        assert found(device, "zeppelin") == found(device, "HELIUM every*") == [number]
    assert found(desk.other, "zeppelin") == []
    note = desk.agent.rpc("note.add", ticket=ticket["id"], body="hindenburg, again")["comment"]
    assert found(desk.agent, "hindenburg") == [number] and found(desk.customer, "hindenburg") == []
    comment = desk.customer.rpc("comment.add", ticket=ticket["id"], body="my pin is quokka7")["comment"]
    item = desk.agent.rpc("ticket.search", query="quokka7")["items"][0]
    assert (item["comment"], item["snippet"]) == (comment["id"], "my pin is quokka7")
    desk.customer.rpc("comment.edit", comment=comment["id"], body="my pin is quokka8")
    assert found(desk.agent, "quokka7") == [] and found(desk.agent, "quokka8") == [number]
    desk.kill("store")
    desk.start("store")
    assert found(desk.agent, "quokka8") == [number]
    desk.customer.rpc("comment.delete", comment=comment["id"])
    assert found(desk.agent, "quokka*") == []
    for one in (comment, note):
        desk.admin.rpc("comment.redact", comment=one["id"])
    assert found(desk.agent, "hindenburg") == []
    state = b"".join(path.read_bytes() for path in desk.root.rglob("store.db*") if path.is_file())
    assert b"helium" in state and b"uokka" not in state and b"indenburg" not in state


def test_the_best_comes_first_where_an_agent_asks_for_it(desk):
    often = desk.customer.rpc("ticket.create", subject="Marimba", body="A marimba, another marimba")
    desk.customer.rpc("ticket.create", subject="Sound", body="Of all instruments that were ever made and played in this house the marimba is the loudest")
    assert found(desk.agent, "marimba")[0] != often["number"]
    assert found(desk.agent, "marimba", order="best")[0] == often["number"]
    out = desk.run_assist(AGENT, "search", "marimba", "--order", "best").stdout.splitlines()
    assert out[1].split()[0] == str(often["number"])
    with pytest.raises(RpcError) as failed:
        desk.customer.rpc("ticket.search", query="marimba", order="best")
    assert failed.value.data["field"] == "order"


def test_similar_tickets_are_for_agents(desk):
    first = desk.customer.rpc("ticket.create", subject="The tuba squeaks", body="Loudly")
    second = desk.other.rpc("ticket.create", subject="A tuba squeaks, too", body="Hm")
    similar = desk.agent.rpc("ticket.similar", ticket=second["id"])["items"]
    assert similar[0]["ticket"]["number"] == first["number"] and set(similar[0]["shared"]) >= {"tuba", "squeaks"}


@pytest.mark.parametrize("query, column, reason", [
    ("zeppelin stat:open", 10, "there is no filter stat"),
    ("état \"blank page", 6, "not closed"),
    ("' OR 1=1 -- x", 1, "is no word"),
    ("x -printer", 3, "only a filter can be negated"),
    ("ab*", 1, "3 characters"),
    ("created:2026-13-01", 9, "must be a day"),
    ("   ", 1, "is empty"),
])
def test_a_bad_query_is_told_where_and_what_is_right(desk, query, column, reason):
    with pytest.raises(RpcError) as failed:
        desk.customer.rpc("ticket.search", query=query)
    assert failed.value.code == -32602 and failed.value.data["field"] == "query"
    assert failed.value.data["reason"].startswith(f"column {column}: ") and reason in failed.value.data["reason"]


def test_on_a_terminal(desk):
    number = desk.customer.rpc("ticket.create", subject="Ünïcode bassoon", body="low notes")["number"]
    out = desk.run_assist(AGENT, "search", "unicode", "state:new", "-tag:vpn").stdout.splitlines()
    assert out[0].split() == ["#", "STATE", "SUBJECT", "WHERE"]
    assert out[1].split() == [str(number), "new", "Ünïcode", "bassoon", "Ünïcode", "bassoon"]
    assert desk.run_assist(AGENT, "search", "bassoon nothing").stdout == "Nothing was found.\n"
    assert desk.assist(AGENT, "search", "low", "notes", "--limit", "5")["items"][0]["snippet"] == "low notes"
    done = desk.run_assist(AGENT, "search", "state:opne")
    assert done.returncode == 2 and "column 7: must be one of new, open" in done.stderr
    assert desk.run_assist(AGENT, "search").returncode == 2
