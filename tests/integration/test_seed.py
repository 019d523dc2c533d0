"""A desk of invented people and tickets: once, also where it was killed on the way, and as usable as any other."""
import re

import pytest
from harness import Desk

AGNES = "127.0.0.3"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.agnes = desk.member(AGNES, "agnes@example.org", "Agnes", "agent")
        yield desk
        desk.proof()


def test_a_seeded_desk_is_listed_searched_and_seeded_once(desk):
    out = desk.ctl("seed", "--tickets", 300, "--seed", 5)
    tickets, comments, images = map(int, re.search(r"(\d+) tickets, (\d+) comments and notes, (\d+) images", out).groups())
    assert tickets == 300 and comments > 1500 and images > 10 and "100 %: 300 tickets" in out
    again = desk.ctl_json("seed", "--tickets", 300, "--seed", 5)
    assert (again["tickets"], again["comments"]) == (0, 0)
    desk.kill("store")
    desk.start("store")
    page = desk.agnes.rpc("ticket.list", query="-state:closed -state:solved", order="urgent", limit=50)
    assert page["items"] and page["items"][0]["priority"] == "urgent"
    assert desk.agnes.rpc("ticket.search", query="umlauts")["items"]
    assert len({person["name"] for person in desk.agnes.rpc("person.list", limit=200)["items"]}) > 25


def test_what_is_no_number_of_tickets_is_refused(desk):
    for wrong in ((), ("--tickets", "0"), ("--tickets", "many"), ("--seed", "1"), ("--tickets", "1", "--more")):
        done = desk.run_ctl("seed", *wrong)
        assert done.returncode == 2 and "seed --tickets N" in done.stderr
