"""What a comment costs, counted: noise can't touch it. One fdatasync a batch; the instructions of comment.add against baseline."""
import json
import pathlib
import re
import shutil
import subprocess
import threading
import time

import pytest
from harness import BIN, Desk, until

HERE = pathlib.Path(__file__).parent
GROWTH = 1.05
FEW, MANY = 50, 250


def traced(desk, pid, path):
    """strace on the running store; answers its process once it counts."""
    tracer = subprocess.Popen(["strace", "-f", "-y", "-qq", "-e", "trace=fsync,fdatasync", "-o", path, "-p", str(pid)],
                              stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if tracer.poll() is not None:
            pytest.skip(f"strace may not trace here: {tracer.stderr.read().strip()}")
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
        if all(f"TracerPid:\t{tracer.pid}\n" in (task / "status").read_text() for task in tasks) and status:
            return tracer
        time.sleep(0.02)
    raise AssertionError("strace did not take hold of store")


def committed(desk):
    return [desk.figure("store", name) for name in ("commits_total", "ops_total")]


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_one_fdatasync_a_batch(tmp_path):
    with Desk() as desk:
        agent = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        ticket = agent.rpc("ticket.create", subject="A question", body="b")["id"]
        devices = [agent] + [desk.device("127.0.0.3") for _ in range(3)]
        path = tmp_path / "trace"
        tracer = traced(desk, desk.processes["store"].pid, path)
        try:
            before = committed(desk)
            failures = []

            def write(device):
                try:
                    for i in range(8):
                        device.rpc("comment.add", ticket=ticket, body=f"comment {i}")
                except Exception as error:
                    failures.append(error)
            writers = [threading.Thread(target=write, args=(device,)) for device in devices]
            for writer in writers:
                writer.start()
            for writer in writers:
                writer.join(60)
            after = committed(desk)
        finally:
            tracer.terminate()
            tracer.wait(10)
        assert not failures, failures
        for device in devices[:-1]:
            device.close()
        commits, ops = after[0] - before[0], after[1] - before[1]
        syncs = re.findall(r"f(?:data)?sync\(\d+<([^>]*)>", path.read_text())
        assert ops >= 32 and 1 <= commits <= ops
        assert not [name for name in syncs if not name.endswith("/store.db-wal")], "a checkpoint came between: fewer comments, please"
        assert len(syncs) == commits


def instructions(n):
    done = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=call_execute",
                           BIN / "comment-driver", str(n)], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return int(re.search(r"Collected : (\d+)", done.stderr)[1])


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not installed")
def test_comment_add_takes_no_more_instructions():
    """In the handler and all that it calls; the start of the process is in both counts, and goes out."""
    each = (instructions(MANY) - instructions(FEW)) // (MANY - FEW)
    known = json.loads((HERE / "baseline.json").read_text())["instructions per comment.add"]
    print(f"{each} instructions per comment.add, {known} in baseline.json")
    assert each <= known * GROWTH, f"comment.add takes {each} instructions, baseline.json has {known}: make it less, or say in the commit why"
    assert each >= known / 2, "far less than baseline.json: write down the new count"
