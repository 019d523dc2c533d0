"""Backups and restores in a bad world: a service that was taken over, a folder that was tampered with, a disk that rots or is full, a kill at any moment."""
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from harness import BIN, BUILD, Desk, picture, until


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.carl = desk.member("127.0.0.2", "carl@example.org", "Carl")
        desk.ticket = desk.carl.rpc("ticket.create", subject="Smoke", body="It comes out of tray 2.",
                                    attachments=[desk.carl.upload(f"{i}.png", picture(3000 + i)) for i in range(3)])["id"]
        yield desk
        desk.proof()


@pytest.fixture(scope="module")
def backup(desk):
    return back_up(desk)


@pytest.fixture
def bad(backup, tmp_path):
    """A copy of a backup, to be damaged."""
    shutil.copytree(backup, tmp_path / backup.name)
    return tmp_path / backup.name


@pytest.fixture
def nowhere():
    """A root where no desk is yet."""
    root = pathlib.Path(tempfile.mkdtemp(prefix="desk-", dir="/tmp"))
    yield root
    shutil.rmtree(root)


def back_up(desk, *args):
    about = desk.ctl_json("backup", *args)
    return (pathlib.Path(args[args.index("--to") + 1]) if "--to" in args else desk.root / "backups") / about["name"]


def ctl(root, *args, **environment):
    return subprocess.run([BIN / "assistctl", "--root", root, *map(str, args)], capture_output=True, text=True, timeout=20,
                          env=dict(os.environ, **environment))


def blobs(folder):
    return sorted(path for path in (folder / "blobs").rglob("*") if path.is_file())


