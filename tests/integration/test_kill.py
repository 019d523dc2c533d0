"""kill -9 of each service in turn, at random moments, while many write: every acknowledged comment is there once, none twice, and whoever
watches sees every event once, in order. The seed is printed; ASSIST_SEED repeats a run."""
import os
import random
import threading
import time

import pytest
from harness import Desk, Device, RpcError, ulid, until
from watcher import Watcher

WRITERS, ROUNDS, VICTIMS = 8, 2, ("store", "identity", "fanout", "gateway", "courier", "mycelium-supervisor")
UNAVAILABLE, UNAUTHENTICATED = -32006, -32001


class Writer(threading.Thread):
    """Replies again and again; whatever happens, with the same op id until it is acknowledged."""

    def __init__(self, device, ticket, stop):
        super().__init__(daemon=True)
        self.device, self.ticket, self.stop = device, ticket, stop
        self.acknowledged, self.tries, self.failure = [], 0, None

    def run(self):
        try:
            while not self.stop.is_set():
                self.write(ulid())
        except Exception as error:
            self.failure = error

    def write(self, op_id):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            self.tries += 1
            try:
                made = self.device.rpc("comment.add", ticket=self.ticket, body=f"words of {op_id}", op_id=op_id)
                assert made["comment"]["id"] == op_id
                self.acknowledged.append(op_id)
                return
            except RpcError as error:
                if error.code == UNAUTHENTICATED:
                    self.reopen()
                elif error.code != UNAVAILABLE:
                    raise
            except (OSError, ValueError):
                pass
            self.stop.wait(0.02)
        raise AssertionError(f"{op_id} was not acknowledged within 60 s")

    def reopen(self):
        try:
            self.device.open()
        except Exception:
            pass


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        yield desk


def twin(device):
    other = Device(device.desk, device.address, device.secret)
    other.open()
    return other


def test_nothing_is_lost_or_doubled_while_services_are_killed(desk):
    seed = int(os.environ.get("ASSIST_SEED", random.randrange(2 ** 32)))
    print(f"ASSIST_SEED={seed}")
    dice = random.Random(seed)
    customer = desk.member("127.0.0.2", "carl@example.org", "Carl")
    agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
    tickets = [customer.rpc("ticket.create", subject=f"Ticket {i}", body="b")["id"] for i in range(WRITERS)]
    stop = threading.Event()
    watchers = [Watcher(twin(customer)), Watcher(twin(agent))]
    writers = [Writer(twin(customer if i % 2 else agent), ticket, stop) for i, ticket in enumerate(tickets)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(ROUNDS):
            for victim in dice.sample(VICTIMS, len(VICTIMS)):
                before = sum(len(writer.acknowledged) for writer in writers)
                until("writes go on", lambda: sum(len(w.acknowledged) for w in writers) > before + dice.randrange(5, 60), 60)
                desk.crash(victim)
        before = sum(len(writer.acknowledged) for writer in writers)
        until("writes go on in the end", lambda: sum(len(w.acknowledged) for w in writers) > before + 50, 60)
    finally:
        stop.set()
        for writer in writers:
            writer.join(90)
    assert not [writer.failure for writer in writers if writer.failure]
    acknowledged = {writer.ticket: writer.acknowledged for writer in writers}
    total = sum(map(len, acknowledged.values()))

    for ticket, mine in acknowledged.items():
        there, page = [], None
        reader = twin(agent)
        while True:
            answer = reader.rpc("comment.list", ticket=ticket, limit=200, **({"after": page} if page else {}))
            there += [comment["id"] for comment in answer["items"]]
            page = answer.get("next")
            if not page:
                break
        assert there[1:] == mine, "every acknowledged comment once, in the order of its writer"

    def all_seen(watcher):
        return sum(event["type"] == "comment.added" for event in watcher.events) >= total
    for watcher in watchers:
        until("the watcher has seen everything", lambda: all_seen(watcher) or watcher.failure, 60)
        watcher.over.set()
        watcher.join(10)
        assert not watcher.failure, watcher.failure
        seen = [event["data"]["comment"] for event in watcher.events if event["type"] == "comment.added"]
        assert len(seen) == len({comment["id"] for comment in seen}) == total, "every event once"
        for ticket, mine in acknowledged.items():
            assert [comment["id"] for comment in seen if comment["ticket"] == ticket] == mine, "in order"
    desk.proof()
    print(f"{total} comments, {sum(w.tries for w in writers) - total} tries failed, {sum(w.resumed for w in watchers)} resumptions")
