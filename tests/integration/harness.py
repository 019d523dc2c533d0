"""A whole desk of real processes under a temporary root, and devices that talk to it: each 127.x.y.z is one.

    @pytest.fixture(scope="module")
    def desk():
        with Desk() as desk:
            yield desk

Leaving it stops every process, and fails where one did not end well or a sanitizer had something to say."""
import asyncio
import base64
import hashlib
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib

import websockets

from discover import Discovery

BUILD = pathlib.Path(os.environ.get("ASSIST_BUILD", pathlib.Path(__file__).parents[2] / "build"))
BIN = BUILD / "bin"
SERVICES = ("mycelium-supervisor", "identity", "store", "fanout", "gateway", "courier")
PROMISED = Discovery(json.loads((pathlib.Path(__file__).parents[2] / "docs/reference/openrpc.json").read_text()))
DEADLINE_S = 30
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
COMPLAINTS = re.compile(r"AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|runtime error:|Assertion .* failed|stack smashing")


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


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Desk:
    """settings: {"gateway": {"user_rate": 10}, ...}, beside what every test wants. backup: the folder of one that it is made of."""

    host, driver = "127.0.0.1", "loopback"

    def __init__(self, settings=None, services=SERVICES, backup=None):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="desk-", dir="/tmp"))  # short: sockets' paths are limited
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.services = services
        self.processes = {}
        self.devices = {}
        self.environment = {}  # of the services
        self.ctl(*(("restore", backup) if backup else ("project", "init", "--development")))
        self.configure(settings)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.print_logs()
            self.close()
            raise
        return self

    def __exit__(self, kind, error, traceback):
        try:
            self.stop()
        except BaseException:
            self.print_logs()
            raise
        finally:
            if kind:
                self.print_logs()
            self.close()

    def configure(self, settings=None):
        """What the tests want lies over what project init wrote; a running service reads it on SIGHUP."""
        all_settings = {"gateway": {"port": self.port, "device_rate": 1000000, "user_rate": 1000000, "admissions": 1000000}, "log": {"level": "debug"}}
        for section, values in (settings or {}).items():
            all_settings.setdefault(section, {}).update(values)
        lines = []
        for section, values in all_settings.items():
            lines += [f"[{section}]"] + [f"{key} = {value}" for key, value in values.items()]
        folder = self.settings_folder()
        folder.mkdir(exist_ok=True)
        (folder / "test.conf").write_text("\n".join(lines) + "\n")

    def settings_folder(self):
        return self.root / "etc/assist.conf.d"

    # ---- processes ----

    def start(self, *services):
        """Starts services (all by default) and waits until each is ready."""
        services = services or self.services
        marks = {service: self.log_size(service) for service in services}
        for service in services:
            assert service not in self.processes, f"{service} runs already"
            with open(self.log_path(service), "ab") as log:
                self.processes[service] = subprocess.Popen(self.service_command(service), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                                           cwd="/", env=dict(os.environ, **self.environment))
        for service in services:
            until(f"{service} is ready", lambda: self.said_ready(service, marks[service]))
        if "gateway" in services:
            until("the gateway answers", self.is_healthy)

    def service_command(self, service):
        return [BIN / f"assist-{service}", "--root", self.root]

    def said_ready(self, service, mark):
        process = self.processes[service]
        assert process.poll() is None, f"{service} ended with {process.returncode}:\n{self.log(service)[-4000:]}"
        return re.search(r"\bready$", self.log(service)[mark:], re.MULTILINE)

    def is_healthy(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self, service):
        """kill -9: as a crash."""
        process = self.processes.pop(service)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def terminate(self, service, deadline_s=15):
        """As an operator stops it; it must end by itself, and well."""
        process = self.processes.pop(service)
        process.terminate()
        try:
            status = process.wait(deadline_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"{service} did not stop within {deadline_s} s")
        assert status == 0, f"{service} ended with {status}:\n{self.log(service)[-4000:]}"

    def shift_clock(self, seconds):
        """From now on it is so much later for all services, which are stopped and started; devices have new sessions."""
        for service in reversed(self.services):
            self.terminate(service)
        sanitizer = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
        self.environment = {"LD_PRELOAD": str(BUILD / "tests/libshifted-clock.so"), "ASSIST_CLOCK_AHEAD_S": str(int(seconds)),
                            "ASAN_OPTIONS": sanitizer.lstrip(":")}
        self.start()
        for device in self.devices.values():
            device.open()

    def restore(self, name):
        """As an operator does, from a backup in the usual place; devices have new sessions."""
        for service in reversed(self.services):
            self.terminate(service)
        self.ctl("restore", self.root / "backups" / name, "--replace")
        self.start()
        for device in self.devices.values():
            device.open()

    def restart(self, service):
        self.terminate(service)
        self.start(service)

    def crash(self, service):
        """kill -9, and back again."""
        self.kill(service)
        self.start(service)

    def stop(self):
        """Stops what runs, callers first, and looks at how all fared."""
        for device in self.devices.values():
            device.close()
        for service in reversed(self.services):
            if service in self.processes:
                self.terminate(service)
        for service in self.services:
            complaint = COMPLAINTS.search(self.log(service))
            assert not complaint, f"{service}:\n{self.log(service)[max(0, complaint.start() - 500):][:6000]}"

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.processes.clear()
        shutil.rmtree(self.root, ignore_errors=True)

    # ---- logs ----

    def log_path(self, service):
        return self.root / f"{service}.log"

    def log_size(self, service):
        return len(self.log(service))

    def log(self, service):
        path = self.log_path(service)
        return path.read_text(errors="replace") if path.exists() else ""

    def print_logs(self, lines=60):
        for service in self.services:
            print(f"---- {service}, the last {lines} lines", file=sys.stderr)
            print("\n".join(self.log(service).splitlines()[-lines:]), file=sys.stderr)

    # ---- the operator ----

    def run_ctl(self, *args):
        return subprocess.run([BIN / "assistctl", "--root", self.root, *map(str, args)], capture_output=True, text=True, timeout=120)

    def ctl(self, *args):
        done = self.run_ctl(*args)
        assert done.returncode == 0, f"assistctl {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def ctl_json(self, *args):
        return json.loads(self.ctl("--json", *args))

    def processes_told(self):
        """What each process tells of itself, by its name ("store", "gateway")."""
        return {process["service"]: process for process in map(json.loads, self.run_ctl("--json", "status").stdout.splitlines())}

    def figure(self, service, name, **labels):
        """The value of one of its figures; None where it has none with these labels."""
        for figure in self.processes_told()[service].get("figures", []):
            for sample in figure["samples"] if figure["name"] == name else []:
                if {label["name"]: label["value"] for label in sample["labels"]} == labels:
                    return sample["value"]
        return None

    def heard_all(self):
        """Waits until fanout has followed the log as far as it goes now: whoever asks for what is live hears of later things alone."""
        head = self.figure("store", "log_head")
        until("fanout has followed the log", lambda: (self.figure("fanout", "log_position") or 0) >= head)

    def user(self, email, name, role="customer"):
        return self.ctl_json("user", "add", email, "--name", name, "--role", role)["id"]

    def mails(self):
        """The files of the spool folder, as assistctl tells them; the newest first."""
        return [line.split()[0] for line in self.ctl("mail", "list").splitlines()[1:]]

    def code_mailed_to(self, email, before):
        """The code in the mail that came after those before."""
        def find():
            for file in self.mails():
                if file not in before:
                    mail = self.ctl("mail", "show", file)
                    if f"To: <{email}>" in mail and "/bind#" in mail:
                        return code_of(mail)
        return until(f"a code for {email}", find)

    def proof(self):
        """The folded tables are what the log says, and the log is whole."""
        rebuilt = self.ctl_json("store", "rebuild")
        assert rebuilt["equal"] and rebuilt["differences"] == [], rebuilt
        verified = self.ctl_json("audit", "verify")
        assert verified["sound"] and verified["problems"] == [] and verified["ops"] > 0, verified

    # ---- who uses it ----

    def run_assist(self, device, *args, **options):
        """As typed at the machine with this address."""
        environment = dict(os.environ, XDG_STATE_HOME=str(self.root / "home"), TZ="UTC", **options.pop("environment", {}))
        return subprocess.run(self.assist_command(device, *args), capture_output=True, text=options.pop("text", True), timeout=120,
                              env=environment, **options)

    def assist_command(self, device, *args):
        return [BIN / "assist", "--project", self.address, "--from", device, *map(str, args)]

    def assist(self, device, *args, json_output=True):
        """What it answers: with --json, read; else as text."""
        done = self.run_assist(device, *(("--json",) if json_output else ()), *args)
        assert done.returncode == 0, f"assist {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if json_output else done.stdout

    def secrets(self):
        """Where the CLI keeps what devices have, a folder for each desk."""
        return self.root / "home/assist"

    def bind(self, address, email):
        """Enrols a device through the CLI, with the code from the spool folder; answers it with its session open."""
        before = set(self.mails())
        self.assist(address, "enroll", email)
        self.assist(address, "enroll", "--code", self.code_mailed_to(email, before))
        return self.device(address)

    def member(self, address, email, name, role="customer"):
        """A new user and their bound device."""
        user = self.user(email, name, role)
        device = self.bind(address, email)
        assert device.user == user
        return device

    def device(self, address):
        """The device that was bound at this address."""
        files = list(self.secrets().glob(f"*/{self.driver}:{address}.secret"))
        assert len(files) == 1, files
        device = Device(self, address, bytes.fromhex(files[0].read_text()))
        device.open()
        until("the store knows the user", device.is_known)
        self.devices[address] = device
        return device


