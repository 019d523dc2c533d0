"""What no service would send, at the services' internal sockets: frames that end the connection, messages that get an exact fault, counts
that promise more than there is. As a gateway would that was taken over: it may speak to store, identity and fanout, and no more."""
import socket
import struct

import msgpack
import pytest

from besieged import Besieged
from wire import REP_HELLO, Client

INVALID, UNKNOWN, PARAMS, STALE, FORBIDDEN = 32600, 32601, 32602, 32001, 32002
SERVICES = ("store", "identity", "fanout", "mycelium-supervisor")


@pytest.fixture(scope="module")
def desk():
    with Besieged() as desk:
        yield desk


def socket_of(desk, service):
    return desk.root / f"run/assist-{service}/rpc.sock"


def client(desk, service):
    return Client(socket_of(desk, service))


def framed(message, number=0x80000001, length=None, kind=1):
    n = 4 + len(message) if length is None else length
    return struct.pack(">BQI", kind, n, number) + message


def envelope(method="store.stats", request="r", deadline=1000, caller=None, params=b"\x90", version=1):
    return b"\x97" + b"".join(map(msgpack.packb, (version, method, request, None, deadline, caller))) + params


GOOD = envelope()

ENDINGS = {     # after the greeting: the connection ends
    "another kind of message": framed(GOOD, kind=0),
    "a length below the id": framed(b"", length=3),
    "a length of zero": framed(b"", length=0),
    "2 MiB and more": framed(b"", length=2 * 2**20 + 65),
    "4 GiB": framed(b"", length=2**32),
    "a length below zero": framed(b"", length=2**64 - 1),
    "an id without its mark": framed(GOOD, number=1),
    "HTTP": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}

GREETINGS = {
    "of a replier": REP_HELLO,
    "of a publisher": b"\0SP\0\0\x20\0\0",
    "of another version": b"\0SP\1\0\x30\0\0",
    "with something in the reserved bytes": b"\0SP\0\0\x30\0\1",
    "of HTTP": b"GET / HT",
}

MESSAGES = {    # at store: the fault
    "nothing": (b"", INVALID),
    "nil": (b"\xc0", INVALID),
    "a map": (b"\x80", INVALID),
    "six": (b"\x96" + GOOD[1:], INVALID),
    "eight": (b"\x98" + GOOD[1:] + b"\xc0", INVALID),
    "an array of 4 billion": (b"\xdd\xff\xff\xff\xff", INVALID),
    "an array of 65535": (b"\xdc\xff\xff" + GOOD[1:], INVALID),
    "version 2": (envelope(version=2), INVALID),
    "version -1": (envelope(version=-1), INVALID),
    "a method of bytes": (envelope(method=b"store.stats"), INVALID),
    "an empty method": (envelope(method=""), INVALID),
    "a method of 4 GiB": (b"\x97\x01\xdb\xff\xff\xff\xff", INVALID),
    "a method of NULs": (envelope(method="\0" * 12), UNKNOWN),
    "a method of 1 MiB": (envelope(method="a" * 2**20), UNKNOWN),
    "a method of another service": (envelope(method="session.nonce", params=msgpack.packb(["127.0.0.3"])), UNKNOWN),
    "an empty request id": (envelope(request=""), INVALID),
    "a request id of 65": (envelope(request="r" * 65), INVALID),
    "a request id with a line feed": (envelope(request="r\nMESSAGE=forged"), INVALID),
    "a request id with NUL": (envelope(request="r\0"), INVALID),
    "a request id above ASCII": (envelope(request="é"), INVALID),
    "a deadline below zero": (envelope(deadline=-1), INVALID),
    "a deadline of a year": (envelope(deadline=2**35), INVALID),
    "a deadline of a fraction": (envelope(deadline=1.5), INVALID),
    "a caller of text": (envelope(caller="admin"), INVALID),
    "an empty caller": (envelope(caller=b""), INVALID),
    "a caller of zeros": (envelope(caller=bytes(100)), STALE),
    "a caller of 1 MiB": (envelope(caller=bytes(2**20)), STALE),
    "a caller of one byte": (envelope(caller=b"\0"), STALE),
    "something behind it": (GOOD + b"\xc0", INVALID),
    "no params": (GOOD[:-1], PARAMS),
    "params nil": (envelope(params=b"\xc0"), PARAMS),
    "params a map": (envelope(params=b"\x80"), PARAMS),
    "params of 4 billion": (envelope(params=b"\xdd\xff\xff\xff\xff"), PARAMS),
    "an unknown parameter that is no msgpack": (envelope(params=b"\x91\xc1"), PARAMS),
    "an unknown map of 4 billion": (envelope(params=b"\x91\xdf\xff\xff\xff\xff"), PARAMS),
    "an unknown one that is deep": (envelope(params=b"\x91" * 100 + b"\xc0"), PARAMS),
    "an unknown one of 1 MiB of arrays": (envelope(params=b"\x91" * 2**20 + b"\xc0"), PARAMS),
    "an unknown text of 4 GiB": (envelope(params=b"\x91\xdb\xff\xff\xff\xff"), PARAMS),
    "an unknown extension of 4 GiB": (envelope(params=b"\x91\xc9\xff\xff\xff\xff\x01"), PARAMS),
}

