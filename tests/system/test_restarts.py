"""Every service restarts, is killed, and hangs until its watchdog ends it, one after the other, while people write: no request fails, nothing
is lost or doubled, and whoever watches sees every event once, in order. Gateways too: their connections break, and are made again."""
import http.client
import socket
import threading

import pytest
from harness import SERVICES, until
from load import Load, twin
from watcher import Watcher

SECOND = "assist-gateway@2.service"


class Visitors(threading.Thread):
    """New connections all the time, from ever new addresses; each asks one thing."""

    def __init__(self, desk):
        super().__init__(daemon=True)
        self.desk, self.stop = desk, threading.Event()
        self.served, self.broken, self.refused = 0, [], []

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        self.join(60)

    def run(self):
        while not self.stop.wait(0.002):
            connection = http.client.HTTPConnection("127.0.0.1", self.desk.port, timeout=30, source_address=(f"127.1.1.{1 + self.served % 250}", 0))
            try:
                connection.connect()
            except OSError as error:
                self.refused.append(error)
                continue
            try:
                connection.request("GET", "/healthz")
                assert connection.getresponse().status == 200
                self.served += 1
            except (OSError, http.client.HTTPException) as error:
                self.broken.append(error)
            finally:
                connection.close()


def work_while(desk, agent, customer, happens, services):
    """What happens to each service, while people write, watch and come. The visitors."""
    watcher = Watcher(twin(agent))
    with Load(agent, customer, 6) as load, Visitors(desk) as visitors:
        for service in services:
            before, served = load.done(), visitors.served
            until("people write and come", lambda: load.done() > before + 20 and visitors.served > served + 20)
            happens(service)
        before, served = load.done(), visitors.served
        until("people write and come on", lambda: load.done() > before + 20 and visitors.served > served + 20)
    load.check()
    assert not visitors.refused, visitors.refused[:5]
    total = load.done() + len(load.writers)         # each ticket has its first words
    until("all was seen", lambda: sum(event["type"] == "comment.added" for event in watcher.events) >= total or watcher.failure)
    watcher.over.set()
    watcher.join(10)
    assert not watcher.failure, watcher.failure
    ids = [event["data"]["comment"]["id"] for event in watcher.events if event["type"] == "comment.added"]
    assert len(ids) == len(set(ids)) == total
    desk.proof()
    print(f"{total} comments, the slowest took {max(w.slowest_s for w in load.writers):.2f} s; {visitors.served} visitors, "
          f"{len(visitors.broken)} of them cut off; {watcher.resumed} resumptions")
    return visitors


@pytest.mark.parametrize("how", ["restart", "crash", "freeze"])
def test_nobody_notices(desk, agent, customer, how):
    visitors = work_while(desk, agent, customer, getattr(desk, how), SERVICES)
    if how == "restart":
        assert not visitors.broken, visitors.broken[:5]


def test_of_two_gateways_each_may_go(box, desk, agent, customer):
    box.run("systemctl", "start", SECOND)

    def again(unit):
        box.run("systemctl", "restart", unit)

    def away(unit):
        box.run("systemctl", "stop", unit)
        box.run("systemctl", "start", unit)

    try:
        for happens in (again, away):
            visitors = work_while(desk, agent, customer, happens, [desk.UNITS["gateway"], SECOND] * 3)
            assert not visitors.broken, visitors.broken[:5]
    finally:
        box.run("systemctl", "stop", SECOND)


def test_an_upgrade_restarts_each_alone(box, desk, agent, customer):
    before = {service: box.unit(unit, "MainPID")["MainPID"] for service, unit in desk.UNITS.items()}
    visitors = work_while(desk, agent, customer, lambda package: box.install(), ["the package"])
    assert not visitors.broken, visitors.broken[:5]
    for service in SERVICES:
        assert desk.is_active(service) and box.unit(desk.UNITS[service], "MainPID")["MainPID"] != before[service]


def test_the_port_stays_taken_while_the_gateway_is_away(box, desk):
    """Whoever connects meanwhile is served by the next one."""
    box.put("/run/systemd/system/assist-gateway@1.service.d/slow.conf", "[Service]\nExecStartPre=+/bin/sh -c 'until [ -e /run/go ]; do :; done'\n")
    box.run("systemctl", "daemon-reload")
    box.run("systemctl", "restart", "--no-block", desk.UNITS["gateway"])
    until("it is away", lambda: box.unit(desk.UNITS["gateway"], "SubState")["SubState"] == "start-pre")
    try:
        with socket.create_connection(("127.0.0.1", desk.port), timeout=30, source_address=("127.0.0.9", 0)) as s:
            s.sendall(f"GET /healthz HTTP/1.1\r\nHost: {desk.address}\r\n\r\n".encode())
            box.run("touch", "/run/go")
            assert s.recv(1000).startswith(b"HTTP/1.1 200 ")
    finally:
        box.run("touch", "/run/go")
        box.run("rm", "-r", "/run/systemd/system/assist-gateway@1.service.d")
        box.run("systemctl", "daemon-reload")
    until("it is whole", desk.is_healthy)
