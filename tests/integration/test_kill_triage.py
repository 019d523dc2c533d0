"""kill -9 of store and gateway at random moments while agents merge, split, run macros, change in bulk and undo it all: each command acts once or not
at all, and in the end everything is as it was, but for what was written. The seed is printed; ASSIST_SEED repeats a run."""
import os
import random
import threading
import time

import pytest
from harness import Desk, Device, RpcError, ulid, until

UNAVAILABLE, UNAUTHENTICATED, ROUNDS = -32006, -32001, 6


class Triage(threading.Thread):
    """Cycles of one kind; a doubtful answer is asked for again with the same op id."""

    def __init__(self, device, cycle, stop):
        super().__init__(daemon=True)
        self.device, self.cycle, self.stop = device, cycle, stop
        self.cycles, self.failure = 0, None

    def run(self):
        try:
            while not self.stop.is_set():
                self.cycle(self)
                self.cycles += 1
        except BaseException as error:
            self.failure = error

    def rpc(self, method, **params):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                return self.device.rpc(method, **params)
            except RpcError as error:
                if error.code == UNAUTHENTICATED:
                    self.open()
                elif error.code != UNAVAILABLE:
                    raise
            except (OSError, ValueError):
                pass
            threading.Event().wait(0.02)
        raise AssertionError(f"{method} was not answered within 60 s")

    def open(self):
        try:
            self.device.open()
        except Exception:
            pass

    def do(self, method, **params):
        return self.rpc(method, **params, op_id=ulid())

    def ticket(self, id):
        return self.rpc("ticket.get", ticket=id)["ticket"]

    def comments(self, id):
        found, after = [], {}
        while True:
            page = self.rpc("comment.list", ticket=id, limit=200, **after)
            found += [item["id"] for item in page["items"]]
            if "next" not in page:
                return found
            after = {"after": page["next"]}


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        yield desk


def merging(source, target):
    def cycle(agent):
        before = agent.comments(source), agent.comments(target)
        merged = agent.do("ticket.merge", ticket=source, into=target)
        written = [agent.do("comment.add", ticket=ticket, body="meanwhile")["comment"]["id"] for ticket in (source, target)]
        shown = agent.comments(target)
        assert set(shown) == {*before[0], *before[1], *written} and len(shown) == len(set(shown)) and shown[-2:] == written
        assert agent.ticket(source)["merged_into"] == target
        agent.do("command.undo", command=merged["op_id"])
        assert (agent.comments(source), agent.comments(target)) == (before[0] + written[:1], before[1] + written[1:])
        for comment in written:
            agent.do("comment.delete", comment=comment)
    return cycle


def changing(tickets, macro):
    def cycle(agent):
        seen = agent.rpc("bulk.preview", tickets=tickets, macro=macro)["seen"]
        done = agent.do("bulk.run", tickets=tickets, seen=seen, macro=macro)
        assert done["changed"] == tickets and {agent.ticket(ticket)["state"] for ticket in tickets} == {"solved"}
        agent.do("command.undo", command=done["op_id"])
        one = agent.do("macro.run", macro=macro, ticket=tickets[0])
        agent.do("command.undo", command=one["op_id"])
        assert {(ticket["state"], tuple(ticket["tags"])) for ticket in map(agent.ticket, tickets)} == {("new", ())}
    return cycle


def splitting(ticket):
    def cycle(agent):
        before = agent.comments(ticket)
        part = agent.do("ticket.split", ticket=ticket, comments=before[1:], subject="Part")
        assert agent.comments(part["id"]) == before[1:] and agent.comments(ticket) == before[:1]
        agent.do("command.undo", command=part["id"])
        assert agent.comments(ticket) == before and agent.ticket(part["id"])["merged_into"] == ticket
    return cycle


def test_every_command_acts_once_or_not_at_all(desk):
    seed = int(os.environ.get("ASSIST_SEED", random.randrange(2 ** 32)))
    print(f"ASSIST_SEED={seed}")
    dice = random.Random(seed)
    customer = desk.member("127.0.0.2", "carl@example.org", "Carl")
    agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
    admin = desk.member("127.0.0.4", "ada@example.org", "Ada", "admin")
    file = [customer.rpc("ticket.create", subject=f"Ticket {i}", body="b")["id"] for i in range(8)]
    for words in ("one", "two"):
        customer.rpc("comment.add", ticket=file[7], body=words)
    macro = admin.rpc("macro.save", name="Solve", state="solved", add_tags=["done"])["macro"]["macro"]
    stop, workers = threading.Event(), []
    for cycle in (merging(file[0], file[1]), changing(file[2:7], macro), splitting(file[7])):
        device = Device(desk, agent.address, agent.secret)
        device.open()
        workers.append(Triage(device, cycle, stop))
    for worker in workers:
        worker.start()
    try:
        for i in range(ROUNDS):
            before = [worker.cycles for worker in workers]
            until("each goes on", lambda: all(w.failure or w.cycles > n for w, n in zip(workers, before)), 120)
            assert not [worker.failure for worker in workers if worker.failure]
            stop.wait(dice.random() / 10)
            desk.crash("store" if i % 3 else "gateway")
    finally:
        stop.set()
        for worker in workers:
            worker.join(120)
    assert not [worker.failure for worker in workers if worker.failure] and all(worker.cycles for worker in workers)
    until("the session is good", lambda: agent.open() or True)
    for id in file[:7]:
        now = agent.rpc("ticket.get", ticket=id)["ticket"]
        assert "merged_into" not in now and now["tags"] == [] and now["comments"] == 1
    desk.proof()
