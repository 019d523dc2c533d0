"""The gateway in front of real services: who gets in, what is refused and how, live sessions through every restart."""
import collections
import contextlib
import http.client
import json
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import BIN, DEADLINE_S, Desk, Device, RpcError, ulid, until
from raw_socket import RawSocket

CUSTOMER, AGENT = "127.0.0.2", "127.0.0.3"


@pytest.fixture(scope="module")
def desk():
    with Desk({"gateway": {"hosts": "desk.example"}}) as desk:
        yield desk


@pytest.fixture(scope="module")
def customer(desk):
    return desk.member(CUSTOMER, "linus@example.org", "Linus")


@pytest.fixture(scope="module")
def agent(desk):
    return desk.member(AGENT, "ada@example.org", "Ada", "agent")


@pytest.fixture(autouse=True)
def told(desk):
    """What others did before is told before: it comes to no socket that is opened now."""
    desk.heard_all()


@pytest.fixture
def own_desk():
    """One whose services a test may kill."""
    with Desk() as desk:
        yield desk


@pytest.fixture
def ada(own_desk):
    ada = own_desk.member(AGENT, "ada@example.org", "Ada", "agent")
    own_desk.heard_all()
    return ada


def ticket(device, subject="It burns"):
    return device.rpc("ticket.create", subject=subject, body="Help!", attachments=[])


def code_of(call):
    with pytest.raises(RpcError) as e:
        call()
    return e.value.code


# ---- the rules for every request ----

def test_only_requests_to_our_address_or_name_are_answered(desk):
    stranger = Device(desk, "127.0.0.9")
    for host in (f"127.0.0.1:{desk.port}", f"desk.example:{desk.port}"):
        assert stranger.http("GET", "/healthz", headers={"Host": host}).json == {"ok": True}
    for host in ("127.0.0.1", f"evil.example:{desk.port}", f"127.0.0.2:{desk.port}", "x"):
        assert stranger.http("GET", "/healthz", headers={"Host": host}).status == 421
    assert stranger.http("GET", "/healthz", headers={"Host": None}).status in (400, 421)


def test_pages_of_other_origins_are_not_answered(desk):
    stranger = Device(desk, "127.0.0.9")
    assert stranger.http("GET", "/healthz", headers={"Origin": f"http://127.0.0.1:{desk.port}"}).status == 200
    for origin in ("null", "http://evil.example", f"https://127.0.0.1:{desk.port}", "http://127.0.0.1"):
        answer = stranger.http("GET", "/healthz", headers={"Origin": origin})
        assert answer.status == 403 and "access-control-allow-origin" not in answer.headers


def test_methods_types_paths_and_sizes_are_checked(desk):
    stranger = Device(desk, "127.0.0.9")
    answer = stranger.http("GET", "/rpc")
    assert answer.status == 405 and answer.headers["Allow"] == "POST"
    assert stranger.http("DELETE", "/attachments/x").headers["Allow"] == "GET, HEAD, PUT"
    assert stranger.http("POST", "/rpc", "{}", {"Content-Type": "text/plain"}).status == 415
    assert stranger.http("POST", "/session/nonce", "{}", {"Content-Type": None}).status == 415
    assert stranger.http("POST", "/session/nonce", "{}", {"Content-Type": "Application/JSON; charset=utf-8"}).status == 200
    answer = stranger.http("GET", "/nothing")
    assert answer.status == 404 and answer.headers["Content-Type"].startswith("text/plain")
    with socket.create_connection(("127.0.0.1", desk.port), timeout=10) as s:
        s.sendall(f"POST /rpc HTTP/1.1\r\nHost: 127.0.0.1:{desk.port}\r\nContent-Type: application/json\r\n"
                  f"Content-Length: {1024 * 1024 + 1}\r\n\r\n".encode())
        assert s.recv(100).startswith(b"HTTP/1.1 413")


def test_every_answer_says_what_a_browser_may_not_do_with_it(desk):
    answer = Device(desk, "127.0.0.9").http("GET", "/nothing")
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"] and len(answer.headers["X-Request-Id"]) == 26
    answer = Device(desk, "127.0.0.9").http("GET", "/healthz")      # what is no page: what matters of it
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Type"] == "application/json" and len(answer.headers["X-Request-Id"]) == 26 and "Server" not in answer.headers


