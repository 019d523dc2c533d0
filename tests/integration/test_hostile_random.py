"""Clients that mutate good requests, bodies, frames and messages by dice, all at once, while a member goes on working.

ASSIST_HOSTILE_S: for how long (10 s). ASSIST_SEED repeats what the same seed did: each attacker throws dice of its own."""
import contextlib
import os
import random
import socket
import struct
import threading
import time

import msgpack

from besieged import AGENT, ATTACKER, CUSTOMER, Besieged
from harness import PROMISED, ulid
from mutations import bytes_from, text_of, value_from
from raw_socket import RawSocket
from test_hostile import get, post
from test_hostile_frames import CLOSE, CONTINUED, FIN, PING, TEXT, frame, handshake
from test_hostile_messages import client, envelope, framed, seal

SECONDS = float(os.environ.get("ASSIST_HOSTILE_S", 10))
SEED = os.environ.get("ASSIST_SEED") or str(random.SystemRandom().randrange(2**32))
WAIT_S = 5          # for an answer to a member's request, while all of this goes on
STATUSES = {100, 101, 200, 204, 206, 304, 400, 401, 403, 404, 405, 409, 410, 411, 413, 415, 416, 417, 421, 426, 429, 431}
TOKEN = "Authorization: Bearer @TOKEN@"


def until_closed(s):
    """What it says, as far as it comes soon."""
    data = b""
    with contextlib.suppress(ConnectionError, TimeoutError):
        while piece := s.recv(65536):
            data += piece
    return data


def is_sane(answer, sent):
    if answer:
        assert answer.startswith(b"HTTP/1.1 ") and int(answer[9:12]) in STATUSES and b'"code":-32603' not in answer, (sent, answer[:2000])


class Attacker(threading.Thread):
    def __init__(self, desk, attack):
        super().__init__(name=attack.__name__)
        self.desk, self.attack, self.n, self.error = desk, attack, 0, None
        self.dice = random.Random(f"{SEED}-{self.name}")

    def run(self):
        end = time.monotonic() + SECONDS
        try:
            step = self.attack(self.desk, self.dice)
            while time.monotonic() < end:
                next(step)
                self.n += 1
        except Exception as error:      # the test's thread tells it
            self.error = error


def exchange(desk, data, address=CUSTOMER):
    with desk.dial(address) as s:
        s.settimeout(2)
        with contextlib.suppress(ConnectionError):
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        is_sane(until_closed(s), data)


def heads(desk, dice):
    call = '{"jsonrpc":"2.0","id":1,"method":"project.info"}'
    good = [desk.fill(request) for request in (
        get(), get("/nothing"), post("/rpc", call, TOKEN), post("/session/nonce", "{}"), post("/session", '{"nonce":"AAAA"}'), handshake({}),
        get("/attachments/@NEW@", TOKEN, "Range: bytes=0-9"), get("/attachments/@NEW@?link=AAAA"),
        get("/attachments/@NEW@", TOKEN, "Content-Range: bytes 0-3/4", "Content-Length: 4", method="PUT", body="abcd"))]
    while True:
        exchange(desk, bytes_from(dice, dice.choice(good), good), dice.choice((CUSTOMER, ATTACKER)))
        yield


def calls(desk, dice):
    """Every method, with params that fit but for one place: as JSON that is good, or with its bytes changed."""
    methods = [m for m in PROMISED.methods.values() if m["name"] not in ("device.revoke", "enroll.start")]     # these are to go on
    known = {"ticket": desk.ticket, "number": 1, "user": desk.customer.user, "state": "open", "cursor": desk.customer.rpc("ticket.list")["cursor"]}

    def one():
        method = dice.choice(methods)
        params = {p["name"]: known.get(p["name"]) or PROMISED.fitting(p["schema"]) for p in method["params"] if p["required"] or dice.random() < 0.3}
        if "op_id" in params:
            params["op_id"] = ulid()
        return {"jsonrpc": "2.0", "id": dice.randrange(9), "method": method["name"], "params": params}

    while True:
        good = [one() for _ in range(dice.randint(1, 5))]
        body = text_of(value_from(dice, good if dice.random() < 0.3 else good[0]))
        if dice.random() < 0.3:
            body = bytes_from(dice, body, [text_of(call) for call in good])
        head = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{TOKEN.replace('@TOKEN@', '@AGENT@')}"
        exchange(desk, desk.fill(f"POST /rpc HTTP/1.1\r\nHost: @HOST@\r\n{head}\r\n\r\n") + body, AGENT)
        yield


