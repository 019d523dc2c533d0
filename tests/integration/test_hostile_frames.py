"""WebSocket handshakes and frames that nobody means well, each with its exact answer: the status, or the code that the session is closed with."""
import contextlib
import socket
import struct

import pytest

from besieged import Besieged, error_of
from harness import base64url
from raw_socket import RawSocket
from test_hostile import get


@pytest.fixture(scope="module")
def desk():
    with Besieged() as desk:
        yield desk


FINE = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "assist.1, assist.token.@TOKEN@"}
INVALID, PARAMS, STALE, FORBIDDEN = -32600, -32602, -32001, -32002

HANDSHAKES = {      # what differs from a good one (None: left out), and how it is refused
    "no upgrade": ({"Upgrade": None}, 426, INVALID),
    "an upgrade to something else": ({"Upgrade": "h2c"}, 426, INVALID),
    "an upgrade to two things": ({"Upgrade": "websocket, h2c"}, 426, INVALID),
    "no key": ({"Sec-WebSocket-Key": None}, 426, INVALID),
    "an empty key": ({"Sec-WebSocket-Key": ""}, 426, INVALID),
    "a short key": ({"Sec-WebSocket-Key": "AAAA"}, 426, INVALID),
    "a long key": ({"Sec-WebSocket-Key": "A" * 5000}, 426, INVALID),
    "no version": ({"Sec-WebSocket-Version": None}, 426, INVALID),
    "version 0": ({"Sec-WebSocket-Version": "0"}, 426, INVALID),
    "version 14": ({"Sec-WebSocket-Version": "14"}, 426, INVALID),
    "version 013": ({"Sec-WebSocket-Version": "013"}, 426, INVALID),
    "versions": ({"Sec-WebSocket-Version": "13, 8"}, 426, INVALID),
    "no protocol": ({"Sec-WebSocket-Protocol": None}, 400, INVALID),
    "another protocol": ({"Sec-WebSocket-Protocol": "chat, assist.token.@TOKEN@"}, 400, INVALID),
    "a later protocol": ({"Sec-WebSocket-Protocol": "assist.2, assist.token.@TOKEN@"}, 400, INVALID),
    "the protocol in capitals": ({"Sec-WebSocket-Protocol": "ASSIST.1, assist.token.@TOKEN@"}, 400, INVALID),
    "no commas": ({"Sec-WebSocket-Protocol": "assist.1 assist.token.@TOKEN@"}, 400, INVALID),
    "no token": ({"Sec-WebSocket-Protocol": "assist.1"}, 401, STALE),
    "an empty token": ({"Sec-WebSocket-Protocol": "assist.1, assist.token."}, 401, STALE),
    "half a token": ({"Sec-WebSocket-Protocol": "assist.1, assist.token.AQAA"}, 401, STALE),
    "a token of zeros": ({"Sec-WebSocket-Protocol": "assist.1, assist.token." + base64url(bytes(57))}, 401, STALE),
    "another's token": ({"Sec-WebSocket-Protocol": "assist.1, assist.token.@AGENT@"}, 401, STALE),
    "a good token, then another": ({"Sec-WebSocket-Protocol": "assist.1, assist.token.@TOKEN@, assist.token.AQAA"}, 401, STALE),
    "the token in a header alone": ({"Sec-WebSocket-Protocol": "assist.1", "Authorization": "Bearer @TOKEN@"}, 401, STALE),
    "the token in a cookie": ({"Sec-WebSocket-Protocol": "assist.1", "Cookie": "token=@TOKEN@"}, 401, STALE),
    "15,000 letters of token": ({"Sec-WebSocket-Protocol": "assist.1, assist.token." + "A" * 15000}, 401, STALE),
    "a foreign origin": ({"Origin": "http://evil.example"}, 403, FORBIDDEN),
    "the origin null": ({"Origin": "null"}, 403, FORBIDDEN),
    "a secure origin": ({"Origin": "https://@HOST@"}, 403, FORBIDDEN),
}

CURSORS = ("forged", "A" * 54, "a%22b", "x" * 129, "../..", "%C3%A9", "<script>", "'", "A&cursor=B")


def handshake(fields, target="/ws"):
    return get(target, *(f"{name}: {value}" for name, value in {**FINE, **fields}.items() if value is not None))


@pytest.mark.parametrize("name", HANDSHAKES)
def test_handshakes(desk, name):
    fields, status, code = HANDSHAKES[name]
    got, headers, body, _ = desk.say(handshake(fields))
    assert (got, error_of(body)[0]) == (status, code), body
    assert headers.get("sec-websocket-version") == ("13" if status == 426 else None)
    assert "sec-websocket-protocol" not in headers


