"""Every public method, with every role and none, and with every parameter wrong in every way its schema knows. Made from rpc.discover,
so a new method is in it by itself."""
import pytest
from discover import Discovery
from harness import Desk, Device, RpcError, ulid

RANKS = ["anyone", "stranger", "customer", "agent", "admin"]
INVALID, UNAUTHENTICATED, FORBIDDEN, NOT_FOUND = -32602, -32001, -32002, -32003


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.roles = {
            "customer": desk.member("127.0.0.2", "carl@example.org", "Carl"),
            "agent": desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent"),
            "admin": desk.member("127.0.0.4", "ada@example.org", "Ada", "admin"),
            "stranger": Device(desk, "127.0.0.5"),
        }
        desk.roles["stranger"].open()
        desk.discovery = Discovery(desk.roles["admin"].rpc("rpc.discover"))
        yield desk
        desk.proof()


def answer(device, method, params):
    """The error's code, 0 for a result, which must be as promised."""
    try:
        result = device.rpc(method["name"], params)
    except RpcError as error:
        return error.code, error.data
    if method["name"] != "rpc.discover":
        device.desk.discovery.check(method["result"]["schema"], result)
    return 0, result


def test_every_method_answers_each_role_as_its_schema_says(desk):
    tried = 0
    for method in desk.discovery.methods.values():
        needs = RANKS.index(method["x-role"])
        for role, device in desk.roles.items():
            params = desk.discovery.params(method)
            code, data = answer(device, method, params)
            has = RANKS.index(role)
            if has >= needs:
                assert code != FORBIDDEN or "author" in str(data), f"{method['name']} as {role}: {code} {data}"
                assert code != UNAUTHENTICATED, f"{method['name']} as {role}: {code} {data}"
            elif role == "stranger":
                assert code == UNAUTHENTICATED, f"{method['name']} as {role}: {code} {data}"
            else:
                assert code == FORBIDDEN, f"{method['name']} as {role}: {code} {data}"
            tried += 1
    assert tried >= 4 * 25


def test_without_a_token_nothing_is_answered(desk):
    nobody = Device(desk, "127.0.0.6")
    for method in desk.discovery.methods.values():
        with pytest.raises(RpcError) as failed:
            nobody.rpc(method["name"], desk.discovery.params(method))
        assert failed.value.code == UNAUTHENTICATED, method["name"]


def test_a_token_is_good_from_its_own_device_only(desk):
    thief = Device(desk, "127.0.0.7")
    thief.token = desk.roles["agent"].token
    with pytest.raises(RpcError) as failed:
        thief.rpc("ticket.list")
    assert failed.value.code == UNAUTHENTICATED


def test_every_parameter_that_does_not_fit_is_named(desk):
    admin, tried = desk.roles["admin"], 0
    for method in desk.discovery.methods.values():
        fitting = desk.discovery.params(method)
        for param in method["params"]:
            wrongs = list(desk.discovery.misfits(param["schema"]))
            if param["required"]:
                wrongs.append((None, "null"))
            for value, why in wrongs:
                code, data = answer(admin, method, {**fitting, param["name"]: value})
                where = f"{method['name']} {param['name']}={str(value)[:40]!r} ({why})"
                assert code == INVALID, f"{where}: {code} {data}"
                assert data["field"].split("[")[0].split(".")[0] == param["name"], f"{where}: names {data['field']!r}"
                assert data["reason"], where
                tried += 1
            if param["required"]:
                code, data = answer(admin, method, {name: fitting[name] for name in fitting if name != param["name"]})
                assert (code, data.get("field")) == (INVALID, param["name"]), f"{method['name']} without {param['name']}: {code} {data}"
                tried += 1
    assert tried > 500


def test_an_internal_note_is_nowhere_for_its_customer(desk):
    customer, agent = desk.roles["customer"], desk.roles["agent"]
    live = customer.live()
    ticket = customer.rpc("ticket.create", subject="Notes", body="Please help")
    before = customer.rpc("ticket.get", ticket=ticket["id"])
    upload = agent.upload("plan.txt", b"unspeakable file")
    note = agent.rpc("note.add", ticket=ticket["id"], body="unspeakable words", attachments=[upload])["comment"]
    known = {"ticket": ticket["id"], "comment": note["id"], "attachment": upload, "upload": upload, "number": ticket["number"],
             "user": agent.user, "cursor": before["cursor"]}
    for method in desk.discovery.methods.values():
        if method["name"] in ("enroll.start", "enroll.redeem", "rpc.discover"):
            continue
        for name, value in known.items():
            params = desk.discovery.params(method)
            params.update({key: known[key] for key in params if key in known})
            if any(param["name"] == name for param in method["params"]):
                params[name] = value
            if method["name"] == "ticket.get":
                params = {name: value} if name in ("ticket", "number") else {"ticket": ticket["id"]}
            code, data = answer(customer, method, params)
            assert "unspeakable" not in str(data) and "plan.txt" not in str(data), f"{method['name']} {params}: {data}"
            if params.get("comment") == note["id"] or params.get("attachment") == upload:
                assert code in (NOT_FOUND, FORBIDDEN), f"{method['name']} {params}: {code}"
            if params.get("comment") == note["id"] and code == NOT_FOUND:  # the same as for what was never there
                assert answer(customer, method, {**params, "comment": ulid()})[1].get("reason") == data.get("reason")
    for path in (f"/attachments/{upload}", f"/attachments/{note['id']}"):
        there, nowhere = customer.http("GET", path), customer.http("GET", f"/attachments/{ulid()}")
        assert (there.status, len(there.body)) == (nowhere.status, len(nowhere.body))
    link = agent.rpc("attachment.link", attachment=upload)["url"]
    assert customer.http("GET", link, headers={"Authorization": None}).status == 404
    assert agent.http("GET", link, headers={"Authorization": None}).body == b"unspeakable file"
    after = customer.rpc("ticket.get", ticket=ticket["id"])["ticket"]
    mine = {key: after[key] for key in ("comments", "changed_at", "newest_comment")}
    assert "notes" not in after and mine["newest_comment"] is not None
    agent.rpc("comment.add", ticket=ticket["id"], body="the end")
    while live.next("comment.added")["data"]["comment"]["body"] != "the end":
        pass
    assert "unspeakable" not in str(live.events) and "note.added" not in live.kinds()


def test_a_stranger_learns_the_desks_name_and_no_more(desk):
    stranger = desk.roles["stranger"]
    assert set(stranger.rpc("project.info")) == {"key", "name", "version"}
    with pytest.raises(RpcError) as failed:
        stranger.rpc("person.list")
    assert failed.value.code == UNAUTHENTICATED