def as_promised(method, result):
    """Every result in every test is as the published schema says; called.py asks whether each method ever gave one."""
    described = PROMISED.methods.get(method)
    if described:
        PROMISED.check(described["result"]["schema"], result, method)
        (BUILD / "called").mkdir(exist_ok=True)
        (BUILD / "called" / method).touch()


def code_of(mail):
    return mail.split("/bind#")[1][:8]


def picture(size):
    """A PNG of so many bytes: valid to those who look, and not to be compressed."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(4)))
    end = chunk(b"IEND", b"")
    return head + chunk(b"prVt", os.urandom(size - len(head) - len(end) - 12)) + end


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(str(error))
        self.code, self.data = error["code"], error.get("data") or {}


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Device:
    """HTTP as docs/protocol.md has it, byte by byte ours; for one thread."""

    def __init__(self, desk, address, secret=None):
        self.desk, self.address, self.secret = desk, address, secret
        self.token = self.user = self.role = self.connection = None
        self.embed = False
        self.number = 0

    def close(self):
        if self.connection:
            self.connection.close()
        self.connection = None

    def http(self, method, path, body=None, headers=None):
        """One request. headers come over what is usual; None leaves one out."""
        given = {"Host": self.desk.address}
        if body is not None and method == "POST":
            given["Content-Type"] = "application/json"
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        given.update(headers or {})
        data = body.encode() if isinstance(body, str) else body
        if self.connection and (not self.connection.sock or select.select([self.connection.sock], [], [], 0)[0]):
            self.close()  # the gateway that it went to is gone, or said that it goes
        try:
            if not self.connection:
                self.connection = http.client.HTTPConnection(self.desk.host, self.desk.port, timeout=DEADLINE_S,
                                                             source_address=(self.address, 0))
                self.connection.connect()
                self.connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in given.items():
                if value is not None:
                    self.connection.putheader(name, value)
            if data is not None:
                self.connection.putheader("Content-Length", str(len(data)))
            self.connection.endheaders(data)
            return Answer(self.connection.getresponse())
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def post(self, path, value):
        return self.http("POST", path, json.dumps(value))

    def open(self):
        """Opens a session: with the device's secret where it has one, else a stranger's."""
        self.token = None
        nonce = self.post("/session/nonce", {}).json
        request = {"nonce": nonce["nonce"], "embed": self.embed}
        if self.secret:
            parts = [b"assist-session-1", unbase64url(nonce["project"]), nonce["server"].encode(), nonce["device"].encode(),
                     unbase64url(nonce["nonce"])]
            text = b"".join(len(part).to_bytes(2, "big") + part for part in parts)
            request["proof"] = base64url(hashlib.blake2b(text, digest_size=32, key=self.secret).digest())
        answer = self.post("/session", request)
        assert answer.status == 200, answer.body
        self.token, self.user, self.role = answer.json["token"], answer.json.get("user"), answer.json.get("role")
        return answer.json

    def is_known(self):
        try:
            return any(person["id"] == self.user for person in self.rpc("person.list", limit=200)["items"])
        except RpcError:
            return False

    def rpc(self, rpc_method, params=None, **more):
        """The result of one call; RpcError where it failed."""
        self.number += 1
        answer = self.post("/rpc", {"jsonrpc": "2.0", "id": self.number, "method": rpc_method, "params": {**(params or {}), **more}})
        reply = answer.json
        if "error" in reply:
            raise RpcError(reply["error"])
        assert answer.status == 200 and reply["jsonrpc"] == "2.0" and reply["id"] == self.number, reply
        as_promised(rpc_method, reply["result"])
        return reply["result"]

    def upload(self, name, data, piece=1024 * 1024):
        """An upload's id, once all of it is there."""
        upload = self.rpc("attachment.start", name=name, size=len(data))["upload"]
        for at in range(0, len(data), piece):
            part = data[at:at + piece]
            answer = self.http("PUT", f"/attachments/{upload}", part,
                               {"Content-Range": f"bytes {at}-{at + len(part) - 1}/{len(data)}"})
            assert answer.status == 204 and answer.headers["Upload-Offset"] == str(at + len(part)), answer.body
        return upload

    def live(self, cursor=None, **more):
        return Live(self, cursor, **more)


