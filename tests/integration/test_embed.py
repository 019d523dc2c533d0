"""The page that other sites embed: whoever sits in front of it, it may do what a customer may; and it is framed by those sites alone that the
operator named."""
import json
import re

import pytest

from harness import PROMISED, Desk, Device, Live, RpcError, base64url, picture, unbase64url, until

CUSTOMER, AGENT, ADMIN, PAGE = "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"
FORBIDDEN, NOT_FOUND = -32002, -32003
SHOP = "https://shop.example"


def code_of(call):
    with pytest.raises(RpcError) as e:
        call()
    return e.value.code


@pytest.fixture(scope="module")
def desk():
    with Desk({"gateway": {"embed_origins": f"{SHOP} http://192.0.2.1:8080"}}) as desk:
        desk.customer = desk.member(CUSTOMER, "carl@example.org", "Carl")
        desk.agent = desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        desk.admin = desk.member(ADMIN, "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


@pytest.fixture(scope="module")
def embedded(desk):
    """The admin's own device, by a session for an embedded page."""
    device = Device(desk, ADMIN, desk.admin.secret)
    device.embed = True
    answer = device.open()
    assert answer["role"] == "customer" and answer["user"] == desk.admin.user
    return device


@pytest.fixture(scope="module")
def own(desk):
    """What the admin asked for themself."""
    return desk.admin.rpc("ticket.create", subject="My own chair", body="squeaks", attachments=[])


def test_an_admin_there_may_call_what_a_customer_may(desk, embedded):
    for name, method in PROMISED.methods.items():
        if method["x-role"] in ("agent", "admin"):
            assert code_of(lambda: embedded.rpc(name)) == FORBIDDEN, name
    assert {person["role"] for person in embedded.rpc("person.list")["items"]} == {"agent", "admin"}


def test_an_admin_there_sees_their_own_tickets(desk, embedded, own):
    other = desk.customer.rpc("ticket.create", subject="A private chair", body="squeaks", attachments=[])
    assert [item["id"] for item in embedded.rpc("ticket.list")["items"]] == [own["id"]]
    assert [item["ticket"]["id"] for item in embedded.rpc("ticket.search", query="chair")["items"]] == [own["id"]]
    assert code_of(lambda: embedded.rpc("ticket.get", ticket=other["id"])) == NOT_FOUND
    assert code_of(lambda: embedded.rpc("comment.list", ticket=other["id"])) == NOT_FOUND
    desk.agent.rpc("ticket.set", ticket=other["id"], add_watchers=[desk.admin.user])
    assert embedded.rpc("ticket.get", ticket=other["id"])["ticket"]["subject"] == "A private chair"
    desk.agent.rpc("ticket.set", ticket=other["id"], remove_watchers=[desk.admin.user])
    assert code_of(lambda: embedded.rpc("ticket.get", ticket=other["id"])) == NOT_FOUND


def test_notes_are_not_there(desk, embedded, own):
    file = desk.agent.upload("secret.png", picture(1000))
    whole, narrow = Live(desk.admin), Live(embedded)
    assert narrow.hello["role"] == "customer" and whole.hello["role"] == "admin"
    note = desk.agent.rpc("note.add", ticket=own["id"], body="@Ada squeaks herself", attachments=[file])["comment"]
    desk.admin.rpc("read.mark", ticket=own["id"], comment=note["id"])
    desk.admin.rpc("draft.save", ticket=own["id"], note=True, body="Indeed!", version=0)
    desk.admin.rpc("snooze.set", ticket=own["id"])
    desk.admin.rpc("view.save", name="Chairs", query="tag:chair", order="changed")
    assert whole.next("mention.added")["data"]["mention"]["note"] is True
    until("the admin's own changes are told", lambda: {"read.marked", "draft.changed", "snooze.changed"} <= {e["type"] for e in whole.mentions})
    desk.agent.rpc("comment.add", ticket=own["id"], body="@Ada: try the other chair.")
    assert narrow.next("comment.added")["data"]["comment"]["body"].startswith("@Ada")
    until("all was told", lambda: "comment.added" in whole.kinds())
    assert {"note.added", "mention.added", "own_view.changed"} <= set(whole.kinds())
    told = {event["type"] for event in narrow.events + narrow.mentions}
    assert told <= {"comment.added", "ticket.changed", "presence.online"}, told
    since = embedded.rpc("op.since", cursor=narrow.hello["cursor"])
    assert {event["type"] for event in since["events"]} <= {"comment.added", "ticket.changed"}
    again = Live(embedded, narrow.hello["cursor"])
    until("it was replayed", lambda: "comment.added" in again.kinds())
    assert set(again.kinds()) <= {"comment.added", "ticket.changed"}
    ticket = embedded.rpc("ticket.get", ticket=own["id"])["ticket"]
    assert "notes" not in ticket and ticket["unread"] == 1 and "herself" not in json.dumps(embedded.rpc("comment.list", ticket=own["id"]))
    assert embedded.rpc("draft.list")["items"] == [] and all(not item["note"] for item in embedded.rpc("mention.list")["items"])
    picture_id = note["attachments"][0]["id"]
    assert embedded.http("GET", f"/attachments/{picture_id}").status == 404 and desk.admin.http("GET", f"/attachments/{picture_id}").status == 200
    assert code_of(lambda: embedded.rpc("attachment.link", attachment=picture_id)) == NOT_FOUND
    for live in (whole, narrow, again):
        live.close()


def test_customers_see_the_admin_go_on(desk, embedded):
    whole = Live(desk.admin)
    narrow = Live(embedded)
    online = lambda: {person["user"] for person in desk.customer.rpc("presence.online")["items"]}  # noqa: E731
    until("they are there", lambda: desk.admin.user in online())
    narrow.close()
    assert desk.admin.user in online()
    whole.close()


def test_what_an_embedded_page_binds_stays_a_customers(desk):
    stranger, before = Device(desk, PAGE), set(desk.mails())
    stranger.open()
    stranger.rpc("enroll.start", email="ada@example.org", label="The shop", embed=True)

    def asked_for():
        mails = (desk.ctl("mail", "show", file) for file in desk.mails() if file not in before)
        return next((mail for mail in mails if "The shop" in mail), None)
    mail = until("the mail is there", asked_for)
    assert "/bind" not in mail and "in the page that asked" in mail
    redeemed = stranger.rpc("enroll.redeem", code=re.search(r"^ +([0-9A-Z]{4}-[0-9A-Z]{4})$", mail, re.MULTILINE)[1])
    for asks in (False, True):
        page = Device(desk, PAGE, unbase64url(redeemed["secret"]))
        page.embed = asks
        assert page.open()["role"] == "customer"
        assert code_of(lambda: page.rpc("note.list", ticket=desk.admin.rpc("ticket.list")["items"][0]["id"])) == FORBIDDEN
    assert [device["embed"] for device in desk.admin.rpc("device.list")["items"]] == [False, True]


def test_a_token_can_not_be_widened(desk, embedded):
    raw, own = unbase64url(embedded.token), unbase64url(desk.admin.token)
    assert raw[0] != own[0]
    forged = base64url(own[:1] + raw[1:])
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ticket.list"})
    assert embedded.http("POST", "/rpc", body, {"Authorization": f"Bearer {forged}"}).json["error"]["code"] == -32001


# ---- the page and the script ----

def policy(answer):
    return dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))


