"""Bulk changes on real processes: two agents triage the same view, a crash in the middle, live events, undo; on a terminal."""
import threading

import pytest
from harness import Desk, Live, RpcError, ulid

CUSTOMER, AGNES, ARTHUR, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
MANY = 40


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agnes = desk.member(AGNES, "agnes@example.org", "Agnes", "agent")
        desk.arthur = desk.member(ARTHUR, "arthur@example.org", "Arthur", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def file(desk, n, tag):
    tickets = [desk.customer.rpc("ticket.create", subject=f"{tag} {i}", body="b")["id"] for i in range(n)]
    for ticket in tickets:
        desk.admin.rpc("ticket.set", ticket=ticket, add_tags=[tag])
    return tickets


def ticket(desk, id):
    return desk.admin.rpc("ticket.get", ticket=id)["ticket"]


def test_two_agents_triage_the_same_view(desk):
    tickets = file(desk, MANY, "triage")
    view = desk.admin.rpc("view.save", name="Triage", query="state:new tag:triage", order="oldest", shared=True)["view"]["view"]
    agents, done, barrier = (desk.agnes, desk.arthur), {}, threading.Barrier(2)
    previews = [agent.rpc("bulk.preview", view=view, state="open", assignee=agent.user) for agent in agents]
    assert [(preview["changed"], preview["more"]) for preview in previews] == [(MANY, False)] * 2
    assert previews[0]["items"][0]["changes"] == ["state", "assignee"] and previews[0]["items"][0]["subject"] == "triage 0"
    customer = Live(desk.customer)

    def triage(i, agent):
        barrier.wait()
        for at in range(0, MANY, 8):  # Arthur begins at the other end
            some = tickets[at:at + 8] if i == 0 else tickets[MANY - at - 8:MANY - at]
            done.setdefault(i, []).append(agent.rpc("bulk.run", tickets=some, seen=previews[i]["seen"], state="open", assignee=agent.user))

    threads = [threading.Thread(target=triage, args=pair) for pair in enumerate(agents)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changed = [[id for run in done[i] for id in run["changed"]] for i in range(2)]
    assert sorted(changed[0] + changed[1]) == sorted(tickets)
    assert {skip["reason"] for i in range(2) for run in done[i] for skip in run["skipped"]} == {"somebody changed it or wrote on it meanwhile"}
    for i, agent in enumerate(agents):
        for id in changed[i]:
            now = ticket(desk, id)
            assert (now["assignee"], now["state"], now["conflicts"]) == (agent.user, "open", [])
    told = {customer.next("ticket.changed")["data"]["ticket"] for _ in range(2 * MANY)}
    assert told == set(tickets)
    for i, agent in enumerate(agents):
        for run in done[i]:
            if run["changed"]:
                agent.rpc("command.undo", command=run["op_id"])
    assert all(ticket(desk, id)["state"] == "new" and "assignee" not in ticket(desk, id) for id in tickets)
    assert not any(kind.startswith("command.") for kind in customer.kinds())
    customer.close()


def test_it_is_one_command_whatever_is_killed(desk):
    tickets = file(desk, 5, "crash")
    seen = desk.agnes.rpc("bulk.preview", tickets=tickets, priority="high")["seen"]
    command = {"tickets": tickets, "seen": seen, "priority": "high", "op_id": ulid()}
    assert desk.agnes.rpc("bulk.run", **command)["changed"] == tickets
    desk.crash("store")
    again = desk.agnes.rpc("bulk.run", **command)
    assert again["changed"] == tickets and again["skipped"] == []
    desk.arthur.rpc("ticket.set", ticket=tickets[2], priority="low")
    with pytest.raises(RpcError) as failed:
        desk.agnes.rpc("command.undo", command=command["op_id"])
    assert failed.value.code == -32004 and f"the priority of #{ticket(desk, tickets[2])['number']} has changed" in failed.value.data["reason"]
    assert ticket(desk, tickets[0])["priority"] == "high"
    desk.arthur.rpc("command.undo")
    desk.agnes.rpc("command.undo", command=command["op_id"])
    assert all(ticket(desk, id)["priority"] == "normal" for id in tickets)


def test_on_a_terminal(desk):
    ids = file(desk, 3, "cli")
    numbers = [ticket(desk, id)["number"] for id in ids]
    out = desk.run_assist(AGNES, "bulk", "state:new", "tag:cli", "--state", "solved").stdout.splitlines()
    assert out[0].split() == ["#", "SUBJECT", "WOULD", "CHANGE"] and out[1].split()[-1] == "state"
    assert out[-2:] == ["3 of 3 tickets would change.", "Nothing was done: give --yes to do it."]
    assert ticket(desk, ids[0])["state"] == "new"
    out = desk.run_assist(AGNES, "bulk", numbers[0], f"#{numbers[1]}", "--state", "solved", "--yes").stdout.splitlines()
    assert out[-1] == "2 tickets were changed; `assist undo` takes it back."
    assert [ticket(desk, id)["state"] for id in ids] == ["solved", "solved", "new"]
    assert desk.run_assist(AGNES, "undo").stdout.split() == ["Undone:"] + [f"#{n}" for n in reversed(numbers[:2])]
    assert desk.assist(AGNES, "bulk", "tag:cli", "--priority", "low", "--preview")["changed"] == 3
    assert len(desk.assist(AGNES, "bulk", "tag:cli", "--priority", "low", "--yes")["changed"]) == 3
    assert desk.run_assist(AGNES, "bulk", "tag:cli", "--yes").returncode == 2
    assert desk.run_assist(AGNES, "bulk").returncode == 2 and desk.run_assist(CUSTOMER, "bulk", "tag:cli", "--state", "open").returncode == 4
