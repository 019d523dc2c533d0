"""A gateway that was taken over, as it speaks to the other services: run under the gateway's own user. Its arguments are callers' seals, as
NAME=HEX; it prints what each attempt was answered, 0 for done."""
import hashlib
import json
import sys

import msgpack

from wire import Client, Fault

SEALS = {name: bytes.fromhex(value) for name, value in (argument.split("=") for argument in sys.argv[2:])}
ROOT = sys.argv[1]
ADMIN, U = 4, b"\1" * 16


def sealed(key):
    text = msgpack.packb([U, "loopback:127.0.0.4", ADMIN, 2**50])
    return text + hashlib.blake2b(text, digest_size=32, key=key).digest()


def attempt(service, method, params, caller=None):
    with Client(f"{ROOT}/run/assist-{service}/rpc.sock") as client:
        try:
            return 0, client.call(method, params, caller)
        except Fault as fault:
            return fault.code, None


def a_strangers_seal():
    """What it can get by itself, in anybody's address: a stranger's."""
    nonce = attempt("identity", "session.nonce", ["127.0.0.4"])[1][0]
    token = attempt("identity", "session.open", ["127.0.0.4", nonce])[1][0]
    return attempt("identity", "session.resolve", [token, "127.0.0.4"])[1][0], nonce


stranger, nonce = a_strangers_seal()
raised = stranger.replace(b"loopback:127.0.0.4\1", b"loopback:127.0.0.4\4")
assert raised != stranger
add = [b"\2" * 16, "mallory@example.org", "Mallory", "admin"]
print(json.dumps({name: attempt(*what)[0] for name, what in {
    "the log": ("store", "ops.follow", [0, 4096]),
    "the store's figures": ("store", "store.stats", []),
    "a rebuild": ("store", "store.rebuild", []),
    "the people": ("identity", "people.follow", [0]),
    "the mails": ("identity", "outbox.follow", [0]),
    "the mails for the operator": ("identity", "outbox.list", []),
    "a mail reported as sent": ("identity", "outbox.done", [U, "sent", 250]),
    "a node's key": ("mycelium-supervisor", "overlay.pubkey", ["127.0.0.4"]),
    "a user in nobody's name": ("identity", "user.add", add),
    "tickets in nobody's name": ("store", "ticket.list", []),
    "a user in a name of its own making": ("identity", "user.add", add, sealed(b"")),
    "tickets in a name of its own making": ("store", "ticket.list", [], sealed(bytes(32))),
    "a session in a name of its own making": ("fanout", "live.attach", [U, 1, U], sealed(bytes(32))),
    "tickets in a stranger's name": ("store", "ticket.list", [], stranger),
    "tickets in a stranger's name with a role": ("store", "ticket.list", [], raised),
    "a caller without a seal": ("store", "ticket.list", [], stranger[:-32]),
    "a session by a proof that is none": ("identity", "session.open", ["127.0.0.4", nonce, bytes(32)]),
    "a token that it guessed": ("identity", "session.resolve", ["AQAA", "127.0.0.4"]),
    **{f"tickets, {name}": ("store", "ticket.list", [], seal) for name, seal in SEALS.items()},
    **{f"a session, {name}": ("fanout", "live.attach", [U, 1, U], seal) for name, seal in SEALS.items()},
    **{f"a user, {name}": ("identity", "user.add", add, seal) for name, seal in SEALS.items() if "over" in name},
}.items()}))
