"""assist-metrics under a real systemd: the first who asks starts it, it is to be reached from this machine alone, and it may ask for figures
and nothing else."""
import re
import socket

import pytest
from box import UNITS
from harness import until
from metrics_page import ask, scrape

PORT = 9472
LIMIT = 1.5                                     # of systemd-analyze security
SERVICE, SOCKET = "assist-metrics.service", "assist-metrics.socket"
SOCKETS = ("store", "identity", "fanout", "mycelium-supervisor")

# One call in nng's REQ protocol, and its answer's code. Fewer than 32 characters are one byte of msgpack before them.
CALL = r"""
import socket, struct, sys
def text(s):
    return bytes([0xa0 | len(s)]) + s.encode()
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
s.connect(sys.argv[1])
s.sendall(b"\0SP\0\0\x30\0\0")
assert len(s.recv(8)) == 8
head = b"\x80\0\0\1"
body = head + b"\x97\1" + text(sys.argv[2]) + text("test") + b"\xc0\xcd\x13\x88\xc0\x90"
s.sendall(b"\1" + struct.pack(">Q", len(body)) + body)
answer = b""
while len(answer) < 17:
    answer += s.recv(65536)
assert answer[9:13] == head and answer[13:15] == b"\x93\1"
print({0: 0, 0xcd: struct.unpack(">H", answer[16:18])[0]}[answer[15]])
"""


def state(box, unit):
    return box.unit(unit, "ActiveState")["ActiveState"]


def call(box, user, service, method):
    groups = box.run("id", "-G", user).strip().replace(" ", ",")
    return int(box.run("setpriv", f"--reuid={user}", f"--regid={user}", f"--groups={groups}", "python3", "-c", CALL,
                       f"/run/assist-{service}/rpc.sock", method))


def test_the_first_who_asks_starts_it(box, desk):
    assert state(box, SOCKET) == "active" and state(box, SERVICE) == "inactive"
    with box.network():
        page = scrape(PORT)
        assert state(box, SERVICE) == "active"
        until("all are up", lambda: all((up := scrape(PORT).up()).values()) and set(up) == set(UNITS))
        page = scrape(PORT)
    assert page.value("up", service="gateway", instance="1") == 1
    unit = box.unit(SERVICE, "User", "Type", "StatusText")
    assert unit["User"] == "assist-metrics" and unit["Type"] == "notify" and "scrapes" in unit["StatusText"]


def test_it_comes_back_for_the_next_one(box, desk):
    with box.network():
        scrape(PORT)
        box.run("systemctl", "stop", SERVICE)
        assert state(box, SOCKET) == "active"
        scrape(PORT)
        box.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", SERVICE)
        scrape(PORT)
    until("it runs", lambda: state(box, SERVICE) == "active")


def test_a_service_that_is_stopped_is_seen(box, desk):
    with box.network():
        box.run("systemctl", "stop", UNITS["fanout"])
        page = scrape(PORT)
        assert page.up()["fanout"] is False and page.up()["store"] is True
        box.run("systemctl", "start", UNITS["fanout"])
        until("it is back", lambda: scrape(PORT).up()["fanout"])


def test_it_is_to_be_reached_from_this_machine_alone(box, desk):
    listening = box.run("ss", "-Hltn", f"sport = :{PORT}").split()
    assert listening[3] == f"127.0.0.1:{PORT}"
    box.run("ip", "tuntap", "add", "outside", "mode", "tun")
    box.run("ip", "address", "add", "192.0.2.7/24", "dev", "outside")
    box.run("ip", "link", "set", "outside", "up")
    with box.network():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("192.0.2.7", PORT), timeout=5)
        assert ask(PORT, headers={"Host": "desk.example.org"})[0] == 421


def test_it_has_no_network_of_its_own(box, desk):
    with box.network():
        scrape(PORT)
    pid = box.unit(SERVICE, "MainPID")["MainPID"]
    assert box.run("readlink", f"/proc/{pid}/ns/net") != box.run("readlink", "/proc/1/ns/net")
    assert re.search(r"^CapEff:\s*0+$", box.run("cat", f"/proc/{pid}/status"), re.MULTILINE)


def test_it_is_hardened(box, desk):
    said = box.run("systemd-analyze", "security", "--no-pager", SERVICE)
    figure = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1])
    print(figure)
    assert figure <= LIMIT


@pytest.mark.parametrize("service", SOCKETS)
def test_its_user_may_ask_for_figures_and_nothing_else(box, desk, service):
    stem = service.removeprefix("mycelium-")
    assert call(box, "assist-metrics", service, f"{stem}.stats") == 0
    others = {"store": ["project.info", "ops.follow", "store.verify", "ticket.list"], "identity": ["user.list", "outbox.list", "people.follow"],
              "fanout": ["live.follow", "live.detach"], "mycelium-supervisor": ["overlay.follow", "overlay.pubkey"]}
    for method in others[service]:
        assert call(box, "assist-metrics", service, method) == 32002, method
    for user in ("assist-gateway", "assist-courier", "assist-fanout"):
        if f"assist-{stem}-callers" in box.run("id", "-Gn", user).split():
            nobodys = user == "assist-gateway" and stem != "supervisor"  # it may ask in an admin's name, but has none here
            assert call(box, user, service, f"{stem}.stats") == (32001 if nobodys else 32002), user


def test_it_goes_with_the_desk(box, desk):
    with box.network():
        scrape(PORT)
        box.run("systemctl", "stop", "assist.target")
        until("it is gone", lambda: state(box, SERVICE) == "inactive" and state(box, SOCKET) == "inactive")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", PORT), timeout=5)
        desk.start()
        until("all are up", lambda: all(scrape(PORT).up().values()))
