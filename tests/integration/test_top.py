"""`assistctl top`: rates of a desk at work, on a terminal until q, and for scripts."""
import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time

import pytest
from harness import BIN, SERVICES, Desk, until

AGENT = "127.0.0.3"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.ticket = desk.agent.rpc("ticket.create", subject="A question", body="b")["id"]
        yield desk


@pytest.fixture
def busy(desk):
    """Somebody reads, again and again."""
    over = threading.Event()

    def read():
        while not over.is_set():
            desk.agent.rpc("ticket.get", ticket=desk.ticket)
    reader = threading.Thread(target=read)
    reader.start()
    yield
    over.set()
    reader.join()


class Terminal:
    """assistctl as somebody types it."""

    def __init__(self, desk, *args):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen([BIN / "assistctl", "--root", desk.root, *args], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True)
        os.close(slave)
        self.said = b""

    def saw(self, what):
        def there():
            if select.select([self.master], [], [], 0)[0]:
                with contextlib.suppress(OSError):
                    self.said += os.read(self.master, 65536)
            return what in self.said
        until(f"{what} is on the screen", there)

    def ended(self):
        assert self.process.wait(10) == 0
        with contextlib.suppress(OSError):
            while part := os.read(self.master, 65536):
                self.said += part
        os.close(self.master)
        return self.said


def test_once_is_a_page_of_what_happens(desk, busy):
    said = desk.ctl("top", "--once")
    assert "\x1b" not in said
    lines = [line.split() for line in said.splitlines()]
    assert {line[0] for line in lines[1:1 + len(SERVICES)]} == set(SERVICES)
    [reads] = [line for line in lines if line[:2] == ["store", "ticket.get"]]
    assert float(reads[2]) > 1 and float(reads[3]) == 0


def test_scripts_get_json(desk, busy):
    top = desk.ctl_json("top", "--once")
    assert {process["process"] for process in top["processes"] if process["up"]} == set(SERVICES)
    [reads] = [work for work in top["work"] if work["what"] == "ticket.get"]
    assert reads["process"] == "store" and reads["per_s"] > 1 and 0 < reads["mean_s"] < 1 and reads["mean_s"] < 10 * reads["p95_s"]
    [head] = [figure for figure in top["figures"] if figure["name"] == "log_head"]
    assert head["value"] == desk.figure("store", "log_head") and "per_s" not in head


def test_a_script_may_go_on_reading(desk, busy):
    with subprocess.Popen([BIN / "assistctl", "--root", desk.root, "--json", "top"], stdout=subprocess.PIPE, text=True) as process:
        looks = [json.loads(process.stdout.readline()) for _ in range(2)]
        assert all(any(work["what"] == "ticket.get" for work in look["work"]) for look in looks)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


@pytest.mark.parametrize("end", ["q", "Ctrl-C"])
def test_on_a_terminal_it_goes_on_until_it_is_ended_and_leaves_no_trace(desk, busy, end):
    terminal = Terminal(desk, "top")
    terminal.saw(b"ticket.get")
    if end == "q":
        os.write(terminal.master, b"q")
    else:
        terminal.process.send_signal(signal.SIGINT)
    said = terminal.ended()
    assert said.startswith(b"\x1b[?1049h") and said.endswith(b"\x1b[?25h\x1b[?1049l")


def test_one_that_is_away_is_on_the_page(desk):
    desk.kill("fanout")
    began = time.monotonic()
    said = desk.ctl("top", "--once")
    assert time.monotonic() - began < 20
    assert ["fanout", "does", "not", "answer"] in [line.split() for line in said.splitlines()]
    desk.start("fanout")


def test_it_takes_nothing_else(desk):
    assert desk.run_ctl("top", "--twice").returncode == 2
