"""The README's tour and docs/desk.md, word for word. Each ```sh block is typed into one shell; a ```text block behind it has lines that must come, in this
order, where … is anything. Where a block waits for a job in the background, the two may come in any order."""
import os
import queue
import re
import subprocess
import threading
import time

import pytest

from sandbox import BUILD, REPOSITORY, Sandbox, why_not

WHY_NOT = why_not()
README = (REPOSITORY / "README.md").read_text()
TOURS = {"README.md": README.split("\n## A tour of five minutes\n")[1].split("\n## ")[0], "docs/desk.md": (REPOSITORY / "docs/desk.md").read_text()}
DEADLINE_S = 120


def tour(text):
    """[(commands, expected lines)]"""
    blocks = re.findall(r"^```(sh|text)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    steps = []
    for kind, content in blocks:
        if kind == "sh":
            steps.append((content, []))
        else:
            assert not steps[-1][1], "two outputs of one block"
            steps[-1] = (steps[-1][0], content.splitlines())
    return steps


def matches(commands, lines, seen):
    patterns = [".*?".join(map(re.escape, line.split("…"))) for line in lines]
    if "wait" in commands.split("\n"):
        return all(re.search(line, seen) for line in patterns)
    return re.search(r"\n(?:.*\n)*?".join(patterns), seen)


class Shell:
    """What is typed, and what is seen."""

    def __init__(self, sandbox):
        self.process = subprocess.Popen(["nsenter", "--target", sandbox.inside, "--net", "--mount", "--pid", "bash", "-c",
                                         'cd "$0" && exec bash', REPOSITORY], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1,
                                        env=dict(os.environ, HOME=str(sandbox.home), ASSIST_BUILD=str(BUILD), EDITOR=""))
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def type(self, commands, expected, mark):
        """Types one block, and waits for its end and for what is expected, which a background job may say later."""
        self.process.stdin.write(f"{commands}\necho {mark} $?\n")
        self.process.stdin.flush()
        seen, status, end = "", None, time.monotonic() + DEADLINE_S
        while status is None or not matches(commands, expected, seen):
            try:
                line = self.lines.get(timeout=max(0.0, min(end - time.monotonic(), 5 if status is not None else DEADLINE_S)))
            except queue.Empty:
                break
            assert line is not None, f"the shell ended:\n{seen}"
            if line.startswith(f"{mark} "):
                status = int(line.split()[1])
            else:
                seen += line
        return seen, status


@pytest.fixture
def shell():
    sandbox = Sandbox()
    shell = Shell(sandbox)
    yield shell
    shell.process.stdin.close()
    shell.process.wait(30)
    sandbox.close()


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
@pytest.mark.parametrize("page", TOURS)
def test_the_tour_does_what_it_says(shell, page):
    steps = tour(TOURS[page])
    assert len(steps) >= 8 and all(expected for _, expected in steps)
    for number, (commands, expected) in enumerate(steps):
        # errexit, so that each line counts
        seen, status = shell.type("set -e\n" + commands + "set +e", expected, f"end-of-{number}")
        tries = 0
        while commands.startswith("assistctl mail") and not matches(commands, expected, seen) and tries < 20:  # a mail takes a moment
            tries += 1
            seen, status = shell.type(commands, expected, f"end-of-{number}-{tries}")
        assert status == 0, f"{commands}\n{seen}"
        assert matches(commands, expected, seen), f"{commands}\nexpected:\n" + "\n".join(expected) + f"\nseen:\n{seen}"


@pytest.mark.parametrize("page", TOURS)
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)]+)\)", (REPOSITORY / page).read_text())
    assert links
    for link in links:
        assert re.match(r"https?://", link) or ((REPOSITORY / page).parent / link).exists(), link


def test_the_two_commands_are_there():
    for command in ("scripts/start.sh", "scripts/test.sh"):
        assert f"    {command} " in README and os.access(REPOSITORY / command, os.X_OK)
