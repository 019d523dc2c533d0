"""The audit on real processes: who changed what, who looked, and what was refused, by role too; through kill -9 and redaction."""
import re

import pytest
from harness import Desk, RpcError

CUSTOMER, OTHER, AGENT, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
NOT_FOUND, FORBIDDEN = -32003, -32002


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.other = desk.member(OTHER, "olga@example.org", "Olga")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def refused(code, device, method, **params):
    with pytest.raises(RpcError) as failed:
        device.rpc(method, **params)
    assert failed.value.code == code


def test_a_change_is_told_with_its_before_and_after_and_survives_redaction(desk):
    ticket = desk.customer.rpc("ticket.create", subject="A pin", body="My pin is quokka7")
    desk.agent.rpc("ticket.set", ticket=ticket["id"], state="pending")
    secret = desk.agent.rpc("note.add", ticket=ticket["id"], body="Is it quokka7?")["comment"]
    desk.agent.rpc("note.edit", comment=secret["id"], body="It is quokka7.")
    desk.crash("store")
    items = desk.admin.rpc("audit.list", number=ticket["number"])["items"]
    assert [item["kind"] for item in items] == ["note.edit", "note.add", "ticket.state", "comment.add", "ticket.create"]
    assert (items[0]["before"]["body"], items[0]["after"]["body"]) == ("Is it quokka7?", "It is quokka7.")
    assert (items[2]["before"]["state"], items[2]["after"]["state"]) == ("new", "pending")
    assert items[2]["actor"] == desk.agent.user and items[2]["device"] == f"loopback:{AGENT}" and items[2]["at"] > items[3]["at"] - 1
    for comment in (secret["id"], desk.customer.rpc("comment.list", ticket=ticket["id"])["items"][0]["id"]):
        desk.admin.rpc("comment.redact", comment=comment)
    assert "quokka7" not in str(desk.admin.rpc("audit.list", ticket=ticket["id"]))
    assert desk.ctl_json("audit", "verify")["sound"]
    page = desk.admin.rpc("audit.list", limit=2)
    assert len(page["items"]) == 2 and desk.admin.rpc("audit.list", limit=2, after=page["next"])["items"][0]["at"] <= page["items"][1]["at"]
    for device in (desk.customer, desk.agent):
        refused(FORBIDDEN, device, "audit.list")
        refused(FORBIDDEN, device, "audit.access")

    out = desk.ctl("audit", "list", "--ticket", ticket["number"], "--actor", "agnes@example.org", "--kind", "ticket.state")
    first, before, after = out.splitlines()
    assert "ticket.state" in first and "agnes@example.org" in first and f"loopback:{AGENT}" in first
    assert '"state":"new"' in before and '"state":"pending"' in after
    assert desk.ctl("audit", "list", "--to", "2020-01-01") == ""
    assert desk.run_ctl("audit", "list", "--from", "soonish").returncode == 2
    assert desk.run_ctl("audit", "list", "--ticket", "4711").returncode == 3


def test_large_pages_end_early_and_the_terminal_goes_on(desk):
    ticket = desk.customer.rpc("ticket.create", subject="Much", body="x" * 60000)
    for i in range(7):
        desk.agent.rpc("comment.add", ticket=ticket["id"], body=f"{i} " * 30000)
    page = desk.admin.rpc("audit.list", ticket=ticket["id"], kind="comment.add")
    assert 1 < len(page["items"]) < 8 and page["next"]
    out = desk.ctl("audit", "list", "--ticket", ticket["number"], "--kind", "comment.add")
    assert sum("comment.add" in line[:60] for line in out.splitlines()) == 8 and "There is more" not in out
    out = desk.ctl("audit", "list", "--ticket", ticket["number"], "--limit", "6")
    assert "There is more: --after " in out and out.count("\n    after ") == 6


