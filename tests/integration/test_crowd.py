"""Too much at the gateway's door: more connections than it has room for, heads and bodies that never end, requests that could be
read in two ways, batches that ask for the world. They are closed or refused, they cost little, and everybody else is served."""
import contextlib
import json
import os
import re
import resource
import signal
import socket
import threading
import time

import pytest

from harness import Desk, Device, RpcError, until
from raw_socket import RawSocket

CUSTOMER = "127.0.0.2"
OF_DEVICE_MAX = 256
PATIENCE_S = 150


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        yield desk


@pytest.fixture(scope="module")
def customer(desk):
    return desk.member(CUSTOMER, "linus@example.org", "Linus")


def dial(desk, address="127.0.0.9"):
    return socket.create_connection(("127.0.0.1", desk.port), timeout=30, source_address=(address, 0))


def is_closed_at_once(s):
    """Long before any deadline."""
    s.settimeout(5)
    return s.recv(1) == b""


def everything(s):
    """What comes until the gateway ends the connection."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := s.recv(65536):
            data += piece
    return data


def head(desk, *lines, method="POST", path="/rpc"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {desk.address}", *lines, "", ""]).encode()


def is_served(desk, address="127.0.0.200"):
    device = Device(desk, address)
    try:
        return device.http("GET", "/healthz").json == {"ok": True}
    finally:
        device.close()


def cpu_s(desk):
    times = open(f"/proc/{desk.processes['gateway'].pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")


def memory(desk):
    return int(re.search(r"VmRSS:\s+(\d+) kB", open(f"/proc/{desk.processes['gateway'].pid}/status").read())[1]) * 1024


def files(desk):
    return len(os.listdir(f"/proc/{desk.processes['gateway'].pid}/fd"))


# ---- what never ends ----

class Drip(threading.Thread):
    """Sends a byte whenever a while is over, and says how long the gateway put up with it."""

    def __init__(self, s, first, piece=b"x"):
        super().__init__()
        self.s, self.first, self.piece, self.lasted = s, first, piece, None
        self.start()

    def run(self):
        began = time.monotonic()
        self.s.sendall(self.first)
        self.s.settimeout(0.5)
        while time.monotonic() - began < PATIENCE_S:
            with contextlib.suppress(TimeoutError):
                try:
                    if not self.s.recv(100):
                        break
                except ConnectionResetError:
                    break
            with contextlib.suppress(OSError):
                self.s.sendall(self.piece)
        self.lasted = time.monotonic() - began
        self.s.close()


@pytest.fixture(scope="module", autouse=True)
def drips(desk, customer):
    """They go on while the other tests run."""
    begun = {
        "silent": Drip(dial(desk), b"", b""),
        "head": Drip(dial(desk), f"GET /healthz HTTP/1.1\r\nHost: {desk.address}\r\nX: ".encode()),
        "second head": Drip(dial(desk), head(desk, method="GET", path="/healthz"), b"G"),
        "body": Drip(dial(desk), head(desk, "Content-Length: 4000")),
        "large body": Drip(dial(desk, CUSTOMER), head(desk, "Content-Length: 1000000", f"Authorization: Bearer {customer.token}")),
    }
    yield begun
    for drip in begun.values():
        drip.join()


def test_the_head_may_come_in_pieces(desk):
    with dial(desk) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(2):
            for byte in b"\r\n" + head(desk, method="GET", path="/healthz"):
                s.sendall(bytes([byte]))
            assert s.recv(1000).startswith(b"HTTP/1.1 200 ")


def test_what_is_sent_behind_an_unanswered_request_is_not_served(desk):
    with dial(desk) as s:
        s.sendall(head(desk, method="GET", path="/healthz") * 2)
        answer = everything(s)
    assert answer.count(b"HTTP/1.1 200 ") == 1 and b"Connection: close" in answer


# ---- requests that could be read in two ways ----

LENGTH, CHUNKED, AUTHORIZATION = "Content-Length: 5", "Transfer-Encoding: chunked", "Authorization: Bearer x"


@pytest.mark.parametrize("status, lines", [
    (400, [LENGTH, CHUNKED]),
    (400, [CHUNKED, LENGTH]),
    (400, [LENGTH, LENGTH]),
    (400, [LENGTH, "Content-Length: 6"]),
    (400, ["Content-Length: 5, 5"]),
    (400, ["Content-Length: +5"]),
    (400, ["Content-Length: -5"]),
    (400, ["Content-Length: 0x5"]),
    (400, ["Content-Length:"]),
    (400, ["Content-Length: 99999999999999999999"]),
    (400, ["Content-Length : 5"]),
    (400, ["X: y", " folded: 5"]),
    (400, ["X: y\0z"]),
    (400, ["X: y\rz"]),
    (400, ["no colon"]),
    (400, ["Host: evil.example"]),
    (400, ["Origin: http://a.example", "Origin: http://b.example"]),
    (400, [AUTHORIZATION, AUTHORIZATION]),
    (411, [CHUNKED]),
    (411, ["Transfer-Encoding: identity"]),
    (413, ["Content-Length: 1048577"]),
    (417, ["Expect: cake", LENGTH]),
    (431, [f"X-{i}: y" for i in range(100)]),
    (431, ["X: " + "y" * 17000]),
])
def test_a_request_that_is_not_plain_is_refused_and_the_connection_closed(desk, status, lines):
    with dial(desk) as s:
        s.sendall(head(desk, *lines) + b"hello" + head(desk, method="GET", path="/healthz"))
        answer = everything(s)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode()) and answer.count(b"HTTP/1.1") == 1, answer
    top, body = answer.split(b"\r\n\r\n", 1)
    for line in (b"Connection: close", b"X-Content-Type-Options: nosniff", b"Referrer-Policy: no-referrer", b"Cache-Control: no-store",
                 b"Content-Security-Policy: default-src 'none'", b"X-Request-Id: ", f"Content-Length: {len(body)}".encode()):
        assert line in top
    assert len(json.loads(body)["error"]["data"]["request"]) == 26


@pytest.mark.parametrize("text", [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET  / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
    b"GET /\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\nHost: x\n\n",
])
def test_what_is_no_request_is_refused(desk, text):
    with dial(desk) as s:
        s.sendall(text)
        assert everything(s).startswith(b"HTTP/1.1 400 ")


# ---- bodies ----

def test_only_members_may_send_much(desk, customer):
    stranger = Device(desk, "127.0.0.9")
    stranger.open()

    def refusal(path, n, token=None, address="127.0.0.9"):
        """The answer to a head alone: nothing of the body is sent."""
        with dial(desk, address) as s:
            s.sendall(head(desk, f"Content-Length: {n}", "Content-Type: application/json", *([f"Authorization: Bearer {token}"] if token else []),
                           path=path))
            answer = everything(s)
        return int(answer.split()[1]), json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]["data"].get("limit")

    for path in ("/session", "/session/nonce", "/healthz", "/nothing", "/ws?cursor=x"):
        assert refusal(path, 4097, customer.token, CUSTOMER) == (413, 4096)
    assert refusal("/rpc", 4097) == (401, None)
    assert refusal("/rpc", 4097, "guess") == (401, None)
    assert refusal("/rpc?x", 4097, stranger.token) == (413, 4096)
    assert refusal("/attachments/x", 1024 * 1024 + 1, customer.token, CUSTOMER) == (413, 1024 * 1024)
    assert stranger.post("/session/nonce", {"ignored": "x" * 4000}).status == 200
    assert customer.post("/rpc", {"jsonrpc": "2.0", "id": 1, "method": "project.info", "params": {"ignored": "x" * 1000000}}).json["result"]


def test_a_body_that_waits_for_100_continue_gets_it(desk, customer):
    body = b'{"jsonrpc":"2.0","id":1,"method":"project.info"}' + b" " * 10000
    with dial(desk, CUSTOMER) as s:
        s.sendall(head(desk, f"Content-Length: {len(body)}", "Expect: 100-continue", "Content-Type: application/json",
                       f"Authorization: Bearer {customer.token}"))
        assert s.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert s.recv(1000).startswith(b"HTTP/1.1 200 ")


# ---- answers ----

def test_a_batch_has_a_budget_and_what_it_changed_is_told(customer):
    t = customer.rpc("ticket.create", subject="Long", body="x", attachments=[])["id"]
    for _ in range(20):
        customer.rpc("comment.add", ticket=t, body="x" * 65000)
    page = customer.post("/rpc", {"jsonrpc": "2.0", "id": 1, "method": "comment.list", "params": {"ticket": t}}).body
    calls = [("comment.list", {"ticket": t})] * 30 + [("comment.add", {"ticket": t, "body": "y" * 65000}), ("rpc.discover", {})] * 10
    answer = customer.post("/rpc", [{"jsonrpc": "2.0", "id": i, "method": method, "params": params} for i, (method, params) in enumerate(calls)])
    replies = answer.json
    assert len(page) > 500000 and len(answer.body) < 6 * 2**20 and [r["id"] for r in replies] == list(range(50))
    pages, rest = replies[:30], replies[30:]
    refused = [r["error"] for r in pages if "error" in r]
    assert 0 < len(refused) < 30 and all(e["code"] == -32007 and e["data"]["limit"] == 4 * 2**20 for e in refused)
    assert all("result" in r for r in rest[::2])


# ---- too many ----

def until_refused(ask, refused):
    """The answers to the first one that is refused: later where the machine is so slow that the allowance grows meanwhile."""
    answers = [ask()]
    while not refused(answers[-1]) and len(answers) < 500:
        answers.append(ask())
    return answers


def test_a_device_that_asks_too_much_waits():
    with Desk({"gateway": {"device_rate": 60}}) as desk:
        stranger = Device(desk, "127.0.0.9")
        answers = until_refused(lambda: stranger.post("/session/nonce", {}), lambda answer: answer.status == 429)
        assert [a.status for a in answers[:6]] == [200] * 6 and answers[-1].status == 429
        assert int(answers[-1].headers["Retry-After"]) > 0 and answers[-1].json["error"]["data"]["retry_after_ms"] > 0
        other = Device(desk, "127.0.0.10")
        other.open()
        codes = until_refused(lambda: code_or_none(lambda: other.rpc("project.info")), lambda code: code)
        assert codes[:60] == [None] * 60 and codes[-1] == -32005
        assert Device(desk, "127.0.0.11").post("/session/nonce", {}).status == 200
        guesser = Device(desk, "127.0.0.12")
        seen = set()
        for i in range(10):
            guesser.token = f"guess{i}"
            seen.add(code_or_none(lambda: guesser.rpc("project.info")))
        assert seen == {-32001, -32005}


def code_or_none(call):
    try:
        call()
    except RpcError as e:
        return e.code


def test_one_device_has_so_many_connections_and_no_more(desk):
    with contextlib.ExitStack() as stack:
        crowd = [stack.enter_context(dial(desk, "127.0.0.77")) for _ in range(OF_DEVICE_MAX + 10)]
        for s in crowd[OF_DEVICE_MAX:]:
            assert is_closed_at_once(s)
        assert is_served(desk)
        crowd[0].close()
        until("there is room for another one", lambda: is_served_at(desk, "127.0.0.77"))


def is_served_at(desk, address):
    try:
        return is_served(desk, address)
    except OSError:
        return False


@contextlib.contextmanager
def limited_files(n):
    """For what is started meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (n, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_who_waits_longest_goes_where_there_is_no_room(customer):
    with Desk(services=("mycelium-supervisor", "gateway")) as desk, contextlib.ExitStack() as stack:
        desk.terminate("gateway")
        with limited_files(400):
            desk.start("gateway")
        crowd = [stack.enter_context(dial(desk, f"127.0.1.{1 + i // 100}")) for i in range(300)]
        for s in crowd[:300 - (400 - 128) - 5]:
            assert is_closed_at_once(s)
        for i in range(10):
            assert is_served(desk, f"127.0.2.{i + 1}")


def test_a_gateway_that_is_full_waits_and_burns_no_time():
    with Desk() as desk, contextlib.ExitStack() as stack:
        ada = desk.member("127.0.0.3", "ada@example.org", "Ada", "agent")
        ada.close()
        desk.terminate("gateway")
        with limited_files(200):
            desk.start("gateway")
        sockets = [RawSocket(ada) for _ in range(100)]          # half of 200: these can't be made to go
        for w in sockets:
            stack.callback(w.close)
        with dial(desk, "127.0.0.9") as late:
            assert gets_no_answer(desk, late) < 0.5
            sockets[-1].close()
            assert late.recv(100).startswith(b"HTTP/1.1 200 ")


def gets_no_answer(desk, s):
    """Asks and is not heard; answers the seconds that the gateway burnt meanwhile."""
    before = cpu_s(desk)
    s.sendall(head(desk, method="GET", path="/healthz"))
    s.settimeout(2)
    with pytest.raises(TimeoutError):
        s.recv(100)
    s.settimeout(30)
    return cpu_s(desk) - before


def test_a_gateway_without_descriptors_goes_on_once_it_has_them(desk):
    pid = desk.processes["gateway"].pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    with dial(desk) as s:
        until("it is accepted", lambda: is_served(desk))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, hard))
        try:
            with dial(desk, "127.0.0.10") as late:
                assert gets_no_answer(desk, late) < 0.5
                s.sendall(head(desk, method="GET", path="/healthz"))
                assert s.recv(100).startswith(b"HTTP/1.1 200 ")         # who is in, is served
                resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))
                assert late.recv(100).startswith(b"HTTP/1.1 200 ")
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_half_open_connections_cost_little_and_nobody_else_anything():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    n = min(10000, hard - 500)
    if n < 1000:
        pytest.skip("too few descriptors may be open here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        with Desk(services=("mycelium-supervisor", "gateway")) as desk, contextlib.ExitStack() as stack:
            guest = Device(desk, "127.0.0.200")
            stack.callback(guest.close)
            assert guest.http("GET", "/healthz").status == 200      # it has seen the end of those before
            before, had, gateway = memory(desk), files(desk), desk.processes["gateway"]
            while files(desk) - had < n:        # it stands still while they queue up, and its deadlines with it
                gateway.send_signal(signal.SIGSTOP)
                for i in range(at := files(desk) - had, min(at + 1000, n)):
                    s = stack.enter_context(dial(desk, f"127.1.0.{1 + i // 200}"))
                    s.sendall(f"POST /rpc HTTP/1.1\r\nHost: {desk.address}\r\n".encode() if i % 2 else b"")
                gateway.send_signal(signal.SIGCONT)
                until("they are accepted", lambda: files(desk) - had == min(at + 1000, n))
            assert is_served(desk)
            cost = memory(desk) - before
            print(f"{n} connections: {cost / 2**20:.1f} MiB")
            assert cost <= n * 4096
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# ---- and the end of those from the beginning ----

def test_deadlines_are_not_put_off_by_single_bytes(drips):
    """That they come, and not too early; how late a busy machine lets them come is nobody's fault."""
    for name, least in (("silent", 8), ("head", 8), ("second head", 8), ("body", 58), ("large body", 58)):
        drips[name].join(200)
        assert least <= drips[name].lasted < PATIENCE_S, (name, drips[name].lasted)