AS_CUSTOMER = {     # with the seal of a customer: method, parameters, the fault
    "a count beyond its bytes": ("ticket.create", b"\x97\xc4\x10" + b"\1" * 16 + b"\xa1s\xa1b\xdd\x0f\xff\xff\xff\xc0\xc0\xc0", PARAMS),
    "eleven files": ("ticket.create", msgpack.packb([b"\1" * 16, "s", "b", [b"\1" * 16] * 11]), PARAMS),
    "a file of 15 bytes": ("ticket.create", msgpack.packb([b"\1" * 16, "s", "b", [b"\1" * 15]]), PARAMS),
    "no op id": ("ticket.create", msgpack.packb([None, "s", "b"]), PARAMS),
    "an op id of zeros": ("ticket.create", msgpack.packb([bytes(16), "s", "b"]), PARAMS),
    "an op id as text": ("ticket.create", msgpack.packb(["0" * 26, "s", "b"]), PARAMS),
    "a subject that is no UTF-8": ("ticket.create", b"\x93\xc4\x10" + b"\1" * 16 + b"\xa2\xc0\x80\xa1b", PARAMS),
    "a subject with NUL": ("ticket.create", msgpack.packb([b"\1" * 16, "\0", "b"]), PARAMS),
    "a limit below zero": ("ticket.list", msgpack.packb([None, None, None, None, None, -1]), PARAMS),
    "a limit of 64 bits": ("ticket.list", msgpack.packb([None, None, None, None, None, 2**64 - 1]), PARAMS),
    "a limit that is a float": ("ticket.list", msgpack.packb([None, None, None, None, None, 1.0]), PARAMS),
    "an offset of 63 bits": ("attachment.write", msgpack.packb([b"\1" * 16, 2**63 - 1, b"x"]), PARAMS),
    "a piece beyond 256 KiB": ("attachment.write", msgpack.packb([b"\1" * 16, 0, bytes(262145)]), PARAMS),
    "notes": ("note.list", msgpack.packb([b"\1" * 16]), FORBIDDEN),
    "another's role": ("user.list", msgpack.packb([]), UNKNOWN),
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", ENDINGS)
def test_frames_that_end_the_connection(desk, service, name):
    with client(desk, service) as c:
        c.socket.sendall(ENDINGS[name])
        with pytest.raises(ConnectionError):
            c.read(1)


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("name", GREETINGS)
def test_greetings_that_end_the_connection(desk, service, name):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(10)
        s.connect(str(socket_of(desk, service)))
        s.sendall(GREETINGS[name])
        assert s.recv(8) in (REP_HELLO, b"") and s.recv(1) == b""


def fault(c, message):
    c.socket.sendall(framed(message))
    kind, size = struct.unpack(">BQ", c.read(9))
    version, code, said = msgpack.unpackb(c.read(size)[4:], strict_map_key=False)
    assert (kind, version) == (1, 1)
    return code


@pytest.mark.parametrize("name", MESSAGES)
def test_messages(desk, name):
    message, code = MESSAGES[name]
    with client(desk, "store") as c:
        assert fault(c, message) == code
        assert fault(c, envelope(method="no.such")) == UNKNOWN, "it is still listened to"


def seal(desk, device):
    """The caller as identity seals it for gateways."""
    with client(desk, "identity") as c:
        return c.call("session.resolve", [device.token, device.address])[0]


@pytest.mark.parametrize("name", AS_CUSTOMER)
def test_messages_in_a_customers_name(desk, name):
    method, params, code = AS_CUSTOMER[name]
    with client(desk, "store") as c:
        assert fault(c, envelope(method=method, caller=seal(desk, desk.customer), params=params)) == code


def test_every_cut_of_a_call_is_refused_and_every_byte_changed_survived(desk):
    good = envelope(method="ticket.list", caller=seal(desk, desk.customer), params=msgpack.packb([None] * 5 + [10]))
    with client(desk, "store") as c:
        for n in range(len(good)):
            assert fault(c, good[:n]) in (INVALID, PARAMS, STALE, UNKNOWN)
        for i in range(len(good)):
            for change in (0x01, 0x80, 0xff):
                fault(c, good[:i] + bytes([good[i] ^ change]) + good[i + 1:])
        assert fault(c, good) == 0


def test_who_greets_and_says_no_more_costs_a_connection_of_sixty_four(desk):
    crowd = [client(desk, "fanout") for _ in range(50)]
    desk.works()
    for c in crowd:
        c.close()