@pytest.mark.parametrize("cursor", CURSORS)
def test_cursors(desk, cursor):
    got, _, body, _ = desk.say(handshake({}, f"/ws?cursor={cursor}"))
    assert (got, error_of(body)) == (400, (PARAMS, "cursor")), body


def test_handshakes_by_other_methods_and_versions(desk):
    assert desk.say(handshake({}).replace("GET", "POST", 1))[0] == 405
    assert desk.say(handshake({}).replace("HTTP/1.1", "HTTP/1.0", 1))[0] == 426
    assert desk.say(handshake({}, "/healthz"))[0] == 200
    assert desk.say(handshake({}, "/ws/"))[0] == 404


def test_a_reason_that_is_no_utf8_ends_the_session_too(desk):
    w = RawSocket(desk.customer)
    w.socket.sendall(close(1000, b"\xff"))
    assert w.wait_closed() in (NO_UTF8, 1000)       # wslay looks at a reason that comes in one piece
    w.close()


def frame(first, data=b"", masked=True, length=None):
    """A frame's bytes; length: bytes that say another one."""
    n = len(data)
    mark = 0x80 if masked else 0
    if length is None:
        length = bytes([mark | n]) if n < 126 else bytes([mark | 126]) + struct.pack(">H", n) if n < 65536 else bytes([mark | 127]) + struct.pack(">Q", n)
    return bytes([first]) + length + (bytes(4) if masked else b"") + data


FIN, CONTINUED, TEXT, BINARY, CLOSE, PING, PONG = 0x80, 0, 1, 2, 8, 9, 10
PROTOCOL, NO_UTF8, TOO_LONG, NOT_TAKEN = 1002, 1007, 1009, 1003


def close(code, reason=b""):
    return frame(FIN | CLOSE, struct.pack(">H", code) + reason)


