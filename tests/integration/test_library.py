"""libassist as others get it: installed in a prefix of its own, its example built against that alone, and run at a real desk."""
import os
import pathlib
import re
import shutil
import socket
import subprocess

import pytest

from harness import BUILD, Desk, free_port, until
from program import Program

AGENT = "127.0.0.3"
SANITIZED = "ASSIST_SANITIZE:BOOL=ON" in (BUILD / "CMakeCache.txt").read_text()
FLAGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"] + ["-fsanitize=address,undefined"] * SANITIZED


def run(*command, **environment):
    done = subprocess.run(command, capture_output=True, text=True, env=dict(os.environ, **environment))
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--component", "libassist-dev", "--prefix", prefix)
    return prefix


def found(prefix, *kinds):
    [folder] = {path.parent for path in prefix.rglob("assist.pc")}
    return run("pkg-config", *kinds, "assist", PKG_CONFIG_PATH=str(folder)).split()


def built(source, prefix, tmp_path, *libraries):
    program = tmp_path / source.stem
    run("cc", "-std=c11", *FLAGS, "-o", program, source, *found(prefix, "--cflags"), *libraries)
    return program


def example(prefix):
    [source] = prefix.rglob("follow.c")
    return source


def environment(prefix, desk):
    return {"XDG_STATE_HOME": str(desk.root / "home"), "LD_LIBRARY_PATH": str(next(prefix.rglob("libassist.so")).parent)}


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.member("127.0.0.2", "carl@example.org", "Carl")
        desk.member(AGENT, "agnes@example.org", "Agnes", "agent")
        yield desk


class Follow(Program):
    def __init__(self, program, prefix, desk, *cursor):
        super().__init__([program, desk.address, AGENT, *cursor], environment(prefix, desk))

    def cursor(self):
        """It ends when its input does, and says where to go on from."""
        self.process.stdin.close()
        assert self.ended() == 0, self.said
        return re.fullmatch(r"go on from (\S+)", self.out[-1])[1]


def write(desk, ticket, body):
    desk.devices["127.0.0.2"].rpc("comment.add", ticket=ticket, body=body)


def test_the_example_follows_a_desk_through_a_crash_and_goes_on_where_it_was(desk, prefix, tmp_path):
    program = built(example(prefix), prefix, tmp_path, *found(prefix, "--libs"))
    first = Follow(program, prefix, desk)
    first.until_said("connected")
    assert re.fullmatch(r".*, version \S+", first.said[0])
    ticket = desk.devices["127.0.0.2"].rpc("ticket.create", subject="The printer burns", body="Since noon.")
    first.until_said(f"#{ticket['number']} is new: The printer burns")
    first.until_said("somebody wrote: Since noon.")
    desk.crash("gateway")
    until("a session", lambda: desk.devices["127.0.0.2"].open())
    first.until_said("connecting again")
    write(desk, ticket["id"], "It still does.")
    first.until_said("somebody wrote: It still does.")
    cursor = first.cursor()
    write(desk, ticket["id"], "Nobody looks.")
    second = Follow(program, prefix, desk, cursor)
    second.until_said("somebody wrote: Nobody looks.")
    assert second.cursor() != cursor
    assert sum("wrote" in line for line in first.said + second.said) == 3


def test_many_desks_are_followed_by_one_thread_and_none_waits_for_another(desk, prefix, tmp_path):
    program = built(pathlib.Path(__file__).with_name("many_desks.c"), prefix, tmp_path, *found(prefix, "--libs"))
    with socket.create_server(("127.0.0.1", 0)) as silent, Desk() as other:
        other.member("127.0.0.2", "carl@example.org", "Carl")
        shutil.copytree(other.secrets(), desk.secrets(), dirs_exist_ok=True)
        nowhere = "127.0.0.1:%d" % free_port()
        follow = Program([program, "127.0.0.2", "127.0.0.1:%d" % silent.getsockname()[1], desk.address, nowhere, other.address],
                         environment(prefix, desk))
        for number in (1, 3):
            follow.until_said(f"{number}: connected")
        follow.until_said("2: no desk answers")
        for each in (desk, other):
            each.devices["127.0.0.2"].rpc("ticket.create", subject="It burns", body="x")
        for number in (1, 3):
            follow.until_said(f"{number}: ticket.created")
        assert not any(line.startswith("0:") for line in follow.said)      # it still waits for an answer, alone
        other.crash("gateway")
        follow.until_said("3: connected", times=2)
        follow.process.stdin.close()
        assert follow.ended() == 0, follow.said
        assert not any(line.startswith("1:") and "broke" in line for line in follow.said)


def test_the_archive_needs_only_what_it_names(desk, prefix, tmp_path):
    [archive] = prefix.rglob("libassist.a")
    needs = [flag for flag in found(prefix, "--libs", "--static") if flag in ("-lcurl", "-lsodium", "-lyajl", "-lwslay")]
    follow = Follow(built(example(prefix), prefix, tmp_path, archive, *needs), prefix, desk)
    assert len(set(needs)) == 4
    follow.until_said("connected")
    assert follow.cursor()


def test_nothing_is_seen_but_what_the_headers_say(prefix):
    headers = "".join(path.read_text() for path in prefix.rglob("*.h"))
    shared = run("nm", "-D", "--defined-only", next(prefix.rglob("libassist.so")))
    archive = run("nm", "--extern-only", "--defined-only", next(prefix.rglob("libassist.a")))
    for symbols in (shared, archive):
        names = {line.split()[2] for line in symbols.splitlines() if len(line.split()) == 3}
        declared = {name for name in re.findall(r"\b(assist_\w+)\(", headers)}
        assert declared <= names
        assert not {name for name in names if not re.search(rf"\b{name}\b", headers)} - {
            name for name in names if name.startswith("schema_")}        # tables of tables, and of types written in place
