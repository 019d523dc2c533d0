"""libassist's live side, seen through `assist --json watch`: at a desk whose services are killed, and at one that is made of bytes."""
import base64
import json
import os
import signal
import socket
import struct
import threading

import pytest

from harness import BIN, DEADLINE_S, Desk, base64url, until
from program import Program

CUSTOMER, AGENT = "127.0.0.2", "127.0.0.3"
NOT_ALLOWED = 4


class Watch(Program):
    def __init__(self, address, device, home, *args):
        super().__init__([BIN / "assist", "--project", address, "--from", device, "--json", "watch", *args], {"XDG_STATE_HOME": str(home)})

    @property
    def events(self):
        return list(map(json.loads, list(self.out)))


@pytest.fixture
def watch():
    watches = []

    def begin(*args):
        watches.append(Watch(*args))
        return watches[-1]
    yield begin
    for each in watches:
        each.close()


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        yield desk


def bodies(watch):
    return [event["data"]["comment"]["body"] for event in watch.events if event["type"] == "comment.added"]


def test_each_event_comes_once_whatever_is_killed(desk, watch):
    customer = desk.devices[CUSTOMER]
    ticket = customer.rpc("ticket.create", subject="It breaks", body="0")["id"]
    desk.heard_all()
    watching = watch(desk.address, AGENT, desk.root / "home")
    watching.until_said("watching")
    for number, victim in enumerate(("gateway", "fanout", "store", "identity", "gateway"), 1):
        desk.crash(victim)
        until("a session", lambda: customer.open())
        customer.rpc("comment.add", ticket=ticket, body=f"{number}")
        until(f"the event behind {victim}: {bodies(watching)}", lambda: bodies(watching)[-1:] == [f"{number}"])
    assert bodies(watching) == ["1", "2", "3", "4", "5"]
    assert sum("broke" in line for line in watching.said) == 2 == sum("watching" in line for line in watching.said) - 1


LONG = "x" * 60000


def test_what_was_missed_comes_in_pages_and_a_frozen_client_misses_nothing(desk, watch):
    customer = desk.devices[CUSTOMER]
    customer.open()
    made = customer.rpc("ticket.create", subject="It breaks", body="0")
    for number in range(1, 21):                     # more than a page has
        customer.rpc("comment.add", ticket=made["id"], body=f"{number} {LONG}")
    watching = watch(desk.address, AGENT, desk.root / "home", "--cursor", made["cursor"])
    until("all pages", lambda: len(bodies(watching)) == 20)
    watching.process.send_signal(signal.SIGSTOP)
    for number in range(21, 141):                   # 8 MB, more than the desk and the sockets between hold for it
        customer.rpc("comment.add", ticket=made["id"], body=f"{number} {LONG}")
    watching.process.send_signal(signal.SIGCONT)
    until("all of it", lambda: len(bodies(watching)) >= 140)
    assert [int(body.split()[0]) for body in bodies(watching)] == list(range(1, 141))
    assert watching.said.count("watching; Ctrl-C ends it") == 1 and not any("broke" in line for line in watching.said)


def test_a_new_role_is_seen_anew_and_a_revoked_device_is_out(desk, watch):
    device = desk.member("127.0.0.5", "eve@example.org", "Eve")
    watching = watch(desk.address, "127.0.0.5", desk.root / "home")
    watching.until_said("watching")
    desk.ctl("user", "set", "eve@example.org", "--role", "agent")
    watching.until_said("look at `assist ticket list`")
    desk.devices[CUSTOMER].rpc("ticket.create", subject="For agents to see", body="b")
    until("an agent sees it", lambda: "ticket.created" in [event["type"] for event in watching.events])
    [bound] = desk.ctl_json("device", "list", "eve@example.org")["items"]
    desk.ctl("device", "revoke", bound["id"])
    assert watching.ended() == NOT_ALLOWED
    assert "this device is not bound" in watching.said[-1]
    device.close()


# ---- a desk made of bytes ----

SESSION = "01J00000000000000000000000"


