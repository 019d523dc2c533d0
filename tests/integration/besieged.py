"""A desk that is attacked, and what must hold behind it: the same processes, within a bounded memory, doing their work.

    with Besieged() as desk: ...

The services may use 2 GiB of addresses: who believes an attacker's count dies of it."""
import contextlib
import json
import re
import resource
import socket

from harness import BUILD, Desk, ulid

ADDRESS_SPACE = 2 * 2**30
SANITIZED = "ASSIST_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text()    # its shadow memory is larger than any limit
RESIDENT = (768 if SANITIZED else 128) * 2**20                                     # what is freed stays for a while with it

CUSTOMER, AGENT, STRANGER, ATTACKER = "127.0.0.2", "127.0.0.3", "127.0.0.9", "127.0.0.66"
OPEN, CLOSED = "open", "closed"


class Besieged(Desk):
    def __enter__(self):
        super().__enter__()
        if not SANITIZED:
            for process in self.processes.values():
                resource.prlimit(process.pid, resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        self.pids = {service: process.pid for service, process in self.processes.items()}
        self.customer = self.member(CUSTOMER, "carl@example.org", "Carl")
        self.agent = self.member(AGENT, "agnes@example.org", "Agnes", "agent")
        self.ticket = self.customer.rpc("ticket.create", subject="It burns", body="Help!")["id"]
        self.heard_all()
        return self

    def __exit__(self, kind, error, traceback):
        try:
            if not kind:
                self.stands()
        finally:
            super().__exit__(kind, error, traceback)

    def stands(self):
        """What every attack ends with."""
        for service, pid in self.pids.items():
            process = self.processes[service]
            assert process.pid == pid and process.poll() is None, f"{service} ended with {process.returncode}"
        used = {service: self.resident(service) for service in self.pids}
        assert max(used.values()) < RESIDENT, used
        self.works()
        self.proof()

    def works(self):
        """A story in small: asked, seen live, answered."""
        live = self.customer.live()
        ticket = self.customer.rpc("ticket.create", subject="Still there?", body="Hello")["id"]
        self.agent.rpc("comment.add", ticket=ticket, body="We are")
        while live.next("comment.added")["data"]["comment"]["body"] != "We are":
            pass
        live.close()
        assert [c["body"] for c in self.customer.rpc("comment.list", ticket=ticket)["items"]] == ["Hello", "We are"]

    def resident(self, service):
        return int(re.search(r"VmHWM:\s+(\d+) kB", open(f"/proc/{self.pids[service]}/status").read())[1]) * 1024

    # ---- bytes as they are ----

    def fill(self, text):
        """The marks in a request: what only a running desk knows."""
        text = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        for mark, value in ((b"@HOST@", self.address), (b"@PORT@", str(self.port)), (b"@TOKEN@", self.customer.token),
                            (b"@AGENT@", self.agent.token), (b"@TICKET@", self.ticket), (b"@NEW@", ulid())):
            text = text.replace(mark, value.encode())
        return text

    def say(self, request, address=CUSTOMER):
        """What these bytes are answered: (status, headers, body, OPEN or CLOSED)."""
        with self.dial(address) as s:
            with contextlib.suppress(ConnectionError):      # it may have heard enough
                s.sendall(self.fill(request))
            return said(s)

    def dial(self, address):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(address, 0))


def said(s):
    """One answer, and whether another request on the connection gets the one that it should: nothing was left of the first."""
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while b"\r\n\r\n" not in data and (piece := s.recv(65536)):
            data += piece
    if not data:
        return None, {}, b"", CLOSED
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
    with contextlib.suppress(ConnectionResetError):
        while len(body) < int(headers.get("content-length", 0)) and (piece := s.recv(65536)):
            body += piece
    return int(lines[0].split()[1]), headers, body, next_one(s)


def next_one(s):
    try:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % s.getpeername()[1])
        again = s.recv(65536)
    except ConnectionError:
        return CLOSED
    if not again:
        return CLOSED
    assert again.startswith(b"HTTP/1.1 200 ") and again.endswith(b'{"ok":true}\n'), again
    return OPEN


def error_of(body):
    """(code, field) of an answer, of /rpc and of the others; (None, None) where it is none."""
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        return None, None
    assert len(error["data"]["request"]) == 26, "an operator can look it up"
    return error["code"], error["data"].get("field")
