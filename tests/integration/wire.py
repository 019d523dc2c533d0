"""Calls to a service over its Unix socket, as another service would make them: one msgpack array in nng's REQ protocol.

Parameters and results are lists in schema order (schemas/README.md)."""
import socket
import struct

import msgpack

REQ_HELLO = b"\0SP\0" + struct.pack(">HH", 0x30, 0)
REP_HELLO = b"\0SP\0" + struct.pack(">HH", 0x31, 0)


class Fault(Exception):
    def __init__(self, code, data):
        super().__init__(f"{code} {data}")
        self.code = code


class Client:
    def __init__(self, path, timeout_s=10):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout_s)
        self.socket.connect(str(path))
        self.socket.sendall(REQ_HELLO)
        assert self.read(8) == REP_HELLO
        self.number = 0

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def read(self, n):
        data = b""
        while len(data) < n:
            part = self.socket.recv(n - len(data))
            if not part:
                raise ConnectionError("the service closed the connection")
            data += part
        return data

    def call(self, method, params, caller=None):
        self.number += 1
        head = struct.pack(">I", 0x80000000 | self.number)
        body = msgpack.packb([1, method, f"test-{self.number}", None, 5000, caller, params])
        self.socket.sendall(b"\1" + struct.pack(">Q", len(head) + len(body)) + head + body)
        kind, size = struct.unpack(">BQ", self.read(9))
        reply = self.read(size)
        assert kind == 1 and reply[:4] == head
        version, code, result = msgpack.unpackb(reply[4:])
        assert version == 1
        if code:
            raise Fault(code, result)
        return result
