"""Backups of a desk at work, and desks that are made of them: on the same machine, on another, and out of what is damaged."""
import fcntl
import json
import os
import pathlib
import re
import shutil
import sqlite3
import tempfile
import threading

import pytest

from harness import BIN, Desk, Device, RpcError, picture, until


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.carl = desk.member("127.0.0.2", "carl@example.org", "Carl")
        desk.agnes = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        desk.ctl("seed", "--tickets", 60)
        desk.pictures = [picture(3000 + i) for i in range(5)]
        desk.ticket = desk.carl.rpc("ticket.create", subject="Smoke", body="It comes out of tray 2.",
                                    attachments=[desk.carl.upload(f"{i}.png", data) for i, data in enumerate(desk.pictures)])["id"]
        yield desk
        desk.proof()


def back_up(desk, *args):
    """The folder, and what backup.json says."""
    about = desk.ctl_json("backup", *args)
    into = pathlib.Path(args[args.index("--to") + 1]) if "--to" in args else desk.root / "backups"
    folder = into / about["name"]
    assert json.loads((folder / "backup.json").read_text()) == about
    return folder, about


def pictures_of(device, ticket):
    found = []
    for comment in device.rpc("comment.list", ticket=ticket)["items"]:
        for attachment in comment.get("attachments", []):
            found.append(device.http("GET", f"/attachments/{attachment['id']}").body)
    return found