def test_agents_see_what_was_done_to_a_ticket_and_that_they_looked(desk):
    ticket = desk.customer.rpc("ticket.create", subject="A history", body="It begins.")
    desk.agent.rpc("ticket.set", ticket=ticket["id"], priority="high")
    desk.agent.rpc("note.add", ticket=ticket["id"], body="Between us")
    page = desk.agent.rpc("ticket.history", ticket=ticket["id"], limit=2)
    kinds = [entry["kind"] for entry in page["items"]]
    while "next" in page:
        page = desk.agent.rpc("ticket.history", ticket=ticket["id"], limit=2, after=page["next"])
        kinds += [entry["kind"] for entry in page["items"]]
    assert kinds == [entry["kind"] for entry in desk.admin.rpc("audit.list", ticket=ticket["id"])["items"]]
    assert {"note.add", "ticket.priority", "ticket.create"} <= set(kinds)
    assert all(entry["device"] == "" for entry in page["items"])
    refused(FORBIDDEN, desk.customer, "ticket.history", ticket=ticket["id"])
    refused(NOT_FOUND, desk.agent, "ticket.history", ticket="0" * 25 + "1")
    seen = [row for row in desk.admin.rpc("audit.access", ticket=ticket["id"], kind="viewed")["items"] if row["method"] == "ticket.history"]
    assert [row["user"] for row in seen] == [desk.agent.user]
    out = desk.assist(AGENT, "ticket", "history", ticket["number"], json_output=False)
    assert re.search(r"ticket\.priority +Agnes", out) and '    before {"' in out and "normal" in out and "high" in out, out
    for wrong in (["--limit", "0"], ["--limit", "5x"], ["--limits", "5"]):
        refusal = desk.run_assist(AGENT, "ticket", "history", ticket["number"], *wrong)
        assert refusal.returncode == 2 and "limit" in refusal.stderr, refusal.stderr
    assert desk.run_assist(AGENT, "ticket", "history", "4711").returncode == 3
    assert "There is more: --after " in desk.assist(AGENT, "ticket", "history", ticket["number"], "--limit", "1", json_output=False)


def test_who_looks_and_who_may_not_is_kept_by_the_hour(desk):
    ticket = desk.customer.rpc("ticket.create", subject="Mine", body="Nobody else's")
    for _ in range(3):
        desk.agent.rpc("ticket.get", ticket=ticket["id"])
        desk.customer.rpc("ticket.get", ticket=ticket["id"])
    refused(NOT_FOUND, desk.other, "ticket.get", number=ticket["number"])
    refused(NOT_FOUND, desk.other, "comment.add", ticket=ticket["id"], body="Hello?")
    refused(FORBIDDEN, desk.customer, "note.add", ticket=ticket["id"], body="By role")
    refused(FORBIDDEN, desk.customer, "team.save", name="Mine", members=[])

    def rows():
        return {(row["user"], row["kind"], row["method"]): row for row in desk.admin.rpc("audit.access", limit=200)["items"]
                if row.get("ticket", ticket["id"]) == ticket["id"]}

    seen = rows()
    view = (desk.agent.user, "viewed", "ticket.get")
    assert seen[view]["count"] == 3 and seen[view]["device"] == f"loopback:{AGENT}"
    assert (desk.customer.user, "viewed", "ticket.get") not in seen
    assert seen[desk.other.user, "not_found", "ticket.get"]["ticket"] == ticket["id"]
    assert seen[desk.other.user, "not_found", "comment.add"]["count"] == 1
    for method in ("note.add", "team.save"):
        assert (desk.customer.user, "forbidden", method) in seen, "what the gateway could refuse by itself is kept, too"
    desk.crash("store")  # what was asked for was written before
    assert rows()[view]["count"] == 3
    desk.agent.rpc("ticket.get", ticket=ticket["id"])
    desk.terminate("store")
    desk.start("store")
    assert rows()[view]["count"] == 4, "nothing is lost when it is stopped"
    out = desk.ctl("audit", "access", "--ticket", ticket["number"], "--user", "olga@example.org")
    assert len(out.splitlines()) == 2 and all(f"not_found  #{ticket['number']} " in line and "olga@example.org" in line for line in out.splitlines())
    assert seen[view]["number"] == ticket["number"] and "number" not in seen[desk.customer.user, "forbidden", "team.save"]
    entry = desk.admin.rpc("audit.list", ticket=ticket["id"])["items"][0]
    assert entry["number"] == ticket["number"] and f"  #{entry['number']}  " in desk.ctl("audit", "list", "--ticket", ticket["number"])
    out = desk.ctl_json("audit", "access", "--kind", "viewed", "--user", "agnes@example.org")["items"]
    assert {row["method"] for row in out} <= {"ticket.get", "ticket.history"}
