"""What a customer's reply makes of a closed ticket: within 14 days it reopens, later a follow-up is filed, whatever is killed meanwhile."""

import pytest
from harness import Desk, RpcError

CUSTOMER, FRIEND, AGENT = "127.0.0.2", "127.0.0.3", "127.0.0.4"
DAY_S = 24 * 60 * 60


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.friend = desk.member(FRIEND, "fred@example.org", "Fred")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        yield desk
        desk.proof()


def test_a_late_reply_is_a_follow_up_that_the_same_people_see_live(desk):
    early, late = [desk.customer.rpc("ticket.create", subject=subject, body="Please help") for subject in ("It creaks", "It squeaks")]
    desk.agent.rpc("ticket.set", ticket=late["id"], add_watchers=[desk.friend.user])
    for ticket in (early, late):
        desk.agent.rpc("ticket.set", ticket=ticket["id"], state="closed")
    desk.shift_clock(14 * DAY_S - 60)
    made = desk.customer.rpc("comment.add", ticket=early["id"], body="It still does.")
    assert "follow_up" not in made and made["comment"]["ticket"] == early["id"]
    assert desk.agent.rpc("ticket.get", ticket=early["id"])["ticket"]["state"] == "open"

    desk.shift_clock(14 * DAY_S + 60)
    live = [desk.friend.live(), desk.agent.live()]
    with pytest.raises(RpcError) as refused:
        desk.customer.rpc("ticket.set", ticket=late["id"], state="open")
    assert refused.value.data["field"] == "state" and "follow-up" in refused.value.data["reason"]
    out = desk.assist(CUSTOMER, "ticket", "reply", late["number"], "It squeaks again.", json_output=False)
    assert out == f"Ticket #{late['number']} was closed long ago: your reply is on its follow-up, #3.\n"
    for each in live:
        filed = each.next("ticket.created")["data"]["ticket"]
        assert (filed["number"], filed["subject"], filed["requester"]) == (3, "It squeaks", desk.customer.user)
        assert each.next("comment.added")["data"]["comment"]["body"] == "It squeaks again."
        each.close()
    assert "access.gained" in live[0].kinds()
    desk.crash("store")
    again = desk.friend.rpc("comment.add", ticket=late["id"], body="Here, too.", op_id="01KQ8X3V00AAAAAAAAAAAAAAAA")
    assert again == desk.friend.rpc("comment.add", ticket=late["id"], body="Here, too.", op_id="01KQ8X3V00AAAAAAAAAAAAAAAA")
    assert again["follow_up"]["number"] == 3
    assert desk.customer.rpc("ticket.get", ticket=late["id"])["ticket"]["comments"] == 1
    shown = desk.assist(AGENT, "ticket", "show", 3, json_output=False).splitlines()
    assert any("follow" in line and f"#{late['number']}" in line for line in shown[2:4]), shown
    assert "  It squeaks again." in shown and "  Here, too." in shown
    links = desk.friend.rpc("link.list", ticket=late["id"])["links"]
    assert [(link["kind"], link["number"]) for link in links] == [("followed_up_by", 3)]
