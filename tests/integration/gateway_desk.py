"""A desk of real processes behind a gateway, and devices that talk to it: each address 127.x.y.z is one."""
import base64
import hashlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from wire import Client

BIN = pathlib.Path(os.environ.get("ASSIST_BUILD", pathlib.Path(__file__).parents[2] / "build")) / "bin"
DEADLINE_S = 20
SERVICES = ("mycelium-supervisor", "identity", "store", "fanout", "gateway")
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def until(what, condition, deadline_s=DEADLINE_S):
    """Waits for a condition and answers its value."""
    end = time.monotonic() + deadline_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {deadline_s} s: {what}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def ulid():
    n = int.from_bytes(int(time.time() * 1000).to_bytes(6, "big") + os.urandom(10), "big")
    return "".join(CROCKFORD[n >> shift & 31] for shift in range(125, -1, -5))


def unbase64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Desk:
    def __init__(self, **gateway):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="assist-"))
        self.port = free_port()
        self.processes = {}
        self.op = 0
        shared = {name: os.urandom(32).hex() for name in ("caller", "cursor", "link", "project", "instance")}
        for service, names in {"store": ("instance", "caller", "cursor", "link"), "identity": ("caller", "project"),
                               "fanout": ("caller",)}.items():
            (self.root / "keys" / service).mkdir(parents=True)
            for name in names:
                (self.root / "keys" / service / name).write_text(shared[name] + "\n")
        (self.root / "etc").mkdir()
        self.configure(**gateway)

    def configure(self, **gateway):
        gateway.setdefault("device_rate", 1000000)
        gateway.setdefault("user_rate", 1000000)
        lines = ["[project]", "development = yes", "[log]", "level = debug", "[overlay]", "driver = loopback",
                 "loopback_address = 127.0.0.1", "[gateway]", f"port = {self.port}"]
        lines += [f"{key} = {value}" for key, value in gateway.items()]
        (self.root / "etc/assist.conf").write_text("\n".join(lines) + "\n")

    def start(self, *services):
        for service in services or SERVICES:
            log = open(self.root / f"{service}.log", "ab")
            self.processes[service] = subprocess.Popen([BIN / f"assist-{service}", "--root", self.root], stdout=log, stderr=log)
        until("the gateway answers", self.is_up)
        for service in services or SERVICES:
            if service != "gateway":
                until(f"{service} listens", (self.root / f"run/assist-{service}/rpc.sock").exists)

    def is_up(self):
        if "gateway" not in self.processes:
            return True
        assert self.processes["gateway"].poll() is None, self.log("gateway")
        try:
            return Device(self, "127.0.0.1").http("GET", "/healthz").status == 200
        except OSError:
            return False

    def kill(self, service):
        process = self.processes.pop(service)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def log(self, service):
        return (self.root / f"{service}.log").read_text()

    def identity(self, method, params):
        """As the operator or another service calls it."""
        with Client(self.root / "run/assist-identity/rpc.sock") as client:
            return client.call(method, params)

    def op_id(self):
        self.op += 1
        return self.op.to_bytes(16, "big")

    def code_for(self, address):
        """The code that was mailed last."""
        mails = [m for m in self.identity("outbox.follow", [0, 262144])[1] if m[1] == address and "/bind#" in m[3]]
        return mails[-1][3].split("/bind#")[1][:8]

    def member(self, address, name, role, email=None):
        """A device that is bound to a new user."""
        email = email or f"{name.lower()}@example.org"
        self.identity("user.add", [self.op_id(), email, name, role])
        return Device(self, address).bind(email)

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        try:
            for service, process in self.processes.items():
                assert process.wait(15) == 0, self.log(service)
        finally:
            for process in self.processes.values():
                process.kill()
        shutil.rmtree(self.root)


