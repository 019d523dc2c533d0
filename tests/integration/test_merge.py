"""Merging, splitting and undoing on real processes: replies on both sides, a crash in the middle, live events, what customers see, a terminal."""
import pytest
from harness import Desk, Live, RpcError, ulid

ALICE, BOB, AGENT, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.alice = desk.member(ALICE, "alice@example.org", "Alice")
        desk.bob = desk.member(BOB, "bob@example.org", "Bob")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def file(device, subject="A question"):
    return device.rpc("ticket.create", subject=subject, body="first words")


def reply(device, ticket, body):
    return device.rpc("comment.add", ticket=ticket["id"], body=body)["comment"]


def thread(device, ticket):
    items = device.rpc("comment.list", ticket=ticket["id"])["items"]
    return [item["body"] for item in items if item["body"] != "first words"]


def listed(device, **params):
    return [item["id"] for item in device.rpc("ticket.list", limit=200, **params)["items"]]


def test_merge_then_replies_on_both_sides_then_undo_whatever_is_killed(desk):
    source, target = file(desk.alice, "Source"), file(desk.alice, "Target")
    agent, customer = Live(desk.agent), Live(desk.alice)
    reply(desk.alice, source, "before")
    command = {"ticket": source["id"], "into": target["id"], "op_id": ulid()}
    merged = desk.agent.rpc("ticket.merge", **command)
    assert merged["merged_into"] == target["id"]
    assert agent.next("ticket.merged")["data"] == {"ticket": source["id"], "into": target["id"]}
    desk.crash("store")
    assert desk.agent.rpc("ticket.merge", **command)["merged_into"] == target["id"]  # a retry: it acted once
    reply(desk.alice, source, "to the source")
    reply(desk.agent, target, "to the target")
    assert agent.next("comment.added")["data"]["comment"]["ticket"] == source["id"]
    for device in (desk.agent, desk.alice):
        assert thread(device, target) == ["before", "to the source", "to the target"]
        assert thread(device, source) == ["before", "to the source"]
        assert source["id"] not in listed(device) and source["id"] in listed(device, merged=True)
    assert desk.agent.rpc("ticket.get", number=source["number"])["ticket"]["merged_into"] == target["id"]
    undone = desk.agent.rpc("command.undo", command=merged["op_id"])
    assert undone["command"] == merged["op_id"] and source["id"] in undone["tickets"]
    assert agent.next("ticket.merged")["data"] == {"ticket": source["id"]}
    desk.crash("store")
    assert thread(desk.agent, source) == ["before", "to the source"] and thread(desk.agent, target) == ["to the target"]
    with pytest.raises(RpcError) as failed:
        desk.agent.rpc("command.undo", command=merged["op_id"])
    assert failed.value.code == -32004
    reply(desk.agent, source, "the end")
    while customer.next("comment.added")["data"]["comment"]["body"] != "the end":
        pass
    assert "ticket.merged" not in customer.kinds() and "command.undone" not in customer.kinds() and "command.undone" in agent.kinds()
    customer.close()
    agent.close()


def test_whoever_sees_one_side_only_learns_nothing_of_the_other(desk):
    source, target = file(desk.alice, "Alice's"), file(desk.bob, "Bob's")
    before = desk.bob.rpc("ticket.get", ticket=target["id"])["ticket"]
    desk.agent.rpc("ticket.merge", ticket=source["id"], into=target["id"])
    reply(desk.alice, source, "alice's words")
    assert desk.bob.rpc("ticket.get", ticket=target["id"])["ticket"] == before
    assert thread(desk.bob, target) == [] and thread(desk.agent, target) == ["alice's words"]
    mine = desk.alice.rpc("ticket.get", ticket=source["id"])["ticket"]
    assert "merged_into" not in mine and source["id"] in listed(desk.alice)
    for method in ("ticket.get", "comment.list"):
        with pytest.raises(RpcError) as failed:
            desk.alice.rpc(method, ticket=target["id"])
        assert failed.value.code == -32003
    desk.agent.rpc("ticket.set", ticket=target["id"], state="solved")
    bob = Live(desk.bob)
    reply(desk.alice, source, "not solved")
    event = bob.next("ticket.changed")
    assert event["data"]["state"] == "open" and desk.alice.user not in str(event)
    bob.close()
    assert desk.agent.rpc("ticket.get", ticket=target["id"])["ticket"]["state"] == "open"
    agents = desk.agent.rpc("ticket.list", limit=1)["items"][0]
    assert agents["id"] == target["id"] and agents["comments"] == 4


