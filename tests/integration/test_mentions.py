"""Being named: events, the list, kill -9; and on a terminal what wants an answer, and a ticket changed in an editor."""
import json

import pytest
from harness import Desk, Live
from terminal import Terminal

CUSTOMER, AGNES, ARTHUR, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agnes = desk.member(AGNES, "agnes@example.org", "Agnes", "agent")
        desk.arthur = desk.member(ARTHUR, "arthur@example.org", "Arthur", "agent")
        desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def test_who_is_named_hears_of_it_and_finds_it_again(desk):
    ticket = desk.customer.rpc("ticket.create", subject="A noise", body="@Arthur, can you hear it?")
    heard, others = Live(desk.arthur), Live(desk.customer)
    note = desk.agnes.rpc("note.add", ticket=ticket["id"], body="@arthur: @Carl hears noises")["comment"]
    mention = heard.next("mention.added")["data"]["mention"]
    assert (mention["ticket"], mention["comment"], mention["note"], mention["by"]) == (ticket["id"], note["id"], True, desk.agnes.user)
    desk.agnes.rpc("comment.add", ticket=ticket["id"], body="@Carl, we listen.")
    assert others.next("mention.added")["data"]["mention"]["note"] is False
    assert len([event for event in others.events if event["type"] == "mention.added"]) == 1
    desk.kill("store")
    desk.start("store")
    assert [item["note"] for item in desk.arthur.rpc("mention.list")["items"]] == [True, False]
    assert len(desk.customer.rpc("mention.list")["items"]) == 1
    lines = desk.run_assist(ARTHUR, "mentions").stdout.splitlines()
    assert "A noise" in lines[1] and "note" in lines[1] and "Agnes" in lines[1]
    heard.close()
    others.close()


def test_next_is_what_is_unread_and_urgent(desk):
    numbers = []
    for subject, priority in (("Low", "low"), ("Urgent", "urgent"), ("Read", "high")):
        ticket = desk.customer.rpc("ticket.create", subject=subject, body="b")
        desk.agnes.rpc("ticket.set", ticket=ticket["id"], assignee=desk.agnes.user, priority=priority, state="open")
        numbers.append(ticket["number"])
    desk.agnes.rpc("read.mark", ticket=ticket["id"], comment=ticket["newest_comment"])
    waiting = desk.customer.rpc("ticket.create", subject="Later", body="b")
    desk.agnes.rpc("ticket.set", ticket=waiting["id"], assignee=desk.agnes.user, state="pending")
    out = desk.run_assist(AGNES, "next").stdout
    rows = [line.split()[0] for line in out.splitlines()[1:] if line.split() and line.split()[0].isdigit()]
    mine = [row for row in rows if int(row) in numbers]
    assert mine == [str(numbers[1]), str(numbers[0]), str(numbers[2])] and str(waiting["number"]) not in rows
    assert f"assist ticket show {rows[0]}" in out
    assert json.loads(desk.run_assist(AGNES, "--json", "next").stdout)["items"][0]["number"] == int(rows[0])


def edit(desk, number, script):
    """assist ticket edit, with sed as the editor."""
    editor = desk.root / "editor"
    editor.write_text(f"#!/bin/sh\nsed -i '{script}' \"$1\"\n")
    editor.chmod(0o755)
    terminal = Terminal(desk.assist_command(AGNES, "ticket", "edit", str(number)), {"XDG_STATE_HOME": str(desk.root / "home"), "EDITOR": str(editor)})
    try:
        return terminal.ended(), terminal.seen
    finally:
        terminal.close()


def test_a_ticket_is_changed_in_an_editor(desk):
    ticket = desk.customer.rpc("ticket.create", subject="Old words", body="b")
    desk.agnes.rpc("ticket.set", ticket=ticket["id"], add_tags=["vpn", "mail"], assignee=desk.arthur.user)
    status, seen = edit(desk, ticket["number"], "s/Old/New/; s/^state:.*/state: solved/; s/Arthur/none/; s/^tags:.*/tags: mail, fax/")
    assert status == 0 and f"Ticket #{ticket['number']} is changed." in seen, seen
    now = desk.agnes.rpc("ticket.get", ticket=ticket["id"])["ticket"]
    assert (now["subject"], now["state"], now["tags"], now.get("assignee")) == ("New words", "solved", ["fax", "mail"], None)
    assert "Nothing was changed." in edit(desk, ticket["number"], "s/a/a/")[1]
    status, seen = edit(desk, ticket["number"], "s/^state:.*/state: nowhere/; s/New/Other/")
    assert status == 2 and "must be one of" in seen
    assert desk.agnes.rpc("ticket.get", ticket=ticket["id"])["ticket"]["subject"] == "New words"
    assert 'no line of a ticket' in edit(desk, ticket["number"], "s/^state:/stat:/")[1]


def shown(desk, words, **environment):
    terminal = Terminal(desk.assist_command(AGNES, *words), {"XDG_STATE_HOME": str(desk.root / "home"), "TERM": "xterm", **environment})
    try:
        assert terminal.ended() == 0, terminal.seen
        return terminal.seen
    finally:
        terminal.close()


def test_colours_and_a_pager_are_for_terminals(desk):
    ticket = desk.customer.rpc("ticket.create", subject="Colourful", body="b")
    desk.agnes.rpc("ticket.set", ticket=ticket["id"], priority="urgent")
    desk.agnes.rpc("note.add", ticket=ticket["id"], body="inside")
    number = str(ticket["number"])
    seen = shown(desk, ("ticket", "show", number), PAGER="sed 's/^/paged: /'")
    assert f"paged: \x1b[1m#{number}  Colourful\x1b[0m" in seen and "\x1b[30;43m[internal note]\x1b[0m" in seen
    seen = shown(desk, ("ticket", "list", "--limit", "1"), PAGER="")
    assert "\x1b[1;31murgent" in seen and "paged" not in seen
    for plain in (shown(desk, ("ticket", "list"), PAGER="", NO_COLOR="1"), shown(desk, ("ticket", "list"), PAGER="", TERM="dumb"),
                  desk.run_assist(AGNES, "ticket", "list").stdout):
        assert "Colourful" in plain and "\x1b[" not in plain
    assert "Colourful" in shown(desk, ("ticket", "list"), PAGER="head -n 3; true")
