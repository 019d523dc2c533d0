"""Macros and canned replies on real processes: all or nothing, live, through kill -9, undone as one; on a terminal."""
import pytest
from harness import Desk, Live, RpcError, ulid

CUSTOMER, AGENT, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def file(desk, subject="Printer"):
    return desk.customer.rpc("ticket.create", subject=subject, body="b")


def test_a_macro_is_one_command_whatever_is_killed_and_undone_as_one(desk):
    agent, customer = Live(desk.agent), Live(desk.customer)
    reply = desk.agent.rpc("reply.save", name="Thanks", text="Dear {requester.name}: #{ticket.number}. {agent.name}")["reply"]
    assert agent.next("reply.changed")["data"]["reply"] == reply and desk.agent.rpc("reply.list")["items"] == [reply]
    macro = desk.admin.rpc("macro.save", name="Take", when_states=["new"], state="pending", assign="me", add_tags=["seen"],
                           note="taken by {agent.name}", reply=reply["reply"])["macro"]
    assert agent.next("macro.changed")["data"]["macro"] == macro and desk.agent.rpc("macro.list")["items"] == [macro]
    ticket = file(desk)
    command = {"macro": macro["macro"], "ticket": ticket["id"], "op_id": ulid()}
    done = desk.agent.rpc("macro.run", **command)
    desk.crash("store")
    again = desk.agent.rpc("macro.run", **command)
    assert again == done and (done["state"], done["tags"], done["comments"], done["notes"]) == ("pending", ["seen"], 2, 1)
    assert customer.next("comment.added")["data"]["comment"]["body"] == "b"
    assert customer.next("comment.added")["data"]["comment"]["body"] == f"Dear Carl: #{ticket['number']}. Agnes"
    with pytest.raises(RpcError) as failed:
        desk.agent.rpc("macro.run", macro=macro["macro"], ticket=ticket["id"])
    assert failed.value.code == -32004 and "that are new" in failed.value.data["reason"]
    assert desk.agent.rpc("command.undo")["command"] == command["op_id"]
    desk.crash("store")
    rendered = desk.agent.rpc("reply.render", reply=reply["reply"], ticket=ticket["id"])["body"]
    assert rendered == f"Dear Carl: #{ticket['number']}. Agnes"
    now = desk.agent.rpc("ticket.get", ticket=ticket["id"])["ticket"]
    assert (now["state"], now["tags"], now["comments"], now.get("assignee")) == ("new", [], 2, None)
    assert not any(kind.split(".")[0] in ("macro", "reply", "command", "note") for kind in customer.kinds())
    customer.close()
    agent.close()


def test_a_macro_whose_third_part_is_refused_leaves_nothing(desk):
    kind = desk.admin.rpc("type.save", name="Outage")["type"]
    macro = desk.admin.rpc("macro.save", name="Third", state="open", priority="urgent", type=kind["type"], note="n")["macro"]
    desk.admin.rpc("type.save", type=kind["type"], name="Outage", retired=True)
    ticket = file(desk)
    before = desk.agent.rpc("ticket.get", ticket=ticket["id"])["ticket"]
    with pytest.raises(RpcError) as failed:
        desk.agent.rpc("macro.run", macro=macro["macro"], ticket=ticket["id"])
    assert failed.value.code == -32602 and failed.value.data["field"] == "macro"
    assert desk.agent.rpc("ticket.get", ticket=ticket["id"])["ticket"] == before


def test_an_unknown_placeholder_is_refused_by_name_and_column(desk):
    for device, method, field in ((desk.agent, "reply.save", "text"), (desk.admin, "macro.save", "note")):
        with pytest.raises(RpcError) as failed:
            device.rpc(method, **{"name": "x", field: "Dear {requester.nme}"})
        assert failed.value.code == -32602 and failed.value.data["field"] == field
        assert failed.value.data["reason"].startswith("column 6: there is no {requester.nme}; there are {ticket.number}, ")


def test_on_a_terminal(desk):
    number = file(desk, "Tuba")["number"]
    desk.assist(ADMIN, "macro", "new", "Close as spam", "--when-states", "new", "--state", "closed", "--add-tags", "spam")
    assert "Close as spam" in desk.run_assist(AGENT, "macro", "list").stdout
    out = desk.run_assist(AGENT, "macro", "run", "close as spam", number).stdout
    assert out == f"Ticket #{number} is closed; `assist undo` takes back what was changed.\n"
    assert desk.run_assist(AGENT, "macro", "run", "Close as spam", number).returncode == 5
    assert desk.run_assist(AGENT, "undo").stdout == f"Undone: #{number}\n"
    assert desk.assist(AGENT, "ticket", "show", number)["ticket"]["state"] == "new"
    desk.assist(AGENT, "reply", "new", "Hello", "--text", "Hello {requester.name}, about {ticket.subject}")
    assert desk.run_assist(AGENT, "ticket", "reply", number, "--canned", "hello").returncode == 0
    assert "  Hello Carl, about Tuba\n" in desk.run_assist(CUSTOMER, "ticket", "show", number).stdout
    assert desk.run_assist(AGENT, "macro", "run", "Nothing", number).returncode == 3
    assert desk.run_assist(AGENT, "reply", "new", "y", "--text", "{y}").returncode == 2