# ---- sessions ----

def test_the_address_of_a_session_is_the_one_it_comes_from(desk):
    stranger = Device(desk, "127.0.0.9")
    assert stranger.post("/session/nonce", {"address": "127.0.0.2"}).json["device"] == "loopback:127.0.0.9"
    assert stranger.http("POST", "/session/nonce", "").status == 200
    assert stranger.http("POST", "/session/nonce", "{").status == 400
    answer = stranger.post("/session", {})
    assert answer.status == 400 and answer.json["error"]["data"]["field"] == "nonce"


def test_a_token_is_good_from_its_own_device_only(desk, customer):
    thief = Device(desk, "127.0.0.66")
    thief.token = customer.token
    assert code_of(lambda: thief.rpc("project.info")) == -32001
    assert thief.http("GET", "/attachments/" + ulid()).status == 401
    assert RawSocket(thief).status == 401
    thief.token = None
    assert code_of(lambda: thief.rpc("project.info")) == -32001
    assert customer.rpc("project.info")["version"]


def test_roles_are_held_up_before_any_service_is_asked(desk, customer):
    stranger = Device(desk, "127.0.0.9")
    stranger.open()
    assert stranger.rpc("project.info")
    assert code_of(lambda: stranger.rpc("ticket.list")) == -32001
    assert RawSocket(stranger).status == 401
    assert code_of(lambda: customer.rpc("note.list", ticket=ulid())) == -32002
    assert code_of(lambda: customer.rpc("user.list")) == -32002
    for inside in ("session.resolve", "session.nonce", "attachment.read", "ops.follow", "live.attach", "no.such", ""):
        assert code_of(lambda: customer.rpc(inside)) == -32601


# ---- JSON-RPC ----

def test_bad_parameters_are_named(customer):
    with pytest.raises(RpcError) as e:
        customer.rpc("ticket.create", subject="", body="x", attachments=[])
    assert e.value.code == -32602 and e.value.data["field"] == "subject" and e.value.data["reason"] and len(e.value.data["request"]) == 26
    reply = customer.post("/rpc", {"jsonrpc": "2.0", "method": "ticket.list", "params": [1], "id": "x"}).json
    assert reply["error"]["code"] == -32602 and reply["id"] == "x"
    assert customer.post("/rpc", {"jsonrpc": "2.0", "method": "project.info", "id": 7}).json["id"] == 7


def test_a_batch_is_answered_in_order_and_notifications_not_at_all(customer):
    batch = [{"jsonrpc": "2.0", "method": "project.info", "id": 1}, {"jsonrpc": "2.0", "method": "project.info"}, {"foo": "boo"},
             {"jsonrpc": "2.0", "method": "no.such", "id": "5"}, {"jsonrpc": "2.0", "method": "person.list", "id": None}]
    replies = customer.post("/rpc", batch).json
    assert [r["id"] for r in replies] == [1, None, "5", None]
    assert [r.get("error", {}).get("code") for r in replies] == [None, -32600, -32601, None]
    answer = customer.post("/rpc", [batch[1], batch[1]])
    assert answer.status == 204 and answer.body == b""
    assert customer.post("/rpc", batch[1]).status == 204
    assert len(customer.post("/rpc", [batch[0]] * 50).json) == 50
    assert customer.post("/rpc", [batch[0]] * 51).json["error"]["code"] == -32600
    assert customer.http("POST", "/rpc", "[{").json["error"]["code"] == -32700


def test_a_notification_acts(customer, agent):
    t = ticket(customer)
    customer.post("/rpc", {"jsonrpc": "2.0", "method": "comment.add", "params": {"ticket": t["id"], "body": "noted"}})
    assert "noted" in [c["body"] for c in customer.rpc("comment.list", ticket=t["id"])["items"]]


def test_discover_describes_the_methods_that_exist_here(customer):
    names = {m["name"] for m in customer.rpc("rpc.discover")["methods"]}
    assert "ticket.create" in names and not names & {"session.open", "attachment.write", "ops.follow"}


def test_a_mutation_without_an_op_id_gets_one_and_a_retry_acts_once(customer):
    assert len(ticket(customer)["op_id"]) == 26
    op = ulid()
    first = customer.rpc("ticket.create", op_id=op, subject="Once", body="x", attachments=[])
    again = customer.rpc("ticket.create", op_id=op, subject="Once", body="x", attachments=[])
    assert first["op_id"] == again["op_id"] == op and first["number"] == again["number"]