def frames(desk, dice):
    good = [frame(FIN | TEXT, b'{"type":"ping"}'), frame(TEXT, b'{"type":') + frame(FIN | CONTINUED, b'"ping"}'), frame(FIN | PING, b"x" * 125),
            frame(FIN | TEXT, b'{"type":"dance"}'), frame(FIN | TEXT, b" " * 70000), frame(FIN | CLOSE, b"\x03\xe8bye")]
    while True:
        w = RawSocket(desk.customer)
        w.socket.settimeout(0.05)
        with contextlib.suppress(ConnectionError):
            w.socket.sendall(b"".join(dice.choice(good) for _ in range(dice.randrange(3))) + bytes_from(dice, dice.choice(good), good))
            until_closed(w.socket)
        w.close()
        yield


def messages(desk, dice):
    caller = seal(desk, desk.customer)
    good = {
        "store": [envelope(params=b"\x90"), envelope("ticket.list", caller=caller, params=msgpack.packb([None] * 5 + [10])),
                  envelope("comment.add", caller=caller, params=msgpack.packb([b"\1" * 16, b"\2" * 16, "x", [], None, "open"])),
                  envelope("attachment.write", caller=caller, params=msgpack.packb([b"\1" * 16, 0, b"abc"])),
                  envelope("op.since", caller=caller, params=msgpack.packb(["A" * 54, None, 1024]))],
        "identity": [envelope("session.nonce", params=msgpack.packb(["127.0.0.66"])), envelope("session.resolve", params=msgpack.packb(["AQAA", "127.0.0.66"])),
                     envelope("session.open", params=msgpack.packb(["127.0.0.66", bytes(56), bytes(32)])),
                     envelope("device.list", caller=caller, params=b"\x90")],
        "fanout": [envelope("live.attach", caller=caller, params=msgpack.packb([b"\1" * 16, 1, b"\1" * 16])), envelope("live.detach", params=msgpack.packb([b"\1" * 16, [b"\1" * 16]])),
                   envelope("fanout.stats")],
        "mycelium-supervisor": [envelope("overlay.pubkey", params=msgpack.packb(["127.0.0.2"]))],
    }
    while True:
        service = dice.choice(sorted(good))
        message = dice.choice(good[service])
        raw = dice.random() < 0.2
        data = bytes_from(dice, framed(message) if raw else message, good[service])
        with client(desk, service) as c:
            c.socket.settimeout(0.3)
            with contextlib.suppress(ConnectionError, TimeoutError):
                c.socket.sendall(data if raw else framed(data))
                if raw:
                    c.socket.shutdown(socket.SHUT_WR)
                    until_closed(c.socket)
                else:
                    kind, size = struct.unpack(">BQ", c.read(9))
                    version, code, _ = msgpack.unpackb(c.read(size)[4:], strict_map_key=False)
                    assert (kind, version) == (1, 1) and code != 32603, (service, data)
        yield


def test_whatever_comes_others_are_served():
    print(f"ASSIST_SEED={SEED}")
    with Besieged() as desk:
        attackers = [Attacker(desk, attack) for attack in (heads, calls, frames, messages)]
        for attacker in attackers:
            attacker.start()
        member, slowest, n = desk.member("127.0.0.4", "mia@example.org", "Mia"), 0, 0
        ticket = member.rpc("ticket.create", subject="Mine", body="0")["id"]
        while any(attacker.is_alive() for attacker in attackers):
            began = time.monotonic()
            n += 1
            member.rpc("comment.add", ticket=ticket, body=str(n))
            assert member.rpc("ticket.get", ticket=ticket)["ticket"]["comments"] == n + 1
            slowest = max(slowest, time.monotonic() - began)
        for attacker in attackers:
            attacker.join()
            print(f"{attacker.name}: {attacker.n}")
            if attacker.error:
                raise AssertionError(f"ASSIST_SEED={SEED} {attacker.name}, number {attacker.n}") from attacker.error
            assert attacker.n >= 20 * min(SECONDS, 10) / 10
        print(f"{n} comments meanwhile, the slowest after {slowest:.2f} s")
        assert slowest < WAIT_S and n > SECONDS
