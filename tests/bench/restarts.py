#!/usr/bin/python3
"""How long a request waits where a service is restarted by systemd: restarts.py [ROUNDS]

In a box (tests/system), 20 devices ask 200 times a second, half of them writing. Each service is restarted ROUNDS times (20), in turn; for each
restart, the slowest request that was under way or began within a second of it. The medians, and the worst of all. For the gateway also the time
from the order to restart it to the answer of a request that was sent right behind it, over a new connection."""
import pathlib
import statistics
import sys
import threading
import time

TESTS = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(TESTS / "system"), str(TESTS / "integration")]
from box import Box, InstalledDesk, why_not  # noqa: E402
from harness import SERVICES, Device, ulid, until  # noqa: E402
from load import twin  # noqa: E402

DEVICES, PER_SECOND, AROUND_S = 20, 200, 1.0


class Asker(threading.Thread):
    def __init__(self, device, ticket, writes, stop):
        super().__init__(daemon=True)
        self.device, self.ticket, self.writes, self.stop = device, ticket, writes, stop
        self.asked, self.failure = [], None         # (began, took)

    def run(self):
        at = time.monotonic()
        while not self.stop.is_set():
            at = max(at + DEVICES / PER_SECOND, time.monotonic() - 1)
            self.stop.wait(max(0, at - time.monotonic()))
            began, op_id = time.monotonic(), ulid()
            for last in (False, True):
                try:
                    if self.writes:
                        self.device.rpc("comment.add", ticket=self.ticket, body="a few words", op_id=op_id)
                    else:
                        self.device.rpc("ticket.get", ticket=self.ticket)
                    break
                except Exception as error:
                    if last:
                        self.failure = error
            self.asked.append((began, time.monotonic() - began))


def first_answer_s(desk):
    began = time.monotonic()
    desk.box.run("systemctl", "restart", "--no-block", desk.UNITS["gateway"])
    device = Device(desk, "127.0.0.99")
    assert device.http("GET", "/healthz").status == 200
    device.close()
    return time.monotonic() - began


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    if why_not():
        sys.exit(f"no box: {why_not()}")
    with Box() as box, box.network(), InstalledDesk(box, {"log": {"level": "info"}}) as desk:
        agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        ticket = agent.rpc("ticket.create", subject="Busy", body="b")["id"]
        stop = threading.Event()
        askers = [Asker(twin(agent), ticket, i % 2, stop) for i in range(DEVICES)]
        restarts = {service: [] for service in SERVICES}
        for asker in askers:
            asker.start()
        until("they are at work", lambda: all(len(asker.asked) > 10 for asker in askers))
        for _ in range(rounds):
            for service in SERVICES:
                began = time.monotonic()
                desk.restart(service)
                restarts[service].append((began, time.monotonic()))
                stop.wait(AROUND_S)
        stop.set()
        for asker in askers:
            asker.join()
        asked = [one for asker in askers for one in asker.asked]
        failures = [asker.failure for asker in askers if asker.failure]
        first = [first_answer_s(desk) for _ in range(rounds) if until("it is whole", desk.is_healthy)]
    print(f"{len(asked)} requests, {len(failures)} failed; half of all took less than {statistics.median(took for _, took in asked) * 1e3:.1f} ms")
    print("restarted              the slowest request: median     worst")
    for service, spans in restarts.items():
        slowest = [max(took for began, took in asked if began + took >= a and began <= b + AROUND_S) * 1e3 for a, b in spans]
        print(f"  {service:20}              {statistics.median(slowest):7.0f} ms {max(slowest):6.0f} ms")
    print(f"  first answer after a gateway's restart  {statistics.median(first) * 1e3:5.0f} ms {max(first) * 1e3:6.0f} ms")
    assert not failures, failures[:3]


if __name__ == "__main__":
    main()
