"""What people do with words and people after the first answer: correct, take back, redact; let in, promote, send away."""
import pytest
from harness import Desk, RpcError, until


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member("127.0.0.2", "carl@example.org", "Carl")
        desk.agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member("127.0.0.4", "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


@pytest.fixture
def ticket(desk):
    return desk.customer.rpc("ticket.create", subject="Words", body="b")["id"]


def denied(who, method, /, **params):
    with pytest.raises(RpcError) as failed:
        who.rpc(method, params)
    return failed.value.code


def test_words_are_corrected_taken_back_and_redacted_before_everybodys_eyes(desk, ticket):
    watching = desk.agent.live()
    comment = desk.customer.rpc("comment.add", ticket=ticket, body="my pasword is 4711")["comment"]["id"]
    desk.customer.rpc("comment.edit", comment=comment, body="my password is 4711")
    assert watching.next("comment.changed")["data"]["comment"]["body"] == "my password is 4711"
    assert denied(desk.agent, "comment.edit", comment=comment, body="mine now") == -32002
    assert denied(desk.agent, "comment.redact", comment=comment) == -32002
    redacted = desk.admin.rpc("comment.redact", comment=comment)["comment"]
    assert redacted["redacted"] and redacted["body"] == ""
    assert watching.next("comment.changed")["data"]["comment"]["redacted"]
    other = desk.customer.rpc("comment.add", ticket=ticket, body="forget it")["comment"]["id"]
    assert desk.customer.rpc("comment.delete", comment=other)["comment"]["deleted"]
    assert watching.next("comment.changed")["data"]["comment"]["deleted"]
    listed = desk.customer.rpc("comment.list", ticket=ticket)["items"]
    assert [(c["body"], c["deleted"], c["redacted"]) for c in listed] == [("b", False, False), ("", False, True), ("", True, False)]
    until("no word of it is left", lambda: desk.figure("store", "redaction_under_way") == 0)
    for file in (desk.root / "state/store").glob("store.db*"):
        assert b"4711" not in file.read_bytes(), file


def test_notes_are_corrected_and_taken_back_among_agents(desk, ticket):
    note = desk.agent.rpc("note.add", ticket=ticket, body="dificult")["comment"]["id"]
    desk.agent.rpc("note.edit", comment=note, body="difficult")
    assert [n["body"] for n in desk.admin.rpc("note.list", ticket=ticket)["items"]] == ["difficult"]
    assert desk.agent.rpc("note.delete", comment=note)["comment"]["deleted"]
    assert desk.agent.rpc("ticket.get", ticket=ticket)["ticket"]["notes"] == 0


def test_a_colleague_is_let_in_promoted_and_sent_away(desk):
    user = desk.admin.rpc("user.add", email="fritz@example.org", name="Fritz")
    assert user["role"] == "customer" and user["active"]
    assert denied(desk.admin, "user.add", email="Fritz@Example.org", name="Twice") == -32004
    fritz = desk.bind("127.0.0.5", "fritz@example.org")
    assert denied(fritz, "note.list", ticket="0" * 26) == -32002
    assert desk.admin.rpc("user.set", user=user["id"], role="agent")["role"] == "agent"
    until("the store knows", lambda: denied_now(fritz) != -32002)
    assert desk.admin.rpc("user.disable", user=user["id"])["active"] is False
    until("he is out", lambda: denied_now(fritz) == -32001)


def denied_now(device):
    """The code for what only agents may; the ticket is none."""
    try:
        device.rpc("note.list", ticket="0" * 26)
    except RpcError as error:
        return error.code


def test_a_lost_phone_is_cut_off_while_it_watches(desk):
    desk.bind("127.0.0.6", "carl@example.org")
    phone = desk.devices["127.0.0.6"]
    watching = phone.live()
    mine = desk.customer.rpc("device.list")["items"]
    lost = next(d for d in mine if d["address"].endswith("127.0.0.6"))
    assert desk.customer.rpc("device.revoke", device=lost["id"])["revoked_at"]
    assert denied(phone, "ticket.list") == -32001
    until("its live session has ended", lambda: watching.error)
    assert denied(desk.agent, "device.revoke", device=mine[0]["id"]) == -32003
