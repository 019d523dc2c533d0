"""Each error of the protocol, provoked on real processes; and binding a device by those who should not."""
import sqlite3

import pytest
from harness import Desk, Device, RpcError, until


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member("127.0.0.2", "carl@example.org", "Carl")
        desk.agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        yield desk


def stranger(desk, address):
    device = Device(desk, address)
    device.open()
    return device


def refused(device, method, **params):
    with pytest.raises(RpcError) as failed:
        device.rpc(method, params)
    assert failed.value.data.get("request"), "an operator can look it up"
    return failed.value


def raw(device, body):
    return device.http("POST", "/rpc", body).json["error"]["code"]


def code(desk, email):
    before = set(desk.mails())
    return lambda: desk.code_mailed_to(email, before)


def test_the_standards_own(desk):
    assert raw(desk.customer, "{") == -32700
    assert raw(desk.customer, '{"jsonrpc": "1.0", "id": 1, "method": "project.info"}') == -32600
    assert refused(desk.customer, "no.such.method").code == -32601
    error = refused(desk.customer, "ticket.create", subject="s")
    assert error.code == -32602 and error.data["field"] == "body" and error.data["reason"] == "is missing"


def test_who_may_and_what_is_there(desk):
    ticket = desk.customer.rpc("ticket.create", subject="s", body="b")["id"]
    assert refused(stranger(desk, "127.0.0.9"), "ticket.list").code == -32001
    assert refused(desk.customer, "note.list", ticket=ticket).code == -32002
    assert refused(desk.customer, "ticket.get", number=4711).code == -32003
    desk.agent.rpc("comment.add", ticket=ticket, body="first")
    comments = desk.agent.rpc("comment.list", ticket=ticket)["items"]
    error = refused(desk.customer, "comment.add", ticket=ticket, body="late", seen_comment=comments[0]["id"])
    assert error.code == -32004 and error.data["newer"]["body"] == "first"


def test_too_large_and_expired(desk):
    for _ in range(10):
        desk.customer.rpc("attachment.start", name="file", size=10)
    error = refused(desk.customer, "attachment.start", name="file", size=10)
    assert error.code == -32007 and error.data["limit"] == 10
    assert refused(stranger(desk, "127.0.0.10"), "enroll.redeem", code="ABCDEFGH").code == -32008


def test_unavailable_names_the_op_id_to_retry_with(desk):
    ticket = desk.customer.rpc("ticket.create", subject="s", body="b")["id"]
    desk.kill("store")
    error = refused(desk.customer, "comment.add", ticket=ticket, body="in doubt")
    assert error.code == -32006 and error.data["retry_after_ms"] >= 0
    desk.start("store")
    again = desk.customer.rpc("comment.add", ticket=ticket, body="in doubt", op_id=error.data["op_id"])
    assert again["op_id"] == error.data["op_id"]
    assert [c["body"] for c in desk.customer.rpc("comment.list", ticket=ticket)["items"]] == ["b", "in doubt"]


def test_a_damaged_log_is_our_fault_and_verify_finds_it():
    with Desk() as own:
        customer = own.member("127.0.0.2", "carl@example.org", "Carl")
        ticket = customer.rpc("ticket.create", subject="s", body="b")
        cursor = customer.rpc("ticket.get", ticket=ticket["id"])["cursor"]
        customer.rpc("comment.add", ticket=ticket["id"], body="words")
        customer.rpc("comment.add", ticket=ticket["id"], body="words")
        with sqlite3.connect(own.root / "state/store/store.db") as database:
            database.execute("UPDATE op SET record = zeroblob(10) WHERE seq = (SELECT max(seq) - 1 FROM op)")
        database.close()
        error = refused(customer, "op.since", cursor=cursor)
        assert error.code == -32603 and "words" not in str(error)
        verified = own.run_ctl("audit", "verify")
        assert verified.returncode == 1 and "damaged" in verified.stdout


def test_only_the_device_that_asked_redeems_and_only_so_often(desk):
    desk.user("dora@example.org", "Dora")
    asked, other = stranger(desk, "127.0.0.20"), stranger(desk, "127.0.0.21")
    mailed = code(desk, "dora@example.org")
    asked.rpc("enroll.start", email="dora@example.org", label="phone")
    right = mailed()
    assert refused(other, "enroll.redeem", code=right).code in (-32003, -32008)
    for _ in range(5):
        assert refused(asked, "enroll.redeem", code="AAAA-AAAA").code == -32003
    assert refused(asked, "enroll.redeem", code=right).code == -32008, "the sixth try is too late, even a right one"
    mailed = code(desk, "dora@example.org")
    asked.rpc("enroll.start", email="dora@example.org", label="phone")
    bound = asked.rpc("enroll.redeem", code=mailed())
    assert len(bound["secret"]) == 43


def test_an_unknown_email_is_answered_as_a_known_one(desk):
    one, two = stranger(desk, "127.0.0.22"), stranger(desk, "127.0.0.23")
    known = one.rpc("enroll.start", email="carl@example.org", label="x")
    unknown = two.rpc("enroll.start", email="nobody@example.org", label="x")
    assert set(known) == set(unknown)
    assert abs(known["expires_at"] - unknown["expires_at"]) < 60000
    until("the decoy was taken like a mail", lambda: desk.figure("identity", "outbox_waiting") == 0)
    assert "nobody@example.org" not in desk.ctl("mail", "list")


def test_too_many_codes_wait(desk):
    device = stranger(desk, "127.0.0.24")
    with pytest.raises(RpcError) as failed:
        for _ in range(6):
            device.rpc("enroll.start", email="eve@example.org", label="x")
    assert failed.value.code == -32005 and failed.value.data["retry_after_ms"] > 0