def test_only_named_sites_may_frame_the_page_and_no_other_page(desk):
    stranger = Device(desk, "127.0.0.9")
    answer = stranger.http("GET", "/embed")
    assert answer.status == 200 and policy(answer)["frame-ancestors"] == f"{SHOP} http://192.0.2.1:8080"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin" and answer.body.replace(b" data-embed", b"") == stranger.http("GET", "/").body
    for path in ("/", "/bind", "/embed/", "/embedx"):
        answer = stranger.http("GET", path, headers={"Accept": "text/html"})
        assert policy(answer)["frame-ancestors"] == "'none'" and answer.headers["Cross-Origin-Resource-Policy"] == "same-origin", path
    with Desk() as other:
        answer = Device(other, "127.0.0.9").http("GET", "/embed")
        assert policy(answer)["frame-ancestors"] == "'none'" and answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_the_script_is_small_and_for_any_site(desk):
    stranger = Device(desk, "127.0.0.9")
    answer = stranger.http("GET", "/embed.js")
    if answer.status == 404:
        pytest.skip("this build has no web pages")
    assert answer.headers["Content-Type"].startswith("text/javascript") and answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin" and len(answer.body) < 2048 and b"assist-support" in answer.body
    assert "access-control-allow-origin" not in answer.headers
    assert stranger.http("GET", "/embed.js", headers={"If-None-Match": answer.headers["ETag"]}).status == 304


@pytest.mark.parametrize("origins", ["*", "shop.example", "https://shop.example/", "https://shop.example; script-src *", "http://[201::1]:80", "https://a:0"])
def test_what_is_no_origin_is_refused(desk, origins):
    folder = desk.settings_folder()
    (folder / "zz.conf").write_text(f"[gateway]\nembed_origins = {origins}\n")
    done = desk.run_ctl("config", "check")
    (folder / "zz.conf").unlink()
    assert done.returncode != 0 and "embed_origins" in done.stdout + done.stderr and "https://shop.example" in done.stdout + done.stderr
