"""Rebuild and verify, which take as long as the log is long: begun, followed, stopped, and forgotten by a store that ends."""
import contextlib
import json
import os
import re
import signal
import sqlite3

import pytest
from harness import BIN, Desk, RpcError, until
from terminal import Terminal

TICKETS = 600


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.ctl("seed", "--tickets", TICKETS)
        yield desk
        desk.proof()


def leftovers(desk):
    return list((desk.root / "state/store").glob("*.rebuild*"))


def follow(desk, *args):
    return desk.ctl_json("call", "store.job_follow", *args)


def begin(desk):
    """A rebuild that nobody waits for."""
    job = desk.ctl_json("call", "store.rebuild")
    assert job["state"] == "running" and job["kind"] == "rebuild" and job["of_ops"] > TICKETS, job
    return job


@contextlib.contextmanager
def held(desk):
    """A rebuild that begins meanwhile waits with its first op: somebody else has its file, as a slow disk would."""
    fresh = sqlite3.connect(desk.root / "state/store/store.db.rebuild", isolation_level=None)
    fresh.execute("PRAGMA journal_mode = WAL")
    fresh.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        fresh.close()


def folds(desk):
    """Waits until the rebuild folds; False where it was done before anybody looked."""
    return until("it folds, or is done", lambda: leftovers(desk) or follow(desk)["state"] == "done") is not True


def ended(desk, job):
    return until("it ends", lambda: (at := follow(desk, "--job", job["id"]))["state"] != "running" and at)


def rebuild(desk):
    """As an operator types it."""
    return Terminal([BIN / "assistctl", "--root", desk.root, "store", "rebuild"], {})


def test_a_rebuild_is_begun_followed_and_told_of_until_the_next(desk):
    job = begin(desk)
    end = ended(desk, job)
    assert end["state"] == "done" and end["ended_at"] >= end["started_at"]
    assert end["rebuilt"]["equal"] and end["rebuilt"]["ops"] == job["of_ops"] and "verified" not in end
    assert follow(desk) == end and not leftovers(desk)
    assert desk.run_ctl("call", "store.job_follow", "--job", "0" * 26).returncode == 3
    assert desk.ctl_json("audit", "verify")["ops"] == job["of_ops"]
    assert desk.ctl_json("call", "store.job_get") == follow(desk)
    assert follow(desk)["kind"] == "verify" and desk.run_ctl("call", "store.job_follow", "--job", job["id"]).returncode == 3


def test_of_two_that_are_asked_at_once_the_second_goes_along_with_the_first(desk):
    with held(desk):
        job = begin(desk)
        refused = desk.run_ctl("call", "store.rebuild")
        assert refused.returncode == 5 and "a rebuild is under way, at 0 of" in refused.stderr and "store.job_stop" in refused.stderr
        other = desk.run_ctl("audit", "verify")
        assert other.returncode == 5 and "a rebuild is under way" in other.stderr
        along = rebuild(desk)
        along.until_seen("under way already")
    assert along.ended() == 0 and "equal            yes" in along.seen
    along.close()
    assert follow(desk, "--job", job["id"])["state"] == "done"


def test_nobody_waits_for_it_and_it_ends_when_asked(desk):
    agnes = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
    with held(desk):
        job = begin(desk)
        ticket = agnes.rpc("ticket.create", subject="Meanwhile", body="Is there anybody?")
        then = agnes.rpc("ticket.get", ticket=ticket["id"], at=ticket["created_at"])
        assert then["ticket"]["subject"] == "Meanwhile"
        assert follow(desk, "--job", job["id"])["state"] == "running"
        desk.ctl("call", "store.job_stop", "--job", job["id"])
    end = ended(desk, job)
    assert end["state"] == "stopped" and "rebuilt" not in end and not leftovers(desk)


def test_killed_and_stopped_stores_leave_nothing_of_it(desk):
    job = begin(desk)
    while not folds(desk):
        job = begin(desk)
    desk.kill("store")
    desk.start("store")
    assert not leftovers(desk)
    assert desk.run_ctl("call", "store.job_follow", "--job", job["id"]).returncode == 3
    begin(desk)
    desk.terminate("store", deadline_s=8)
    assert not leftovers(desk)
    desk.start("store")


def test_a_terminal_has_a_bar_and_a_pipe_the_result_alone(desk):
    piped = desk.ctl("store", "rebuild")
    assert piped.startswith("ops ") and "\r" not in piped and "%" not in piped
    terminal = rebuild(desk)
    assert terminal.ended() == 0 and re.search(r"\[#*\.*\] +\d+ %  \d+ ops read", terminal.seen) and "equal            yes" in terminal.seen
    terminal.close()


def test_ctrl_c_ends_what_was_begun_there_and_leaves_what_was_not(desk):
    with held(desk):
        terminal = rebuild(desk)
        terminal.until_seen("ops read")
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.ended() == 130 and "stopped; nothing was changed" in terminal.seen
        terminal.close()
    until("it ends", lambda: follow(desk)["state"] == "stopped")
    with held(desk):
        job = begin(desk)
        terminal = rebuild(desk)
        terminal.until_seen("ops read")
        os.kill(terminal.process.pid, signal.SIGINT)
        assert terminal.ended() == 130 and "it goes on" in terminal.seen
        terminal.close()
    assert ended(desk, job)["state"] == "done"


def test_a_store_that_is_started_again_has_forgotten_it_and_who_waits_is_told(desk):
    with held(desk):
        terminal = rebuild(desk)
        terminal.until_seen("ops read")
        desk.kill("store")
    desk.start("store")
    assert terminal.ended() == 3 and "begin it again" in terminal.seen
    terminal.close()


def test_an_admin_has_the_log_verified_and_asks_how_far_it_is(desk):
    ada = desk.member("127.0.0.2", "ada@example.org", "Ada", "admin")
    begun = ada.rpc("store.verify")
    assert begun["kind"] == "verify" and begun["of_ops"] > TICKETS
    end = until("it ends", lambda: (at := ada.rpc("store.job_get", {"job": begun["id"]}))["state"] != "running" and at)
    assert end["verified"]["sound"] and not end["verified"]["problems"] and end["verified"]["ops"] >= begun["of_ops"]
    assert ada.rpc("store.job_get") == end
    with pytest.raises(RpcError) as failed:
        ada.rpc("store.job_get", {"job": "0" * 26})
    assert failed.value.code == -32003
