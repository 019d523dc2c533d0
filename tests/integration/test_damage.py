"""Pages of a database overwritten, as by a failing disk: the service refuses to start and says what to do, or refuses what it can't
read; what it answers is what was there."""
import json
import random
import re
import sqlite3
import subprocess

import pytest

from harness import BIN, Desk, RpcError, until

SEED = 7
TEXTS = [f"Words number {i}, " + "long " * 40 for i in range(60)]
PERMANENT = (-32603,)


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member("127.0.0.2", "carl@example.org", "Carl")
        desk.agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member("127.0.0.4", "ada@example.org", "Ada", "admin")
        desk.tickets = [desk.customer.rpc("ticket.create", subject=text[:100], body=text)["id"] for text in TEXTS]
        for ticket in desk.tickets[:20]:
            desk.agent.rpc("comment.add", ticket=ticket, body="x" * 20000)     # in pages of its own
        desk.right = {call: answer(desk, call) for call in calls(desk)}
        yield desk
        desk.proof()


def calls(desk):
    """What is asked before and after, as text."""
    asked = [("agent", "ticket.list", {"limit": 200}), ("agent", "person.list", {}), ("customer", "device.list", {}), ("admin", "user.list", {})]
    for ticket in desk.tickets:
        asked += [("agent", "ticket.get", {"ticket": ticket}), ("customer", "comment.list", {"ticket": ticket})]
    return [json.dumps(call) for call in asked]


def answer(desk, call):
    who, method, params = json.loads(call)
    result = getattr(desk, who).rpc(method, params)
    for of in result.get("items", ()):
        of.pop("seen_at", None)         # of a device: moves on
    result.pop("grant", None)           # says until when
    return result


def pages(path):
    """How many, and the roots of what is in it by name."""
    with sqlite3.connect(path) as database:
        size, n = (database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count"))
        roots = dict(database.execute("SELECT rootpage, name FROM sqlite_master WHERE rootpage > 0"))
    database.close()
    return size, n, roots


def starts(desk, service):
    """Whether it becomes ready, and how it ended where it does not."""
    mark = desk.log_size(service)
    with open(desk.log_path(service), "ab") as log:
        process = subprocess.Popen([BIN / f"assist-{service}", "--root", desk.root], stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/")
    desk.processes[service] = process
    until("it is ready or ended", lambda: process.poll() is not None or re.search(r"\bready$", desk.log(service)[mark:], re.MULTILINE))
    if process.poll() is not None:
        del desk.processes[service]
    return process.poll(), desk.log(service)[mark:]


def damaged(data, at, size, dice):
    return data[:at] + dice.randbytes(size) + data[at + size:]


@pytest.mark.parametrize("service", ["store", "identity"])
def test_a_damaged_page_is_refused_or_told_and_never_answered(desk, service):
    path, dice, outcomes = desk.root / f"state/{service}/{service}.db", random.Random(SEED), {"refused": 0, "told": 0, "untouched": 0}
    desk.terminate(service)
    good = path.read_bytes()
    size, n, roots = pages(path)
    chosen = [1] + sorted(roots)[:6] + [dice.randrange(2, n + 1) for _ in range(9)]
    for page in chosen:
        mark = desk.log_size(service)
        path.write_bytes(damaged(good, (page - 1) * size, size, dice))
        status, said = starts(desk, service)
        if status is not None:
            assert status == 1 and f"{path.name} is damaged: " in said, (page, status, said[-2000:])
            outcomes["refused"] += 1
        else:
            errors = wrong(desk, page)
            outcomes["told" if errors else "untouched"] += 1
            if errors:
                assert f"{path.name} is damaged: " in desk.log(service)[mark:] or "does not fit its schema" in desk.log("gateway"), page
            desk.kill(service)
        for rest in path.parent.glob(path.name + "-*"):
            rest.unlink()
        path.write_bytes(good)
    desk.start(service)
    for who in (desk.customer, desk.agent, desk.admin):
        until("they are known again", who.is_known)
    print(outcomes)
    assert outcomes["refused"] >= 1 and outcomes["refused"] + outcomes["told"] >= 4
    assert wrong(desk, 0) == 0


def wrong(desk, page):
    """How many of the calls are refused; the others must be answered rightly."""
    n = 0
    for call, right in desk.right.items():
        try:
            assert answer(desk, call) == right, f"page {page}: {call}"
        except RpcError as error:
            assert error.code in PERMANENT, f"page {page}: {call}: {error}"
            n += 1
    return n