FRAMES = {
    "unmasked": (frame(FIN | TEXT, b"{}", masked=False), PROTOCOL),
    "unmasked ping": (frame(FIN | PING, masked=False), PROTOCOL),
    "RSV1: compressed": (frame(FIN | 0x40 | TEXT, b"{}"), PROTOCOL),
    "RSV2": (frame(FIN | 0x20 | TEXT, b"{}"), PROTOCOL),
    "RSV3": (frame(FIN | 0x10 | TEXT, b"{}"), PROTOCOL),
    "RSV1 on a ping": (frame(FIN | 0x40 | PING), PROTOCOL),
    "opcode 3": (frame(FIN | 3), PROTOCOL),
    "opcode 7": (frame(FIN | 7, b"x"), PROTOCOL),
    "opcode 11": (frame(FIN | 11), PROTOCOL),
    "opcode 15": (frame(FIN | 15), PROTOCOL),
    "a ping in pieces": (frame(PING, b"x"), PROTOCOL),
    "a pong in pieces": (frame(PONG, b"x"), PROTOCOL),
    "a close in pieces": (frame(CLOSE, b"\x03\xe8"), PROTOCOL),
    "a ping of 126 bytes": (frame(FIN | PING, bytes(126)), PROTOCOL),
    "a close of 126 bytes": (frame(FIN | CLOSE, b"\x03\xe8" + b"x" * 124), PROTOCOL),
    "a length of 16 bits that fits in 7": (frame(FIN | TEXT, b"{}", length=b"\xfe\x00\x02"), PROTOCOL),
    "a length of 64 bits that fits in 16": (frame(FIN | TEXT, b"{}", length=b"\xff" + struct.pack(">Q", 2)), PROTOCOL),
    "a length below zero": (frame(FIN | TEXT, length=b"\xff" + b"\xff" * 8), PROTOCOL),
    "2 to the 62nd bytes": (frame(FIN | TEXT, length=b"\xff" + struct.pack(">Q", 2**62)), TOO_LONG),
    "4 GiB": (frame(FIN | TEXT, length=b"\xff" + struct.pack(">Q", 2**32)), TOO_LONG),
    "64 KiB and a byte": (frame(FIN | TEXT, b"x" * (65536 + 1)), TOO_LONG),
    "64 KiB and a byte in pieces": (frame(TEXT, b"x" * 65536) + frame(FIN | CONTINUED, b"x"), TOO_LONG),
    "a message in more pieces than anybody needs": (frame(TEXT, b"x") + frame(CONTINUED, b"x") * 256, TOO_LONG),
    "a continuation of nothing": (frame(FIN | CONTINUED, b"x"), PROTOCOL),
    "text within text": (frame(TEXT, b"x") + frame(FIN | TEXT, b"x"), PROTOCOL),
    "bytes within text": (frame(TEXT, b"x") + frame(FIN | BINARY, b"x"), PROTOCOL),
    "text that is no UTF-8": (frame(FIN | TEXT, b"\xff"), NO_UTF8),
    "an overlong character": (frame(FIN | TEXT, b"\xc0\x80"), NO_UTF8),
    "a surrogate": (frame(FIN | TEXT, b"\xed\xa0\x80"), NO_UTF8),
    "beyond Unicode": (frame(FIN | TEXT, b"\xf4\x90\x80\x80"), NO_UTF8),
    "a character that is cut": (frame(FIN | TEXT, b"\xe2\x82"), NO_UTF8),
    "a character over two frames that is wrong": (frame(TEXT, b"\xe2\x82") + frame(FIN | CONTINUED, b"x"), NO_UTF8),
    "bytes": (frame(FIN | BINARY, b"\x00"), NOT_TAKEN),
    "nothing, as bytes": (frame(FIN | BINARY), NOT_TAKEN),
    "a close of one byte": (frame(FIN | CLOSE, b"\x03"), 1005),
    "close 0": (close(0), PROTOCOL),
    "close 999": (close(999), PROTOCOL),
    "close 1004": (close(1004), PROTOCOL),
    "close 1005": (close(1005), PROTOCOL),
    "close 1006": (close(1006), PROTOCOL),
    "close 1015": (close(1015), PROTOCOL),
    "close 1016": (close(1016), PROTOCOL),
    "close 2999": (close(2999), PROTOCOL),
    "close 5000": (close(5000), PROTOCOL),
    "close 65535": (close(65535), PROTOCOL),
    "close 1000": (close(1000, b"bye"), 1000),
    "close 1001": (close(1001), 1001),
    "close 3000": (close(3000), 3000),
    "close 4999": (close(4999), 4999),
    "a close without a code": (frame(FIN | CLOSE), 1005),
    "HTTP in the midst of it": (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", PROTOCOL),
}

SAYINGS = {     # text that is answered with an error, and the session goes on
    "nothing": ("", INVALID),
    "NUL": ("\0", INVALID),
    "a number": ("1", INVALID),
    "a list": ("[]", INVALID),
    "no type": ('{"ping":1}', INVALID),
    "a type that is a number": ('{"type":1}', INVALID),
    "a type twice": ('{"type":"ping","type":"ping"}', INVALID),
    "an empty type": ('{"type":""}', INVALID),
    "a long type": ('{"type":"%s"}' % ("p" * 41), INVALID),
    "an unknown type": ('{"type":"PING"}', -32601),
    "a call": ('{"jsonrpc":"2.0","id":1,"method":"project.info"}', INVALID),
    "64 KiB of brackets": ("[" * 65536, INVALID),
    "10,000 members": ('{"type":"ping"%s' % "".join(f',"x{i}":1' for i in range(5000)), INVALID),
    "a lone surrogate": (r'{"type":"ping","x":"\ud800"}', INVALID),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(desk, name):
    data, code = FRAMES[name]
    w = RawSocket(desk.customer)
    w.socket.sendall(data + frame(FIN | TEXT, b'{"type":"ping"}'))
    assert w.wait_closed() == code
    with pytest.raises(ConnectionError):
        w.send(b"", opcode=CLOSE)       # where it waits for our half
        w.take(1)
    w.close()


@pytest.mark.parametrize("name", FRAMES)
def test_frames_that_come_byte_by_byte(desk, name):
    data, code = FRAMES[name]
    w = RawSocket(desk.customer)
    w.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with contextlib.suppress(ConnectionError):          # it may have heard enough
        for byte in data[:20]:
            w.socket.sendall(bytes([byte]))
        w.socket.sendall(data[20:] + frame(FIN | PING))
    assert w.wait_closed() == code
    w.close()


@pytest.mark.parametrize("name", SAYINGS)
def test_sayings(desk, name):
    text, code = SAYINGS[name]
    w = RawSocket(desk.customer)
    w.send(text)
    answer = w.message()
    assert (answer["type"], answer["code"]) == ("error", code)
    w.send('{"type":"ping"}')
    assert w.message() == {"type": "pong"}
    w.close()


def test_many_empty_pieces_are_one_message(desk):
    w = RawSocket(desk.customer)
    w.socket.sendall(frame(TEXT) + frame(CONTINUED) * 20000 + frame(FIN | PING) + frame(FIN | CONTINUED, b'{"type":"ping"}'))
    assert w.message() == {"type": "pong"}
    w.socket.sendall(frame(TEXT, b"{") + frame(CONTINUED, b" ") * 255 + frame(FIN | CONTINUED, b'"type":"ping"}'))
    while w.message() != {"type": "pong"}:
        pass
    w.close()


def test_a_session_closed_twice_is_closed_once(desk):
    w = RawSocket(desk.customer)
    w.socket.sendall(close(1000) * 100)
    assert w.wait_closed() == 1000
    with pytest.raises(ConnectionError):
        w.take(1)
    w.close()
