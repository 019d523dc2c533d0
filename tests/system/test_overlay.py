"""The whole story across hosts that share nothing but a real overlay, and who is kept out of it."""
import pytest
from harness import picture, until
from overlay import TUN, Joined, OverlayDesk, Person, seen

PICTURE = picture(300 * 1024)


@pytest.fixture(scope="module")
def hosts(possible):
    hosts = Joined("customer", "agent")
    try:
        yield hosts
    finally:
        hosts.close()


@pytest.fixture(scope="module")
def desk(hosts):
    with OverlayDesk(hosts.boxes["desk"], hosts.nodes["desk"]) as desk:
        yield desk


@pytest.fixture(scope="module")
def customer(hosts, desk):
    desk.user("carl@example.org", "Carl")
    person = Person(desk, hosts.boxes["customer"], hosts.nodes["customer"])
    person.enroll("carl@example.org")
    return person


@pytest.fixture(scope="module")
def agent(hosts, desk):
    desk.user("agnes@example.org", "Agnes", "agent")
    person = Person(desk, hosts.boxes["agent"], hosts.nodes["agent"])
    person.enroll("agnes@example.org")
    return person


def test_a_customer_asks_an_agent_answers_both_see_it_live(desk, customer, agent):
    customer.box.path("/root/burnt.png").write_bytes(PICTURE)
    at_agent = agent.watch(2)
    filed = customer.assist("ticket", "new", "It burns", "Since today.", "--attach", "/root/burnt.png")
    created, question = seen(at_agent)
    assert created["data"]["ticket"]["subject"] == "It burns" and question["data"]["comment"]["body"] == "Since today."
    attachment = question["data"]["comment"]["attachments"][0]["id"]
    done = agent.try_assist("attachment", "get", attachment, "-o", "/root/copy.png")
    assert done.returncode == 0 and agent.box.path("/root/copy.png").read_bytes() == PICTURE
    at_customer = customer.watch(1, "--cursor", filed["cursor"])
    agent.assist("ticket", "reply", filed["number"], "Put it out.")
    assert [event["data"]["comment"]["body"] for event in seen(at_customer)] == ["Put it out."]
    assert customer.assist("whoami")["device"] == f"yggdrasil:{customer.node.address}"
    desk.proof()


def test_it_listens_at_the_overlays_address_and_interface_alone(hosts, desk, customer):
    lines = [line for line in desk.box.run("ss", "-Hltnp").splitlines() if "assist-gateway" in line]
    assert [line.split()[3] for line in lines] == [f"[{desk.node.address}]%{TUN}:7272"]
    assert customer.box.try_run("python3", "-c", REACH, "192.0.2.1").stdout == "ConnectionRefusedError\n"
    # From the host itself the address is reached over lo, which is not the overlay.
    assert desk.box.try_run("assist", "--project", desk.address, "whoami").returncode != 0


REACH = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], 7272), timeout=5).close()
    print("reached")
except OSError as error:
    print(type(error).__name__)
"""


def test_a_neighbour_on_the_cable_with_a_members_address_is_not_heard(hosts, desk, customer):
    """The cable's other end takes the address of an overlay member, and advertises itself as the router of its network, so that the desk's
    host answers there. Whoever is not bound to the interface is reached by it; the desk is not."""
    box, victim = customer.box, "201:1111:2222:3333:4444:5555:6666:7777"
    desk.box.run("sysctl", "-q", "net.ipv6.conf.c0.accept_ra=2")
    box.run("ip", "-6", "address", "add", f"{victim}/128", "dev", "c0", "nodad")
    box.run("ip", "-6", "route", "add", f"{desk.node.address}/128", "via", link_local(desk.box, "c0"), "dev", "c0", "src", victim, "metric", "1")
    box.run("python3", "-c", ADVERTISE, victim)
    until("the host believes it", lambda: "dev c0" in desk.box.run("ip", "-6", "route", "get", victim))
    unbound = desk.box.popen("python3", "-c", LISTEN, desk.node.address)
    try:
        assert unbound.stdout.readline() == "listening\n"
        assert box.run("python3", "-c", KNOCK, desk.node.address, "7273", victim) == "reached\n"
        assert unbound.stdout.readline() == f"{victim}\n"
        assert box.run("python3", "-c", KNOCK, desk.node.address, "7272", victim) in ("TimeoutError\n", "ConnectionRefusedError\n")
    finally:
        unbound.kill()
        unbound.wait()
        box.run("ip", "-6", "route", "del", f"{desk.node.address}/128", "dev", "c0")
        box.run("ip", "-6", "address", "del", f"{victim}/128", "dev", "c0")
        desk.box.run("ip", "-6", "route", "flush", "dev", "c0", "proto", "kernel", "root", "201::/16")
    assert customer.assist("whoami")["bound"]


# A router advertisement: the victim's /64 is on this link.
ADVERTISE = """
import socket, struct, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex("c0"))
prefix = socket.inet_pton(socket.AF_INET6, sys.argv[1])[:8] + bytes(8)
s.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + struct.pack("!BBBBIII", 3, 4, 64, 0x80, 3600, 3600, 0) + prefix,
         ("ff02::1", 0, 0, socket.if_nametoindex("c0")))
"""
LISTEN = """
import socket, sys
s = socket.create_server((sys.argv[1], 7273), family=socket.AF_INET6)
print("listening", flush=True)
print(s.accept()[1][0], flush=True)
"""
KNOCK = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3, source_address=(sys.argv[3], 0)).close()
    print("reached")
except OSError as error:
    print(type(error).__name__)
"""


def link_local(box, interface):
    return next(word.split("/")[0] for word in box.run("ip", "-6", "address", "show", "dev", interface, "scope", "link").split() if word.startswith("fe80"))


def test_an_interface_made_anew_is_listened_at_and_old_connections_end_by_themselves(hosts, desk, customer, agent):
    before = desk.box.run("cat", f"/sys/class/net/{TUN}/ifindex")
    desk.box.run("systemctl", "restart", "yggdrasil.service")
    until("it has another index", lambda: desk.box.try_run("cat", f"/sys/class/net/{TUN}/ifindex").stdout not in ("", before), 90)
    until("the gateway listens again", desk.is_healthy, 90)
    until("the customer reaches it", lambda: customer.try_assist("whoami").returncode == 0, 120)
    ticket = customer.assist("ticket", "new", "Still there?", "Hello")["number"]
    assert agent.assist("ticket", "show", ticket)["ticket"]["subject"] == "Still there?"
    assert desk.box.unit(desk.UNITS["gateway"], "NRestarts")["NRestarts"] == "0"


def test_the_example_rules_hold_and_harm_nobody(hosts, desk, customer):
    rules = desk.box.run("cat", "/usr/share/doc/hero-assistance-server/examples/overlay.nft")
    for standard, ours in (('"mycelium"', f'"{TUN}"'), ("400::/7", "200::/7"), ("400::1 ", f"{desk.node.address} ")):
        assert standard in rules
        rules = rules.replace(standard, ours)
    desk.box.put("/etc/overlay.nft", rules)
    desk.box.run("nft", "-f", "/etc/overlay.nft")
    try:
        assert customer.assist("whoami")["bound"]
    finally:
        desk.box.run("nft", "delete", "table", "ip6", "assist_overlay")
