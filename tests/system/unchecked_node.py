#!/usr/bin/python3
"""A node that talks to its host as mycelium's daemon does (flags, TUN, JSON-RPC of 0.7.10) and to others as nobody should: each packet in a
datagram, no encryption, no look at the sources within. What a modified member of the overlay can send, it passes on.

    mycelium -k KEY --tun-name NAME --jsonrpc-addr HOST:PORT ... --peers udp://HOST:PORT,...

/etc/node.json says which of the two known keys this node has; datagrams come to port 9651."""
import fcntl
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
KEYS = {
    "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c": "5a6:f0c6:f365:177d:66be:4a2b:d9fd:b59e",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a": "520:c662:fd00:9e92:5d99:34ed:ab8:82ab",
}
ADDRESSES = {address: key for key, address in KEYS.items()}


def flags(argv):
    return {argv[i].lstrip("-"): argv[i + 1] for i in range(1, len(argv) - 1) if argv[i].startswith("-")}


def subnet(address):
    return socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address)[:8] + bytes(8)) + "/64"


def answer(key, call):
    """What getInfo and its like say."""
    method, params = call["method"], call.get("params") or []
    address = KEYS[key]
    if method == "getInfo":
        return {"result": {"nodeSubnet": subnet(address), "nodeIp": address, "nodePubkey": key, "nodeStartTime": 1780000000}}
    if method == "getPeers":
        return {"result": [{"endpoint": {"proto": "tcp", "addr": {"socket": "192.0.2.2:9651"}}, "type": "static", "connectionState": "alive"}]}
    if method == "getPublicKeyFromIp":
        of = next((k for a, k in ADDRESSES.items() if subnet(a) == subnet(params[0])), None)
        return {"result": of} if of else {"error": {"code": -32008, "message": "no route"}}
    return {"error": {"code": -32601, "message": "no such method"}}


class Api(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        call = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"jsonrpc": "2.0", "id": call["id"], **answer(self.server.key, call)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def tun(name, address):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    for command in (["address", "add", f"{address}/64", "dev", name, "nodad"], ["link", "set", name, "mtu", "1400", "up"],
                    ["route", "add", "400::/7", "dev", name]):
        subprocess.run(["ip", "-6", *command], check=True)
    return fd


def main():
    given = flags(sys.argv)
    with open(given["k"], "rb") as file:
        assert len(file.read()) == 32
    with open("/etc/node.json") as file:
        key = json.load(file)["key"]
    fd = tun(given["tun-name"], KEYS[key])
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind(("0.0.0.0", 9651))
    peers = [(host, int(port)) for host, port in (peer.removeprefix("udp://").split(":") for peer in given.get("peers", "").split(",") if peer)]

    def inward():
        while True:
            os.write(fd, outside.recv(65535))

    def outward():
        while True:
            packet = os.read(fd, 65535)
            for peer in peers:
                outside.sendto(packet, peer)

    host, port = given["jsonrpc-addr"].rsplit(":", 1)
    server = http.server.ThreadingHTTPServer((host, int(port)), Api)
    server.key = key
    for work in (inward, outward):
        threading.Thread(target=work, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