class RpcFault(Exception):
    def __init__(self, error):
        super().__init__(str(error))
        self.code, self.data = error["code"], error.get("data", {})


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Device:
    def __init__(self, desk, address):
        self.desk, self.address, self.token, self.secret, self.user, self.kept = desk, address, None, None, None, None

    def http(self, method, path, body=None, headers=None, host=None):
        """One request on a connection of its own. headers overrides what is usual; None leaves one out."""
        given = {"Host": host or f"127.0.0.1:{self.desk.port}"}
        if body is not None and method == "POST":
            given["Content-Type"] = "application/json"
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        given.update(headers or {})
        connection = http.client.HTTPConnection("127.0.0.1", self.desk.port, timeout=DEADLINE_S, source_address=(self.address, 0))
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value is not None:
                    connection.putheader(name, value)
            data = body.encode() if isinstance(body, str) else body
            if data is not None:
                connection.putheader("Content-Length", str(len(data)))
            connection.endheaders(data)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def post(self, path, value):
        return self.http("POST", path, json.dumps(value))

    def call(self, method, **params):
        reply = self.post("/rpc", {"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).json
        if "error" in reply:
            raise RpcFault(reply["error"])
        return reply["result"]

    def open(self):
        """A session: with the device's secret where it has one, else a stranger's."""
        self.token = None
        nonce = self.post("/session/nonce", {}).json
        body = {"nonce": nonce["nonce"]}
        if self.secret:
            parts = [b"assist-session-1", unbase64(nonce["project"]), nonce["server"].encode(), nonce["device"].encode(),
                     unbase64(nonce["nonce"])]
            proof = hashlib.blake2b(b"".join(struct.pack(">H", len(p)) + p for p in parts), digest_size=32, key=self.secret).digest()
            body["proof"] = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        answer = self.post("/session", body)
        assert answer.status == 200, answer.body
        self.token = answer.json["token"]
        return answer.json

    def bind(self, email):
        self.open()
        self.call("enroll.start", email=email, label="A device")
        redeemed = self.call("enroll.redeem", code=self.desk.code_for(email))
        self.secret, self.user = unbase64(redeemed["secret"]), redeemed["user"]
        self.open()
        until("store knows the user", lambda: self.is_known())
        return self

    def is_known(self):
        try:
            return any(p["id"] == self.user for p in self.call("person.list", limit=200)["items"])
        except RpcFault:
            return False

    def socket(self, cursor=None, **headers):
        return WebSocket(self, cursor, headers)


class WebSocket:
    """Small and blocking, so that tests can also send what no library would."""

    def __init__(self, device, cursor=None, headers=None):
        self.socket = socket.create_connection(("127.0.0.1", device.desk.port), timeout=DEADLINE_S, source_address=(device.address, 0))
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        given = {"Host": f"127.0.0.1:{device.desk.port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
                 "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": f"assist.1, assist.token.{device.token}"}
        given.update({name.replace("_", "-"): value for name, value in (headers or {}).items()})
        lines = [f"GET /ws{'?cursor=' + cursor if cursor else ''} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in given.items() if value is not None]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        self.headers = http.client.parse_headers(__import__("io").BytesIO(head.split(b"\r\n", 1)[1] + b"\r\n\r\n"))
        self.cursor, self.hello, self.closed = None, None, None
        if self.status == 101:
            accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
            assert self.headers["Sec-WebSocket-Accept"] == accept
            self.hello = self.message()
            self.cursor = self.hello["cursor"]

    def fill(self):
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("closed")
        self.buffer += data

    def take(self, n):
        while len(self.buffer) < n:
            self.fill()
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def frame(self, deadline_s=DEADLINE_S):
        self.socket.settimeout(deadline_s)
        first, second = self.take(2)
        assert first & 0x80 and not second & 0x80
        n = second
        if n == 126:
            n = struct.unpack(">H", self.take(2))[0]
        elif n == 127:
            n = struct.unpack(">Q", self.take(8))[0]
        return first & 15, self.take(n)

    def send(self, data, opcode=1, masked=True, fin=True):
        data = data.encode() if isinstance(data, str) else data
        head = bytes([opcode | (0x80 if fin else 0)])
        mark = 0x80 if masked else 0
        if len(data) < 126:
            head += bytes([mark | len(data)])
        elif len(data) < 65536:
            head += bytes([mark | 126]) + struct.pack(">H", len(data))
        else:
            head += bytes([mark | 127]) + struct.pack(">Q", len(data))
        self.socket.sendall(head + (bytes(4) if masked else b"") + data)

    def message(self, deadline_s=30):
        """The next text message; answers pings. None once the server has closed, with its code in self.closed."""
        while True:
            opcode, data = self.frame(deadline_s)
            if opcode == 1:
                return json.loads(data)
            if opcode == 9:
                self.send(data, 10)
            if opcode == 8:
                self.closed = struct.unpack(">H", data[:2])[0] if data else 1005
                return None

    def events(self, n=1):
        """The next n events, whose frames must be contiguous."""
        found = []
        while len(found) < n:
            frame = self.message()
            assert frame is not None, f"closed with {self.closed}"
            assert frame["from"] == self.cursor, "a gap"
            self.cursor = frame["to"]
            found += frame["events"]
        return found

    def wait_closed(self):
        while self.message() is not None:
            pass
        return self.closed

    def close(self):
        self.socket.close()