class Scripted(threading.Thread):
    """Opens sessions as a desk does, and does with each WebSocket what the next part of its script says."""

    def __init__(self, *script):
        super().__init__(daemon=True)
        self.script, self.asked, self.failure = list(script), [], None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.start()

    def run(self):
        try:
            while self.script:
                connection, _ = self.listener.accept()
                connection.settimeout(DEADLINE_S)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()
        except OSError:
            pass

    def serve(self, connection):
        reader = connection.makefile("rb")
        try:
            while head := reader.readline().decode().split():
                headers = {}
                while (line := reader.readline().decode().strip()):
                    name, value = line.split(":", 1)
                    headers[name.lower()] = value.strip()
                reader.read(int(headers.get("content-length", 0)))
                if head[1].startswith("/ws"):
                    self.asked.append(head[1])
                    self.script.pop(0)(connection, reader)
                    return
                self.answer(connection, 200, {
                    "/session/nonce": {"nonce": base64url(bytes(32)), "project": base64url(bytes(32)), "server": "127.0.0.1",
                                       "device": f"loopback:{CUSTOMER}"},
                    "/session": {"token": "t", "expires_at": 2**50, "role": "customer", "user": SESSION, "name": "Carl"}}[head[1]])
        except Exception as error:
            self.failure = self.failure or error
        finally:
            connection.close()

    @staticmethod
    def answer(connection, status, value):
        body = json.dumps(value).encode()
        connection.sendall(b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n\r\n%b" % (status, len(body), body))


def frame(text, opcode=1, final=True):
    data = text if isinstance(text, bytes) else text.encode()
    head = bytes([opcode | 0x80 * final])
    return head + (bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data)) if len(data) < 65536
                   else b"\x7f" + struct.pack(">Q", len(data))) + data


def hello(mode, cursor):
    return frame(json.dumps({"type": "hello", "session": SESSION, "mode": mode, "cursor": cursor}))


def events_text(before, after, *names, **more):
    made = [{"type": name, "op_id": SESSION, "actor": SESSION, "at": 1, "data": {}} for name in names]
    return json.dumps({"from": before, "to": after, "events": made, **more})


def events(*args, **more):
    return frame(events_text(*args, **more))


def heard(reader):
    """A frame of the client's: its opcode and content; masked, as RFC 6455 wants it."""
    first, second = reader.read(2)
    assert second & 0x80 and second & 0x7f < 126
    mask = reader.read(4)
    return first & 15, bytes(byte ^ mask[i % 4] for i, byte in enumerate(reader.read(second & 0x7f)))


ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n"


def refuse(connection, reader):
    Scripted.answer(connection, 503, {"error": {"code": -32006, "message": "full", "data": {"retry_after_ms": 20}}})


def talk_in_single_bytes(connection, reader):
    """Each byte a segment of its own: the answer, a hello, a message in three fragments with a ping between them, and a long one."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    text = events_text("c1", "c2", "one")
    for byte in (ACCEPTED + hello("live", "c1") + frame(text[:9], 1, False) + frame("are you there", 9) + frame(text[9:20], 0, False)
                 + frame(text[20:], 0)):
        connection.sendall(bytes([byte]))
    assert heard(reader) == (10, b"are you there")
    connection.sendall(events("c2", "c3", *["long"] * 1000))


def page(connection, reader):
    """The answer and all that follows in one segment. Nothing comes behind a page before it was acknowledged."""
    connection.sendall(ACCEPTED + hello("replay", "c3") + events("c3", "c4", "two", more=True))
    assert json.loads(heard(reader)[1]) == {"type": "ack", "cursor": "c4"}
    connection.sendall(frame(json.dumps({"events": [{"type": "fleeting", "at": 1, "data": {}}]}))
                       + frame(b"\0\1", 2) + events("c4", "c5", "three"))
    connection.sendall(frame(struct.pack(">H", 4001) + b"over", 8))
    assert heard(reader) == (8, struct.pack(">H", 4001) + b"over")


def break_the_protocol(connection, reader):
    connection.sendall(ACCEPTED + hello("replay", "c5") + frame("reserved", 3))
    assert heard(reader)[0] == 8


def bring_it_to_an_end(connection, reader):
    connection.sendall(ACCEPTED + hello("replay", "c5") + events("c5", "c6", "four"))
    reader.read()


def test_what_a_desk_may_send_is_understood(tmp_path, watch):
    desk = Scripted(refuse, talk_in_single_bytes, page, break_the_protocol, bring_it_to_an_end)
    watching = watch(desk.address, CUSTOMER, tmp_path, "--count", 1004)
    assert watching.ended() == 0, watching.said
    assert [event["type"] for event in watching.events] == ["one", *["long"] * 1000, "two", "three", "four"]
    assert desk.asked == ["/ws", "/ws", "/ws?cursor=c3", "/ws?cursor=c5", "/ws?cursor=c5"]
    assert desk.failure is None


def test_a_forged_cursor_is_no_reason_to_try_again(tmp_path, watch, desk):
    forged = base64.urlsafe_b64encode(os.urandom(40)).rstrip(b"=").decode()
    for cursor in (forged, "c1 HTTP/1.1\r\nX: y"):
        watching = watch(desk.address, CUSTOMER, desk.root / "home", "--cursor", cursor)
        assert watching.ended() != 0
        assert "cursor" in watching.said[-1]
