"""Every service restarts, is killed, and hangs until its watchdog ends it, one after the other, while people write: no request fails, nothing
is lost or doubled, and whoever watches sees every event once, in order."""
import pytest
from harness import Live, until
from load import Load, twin

OTHERS = ("store", "identity", "fanout", "courier", "mycelium-supervisor")


@pytest.mark.parametrize("how", ["restart", "crash", "freeze"])
def test_nobody_notices(desk, agent, customer, how):
    watcher = Live(twin(agent))
    with Load(agent, customer, 6) as load:
        for service in OTHERS:
            before = load.done()
            until("people write", lambda: load.done() > before + 20)
            getattr(desk, how)(service)
        before = load.done()
        until("people write on", lambda: load.done() > before + 20)
    load.check()
    total = load.done() + len(load.writers)         # each ticket has its first words
    until("all was seen", lambda: sum(kind == "comment.added" for kind in watcher.kinds()) >= total)
    ids = [event["data"]["comment"]["id"] for event in watcher.events if event["type"] == "comment.added"]
    assert len(ids) == len(set(ids)) == total
    watcher.close()
    desk.proof()
    print(f"{how}: {total} comments, the slowest took {max(w.slowest_s for w in load.writers):.2f} s")
