"""What is typed is not lost, and what was read is known: `assist ticket reply`, `list` and `show` at a terminal."""
import pathlib
import re

import pytest

from harness import Desk, until
from terminal import Terminal

CUSTOMER, AGENT, WATCHER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
USAGE, NOT_THERE, CONFLICT = 2, 3, 5


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.member(WATCHER, "mona@example.org", "Mona")
        yield desk


class Editor:
    """An editor that shows what it was given, and writes when it is told to."""

    def __init__(self, folder):
        self.folder = folder
        self.program = folder / "editor"
        self.program.write_text(f"""#!/bin/sh
cd {folder}
sed '/^<!--/,$d' "$1" > shown.part && mv shown.part shown
while [ ! -e text ]; do sleep 0.01; done
cat text > "$1"
""")
        self.program.chmod(0o700)

    def shown(self):
        until("the editor shows it", lambda: (self.folder / "shown").exists())
        return (self.folder / "shown").read_text().strip()

    def write(self, text):
        (self.folder / "part").write_text(text)
        (self.folder / "part").rename(self.folder / "text")


@pytest.fixture
def at_terminal(desk):
    terminals = []

    def begin(device, *args, editor=""):
        terminals.append(Terminal(desk.assist_command(device, *args), {"XDG_STATE_HOME": str(desk.root / "home"), "TZ": "UTC",
                                                                       "EDITOR": str(editor)}))
        return terminals[-1]
    yield begin
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def editor(tmp_path):
    made = []

    def another():
        made.append(tmp_path / str(len(made)))
        made[-1].mkdir()
        return Editor(made[-1])
    return another


@pytest.fixture
def number(desk):
    return desk.assist(CUSTOMER, "ticket", "new", "The printer burns", "Since noon.")["number"]


def bodies(desk, number):
    return [comment["body"] for comment in desk.assist(AGENT, "ticket", "show", number)["comments"]]


def test_a_reply_that_crosses_another_one_is_kept_and_sent_when_that_was_read(desk, at_terminal, editor, number):
    first, second = editor(), editor()
    terminal = at_terminal(AGENT, "ticket", "reply", number, editor=first.program)
    assert first.shown() == ""
    desk.assist(CUSTOMER, "ticket", "reply", number, "It stopped.")
    first.write("Pour water on it.\n\n<!-- Your reply. -->\n")
    assert terminal.ended() == CONFLICT
    assert terminal.seen.splitlines() == [f"assist: somebody wrote meanwhile; read it first: assist ticket show {number}",
                                          f"assist: your text is kept as a draft. Send it: assist ticket reply {number} --draft"]
    assert bodies(desk, number) == ["Since noon.", "It stopped."]

    offered = at_terminal(AGENT, "ticket", "reply", number)
    assert offered.ended() == USAGE
    assert "there is a draft of yours (just now)" in offered.seen
    again = at_terminal(AGENT, "ticket", "reply", number, editor=second.program)
    assert second.shown() == "Pour water on it."
    second.write("")
    assert again.ended() == USAGE                       # nothing sent, and the draft still there
    sent = desk.run_assist(AGENT, "ticket", "reply", number, "--draft", "--state", "pending")
    assert (sent.returncode, sent.stdout) == (0, "Your reply is there.\n"), sent
    assert bodies(desk, number) == ["Since noon.", "It stopped.", "Pour water on it."]
    gone = desk.run_assist(AGENT, "ticket", "reply", number, "--draft")
    assert (gone.returncode, gone.stderr) == (NOT_THERE, "assist: there is no draft of yours for this ticket\n")
    desk.proof()


def test_a_draft_that_was_gone_on_with_and_sent_is_a_draft_no_more(desk, at_terminal, editor, number):
    agnes = desk.devices[AGENT]
    ticket = agnes.rpc("ticket.get", number=number)["ticket"]["id"]
    agnes.rpc("draft.save", ticket=ticket, body="Begun on the phone")
    writing = editor()
    terminal = at_terminal(AGENT, "ticket", "reply", number, editor=writing.program)
    assert writing.shown() == "Begun on the phone"
    writing.write("Begun on the phone, done here.\n")
    assert terminal.ended() == 0
    assert bodies(desk, number)[1:] == ["Begun on the phone, done here."]
    assert agnes.rpc("draft.list")["items"] == []


def test_where_the_desk_does_not_take_it_a_file_does(desk, at_terminal, editor, number):
    agnes, mona = desk.devices[AGENT], desk.devices[WATCHER]
    ticket = agnes.rpc("ticket.set", ticket=agnes.rpc("ticket.get", number=number)["ticket"]["id"], add_watchers=[mona.user])["id"]
    writing = editor()
    terminal = at_terminal(WATCHER, "ticket", "reply", number, editor=writing.program)
    writing.shown()
    agnes.rpc("ticket.set", ticket=ticket, remove_watchers=[mona.user])
    writing.write("Mine does, too.\n")
    assert terminal.ended() == NOT_THERE
    kept = pathlib.Path(re.search(rf"assist ticket reply {number} < (/tmp/assist-\w+\.md)", terminal.seen)[1])
    assert kept.read_text() == "Mine does, too."
    assert kept.stat().st_mode & 0o077 == 0
    agnes.rpc("ticket.set", ticket=ticket, add_watchers=[mona.user])
    desk.run_assist(WATCHER, "ticket", "reply", number, input=kept.read_text())
    kept.unlink()
    assert bodies(desk, number)[1:] == ["Mine does, too."]


def news(desk, device, number):
    """What the list says to be new there."""
    lines = desk.assist(device, "ticket", "list", json_output=False).splitlines()
    at = lines[0].index("NEW")
    return next(line[at - 1:at + 3].strip() for line in lines[1:] if line.split()[0] == str(number))


def test_the_list_counts_what_is_new_and_who_looked_has_read_it(desk, number):
    assert news(desk, CUSTOMER, number) == "" and news(desk, AGENT, number) == "1"
    desk.assist(CUSTOMER, "ticket", "reply", number, "It stopped.")
    assert news(desk, AGENT, number) == "2"
    desk.assist(AGENT, "ticket", "show", number)                        # a script looks at it for nobody
    assert news(desk, AGENT, number) == "2"
    desk.assist(AGENT, "ticket", "show", number, json_output=False)
    assert news(desk, AGENT, number) == ""
    desk.assist(AGENT, "ticket", "note", number, "Again.")
    desk.assist(AGENT, "ticket", "reply", number, "Good.")
    assert news(desk, CUSTOMER, number) == "1" and news(desk, AGENT, number) == ""
    desk.assist(CUSTOMER, "ticket", "show", number, json_output=False)
    assert news(desk, CUSTOMER, number) == ""