def test_one_request_can_be_found_in_every_log(desk, customer):
    answer = customer.http("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "method": "person.list", "params": {}, "id": 1}),
                           {"X-Request-Id": "my-own.id_1"})
    ours = answer.headers["X-Request-Id"]
    until("store logs it", lambda: ours in desk.log("store") and "my-own.id_1" in desk.log("store"))
    assert ours in desk.log("gateway") and customer.token not in desk.log("gateway")
    customer.http("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "method": "person.list", "id": 1}), {"X-Request-Id": "bad id"})
    assert "bad id" not in desk.log("gateway") + desk.log("store")


# ---- live ----

def test_both_sides_see_what_happens_and_customers_no_notes(customer, agent):
    mine, theirs = RawSocket(customer), RawSocket(agent)
    assert mine.hello["type"] == "hello" and mine.hello["mode"] == "live" and mine.hello["heartbeat_ms"] == 25000
    t = ticket(customer)
    assert [e["type"] for e in theirs.events(2)] == ["ticket.created", "comment.added"]
    assert [e["type"] for e in mine.events(2)] == ["ticket.created", "comment.added"]
    agent.rpc("note.add", ticket=t["id"], body="secret words")
    reply = agent.rpc("comment.add", ticket=t["id"], body="We come")
    assert [e["type"] for e in theirs.events(2)] == ["note.added", "comment.added"]
    events = mine.events(1)
    assert events[0]["type"] == "comment.added" and events[0]["op_id"] == reply["op_id"] and events[0]["actor"] == agent.user
    assert "secret words" not in json.dumps(events)
    mine.close(), theirs.close()


def test_a_session_goes_on_where_the_last_one_ended(customer, agent):
    w = RawSocket(agent)
    cursor = w.cursor
    w.close()
    numbers = [ticket(customer, f"Missed {i}")["number"] for i in range(5)]
    w = RawSocket(agent, cursor)
    assert w.hello["mode"] == "replay" and w.hello["cursor"] == cursor
    seen = [e["data"]["ticket"]["number"] for e in w.events(10) if e["type"] == "ticket.created"]
    assert seen == numbers
    live = ticket(customer, "Live")["number"]
    assert w.events(2)[0]["data"]["ticket"]["number"] == live
    w.close()
    w = RawSocket(agent, w.cursor)
    assert w.hello["mode"] == "live"    # nothing was missed
    w.send('{"type":"ping"}')
    assert w.message() == {"type": "pong"}
    frame = w.message()
    assert frame["from"] == w.cursor and frame["events"] == []
    w.close()


def test_a_ping_moves_the_cursor_past_what_one_may_not_see(customer, agent):
    other = ticket(agent, "Of an agent")
    w = RawSocket(customer)
    agent.rpc("comment.add", ticket=other["id"], body="not for customers")
    until("the cursor moves on", lambda: moved(w))
    w.close()


def moved(w):
    w.send('{"type":"ping"}')
    assert w.message() == {"type": "pong"}
    frame = w.message()
    assert frame["from"] == w.cursor and frame["events"] == []
    there, w.cursor = frame["to"] != w.cursor, frame["to"]
    return there


def test_a_cursor_that_is_none_of_ours_is_refused(customer):
    for cursor in ("forged", "A" * 54, "a%22b", "x" * 200):
        assert RawSocket(customer, cursor).status == 400


def test_handshakes_that_are_not_ours_are_refused(customer):
    assert customer.http("GET", "/ws").status == 426
    refused = RawSocket(customer, Sec_WebSocket_Version="8")
    assert refused.status == 426 and refused.headers["Sec-WebSocket-Version"] == "13"
    assert RawSocket(customer, Sec_WebSocket_Protocol=f"assist.token.{customer.token}").status == 400
    assert RawSocket(customer, Sec_WebSocket_Protocol="assist.1").status == 401
    assert RawSocket(customer, Sec_WebSocket_Protocol="assist.1, assist.token.!").status == 401
    assert RawSocket(customer, Origin="http://evil.example").status == 403
    good = RawSocket(customer)
    assert good.headers["Sec-WebSocket-Protocol"] == "assist.1"
    good.close()


@pytest.mark.parametrize("what, code", [
    (lambda w: w.send("{}", masked=False), 1002),
    (lambda w: w.send(b"\xff\xfe"), 1007),
    (lambda w: w.send(b"x" * (64 * 1024 + 1)), 1009),
    (lambda w: w.send(b"", opcode=3), 1002),
    (lambda w: w.send(b"\x03\xe8", opcode=8), 1000),
])
def test_broken_frames_end_the_session(customer, what, code):
    w = RawSocket(customer)
    what(w)
    assert w.wait_closed() == code
    with pytest.raises(ConnectionError):
        w.take(1)


def test_what_is_not_understood_is_said(customer):
    w = RawSocket(customer)
    for text, code in (("{}", -32600), ("[1]", -32600), ("x", -32600), ('{"type":"dance"}', -32601)):
        w.send(text)
        answer = w.message()
        assert answer["type"] == "error" and answer["code"] == code
    w.send('{"type":', fin=False)
    w.send(b"", opcode=9)
    w.send('"ping"}', opcode=0)
    assert w.message() == {"type": "pong"}
    w.close()


def test_a_client_that_does_not_read_is_told_to_pull_and_misses_nothing(desk, customer, agent):
    t = ticket(customer)
    desk.heard_all()
    slow, quick = RawSocket(agent), RawSocket(customer)
    for i in range(150):                                # more than 1 MiB and the kernel's buffers hold
        customer.rpc("comment.add", ticket=t["id"], body=f"{i} " + "x" * 65000)
        slow.send(b"", opcode=10)                       # who is silent for long is taken for gone
        assert len(quick.events(1)) == 1                # nobody else waits for it
    assert [int(e["data"]["comment"]["body"].split()[0]) for e in slow.events(150)] == list(range(150))
    assert slow.pulls == 1 and slow.pages > 1, "what did not go into the queue came in pages"
    customer.rpc("comment.add", ticket=t["id"], body="And now?")
    assert slow.events(1)[0]["data"]["comment"]["body"] == "And now?" and slow.pulls == 1, "it is pushed to again"
    slow.close(), quick.close()


def test_a_page_waits_until_the_one_before_was_acknowledged(customer, agent):
    w = RawSocket(agent)
    cursor, t = w.cursor, ticket(customer)
    w.close()
    for i in range(12):
        customer.rpc("comment.add", ticket=t["id"], body=f"{i} " + "x" * 60000)
    w = RawSocket(agent, cursor)
    assert w.hello["mode"] == "replay"
    page = w.message()
    assert page["more"] and page["from"] == cursor and len(json.dumps(page)) < 300 * 1024
    w.send('{"type":"ping"}')
    assert w.message() == {"type": "pong"}
    empty = w.message()
    assert empty["events"] == [] and empty["from"] == empty["to"] == page["to"], "no event comes before the page was acknowledged"
    w.send(json.dumps({"type": "ack", "cursor": cursor}))
    refused = w.message()
    assert (refused["type"], refused["code"], refused["data"]["field"]) == ("error", -32602, "cursor")
    w.cursor = page["to"]
    w.acknowledge()
    bodies = [e["data"]["comment"]["body"].split()[0] for e in page["events"] + w.events(14 - len(page["events"])) if e["type"] == "comment.added"]
    assert bodies[1:] == [str(i) for i in range(12)]
    w.acknowledge()                                     # too late, and harmless
    customer.rpc("comment.add", ticket=t["id"], body="live")
    assert w.events(1)[0]["data"]["comment"]["body"] == "live"
    w.close()


def test_a_client_that_pings_and_does_not_read_is_gone(customer):
    w = RawSocket(customer)
    pings = (b"\x89\xfd" + bytes(4) + b"x" * 125) * 500
    with contextlib.suppress(ConnectionError):
        for _ in range(400):                        # more than the kernel's buffers hold
            w.socket.sendall(pings)
        n = 0
        while data := w.socket.recv(65536):         # pongs, but not all of them: the session has ended
            n += len(data)
        assert n < 400 * 500 * 127
    w.close()


def test_a_peer_that_answers_no_ping_is_gone_in_35_s_and_one_that_does_stays(customer):
    dead, alive, heard = RawSocket(customer), RawSocket(customer), []

    def listen():       # message() answers pings
        try:
            while heard[-1:] != [None]:
                heard.append(alive.message())
        except OSError:
            pass        # the test closes it

    listening = threading.Thread(target=listen)
    listening.start()
    frames = iter(lambda: dead.frame(deadline_s=30), None)
    opcode, data = next(frame for frame in frames if b'"from"' in frame[1])     # not who is online; an empty frame, then a ping
    assert opcode == 1 and json.loads(data)["events"] == [] and dead.frame()[0] == 9
    assert dead.frame(deadline_s=15)[0] == 8
    until("the other one was asked, too", lambda: heard)
    alive.send('{"type":"ping"}')
    until("it is still served", lambda: {"type": "pong"} in heard)
    alive.socket.shutdown(socket.SHUT_RDWR)
    listening.join()
    dead.close(), alive.close()


def test_sessions_that_began_together_are_not_pinged_together(customer):
    sockets, pinged = [RawSocket(customer) for _ in range(30)], {}
    began = time.monotonic()
    poll = select.poll()
    for w in sockets:
        poll.register(w.socket, select.POLLIN)
    while len(pinged) < len(sockets) and time.monotonic() < began + 40:
        for fd, _ in poll.poll(1000):
            w = next(w for w in sockets if w.socket.fileno() == fd)
            if w.frame()[0] == 9:
                pinged[fd] = time.monotonic()
                poll.unregister(fd)
    assert len(pinged) == len(sockets)
    spread = max(pinged.values()) - min(pinged.values())
    assert spread > (max(pinged.values()) - began) / 8, "of 15 to 25 s of silence: thirty of them in one eighth are no chance"
    for w in sockets:
        w.close()


def test_a_delivery_is_one_write(desk, customer, agent, tmp_path):
    t = ticket(customer)
    desk.heard_all()
    sockets, pid = [RawSocket(agent) for _ in range(20)], desk.processes["gateway"].pid
    trace = subprocess.Popen(["strace", "-f", "-e", "trace=write,writev,sendto,sendmsg,sendmmsg", "-o", tmp_path / "trace", "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    if "attached" not in trace.stderr.readline():
        trace.wait()
        pytest.skip("no process may be traced here")
    for i in range(10):
        customer.rpc("comment.add", ticket=t["id"], body=f"Comment {i}")
        for w in sockets:
            w.events(1)
    trace.send_signal(signal.SIGINT)
    trace.communicate()
    calls = [line.split()[1].split("(")[0] for line in (tmp_path / "trace").read_text().splitlines() if '{\\"from\\":' in line]
    assert calls == ["sendto"] * 20 * 10, collections.Counter(calls)
    for w in sockets:
        w.close()


# ---- whose access ends ----

def test_a_revoked_device_is_out_at_once_and_a_changed_role_begins_anew(desk, agent):
    linus = desk.member("127.0.0.20", "barbara@example.org", "Barbara")
    w = RawSocket(linus)
    device = linus.rpc("device.list")["items"][0]["id"]
    desk.ctl("device", "revoke", device)
    assert code_of(lambda: linus.rpc("project.info")) == -32001
    assert w.wait_closed() == 4001
    grace = desk.member("127.0.0.21", "grace@example.org", "Grace")
    w = RawSocket(grace)
    desk.ctl("user", "set", "grace@example.org", "--role", "agent")
    assert w.wait_closed() == 4002
    until("they are an agent now", lambda: can(lambda: grace.rpc("ticket.list")))
    assert code_of(lambda: grace.rpc("note.list", ticket=ulid())) == -32003


def can(call):
    try:
        return bool(call())
    except RpcError:
        return False


# ---- restarts ----

def test_nobody_notices_that_store_was_killed(own_desk, ada):
    w = RawSocket(ada)
    own_desk.kill("store")
    late = threading.Timer(0.5, own_desk.start, ("store",))
    late.start()
    number = ticket(ada)["number"]          # waits
    late.join()
    assert w.events(2)[0]["data"]["ticket"]["number"] == number
    w.close()


def test_unavailable_says_how_to_retry(own_desk, ada):
    own_desk.kill("store")
    with pytest.raises(RpcError) as e:
        ticket(ada)
    assert e.value.code == -32006 and e.value.data["retry_after_ms"] > 0 and len(e.value.data["op_id"]) == 26
    own_desk.start("store")
    again = ada.rpc("ticket.create", op_id=e.value.data["op_id"], subject="It burns", body="Help!", attachments=[])
    assert again["op_id"] == e.value.data["op_id"]


def test_live_sessions_have_no_gap_when_fanout_is_another_one(own_desk, ada):
    sockets = [RawSocket(ada) for _ in range(4)]
    made = []
    for i in range(30):
        made.append(ticket(ada, f"Ticket {i}")["number"])
        if i % 10 == 4:
            own_desk.kill("fanout")
        if i % 10 == 7:
            own_desk.start("fanout")
    for w in sockets:
        seen = [e["data"]["ticket"]["number"] for e in w.events(60) if e["type"] == "ticket.created"]
        assert seen == made
        w.close()


def test_known_callers_stay_good_while_identity_is_away(own_desk, ada):
    ticket(ada)
    own_desk.kill("identity")
    assert ticket(ada)["number"] == 2
    assert Device(own_desk, "127.0.0.9").post("/session/nonce", {}).status == 503
    own_desk.start("identity")
    assert Device(own_desk, "127.0.0.9").post("/session/nonce", {}).status == 200


def test_a_gateway_that_stops_says_bye_and_ends_in_order(own_desk, ada):
    w, idle = RawSocket(ada), socket.create_connection(("127.0.0.1", own_desk.port))
    stopping = threading.Thread(target=own_desk.terminate, args=("gateway",))
    stopping.start()
    bye = w.message()
    assert bye["type"] == "bye" and bye["retry_after_ms"] > 0
    assert w.wait_closed() == 1001
    w.send(b"\x03\xe9", opcode=8)
    stopping.join()
    ada.close()
    own_desk.start("gateway")
    number = ticket(ada)["number"]
    w = RawSocket(ada, w.cursor)
    assert w.events(2)[0]["data"]["ticket"]["number"] == number
    w.close(), idle.close()


def test_who_has_just_connected_is_answered_by_a_gateway_that_stops(own_desk, ada):
    late = [socket.create_connection(("127.0.0.1", own_desk.port), timeout=DEADLINE_S) for _ in range(3)]
    until("they are taken", lambda: own_desk.figure("gateway", "connections") >= 3)
    stopping = threading.Thread(target=own_desk.terminate, args=("gateway",))
    stopping.start()
    until("it takes no more", lambda: not own_desk.is_healthy())
    for s in late[:2]:
        s.sendall(f"GET /healthz HTTP/1.1\r\nHost: {own_desk.address}\r\n\r\n".encode())
        assert b" 200 OK" in s.recv(4096)
    stopping.join()         # nor does it wait for ever for the third
    for s in late:
        s.close()
    ada.close()


def test_a_gateway_that_was_paused_goes_on(own_desk, ada):
    w = RawSocket(ada)
    for _ in range(3):
        own_desk.processes["gateway"].send_signal(signal.SIGSTOP)
        own_desk.processes["gateway"].send_signal(signal.SIGCONT)
        assert ticket(ada)["number"]
    assert len(w.events(6)) == 6
    w.close()


def test_two_gateways_share_one_port_and_see_the_same(own_desk, ada):
    with open(own_desk.root / "gateway.log", "ab") as log:
        second = subprocess.Popen([BIN / "assist-gateway", "--root", own_desk.root], stdout=log, stderr=log)
    until("it listens", lambda: own_desk.log("gateway").count("listening at") == 2)
    sockets = [RawSocket(ada) for _ in range(8)]
    made = [ticket(ada, f"Ticket {i}")["number"] for i in range(10)]
    for w in sockets:
        assert [e["data"]["ticket"]["number"] for e in w.events(20) if e["type"] == "ticket.created"] == made
        w.close()
    second.terminate()
    assert second.wait(15) == 0


def test_many_requests_go_over_one_connection(desk, customer):
    connection = http.client.HTTPConnection("127.0.0.1", desk.port, source_address=(customer.address, 0))
    for i in range(100):
        connection.request("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "method": "project.info", "id": i}),
                           {"Content-Type": "application/json", "Authorization": f"Bearer {customer.token}"})
        assert json.loads(connection.getresponse().read())["id"] == i
    connection.close()
