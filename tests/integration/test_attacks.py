"""Attacks as stories: a gateway that was taken over, another user of a bound machine, another's upload. A foreign page: tests/browser."""
import hashlib
import json
import os
import shutil
import time

import msgpack
import pytest

from harness import Desk, RpcError
from sandbox import REPOSITORY, Sandbox, why_not

STALE, FORBIDDEN = 32001, 32002
WHY_NOT = why_not()
ROOT, SOMEBODY = "/var/lib/assist-demo", 12345
ENV = 'eval "$(scripts/start.sh --env)"; '


@pytest.fixture(scope="module")
def sandbox():
    """A desk whose services have users of their own."""
    if WHY_NOT:
        pytest.skip(WHY_NOT)
    sandbox = Sandbox()
    for name in ("wire.py", "gateway_double.py"):
        shutil.copy(REPOSITORY / "tests/integration" / name, sandbox.checkout)
    sandbox.must("scripts/start.sh --no-build")
    yield sandbox
    sandbox.close()


def state(sandbox):
    return sandbox.must(ENV + "assistctl --json user list; assist --from 127.0.0.3 --json ticket list")


def test_a_gateway_that_was_taken_over_can_say_nothing_in_anothers_name(sandbox):
    key = bytes.fromhex(sandbox.must(f"cat {ROOT}/keys/identity/caller"))
    admin = next(user for user in json.loads(sandbox.must(ENV + "assistctl --json user list"))["items"] if user["role"] == "admin")

    def seal(expires_at):
        """As identity makes it: the double can only have kept one that it was given."""
        text = msgpack.packb([ulid_bytes(admin["id"]), "loopback:127.0.0.4", 4, expires_at])
        return (text + hashlib.blake2b(text, digest_size=32, key=key).digest()).hex()

    now, before = int(time.time() * 1000), state(sandbox)
    seals = f"'when it was good={seal(now + 600000)}' 'when it was over={seal(now - 1)}'"
    said = json.loads(sandbox.must("setpriv --reuid assist-gateway --regid assist-gateway --init-groups --no-new-privs "
                                   f"/usr/bin/python3 -B gateway_double.py {ROOT} {seals}"))
    good = {name: code for name, code in said.items() if "when it was good" in name}
    assert set(good.values()) == {0}, "else it is not the age that is refused"
    internal = {"the log", "a rebuild", "the people", "the mails", "the mails for the operator", "a mail reported as sent",
                "a node's key"}
    for name, code in said.items():
        if name not in good:
            assert code == (FORBIDDEN if name in internal else STALE), (name, code)
    assert len(said) - len(good) == 21 and state(sandbox) == before
    assert "sound            yes" in sandbox.must(ENV + "assistctl audit verify")


def ulid_bytes(text):
    n = 0
    for c in text:
        n = n * 32 + "0123456789ABCDEFGHJKMNPQRSTVWXYZ".index(c)
    return n.to_bytes(16, "big")


def test_another_user_of_a_bound_machine_is_a_stranger(sandbox):
    secret, = sandbox.must(ENV + "find $ASSIST_STATE -name '*127.0.0.2.secret'").split()
    assert sandbox.must(f"stat -c %a {secret}") == "600\n"
    sandbox.must(f"f={secret}; while [ $f != / ]; do f=$(dirname $f); chmod o+x $f; done")      # the file must hold by itself
    home = sandbox.folder / "other"
    home.mkdir()
    os.chown(home, SOMEBODY, SOMEBODY)
    other = f"HOME={home} ASSIST_STATE={home} setpriv --reuid {SOMEBODY} --regid {SOMEBODY} --clear-groups"
    assert sandbox.must(f"head -c 1 {secret} | wc -c") == "1\n"
    assert sandbox.run(f"{other} cat {secret}").returncode != 0
    assert json.loads(sandbox.must(ENV + "assist --from 127.0.0.2 --json whoami"))["role"] == "customer"
    mine = sandbox.run(f"{ENV} {other} $(command -v assist) --from 127.0.0.2 --json ticket list")
    assert mine.returncode != 0 and mine.stdout == "" and "not bound" in mine.stderr, mine
    who = sandbox.run(f"{ENV} {other} $(command -v assist) --from 127.0.0.2 --json whoami")
    assert json.loads(who.stdout) == {"device": "loopback:127.0.0.2", "bound": False}, who
    for service in ("store", "identity", "fanout", "mycelium-supervisor"):
        assert sandbox.run(f"{other} test -w {ROOT}/run/assist-{service}/rpc.sock").returncode == 1, service


def test_an_upload_is_its_users_alone():
    with Desk() as desk:
        mine, theirs = desk.member("127.0.0.2", "carl@example.org", "Carl"), desk.member("127.0.0.3", "cora@example.org", "Cora")
        agent = desk.member("127.0.0.4", "agnes@example.org", "Agnes", "agent")
        ticket = theirs.rpc("ticket.create", subject="Hers", body="b")["id"]
        begun = mine.rpc("attachment.start", name="x", size=10)["upload"]
        whole = mine.upload("secret.txt", b"0123456789")
        for who in (theirs, agent):
            for upload in (begun, whole):
                assert who.http("HEAD", f"/attachments/{upload}").status == 404
                assert who.http("PUT", f"/attachments/{upload}", b"abcdefghij").status == 404
                assert who.http("GET", f"/attachments/{upload}").status == 404
                for method, params in (("comment.add", {"ticket": ticket, "body": "see", "attachments": [upload]}),
                                       ("ticket.create", {"subject": "s", "body": "see", "attachments": [upload]})):
                    with pytest.raises(RpcError) as refused:
                        who.rpc(method, params)
                    assert (refused.value.code, refused.value.data["field"]) == (-32602, "attachments")
                    assert "not there" in refused.value.data["reason"], "as one that never was"
                with pytest.raises(RpcError) as refused:
                    who.rpc("attachment.link", attachment=upload)
                assert refused.value.code == -32003
        assert theirs.rpc("ticket.get", ticket=ticket)["ticket"]["comments"] == 1
        assert mine.http("PUT", f"/attachments/{begun}", b"9876543210").headers["Upload-Complete"] == "true"
        added = mine.rpc("ticket.create", subject="Mine", body="see", attachments=[whole, begun])
        files = mine.rpc("comment.list", ticket=added["id"])["items"][0]["attachments"]
        assert [mine.http("GET", f"/attachments/{file['id']}").body for file in files] == [b"0123456789", b"9876543210"]
        for file in files:      # attached, it is those' who see the ticket
            assert theirs.http("GET", f"/attachments/{file['id']}").status == 404
            assert agent.http("GET", f"/attachments/{file['id']}").status == 200
        with pytest.raises(RpcError) as refused:
            mine.rpc("comment.add", ticket=added["id"], body="again", attachments=[whole])
        assert refused.value.data["field"] == "attachments", "an upload is used once"
        desk.proof()
