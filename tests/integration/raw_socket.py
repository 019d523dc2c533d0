"""A WebSocket byte by byte: small and blocking, so that tests can also send what no library would."""
import base64
import hashlib
import http.client
import io
import json
import os
import socket
import struct

from harness import DEADLINE_S


class RawSocket:
    """Without a cursor, what was done before may still come unless the desk has heard_all()."""

    def __init__(self, device, cursor=None, **headers):
        self.socket = socket.create_connection(("127.0.0.1", device.desk.port), timeout=DEADLINE_S, source_address=(device.address, 0))
        self.buffer = b""
        key = base64.b64encode(os.urandom(16)).decode()
        given = {"Host": f"127.0.0.1:{device.desk.port}", "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
                 "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": f"assist.1, assist.token.{device.token}"}
        given.update({name.replace("_", "-"): value for name, value in headers.items()})
        lines = [f"GET /ws{'?cursor=' + cursor if cursor else ''} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in given.items() if value is not None]
        self.socket.sendall("\r\n".join(lines + ["", ""]).encode())
        while b"\r\n\r\n" not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        self.status = int(head.split()[1])
        self.headers = http.client.parse_headers(io.BytesIO(head.split(b"\r\n", 1)[1] + b"\r\n\r\n"))
        self.cursor, self.hello, self.closed = None, None, None
        self.mentions, self.pages, self.pulls = [], 0, 0
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
        """The next text message; answers pings. None once the server has closed, with its code in self.closed. What is ephemeral comes at
        any time, and goes to self.mentions."""
        while True:
            opcode, data = self.frame(deadline_s)
            if opcode == 1:
                message = json.loads(data)
                if "type" in message or "from" in message:
                    return message
                self.mentions += message["events"]
            if opcode == 9:
                self.send(data, 10)
            if opcode == 8:
                self.closed = struct.unpack(">H", data[:2])[0] if data else 1005
                return None

    def acknowledge(self):
        self.send(json.dumps({"type": "ack", "cursor": self.cursor}))

    def events(self, n=1):
        """The next n events, whose frames must be contiguous; pages are acknowledged."""
        found = []
        while len(found) < n:
            frame = self.message()
            assert frame is not None, f"closed with {self.closed}"
            if frame.get("type") == "pull":
                self.pulls += 1
                self.acknowledge()
            else:
                assert frame["from"] == self.cursor, "a gap"
                self.cursor = frame["to"]
                found += frame["events"]
                if frame.get("more"):
                    self.pages += 1
                    self.acknowledge()
        return found

    def wait_closed(self):
        while self.message() is not None:
            pass
        return self.closed

    def close(self):
        self.socket.close()