def everything(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# ---- backup ----

def fifo(path):
    os.mkfifo(path)


def link(path):
    path.symlink_to(path.parent.parent / "store/link")


def holes(path):
    path.write_bytes(b"")
    os.truncate(path, 1 << 43)


@pytest.mark.parametrize("put", (fifo, link, holes))
def test_what_a_service_puts_in_the_place_of_its_key_is_not_waited_for_nor_taken(desk, tmp_path, put):
    key = desk.root / "keys/fanout/cursor"
    right = key.read_bytes()
    key.unlink()
    try:
        put(key)
        done = ctl(desk.root, "backup", "--to", tmp_path)
    finally:
        key.unlink()
        key.write_bytes(right)
    assert done.returncode == 1 and f"can't copy {key}" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_attachment_that_rots_in_a_backup_is_not_linked_to_by_the_next(desk, tmp_path):
    first = back_up(desk, "--to", str(tmp_path))
    rotten, sound = blobs(first)[:2]
    rotten.write_bytes(b"rot" + rotten.read_bytes()[3:])
    second = back_up(desk, "--to", str(tmp_path))
    twin = second / rotten.relative_to(first)
    assert twin.read_bytes() != rotten.read_bytes() and (second / sound.relative_to(first)).stat().st_ino == sound.stat().st_ino
    with Desk(backup=second) as other:
        other.proof()


def test_a_desk_is_backed_up_or_restored_by_one_at_a_time_wherever_to(desk, backup, tmp_path):
    lock = os.open(desk.root / "state/store", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        done = ctl(desk.root, "backup", "--to", tmp_path)
        assert done.returncode == 5 and "another backup or restore of this desk is under way" in done.stderr
    finally:
        os.close(lock)
    assert list(tmp_path.iterdir()) == []


def test_it_waits_for_the_job_that_is_under_way_also_one_that_a_killed_one_left(desk, tmp_path):
    desk.ctl("seed", "--tickets", 100)
    for job in "store.rebuild", "store.backup":
        desk.ctl("call", job)
        assert ctl(desk.root, "backup", "--to", tmp_path).returncode == 0


@pytest.mark.parametrize("before", ("store.job_get", "store.rebuild"))
@pytest.mark.parametrize("end", (signal.SIGINT, signal.SIGTERM))
def test_one_that_is_interrupted_stops_the_job_and_leaves_nothing(desk, tmp_path, end, before):
    back_up(desk)  # which waits for whatever is under way
    store = desk.processes["store"]
    desk.ctl("call", before)
    store.send_signal(signal.SIGSTOP)
    try:
        backup = subprocess.Popen([BIN / "assistctl", "--root", desk.root, "backup", "--to", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until("it is ready for signals", lambda: catches(backup.pid, end))
        backup.send_signal(end)
    finally:
        store.send_signal(signal.SIGCONT)
    said = backup.communicate(timeout=20)
    assert backup.returncode == 130 and "stopped; nothing is kept" in said[1], said
    assert list(tmp_path.iterdir()) == []
    until("store has nothing left of it", lambda: not list(desk.root.glob("state/store/backup*")))


def catches(pid, number):
    caught = next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:"))
    return int(caught.split()[1], 16) >> (number - 1) & 1


def test_settings_that_are_links_are_copied(desk, nowhere, tmp_path):
    own, kept = desk.root / "etc/assist.conf.d/test.conf", desk.root / "kept.conf"
    own.rename(kept)
    own.symlink_to(kept)
    folder = back_up(desk, "--to", str(tmp_path))
    own.unlink()
    kept.rename(own)
    assert (folder / "etc/assist.conf.d/test.conf").read_bytes() == own.read_bytes()
    assert ctl(nowhere, "restore", folder).returncode == 0
    assert (nowhere / "etc/assist.conf.d/test.conf").read_bytes() == own.read_bytes()


def test_a_desk_without_the_key_by_which_it_is_known_gives_no_backup(desk, tmp_path):
    key = desk.root / "keys/identity/project"
    right = key.read_bytes()
    key.unlink()
    try:
        done = ctl(desk.root, "backup", "--to", tmp_path)
    finally:
        key.write_bytes(right)
    assert done.returncode == 1 and f"can't copy {key}" in done.stderr and list(tmp_path.iterdir()) == []


# ---- restore: what is not a backup ----

def refused(root, folder, words):
    before = everything(root)
    done = ctl(root, "restore", folder)
    assert done.returncode == 1 and words in done.stderr and "nothing was changed" in done.stderr, (words, done.stderr)
    assert everything(root) == before


def about_change(folder, **changes):
    about = json.loads((folder / "backup.json").read_text())
    (folder / "backup.json").write_text(json.dumps({**about, **changes}))


def files_of(folder, keep=lambda file: True):
    return [file for file in json.loads((folder / "backup.json").read_text())["files"] if keep(file)]


def test_settings_and_keys_are_looked_at_before_anything_changes(nowhere, bad):
    for name in "keys/identity/project", "etc/assist.conf", "keys/store/cursor", "etc/assist.conf.d/test.conf":
        right = (bad / name).read_bytes()
        (bad / name).write_bytes(right + b"#")
        refused(nowhere, bad, f"{bad / name} is damaged")
        (bad / name).unlink()
        refused(nowhere, bad, f"{bad / name} is damaged")
        os.mkfifo(bad / name)
        refused(nowhere, bad, f"{bad / name} is damaged")
        (bad / name).unlink()
        (bad / name).write_bytes(right)
    added = bad / "etc/assist.conf.d/added.conf"
    added.write_text("[gateway]\nport = 1\n")
    refused(nowhere, bad, f"{added} is damaged")
    added.unlink()
    assert ctl(nowhere, "restore", bad).returncode == 0


def test_attachments_that_are_missing_or_lie_elsewhere_are_noticed(nowhere, bad):
    blob, right = blobs(bad)[0], blobs(bad)[0].read_bytes()
    n = len(blobs(bad))
    blob.unlink()
    refused(nowhere, bad, f"{bad}/blobs has {n - 1} attachments, and backup.json says {n}")
    for name in f"ff/{blob.name}", f"{blob.parent.name}/{blob.name.upper()}", f"{blob.parent.name}/x":
        other = bad / "blobs" / name
        other.parent.mkdir(exist_ok=True)
        other.write_bytes(right)
        refused(nowhere, bad, f"{other} is damaged")
        other.unlink()
    os.mkfifo(blob)
    refused(nowhere, bad, "can't copy")
    blob.unlink()
    shutil.move(blob.parent, bad / "there")
    blob.parent.symlink_to(bad / "there")
    refused(nowhere, bad, "can't copy")


def test_a_backup_json_that_is_wrong_is_refused(nowhere, bad):
    right = (bad / "backup.json").read_text()
    about_change(bad, version="999.1.0")
    refused(nowhere, bad, "was made by a newer version than this one")
    (bad / "backup.json").write_text(right)
    about_change(bad, files=files_of(bad, lambda file: file["name"] != "keys/identity/project"))
    refused(nowhere, bad, "keys/identity/project is damaged")
    (bad / "backup.json").write_text(right)
    about_change(bad, files=files_of(bad) + [{"name": "../../../../etc/hostname", "bytes": 1, "hash": files_of(bad)[0]["hash"]}])
    refused(nowhere, bad, "is damaged")
    for changes in {"ops": "many"}, {"ops": 1e300}, {"ops": -1}, {"files": []}, {"files": [{}]}, {"at": None}, {"attachments": 2 ** 63}:
        (bad / "backup.json").write_text(right)
        about_change(bad, **changes)
        done = ctl(nowhere, "restore", bad)
        assert done.returncode == 1, (changes, done.stderr)
    for text in "", "[" * 100000, right[:-3], "\0" * 1000:
        (bad / "backup.json").write_text(text)
        assert ctl(nowhere, "restore", bad).returncode == 1, text[:20]
    (bad / "backup.json").unlink()
    os.mkfifo(bad / "backup.json")
    assert ctl(nowhere, "restore", bad).returncode == 1
    assert not any(nowhere.iterdir())
    (bad / "backup.json").unlink()
    (bad / "backup.json").write_text(right)
    about_change(bad, name="\x1b[2J")
    done = ctl(nowhere, "restore", bad)
    assert done.returncode == 0 and "\x1b" not in done.stdout, done.stderr


def test_of_a_damaged_desk_s_backup_all_is_restored_but_what_is_damaged(desk, nowhere, tmp_path):
    blob = blobs(desk.root / "state/store")[0]
    right = blob.read_bytes()
    blob.write_bytes(b"rot" + right[3:])
    try:
        assert ctl(desk.root, "backup", "--to", tmp_path).returncode == 1
    finally:
        blob.write_bytes(right)
    folder = next(tmp_path.iterdir())
    done = ctl(nowhere, "restore", folder)
    assert done.returncode == 0 and f"{blob.name} is damaged: its bytes are not those that its name says; it is left out" in done.stderr, done.stderr
    assert {path.name for path in blobs(folder)} - {path.name for path in blobs(nowhere / "state/store")} == {blob.name}


# ---- restore: what a service that was taken over left ----

def test_what_a_service_left_in_its_folders_leads_nowhere(nowhere, backup):
    assert ctl(nowhere, "restore", backup).returncode == 0
    elsewhere = nowhere / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("precious")
    (elsewhere / "key").write_text("ab" * 32 + "\n")
    before = everything(elsewhere), os.stat(elsewhere / "key").st_uid
    (nowhere / "state/store/restored").symlink_to(elsewhere)
    shutil.rmtree(nowhere / "state/store/uploads", ignore_errors=True)
    (nowhere / "state/store/uploads").symlink_to(elsewhere)
    assert ctl(nowhere, "restore", backup, "--replace").returncode == 0
    assert (everything(elsewhere), os.stat(elsewhere / "key").st_uid) == before
    link = nowhere / "keys/store/link"
    for make in (lambda: link.symlink_to(elsewhere / "key")), (lambda: os.link(elsewhere / "key", link)):
        link.unlink()
        make()
        done = ctl(nowhere, "restore", backup, "--replace")
        if os.geteuid() == 0 and users_are_there():
            assert done.returncode == 1 and f"{link}: Too many" in done.stderr, done.stderr
        assert (everything(elsewhere), os.stat(elsewhere / "key").st_uid) == before
    link.unlink()
    assert ctl(nowhere, "restore", backup, "--replace").returncode == 0
    assert not list(nowhere.glob("state/*/restoring"))


def users_are_there():
    return subprocess.run(["getent", "passwd", "assist-store"], capture_output=True).returncode == 0


# ---- restore: killed ----

def state_of(root):
    """What of the old desk, or of the new one, is in its place."""
    return {name: (root / name).read_bytes() for name in ("state/store/store.db", "state/store/store.db-wal", "state/identity/identity.db") if (root / name).exists()}


def refuses_to_start(root, service):
    done = subprocess.run([BIN / f"assist-{service}", "--root", root], capture_output=True, text=True, timeout=20)
    return done.returncode == 75 and "a restore was not finished" in done.stdout + done.stderr


def test_one_that_is_killed_anywhere_leaves_a_desk_as_it_was_or_one_that_does_not_start_and_is_restored_again(desk, backup, nowhere):
    desk.carl.rpc("comment.add", ticket=desk.ticket, body="The newer one has this, too.")
    newer = back_up(desk)
    base = nowhere / "base"
    assert ctl(base, "restore", backup).returncode == 0
    (base / "state/store/store.db-wal").write_text("what was not taken in")
    old = state_of(base)
    new = {f"state/{service}/{service}.db": (newer / f"{service}.db").read_bytes() for service in ("store", "identity")}
    key = (base / "keys/store/instance").read_bytes()
    preload = {"LD_PRELOAD": str(BUILD / "tests/libends-at.so"), "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    seen = set()
    for at in range(1, 1000):
        root = nowhere / str(at)
        shutil.copytree(base, root)
        done = ctl(root, "restore", newer, "--replace", ASSIST_ENDS_AT=str(at), ASSIST_ENDS_BELOW=str(root), **preload)
        marked = [path.parent.name for path in root.glob("state/*/restoring")]
        seen.add(len(marked))
        if marked:
            assert all(refuses_to_start(root, service) for service in marked)
        if len(marked) < 2:
            assert state_of(root) in (old, new), at
        if done.returncode == 0:
            break
        assert done.returncode == -9, done.stderr
        again = ctl(root, "restore", newer, "--replace")
        assert again.returncode == 0, (at, again.stderr)
        assert state_of(root) == new and not list(root.glob("state/*/restor*")), at
        assert any((aside / "store.db").read_bytes() == old["state/store/store.db"] and (aside / "store.db-wal").exists()
                   for aside in root.glob("state/store/replaced-*")), at
        assert any((aside / "identity.db").read_bytes() == old["state/identity/identity.db"] for aside in root.glob("state/identity/replaced-*")), at
        assert any(path.read_bytes() == key for path in (root / "keys/store").glob("instance.replaced-*")), at
        assert len(blobs(root / "state/store")) == len(blobs(newer))
        shutil.rmtree(root)
    assert seen == {0, 1, 2} and at > 15


# ---- full and read-only disks ----

@pytest.fixture
def small():
    """A disk of 1 MB."""
    folder = tempfile.mkdtemp(prefix="small-", dir="/tmp")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], capture_output=True).returncode:
        os.rmdir(folder)
        pytest.skip("nothing may be mounted here")
    yield pathlib.Path(folder)
    subprocess.run(["umount", folder], check=True)
    os.rmdir(folder)


def test_a_full_disk_and_one_that_is_read_only_get_no_backup_and_keep_nothing_of_it(desk, small):
    before = desk.figure("store", "backup_timestamp_seconds")
    (small / "filling").write_bytes(bytes(900 * 1024))
    done = ctl(desk.root, "backup", "--to", small)
    assert done.returncode == 1 and "No space left" in done.stderr, done.stderr
    assert [path.name for path in small.iterdir()] == ["filling"] and not (desk.root / "state/store/backup").exists()
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    done = ctl(desk.root, "backup", "--to", small)
    assert done.returncode == 1 and "Read-only" in done.stderr, done.stderr
    assert desk.figure("store", "backup_timestamp_seconds") == before


def test_a_restore_to_a_disk_that_is_too_small_changes_nothing(backup, small):
    (small / "filling").write_bytes(bytes(900 * 1024))
    done = ctl(small / "desk", "restore", backup)
    assert done.returncode == 1 and "No space left" in done.stderr and "nothing was changed" in done.stderr, done.stderr
    assert everything(small / "desk") == {}