class Live:
    """A WebSocket that a thread reads. Frames must be contiguous with the cursor; each event is kept once it came. What is ephemeral
    is in `mentions`. Pages are acknowledged as they come, unless `patient`: then by acknowledge(). Without a cursor nothing comes that
    was done before."""

    def __init__(self, device, cursor=None, patient=False):
        if cursor is None:
            device.desk.heard_all()
        self.device, self.asked, self.patient = device, cursor, patient
        self.mentions, self.pages, self.pulls = [], 0, 0
        self.hello = self.error = None
        self.cursor = cursor
        self.events, self.seen = [], 0
        self.change = threading.Condition()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        with self.change:
            assert self.change.wait_for(lambda: self.hello or self.error, DEADLINE_S), "no hello"
        if not self.hello:
            self.loop.call_soon_threadsafe(self.loop.stop)
            raise self.error

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.create_task(self.follow())
        self.loop.run_forever()
        self.loop.close()

    async def follow(self):
        try:
            await self.read()
            error = ConnectionError("closed")
        except Exception as e:
            error = e
        with self.change:
            self.error = error
            self.change.notify_all()

    async def read(self):
        path = f"ws://{self.device.desk.address}/ws" + (f"?cursor={self.asked}" if self.asked else "")
        self.socket = await websockets.connect(path, subprotocols=["assist.1", f"assist.token.{self.device.token}"], compression=None,
                                               local_addr=(self.device.address, 0), max_size=None, ping_interval=None,
                                               close_timeout=1, user_agent_header=None)
        async for text in self.socket:
            message = json.loads(text)
            with self.change:
                self.take(message)
                self.change.notify_all()
            if not self.patient and (message.get("more") or message.get("type") == "pull"):
                await self.send({"type": "ack", "cursor": self.cursor})

    async def send(self, message):
        await self.socket.send(json.dumps(message))

    def acknowledge(self):
        asyncio.run_coroutine_threadsafe(self.send({"type": "ack", "cursor": self.cursor}), self.loop).result(DEADLINE_S)

    def take(self, message):
        kind = message.get("type")
        if kind == "hello":
            self.hello, self.cursor = message, message["cursor"]
        elif kind == "pull":
            self.pulls += 1
        elif kind is None and "to" not in message:
            self.mentions += message["events"]
        elif kind is None:
            self.pages += message.get("more", False)
            assert message["from"] == self.cursor, f"a gap: {message['from']} follows {self.cursor}"
            self.cursor = message["to"]
            self.events += message["events"]
        elif kind != "bye":
            raise AssertionError(message)

    def next(self, kind=None, deadline_s=DEADLINE_S):
        """The next event, or the next one of a kind."""
        def there():
            while self.seen < len(self.events) and kind not in (None, self.events[self.seen]["type"]):
                self.seen += 1
            return self.seen < len(self.events) or self.error
        with self.change:
            assert self.change.wait_for(there, deadline_s), f"no {kind or 'event'} within {deadline_s} s; {len(self.events)} came"
            if self.seen == len(self.events):
                raise self.error
            self.seen += 1
            return self.events[self.seen - 1]

    def kinds(self):
        with self.change:
            return [event["type"] for event in self.events]

    def end(self, how):
        asyncio.run_coroutine_threadsafe(how(), self.loop).result(DEADLINE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()

    def cut(self):
        """As when the network goes: no closing handshake."""
        async def abort():
            self.socket.transport.abort()
            await self.socket.wait_closed()
        self.end(abort)

    def close(self):
        """As a client that leaves."""
        self.end(lambda: self.socket.close())
