"""The journal: one request through every service, messages that a catalog explains, and nothing of what people wrote."""
from harness import RpcError, until

SECRET_BODY, SECRET_SUBJECT, SECRET_NAME, SECRET_FILE = "planted-body-7f3a", "planted-subject-91cc", "Planted-Name", "planted-file-55.png"


def test_one_request_is_read_through_all_services(box, desk, agent, customer):
    ticket = customer.rpc("ticket.create", subject=SECRET_SUBJECT, body=SECRET_BODY)["id"]
    answer = agent.post("/rpc", {"jsonrpc": "2.0", "id": 1, "method": "comment.add", "params": {"ticket": ticket, "body": SECRET_BODY}})
    request = answer.headers["X-Request-Id"]
    records = until("both have said it", lambda: len(found := box.journal(f"ASSIST_REQUEST={request}")) > 1 and found)
    assert {r["_SYSTEMD_UNIT"] for r in records} == {"assist-gateway@1.service", "assist-store.service"}
    for record in records:
        assert record["ASSIST_METHOD"] == "comment.add" and record["ASSIST_USER"] == agent.user and int(record["ASSIST_DURATION_US"]) > 0
    history = box.journal(f"ASSIST_TICKET={ticket}", "_SYSTEMD_UNIT=assist-store.service")
    assert [r["ASSIST_METHOD"] for r in history if r["PRIORITY"] != "7"] == ["ticket.create", "comment.add"]


def test_a_clients_own_id_is_kept_apart(box, desk, agent):
    agent.http("POST", "/rpc", '{"jsonrpc":"2.0","id":1,"method":"ticket.set","params":{"ticket":"00000000000000000000000000"}}',
               {"X-Request-Id": "from-the-phone.1"})
    records = until("it is there", lambda: box.journal("ASSIST_CLIENT_REQUEST=from-the-phone.1"))
    assert all(r["ASSIST_REQUEST"] != "from-the-phone.1" for r in records)


def test_an_error_names_the_request_that_the_journal_has(box, desk, customer):
    try:
        customer.rpc("ticket.get", ticket="00000000000000000000000000")
        raise AssertionError("there is such a ticket")
    except RpcError as error:
        request = error.data["request"]
    records = until("it is there", lambda: box.journal(f"ASSIST_REQUEST={request}"))
    assert any("NotFound" in r["MESSAGE"] for r in records)


def test_messages_are_explained(box, desk):
    said = box.run("journalctl", "--no-pager", "-x", "-u", "assist-store.service", "-n", "50", "MESSAGE_ID=3305011ad82041da8a805fe3929d01c8")
    assert "opened what it owns and answers calls" in said


def test_nothing_that_people_wrote_is_there(box, desk, agent, customer):
    upload = customer.upload(SECRET_FILE, b"planted-bytes-0a1b" * 100)
    customer.rpc("ticket.create", subject=SECRET_SUBJECT, body=SECRET_BODY, attachments=[upload])
    customer.post("/rpc", {"jsonrpc": "2.0", "id": 1, "method": "ticket.create", "params": {"subject": SECRET_SUBJECT * 100, "body": SECRET_BODY}})
    secrets = [SECRET_BODY, SECRET_SUBJECT, SECRET_NAME, SECRET_FILE, "planted-bytes", customer.token, customer.secret.hex(), "agnes@example.org"]
    secrets += [path.read_text().strip() for path in box.path("/etc/assist/keys").glob("*/*")]
    desk.restart("store")
    desk.crash("identity")
    until("the desk is whole", lambda: desk.is_active("identity"))
    everything = box.run("journalctl", "--no-pager", "-o", "export", text=False)
    assert len(everything) > 10000
    for secret in secrets:
        assert secret.encode() not in everything, secret
