"""A desk on mycelium: its daemon started through D-Bus and polkit, devices known by their /64 and the key behind it, and members who send as
others. The daemon is one that checks no source (unchecked_node.py), as no desk may rely on it."""
import json
import pathlib

import pytest
from box import Box, InstalledDesk
from harness import until
from overlay import Person
from unchecked_node import KEYS

HERE = pathlib.Path(__file__).parent
(DESK_KEY, DESK), (CUSTOMER_KEY, CUSTOMER) = KEYS.items()
VICTIM = CUSTOMER
UNAUTHENTICATED, INVALID_PARAMS = -32001, -32602


class Host:
    """A box with the node's program where mycelium's would be."""

    def __init__(self, name, key):
        self.box, self.address = Box(name), KEYS[key]
        self.box.put("/usr/bin/mycelium", (HERE / "unchecked_node.py").read_text())
        self.box.run("chmod", "755", "/usr/bin/mycelium")
        self.box.put("/etc/node.json", json.dumps({"key": key}))

    def start(self, peers):
        """Without a desk nobody starts it."""
        self.box.put("/root/key", "k" * 32)
        self.box.run("systemd-run", "--unit=node", "/usr/bin/mycelium", "-k", "/root/key", "--tun-name", "mycelium", "--jsonrpc-addr", "127.0.0.1:8990",
                     "--peers", peers)


class MyceliumDesk(InstalledDesk):
    def __init__(self, box, settings=None):
        super().__init__(box, settings, development=False)
        self.address = f"[{DESK}]:7272"

    def is_healthy(self):
        return f"[{DESK}]%mycelium:7272" in self.box.run("ss", "-Hltn")


@pytest.fixture(scope="module")
def hosts(possible):
    with Pair() as pair:
        yield pair


class Pair:
    def __enter__(self):
        self.desk, self.other = Host("desk", DESK_KEY), Host("customer", CUSTOMER_KEY)
        self.desk.box.join(self.other.box, "192.0.2.1/30", "192.0.2.2/30")
        self.desk.box.put("/etc/assist/mycelium.env", "MYCELIUM_FLAGS=--peers udp://192.0.2.2:9651\n")
        return self

    def __exit__(self, *error):
        self.desk.box.close()
        self.other.box.close()


@pytest.fixture(scope="module")
def desk(hosts):
    with MyceliumDesk(hosts.desk.box) as desk:
        yield desk


@pytest.fixture(scope="module")
def customer(hosts, desk):
    hosts.other.start("udp://192.0.2.1:9651")
    desk.user("carl@example.org", "Carl")
    person = Person(desk, hosts.other.box, hosts.other)
    until("the desk is reached", lambda: hosts.other.box.try_run("ping", "-6", "-c1", "-W1", DESK).returncode == 0)
    person.enroll("carl@example.org")
    return person


def test_the_supervisor_has_the_daemon_started_and_nothing_else(hosts, desk):
    box = hosts.desk.box
    node = box.unit("assist-mycelium.service", "ActiveState", "User")
    assert node == {"ActiveState": "active", "User": "assist-mycelium"}
    assert box.run("stat", "-c", "%s %a %U", "/var/lib/assist-mycelium/key.bin") == "32 600 assist-mycelium\n"
    assert box.run("cat", "/var/lib/assist-mycelium-supervisor/mycelium.pubkey").strip() == DESK_KEY
    for unit in ("assist-store.service", "yggdrasil.service"):
        done = box.try_run("setpriv", "--reuid=assist-mycelium-supervisor", "--regid=assist-supervisor-callers", "--clear-groups",
                           "systemctl", "start", "--no-ask-password", unit)
        assert done.returncode != 0, done


def test_a_device_is_its_network_and_the_key_behind_it(desk, customer):
    assert customer.assist("whoami")["device"] == "mycelium:520:c662:fd00:9e92::/64"
    assert customer.assist("ticket", "new", "Over mycelium", "Hello")["number"] == 1
    desk.proof()


def test_the_daemon_may_go_and_come_back(hosts, desk, customer):
    box = hosts.desk.box
    before = box.unit("assist-mycelium.service", "MainPID")["MainPID"]
    box.run("systemctl", "kill", "--kill-whom=main", "--signal=KILL", "assist-mycelium.service")
    until("it runs again", lambda: box.unit("assist-mycelium.service", "MainPID")["MainPID"] not in ("0", before))
    until("the customer reaches the desk", lambda: customer.try_assist("whoami").returncode == 0)
    assert box.unit(desk.UNITS["gateway"], "NRestarts")["NRestarts"] == "0"


@pytest.fixture
def attacker(hosts, desk, customer):
    """The customer's node is silenced: its address is sent from by somebody else. Answers a function that sends a request blindly."""
    box = hosts.other.box
    box.put("/root/blind.py", (HERE / "blind.py").read_text())
    box.run("systemctl", "stop", "node.service")

    def send(request, *how):
        box.put("/root/request", request)
        return box.run("python3", "/root/blind.py", "192.0.2.1:9651", VICTIM, DESK, "/root/request", *how)

    yield send
    hosts.other.start("udp://192.0.2.1:9651")
    until("the customer reaches the desk", lambda: customer.try_assist("whoami").returncode == 0)


def post(path, body, *lines):
    body = json.dumps(body)
    return "\r\n".join([f"POST {path} HTTP/1.1", f"Host: [{DESK}]:7272", "Content-Type: application/json", f"Content-Length: {len(body)}", *lines, "",
                        body])


FILE = {"jsonrpc": "2.0", "id": 1, "method": "ticket.create", "params": {"subject": "Injected", "body": "by a stranger"}}


def test_blind_packets_change_nothing(desk, customer, attacker):
    before = desk.ctl_json("audit", "verify")["ops"]
    assert attacker(post("/rpc", FILE)) == "sent\n"
    assert desk.ctl_json("audit", "verify")["ops"] == before


def test_the_luckiest_guess_changes_nothing_either(desk, customer, attacker):
    """The whole request is in the packet that completes the handshake, as the victim's; what it would need it never saw."""
    before = desk.ctl_json("audit", "verify")["ops"]
    for request in (post("/rpc", FILE), post("/rpc", FILE, "Authorization: Bearer " + "A" * 200), post("/session", {"nonce": "A" * 75})):
        assert code(attacker(request, "--guess")) in (UNAUTHENTICATED, INVALID_PARAMS)
    assert desk.ctl_json("audit", "verify")["ops"] == before


def code(answer):
    return json.loads(answer)["error"]["code"]