def test_a_split_and_its_undo(desk):
    ticket = file(desk.alice, "Two questions")
    agent, customer = Live(desk.agent), Live(desk.alice)
    one, two = reply(desk.alice, ticket, "one"), reply(desk.alice, ticket, "two")
    note = desk.agent.rpc("note.add", ticket=ticket["id"], body="hidden")["comment"]
    part = desk.agent.rpc("ticket.split", ticket=ticket["id"], comments=[two["id"], note["id"]], subject="The second one")
    assert agent.next("comment.moved")["data"] == {"ticket": ticket["id"], "comment": two["id"], "to": part["id"]}
    assert agent.next("note.moved")["data"]["comment"] == note["id"]
    assert customer.next("ticket.created")["data"]["ticket"]["subject"] == "The second one"
    desk.crash("store")
    assert thread(desk.alice, ticket) == ["one"] and thread(desk.alice, part) == ["two"]
    assert [item["body"] for item in desk.agent.rpc("note.list", ticket=part["id"])["items"]] == ["hidden"]
    reply(desk.alice, part, "meanwhile")
    desk.agent.rpc("command.undo")
    assert thread(desk.alice, ticket) == ["one", "two"] and thread(desk.alice, part) == ["meanwhile"]
    assert not {"comment.moved", "note.moved"} & set(customer.kinds()) and one
    customer.close()
    agent.close()


def test_on_a_terminal(desk):
    one, two, bobs = (file(device, subject)["number"] for device, subject in ((desk.alice, "Bassoon"), (desk.alice, "Oboe"), (desk.bob, "Tuba")))
    out = desk.run_assist(AGENT, "ticket", "merge", one, "into", f"#{two}").stdout
    assert out == f"Ticket #{one} is merged into #{two}; `assist undo` takes it apart again.\n"
    assert f"\nmerged into #{two}\n" in desk.run_assist(AGENT, "ticket", "show", one).stdout
    assert f"\n{one:5}  " not in desk.run_assist(AGENT, "ticket", "list").stdout
    assert desk.run_assist(AGENT, "ticket", "merge", two, "into", one).returncode == 5
    assert desk.run_assist(AGENT, "undo").stdout == f"Undone: #{one}\n"
    out = desk.run_assist(AGENT, "ticket", "merge", one, bobs).stdout.splitlines()
    assert out[1] == f"Alice sees what is written on #{one} alone: answer them there, or make them a watcher of #{bobs}."
    desk.run_assist(AGENT, "ticket", "reply", two, "the second")
    split = desk.assist(AGENT, "ticket", "split", two, 2, "--subject", "Cor anglais")
    assert split["comments"] == 1 and split["subject"] == "Cor anglais"
    assert "the second" not in desk.run_assist(AGENT, "ticket", "show", two).stdout
    assert desk.run_assist(AGENT, "undo", split["op_id"]).returncode == 0
    assert "the second" in desk.run_assist(AGENT, "ticket", "show", two).stdout
    assert "there are 2 comments" in desk.run_assist(AGENT, "ticket", "split", two, 3, "--subject", "x").stderr
    desk.run_assist(AGENT, "ticket", "set", two, "--priority", "high")
    changed = desk.assist(AGENT, "ticket", "set", two, "--priority", "urgent")
    desk.admin.rpc("ticket.set", ticket=changed["id"], priority="low")
    done = desk.run_assist(AGENT, "undo", changed["op_id"])
    assert done.returncode == 5 and f"the priority of #{two} has changed since" in done.stderr
    assert desk.run_assist(ALICE, "undo").returncode == 4