def everything(folder):
    """Each file below it, and its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def inodes(folder):
    return {path.name: path.stat().st_ino for path in (folder / "blobs").rglob("*") if path.is_file()}


def copied(folder):
    """A copy of a backup, to be damaged."""
    to = pathlib.Path(tempfile.mkdtemp(prefix="damaged-", dir=folder.parent)) / folder.name
    shutil.copytree(folder, to)
    return to


@pytest.fixture(scope="module")
def backup(desk):
    return back_up(desk)[0]


# ---- making ----

def test_the_desk_works_on_while_it_is_copied(desk):
    said, over = [], threading.Event()

    def write():
        while not over.is_set():
            said.append(desk.agnes.rpc("comment.add", ticket=desk.ticket, body=f"Reply {len(said)}")["comment"]["id"])

    writer = threading.Thread(target=write)
    writer.start()
    try:
        until("somebody writes", lambda: len(said) > 5)
        first = len(said)
        folder, about = back_up(desk)
    finally:
        over.set()
        writer.join()
    with sqlite3.connect(f"file:{folder}/store.db?mode=ro", uri=True) as copy:
        assert copy.execute("SELECT max(seq), count(*) FROM op").fetchone() == (about["ops"], about["ops"])
        kept = copy.execute("SELECT count(*) FROM comment WHERE ticket = (SELECT id FROM ticket ORDER BY number DESC LIMIT 1)").fetchone()[0]
        assert first + 1 <= kept <= len(said) + 1
    copy.close()
    assert sorted(pathlib.Path(folder).iterdir()) == sorted(folder / name for name in
                                                              ("backup.json", "blobs", "etc", "identity.db", "keys", "overlay", "store.db"))
    assert about["attachments"] == len(inodes(folder)) >= len(desk.pictures)
    assert desk.figure("store", "backup_timestamp_seconds") == about["at"] // 1000 and desk.figure("store", "backup_bytes") == about["bytes"]
    assert not (desk.root / "state/store/backup/store.db").exists() and not (desk.root / "backups/.assist-backup.part").exists()


def test_it_is_for_its_owner_alone_and_holds_no_key_that_a_restore_makes_anew(desk, backup):
    for path in [backup, *backup.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path
    names = {path.name for path in (backup / "keys").rglob("*") if path.is_file()}
    assert names == {"project", "cursor"}
    for database in "identity", "store":
        with sqlite3.connect(f"file:{backup}/{database}.db?mode=ro", uri=True) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        copy.close()
    with sqlite3.connect(f"file:{desk.root}/state/identity/identity.db?mode=ro", uri=True) as live:
        key = live.execute("SELECT value FROM setting WHERE name = 'key'").fetchone()[0]
    live.close()
    private = [key] + [bytes.fromhex((desk.root / "keys/store" / name).read_text()) for name in ("instance", "caller", "link")]
    for name, data in everything(backup).items():
        assert not any(secret in data or secret.hex().encode() in data for secret in private), name


def test_they_are_listed_and_the_oldest_go_where_only_some_are_to_stay(desk, tmp_path):
    assert "There is no backup in" in desk.ctl("backup", "list", "--in", tmp_path)
    (tmp_path / "mine").mkdir()
    made = []
    for _ in range(3):
        folder, about = back_up(desk, "--to", str(tmp_path), "--keep", "2")
        made.append(about["name"])
    assert [item["name"] for item in desk.ctl_json("backup", "list", "--in", tmp_path)["items"]] == made[1:]
    text = desk.ctl("backup", "list", "--in", tmp_path)
    assert made[2] in text and made[0] not in text
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(made[1:] + ["mine"])

    # a clock was wrong once: what it made is no reason to forget the new one
    (tmp_path / made[1]).rename(tmp_path / "2031-01-01T00-00-00.000Z")
    _, about = back_up(desk, "--to", str(tmp_path), "--keep", "1")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([about["name"], "mine"])


@pytest.mark.skipif(not os.path.isdir("/dev/shm") or os.stat("/dev/shm").st_dev == os.stat("/tmp").st_dev, reason="there is one disk")
def test_on_another_disk_what_the_one_before_has_is_not_copied_again(desk):
    with tempfile.TemporaryDirectory(dir="/dev/shm") as into:
        first, _ = back_up(desk, "--to", into)
        second, _ = back_up(desk, "--to", into)
        assert inodes(first) == inodes(second) and len(inodes(first)) >= len(desk.pictures)
        assert not (desk.root / "state/store/backup/store.db").exists()
        with Desk(backup=second) as other:
            assert other.ctl_json("audit", "verify")["sound"]


def named_files(desk):
    """The files that attachments name, by their hashes."""
    with sqlite3.connect(f"file:{desk.root}/state/store/store.db?mode=ro", uri=True) as database:
        named = {blob.hex() for blob, in database.execute("SELECT blob FROM attachment WHERE blob IS NOT NULL")}
    return sorted(path for path in (desk.root / "state/store/blobs").rglob("*") if path.name in named)


def test_what_is_damaged_is_said_kept_apart_and_counts_as_none(desk):
    before = desk.figure("store", "backup_timestamp_seconds")
    missing, changed = named_files(desk)[:2]  # an invented image may be named by no ticket, and is in no backup then
    there, right = missing.read_bytes(), changed.read_bytes()
    try:
        missing.unlink()
        changed.write_bytes(right[:-1] + bytes([right[-1] ^ 1]))
        assert desk.run_ctl("backup").returncode == 1
        done = desk.run_ctl("backup")  # of several the last one is kept
    finally:
        missing.write_bytes(there)
        changed.write_bytes(right)
    assert done.returncode == 1
    assert f"{missing.name}: the file of an attachment is missing, or can't be read: No such file" in done.stderr
    assert f"{changed.name}: the file of an attachment has other bytes than were stored" in done.stderr
    damaged = [path.name for path in (desk.root / "backups").iterdir() if path.name.endswith(".damaged")]
    assert len(damaged) == 1 and damaged[0] in done.stderr
    assert f"Not whole: {desk.root}/backups/{damaged[0]}" in desk.ctl("backup", "list")
    assert damaged[0] not in [item["name"] for item in desk.ctl_json("backup", "list")["items"]]
    assert desk.figure("store", "backup_timestamp_seconds") == before


def test_one_at_a_time_and_one_that_is_killed_leaves_nothing_for_the_next(desk, tmp_path):
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    refused = desk.run_ctl("backup", "--to", tmp_path)
    assert refused.returncode == 5 and "another backup into" in refused.stderr
    os.close(lock)
    (tmp_path / ".assist-backup.part/etc").mkdir(parents=True)
    (tmp_path / "part/mine").mkdir(parents=True)
    back_up(desk, "--to", str(tmp_path))
    assert not (tmp_path / ".assist-backup.part").exists() and (tmp_path / "part/mine").exists()

    desk.ctl("call", "store.backup")
    until("it has ended", lambda: desk.ctl_json("call", "store.job_get")["state"] == "done")
    assert (desk.root / "state/store/backup/store.db").exists()
    desk.ctl("call", "identity.backup")
    for service in "store", "identity":
        assert (desk.root / f"state/{service}/backup/{service}.db").exists()
        desk.crash(service)
        assert not (desk.root / f"state/{service}/backup").exists()


def test_words_that_are_wrong_are_refused(desk, backup):
    for args in (("backup", "--keep", "0"), ("backup", "--keep"), ("backup", "now"), ("backup", "list", "--keep", "3"), ("backup", "--to", ""), ("restore",),
                 ("restore", "--quickly", backup), ("restore", backup, backup)):
        done = desk.run_ctl(*args)
        assert done.returncode == 2 and done.stderr.startswith(f"assistctl: {args[0]} "), (args, done.stderr)
    away = desk.run_ctl("backup", "--to", "/proc/none")
    assert away.returncode == 1 and "can't make /proc/none" in away.stderr


# ---- restoring ----

def test_a_desk_goes_back_and_what_was_there_is_set_aside(desk):
    folder, about = back_up(desk)
    key = (desk.root / "keys/store/instance").read_bytes()
    project = (desk.root / "keys/identity/project").read_bytes()
    lost = desk.carl.rpc("ticket.create", subject="Of the lost future", body="It never was.")
    running = desk.run_ctl("restore", folder)
    assert running.returncode == 5 and "is running: stop the desk first" in running.stderr
    for service in reversed(desk.services):
        desk.terminate(service)
    refused = desk.run_ctl("restore", folder)
    assert refused.returncode == 5 and "with --replace it, and what belongs to it, is set aside" in refused.stderr

    said = desk.ctl("restore", folder.name, "--replace")  # as `backup list` has it
    assert f"Restored {about['ops']} ops and {about['attachments']} attachments of {about['name']}." in said
    aside = list((desk.root / "state/store").glob("replaced-*"))
    assert f" and {aside[0]}: remove it once all is well." in said and "Next: start its services." in said
    assert len(aside) == 1 and (aside[0] / "store.db").exists() and (aside[0] / "blobs").is_dir()
    assert len(list((desk.root / "state/identity").glob("replaced-*/identity.db"))) == 1
    assert (desk.root / "keys/store" / f"instance.{aside[0].name}").read_bytes() == key != (desk.root / "keys/store/instance").read_bytes()
    assert (desk.root / "keys/identity/project").read_bytes() == project

    desk.start()
    answer = desk.carl.http("POST", "/rpc", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ticket.list", "params": {}}))
    assert answer.json["error"]["code"] == -32001, answer.body
    for device in desk.carl, desk.agnes:
        device.open()
        until("the store knows them", device.is_known)
    assert sorted(pictures_of(desk.carl, desk.ticket)) == sorted(desk.pictures)
    with pytest.raises(RpcError) as gone:
        desk.carl.rpc("ticket.get", ticket=lost["id"])
    assert gone.value.code == -32003
    again = desk.carl.rpc("ticket.create", subject="Of the new one", body="Here it goes on.")
    assert again["number"] == lost["number"]
    desk.proof()
    back_up(desk)


def test_a_desk_moves_to_another_machine(desk, backup):
    with Desk(backup=backup) as other:
        assert (other.root / "keys/identity/project").read_bytes() == (desk.root / "keys/identity/project").read_bytes()
        for name in "instance", "caller", "link":
            assert (other.root / "keys/store" / name).read_bytes() != (desk.root / "keys/store" / name).read_bytes()
        carl = Device(other, "127.0.0.2", desk.carl.secret)
        carl.open()
        until("the store knows him", carl.is_known)
        assert carl.user == desk.carl.user
        assert sorted(pictures_of(carl, desk.ticket)) == sorted(desk.pictures)
        carl.rpc("comment.add", ticket=desk.ticket, body="We have moved.")
        assert len(other.ctl_json("user", "list")["items"]) == len(desk.ctl_json("user", "list")["items"])
        carl.close()
        other.proof()


def test_a_damaged_backup_changes_nothing(desk, backup):
    with Desk() as other:
        root = other.root
        for service in reversed(other.services):
            other.terminate(service)
        shutil.rmtree(root / "keys")
        for service in "store", "identity":
            shutil.rmtree(root / "state" / service)
        before = everything(root)

        def refused(of, words, status=1):
            done = other.run_ctl("restore", of)
            assert done.returncode == status and words in done.stderr, (words, done.stderr)
            assert everything(root) == before

        bad = copied(backup)
        blob = next(path for path in sorted((bad / "blobs").rglob("*")) if path.is_file())
        right = blob.read_bytes()
        blob.write_bytes(right[1:])
        refused(bad, f"{blob} is damaged")
        blob.write_bytes(right)
        for name in "store.db", "identity.db":
            data = (bad / name).read_bytes()
            (bad / name).write_bytes(data[:-1])
            refused(bad, f"{bad / name} is damaged: it is not what the backup's backup.json says")
            (bad / name).unlink()
            refused(bad, f"can't copy {bad / name}: No such file")
            (bad / name).write_bytes(data)
        about = (bad / "backup.json").read_text()
        (bad / "backup.json").write_text(about[:-20])
        refused(bad, f"{bad}/backup.json is damaged: it is not what a backup has there")
        (bad / "backup.json").unlink()
        refused(bad, "is no backup: it has no backup.json", 3)
        refused(bad / "nowhere", f"there is no {bad}/nowhere; `assistctl backup list` has the folders", 3)
        (bad / "backup.json").write_text(about)
        (root / "keys/identity").mkdir(parents=True)
        (root / "keys/identity/project").write_text("0" * 64 + "\n")
        before = everything(root)
        refused(bad, "the keys here are another desk's", 5)
        shutil.rmtree(root / "keys")
        other.ctl("restore", bad)
        other.start()
        other.proof()
        shutil.rmtree(bad.parent)


def test_settings_and_keys_that_are_here_stay_and_that_is_said(desk, backup):
    with Desk(backup=backup) as other:
        for service in reversed(other.services):
            other.terminate(service)
        own = other.root / "etc/assist.conf.d/test.conf"
        text = own.read_text()
        caller = (other.root / "keys/store/caller").read_bytes()
        done = other.run_ctl("restore", backup, "--replace")
        assert done.returncode == 0 and f"{own} stays as it is; the backup has another in etc/assist.conf.d/test.conf" in done.stderr
        assert own.read_text() == text and (other.root / "keys/store/caller").read_bytes() == caller
        other.start()
        assert re.search("sound +yes", other.ctl("audit", "verify"))
