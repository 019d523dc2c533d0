"""What a project defines for itself, on a terminal: names in place of ids, and what is said where there is no such thing."""
import pytest
from harness import Desk

CUSTOMER, AGNES, ARTHUR, ADMIN = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.member(AGNES, "agnes@example.org", "Agnes", "agent")
        desk.member(ARTHUR, "arthur@example.org", "Arthur Dent", "agent")
        desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def test_a_team_is_made_changed_and_retired_by_its_name(desk):
    assert desk.run_assist(ADMIN, "team").stdout == "There is no team.\n"
    made = desk.run_assist(ADMIN, "team", "new", "Network", "--members", "agnes", "--members", "Arthur Dent", "--rotate")
    assert [line.split() for line in made.stdout.splitlines()] == [["NAME", "MEMBERS", "ROTATE"], ["Network", "Agnes,", "Arthur", "Dent", "yes"]]
    desk.run_assist(ADMIN, "team", "set", "network", "--name", "Networks")
    team = desk.assist(ADMIN, "team", "list")["items"][0]
    assert (team["name"], team["rotate"], len(team["members"])) == ("Networks", True, 2), "what was not given stays"
    assert desk.run_assist(AGNES, "team", "retire", "Networks").returncode == 4
    missing = desk.run_assist(ADMIN, "team", "set", "Netwrok", "--rotate", "no")
    assert missing.returncode == 3 and missing.stderr == 'assist: there is no team "Netwrok"; there are Networks\n'
    nobody = desk.run_assist(ADMIN, "team", "new", "x", "--members", "Zaphod")
    assert nobody.returncode == 2 and '"Zaphod" is nobody\'s name here' in nobody.stderr
    assert desk.run_assist(ADMIN, "team", "merge").returncode == 2


def test_a_ticket_is_filed_shown_and_changed_with_names(desk):
    desk.run_assist(ADMIN, "type", "new", "Outage", "--team", "Networks")
    desk.run_assist(ADMIN, "field", "new", "Room", "--key", "room", "--kind", "text", "--access", "write")
    desk.run_assist(ADMIN, "field", "new", "Cost", "--key", "cost", "--kind", "number", "--access", "hidden")
    filed = desk.run_assist(CUSTOMER, "ticket", "new", "It is dark", "No light", "--type", "outage", "--field", "room=Attic")
    assert filed.stdout == "Ticket #1 is filed.\n", filed.stderr
    shown = desk.run_assist(CUSTOMER, "ticket", "show", "1").stdout
    assert "type: Outage\nRoom: Attic\n" in shown and "Networks" not in shown
    assert desk.run_assist(AGNES, "ticket", "set", "1", "--assignee", "me", "--field", "cost=12.50", "--field", "room=").returncode == 0
    shown = desk.run_assist(AGNES, "ticket", "show", "#1").stdout
    assert "assigned to Agnes" in shown and "team: Networks\nCost: 12.5\n" in shown and "Room" not in shown
    wrong = desk.run_assist(CUSTOMER, "ticket", "set", "1", "--field", "cost=1")
    assert wrong.returncode == 3 and wrong.stderr == 'assist: there is no field "cost"; there are room\n'
    assert "must be a decimal number" in desk.run_assist(AGNES, "ticket", "set", "1", "--field", "cost=much").stderr
    assert "write KEY=VALUE" in desk.run_assist(AGNES, "ticket", "set", "1", "--field", "cost").stderr


def test_a_view_is_listed_with_its_count_and_lists_tickets(desk):
    assert desk.run_assist(AGNES, "view", "list").stdout == "There is no view.\n"
    desk.run_assist(AGNES, "view", "new", "Mine", "--query", "assignee:me -state:closed", "--order", "urgent")
    lines = desk.run_assist(AGNES, "view", "list").stdout.splitlines()
    assert lines[1].split() == ["1", "Mine", "me", "urgent", "assignee:me", "-state:closed"]
    assert "It is dark" in desk.run_assist(AGNES, "ticket", "list", "--view", "mine").stdout
    assert desk.run_assist(AGNES, "ticket", "list", "--query", "team:none").stdout == "No tickets.\n"
    assert 'there is no view "Yours"; there are Mine' in desk.run_assist(AGNES, "ticket", "list", "--view", "Yours").stderr
    assert "has words" in desk.run_assist(AGNES, "view", "new", "Words", "--query", "printer", "--order", "urgent").stderr
