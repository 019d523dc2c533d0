"""The main job of a desk, typed: assist for those who use it, assistctl for its operator."""
import contextlib
import http.server
import json
import os
import re
import subprocess
import threading

import pytest

from harness import BIN, SERVICES, Desk, base64url, code_of, picture, ulid, until

CUSTOMER, AGENT, STRANGER = "127.0.0.2", "127.0.0.3", "127.0.0.4"
FAILED, USAGE, NOT_THERE, NOT_ALLOWED, CONFLICT, AWAY = 1, 2, 3, 4, 5, 6


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.user("linus@example.org", "Linus")
        desk.user("ann@example.org", "Ann", "agent")
        yield desk


@pytest.fixture(scope="module")
def people(desk):
    """Both enrol, each with the newest mail."""
    for address, email, name in ((CUSTOMER, "linus@example.org", "Linus"), (AGENT, "ann@example.org", "Ann")):
        told = desk.assist(address, "enroll", email, "--label", "My machine", json_output=False)
        assert "15 minutes" in told
        # Linus is also told that his device is bound, as soon as that is sent
        mail = until("the mail is there", lambda: (mail := desk.run_ctl("mail", "show", "last").stdout) and f"To: <{email}>" in mail and mail)
        assert "My machine" in mail
        assert desk.assist(address, "enroll", "--code", code_of(mail), json_output=False) == f"This device is bound. Welcome, {name}.\n"
        device = desk.device(address)
        assert desk.assist(address, "whoami") == {"device": f"loopback:{address}", "bound": True, "user": device.user,
                                                  "role": "agent" if address == AGENT else "customer", "name": name}
    return desk


class Watch:
    """assist watch in a terminal of its own, until so many events have come."""

    def __init__(self, desk, device, count, *args):
        desk.heard_all()
        self.process = subprocess.Popen([BIN / "assist", "--project", desk.address, "--from", device, "--json", "watch",
                                         "--count", str(count), *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=dict(os.environ, XDG_STATE_HOME=str(desk.root / "home")))
        assert self.process.stderr.readline() == "watching; Ctrl-C ends it\n"

    def events(self):
        try:
            out, errors = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"watch did not end: {self.process.communicate()}")
        assert self.process.returncode == 0, errors
        return [json.loads(line) for line in out.splitlines()]


def comments(shown):
    return [comment["body"] for comment in shown["comments"]]


def test_a_customer_asks_the_agent_answers_and_both_watch(people, tmp_path):
    desk = people
    file = tmp_path / "a picture.png"
    file.write_bytes(picture(3 * 1024 * 1024))
    at_agent = Watch(desk, AGENT, 2)
    filed = desk.assist(CUSTOMER, "ticket", "new", "The printer burns", "Since this morning.", "--attach", file)
    number = filed["number"]
    created, question = at_agent.events()
    assert created["type"] == "ticket.created" and created["data"]["ticket"]["subject"] == "The printer burns"
    assert question["type"] == "comment.added" and question["data"]["comment"]["body"] == "Since this morning."
    attachment = question["data"]["comment"]["attachments"][0]
    assert (attachment["name"], attachment["size"], attachment["type"]) == ("a picture.png", file.stat().st_size, "image/png")

    listed = desk.assist(AGENT, "ticket", "list", "--state", "new")["items"]
    assert [ticket["number"] for ticket in listed] == [number]
    at_customer = Watch(desk, CUSTOMER, 2, "--cursor", filed["cursor"])
    desk.assist(AGENT, "ticket", "note", number, "They say this every week.")
    assert desk.assist(AGENT, "ticket", "reply", number, "Turn it off.", "--state", "pending", json_output=False) == "Your reply is there.\n"
    answer, change = at_customer.events()
    assert (answer["type"], answer["data"]["comment"]["body"]) == ("comment.added", "Turn it off.")
    assert (change["type"], change["data"]) == ("ticket.changed", {"ticket": filed["id"], "state": "pending"})

    copy = tmp_path / "copy.png"
    desk.assist(AGENT, "attachment", "get", attachment["id"], "-o", copy, json_output=False)
    assert copy.read_bytes() == file.read_bytes()

    for_agent, for_customer = desk.assist(AGENT, "ticket", "show", number), desk.assist(CUSTOMER, "ticket", "show", number)
    assert comments(for_agent) == comments(for_customer) == ["Since this morning.", "Turn it off."]
    assert [note["body"] for note in for_agent["notes"]] == ["They say this every week."]
    assert for_customer["notes"] == [] and "notes" not in for_customer["ticket"]
    assert desk.assist(CUSTOMER, "ticket", "close", number, json_output=False) == f"Ticket #{number} is closed.\n"
    assert desk.assist(AGENT, "ticket", "show", number)["ticket"]["state"] == "closed"
    desk.proof()


def test_on_a_terminal_it_is_read_by_people(people):
    desk = people
    number = desk.assist(CUSTOMER, "ticket", "new", "Ünïcode & <b>", "One\nTwo")["number"]
    desk.assist(AGENT, "ticket", "note", f"#{number}", "between us")
    shown = desk.assist(AGENT, "ticket", "show", number, json_output=False)
    assert shown.startswith(f"#{number}  Ünïcode & <b>\nnew, normal, from Linus\n")
    assert "\nLinus, just now\n  One\n  Two\n" in shown and "\n[internal note] Ann, just now\n  between us\n" in shown
    assert "between us" not in desk.assist(CUSTOMER, "ticket", "show", number, json_output=False)
    line = next(line for line in desk.assist(AGENT, "ticket", "list", json_output=False).splitlines() if line.split()[0] == str(number))
    assert line.split()[1:4] == ["new", "normal", "Linus"] and line.endswith("Ünïcode & <b>")


def test_words_come_from_a_pipe_and_files_by_attach(people, tmp_path):
    desk = people
    filed = desk.run_assist(CUSTOMER, "--json", "ticket", "new", "Piped", input="the body\nof it\n")
    assert filed.returncode == 0, filed.stderr
    number = json.loads(filed.stdout)["number"]
    (tmp_path / "trace.log").write_text("line\n")
    (tmp_path / "more.log").write_text("more\n")
    desk.assist(CUSTOMER, "attach", number, tmp_path / "trace.log", tmp_path / "more.log", "--body", "Both of them")
    shown = desk.assist(AGENT, "ticket", "show", number)
    assert comments(shown) == ["the body\nof it", "Both of them"]
    assert [(file["name"], file["type"]) for file in shown["comments"][1]["attachments"]] == [("trace.log", "text/plain"), ("more.log", "text/plain")]
    piped = desk.run_assist(AGENT, "attachment", "get", shown["comments"][1]["attachments"][0]["id"])
    assert (piped.returncode, piped.stdout) == (0, "line\n")


def test_exit_codes_say_what_went_wrong_and_messages_what_to_do(people, tmp_path):
    desk = people
    number = desk.assist(CUSTOMER, "ticket", "new", "For errors", "x")["number"]
    ticket = desk.assist(AGENT, "ticket", "show", number)["ticket"]["id"]
    for device, args, status, message in (
            (CUSTOMER, ["ticket", "show", "9999"], NOT_THERE, "no such thing, or it is not yours to see"),
            (CUSTOMER, ["ticket", "note", number, "x"], NOT_ALLOWED, "you may not do that"),
            (STRANGER, ["ticket", "list"], NOT_ALLOWED, "bind it: assist enroll YOUR@EMAIL"),
            (STRANGER, ["enroll", "--code", "00000000"], NOT_THERE, "ask for a new one"),
            (CUSTOMER, ["ticket", "list", "--sate", "new"], USAGE, "there is no --sate"),
            (CUSTOMER, ["ticket", "list", "--state", "neww"], USAGE, "must be one of new, open"),
            (CUSTOMER, ["ticket", "show", "seven"], USAGE, "write its number"),
            (CUSTOMER, ["tocket"], USAGE, "usage: assist"),
            (CUSTOMER, ["call", "ticket.got"], USAGE, "`assist methods` has their names"),
            (CUSTOMER, ["attachment", "get", ulid(), "-o", tmp_path / "none"], NOT_THERE, "not yours to see"),
            (AGENT, ["call", "comment.add", "--ticket", ticket, "--body", "x", "--seen-comment", ulid()], CONFLICT, "what is newer"),
    ):
        done = desk.run_assist(device, *args)
        assert (done.returncode, done.stdout) == (status, ""), (args, done)
        assert message in done.stderr, (args, done.stderr)
    assert not (tmp_path / "none").exists()


def test_help_has_every_command_and_completion_is_bash(desk):
    done = desk.run_assist(CUSTOMER, "--help")
    assert done.returncode == 0
    for command in ("enroll", "whoami", "ticket new", "ticket list", "ticket show", "ticket reply", "ticket note", "ticket close", "search", "attach",
                    "attachment get", "watch", "call", "methods", "completion"):
        assert f"\n  {command} " in done.stdout
        help = desk.run_assist(CUSTOMER, *command.split(), "--help")
        assert help.returncode == 0 and help.stdout.startswith(f"usage: assist {command}"), (command, help)
    methods = desk.run_assist(CUSTOMER, "methods").stdout
    for line in methods.splitlines():
        help = desk.run_assist(CUSTOMER, "call", line.split()[0], "--help")
        assert help.returncode == 0 and help.stdout.startswith(f"usage: assist call {line.split()[0]} "), help

    script = desk.run_assist(CUSTOMER, "completion", "bash").stdout
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    completed = subprocess.run(["bash", "-c", script + """
        complete_word() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _assist; echo "${COMPREPLY[*]}"; }
        complete_word assist tick; complete_word assist ticket re; complete_word assist call ticket.c; complete_word assist call ticket.create --sub"""],
                               capture_output=True, text=True)
    assert completed.stdout.splitlines() == ["ticket", "reply", "ticket.create", "--subject"], completed


def test_the_operator_sees_and_changes_who_may_in(people):
    desk = people
    assert [user["email"] for user in desk.ctl_json("user", "list")["items"]] == ["linus@example.org", "ann@example.org"]
    again = desk.run_ctl("user", "add", "Linus@Example.org", "--name", "Twice")
    assert again.returncode == CONFLICT and again.stderr
    device = desk.member("127.0.0.5", "eve@example.org", "Eve")
    assert device.rpc("ticket.list")["items"] == []
    desk.ctl("user", "disable", "eve@example.org")
    done = desk.run_assist("127.0.0.5", "ticket", "list")
    assert done.returncode == NOT_ALLOWED, done
    desk.ctl("user", "enable", "eve@example.org")
    assert desk.assist("127.0.0.5", "ticket", "list")["items"] == []
    [bound] = desk.ctl_json("device", "list", "eve@example.org")["items"]
    assert bound["address"] == "loopback:127.0.0.5"
    desk.ctl("device", "revoke", bound["id"])
    assert desk.run_assist("127.0.0.5", "ticket", "list").returncode == NOT_ALLOWED
    desk.ctl("project", "set", "The printers")
    assert desk.assist(CUSTOMER, "call", "project.info")["name"] == "The printers"
    assert {name for name, process in desk.processes_told().items() if process["up"]} == set(SERVICES)
    lines = desk.ctl("status").splitlines()
    assert len(lines) == len(SERVICES) and all(re.fullmatch(r"assist-\S+ +since \d{4}-\d\d-\d\d \d\d:\d\d  \S.*", line) for line in lines), lines
    assert "are good" in desk.ctl("config", "check")
    (desk.root / "etc/assist.conf.d/wrong.conf").write_text("[gateway]\nprot = 1\n")
    wrong = desk.run_ctl("config", "check")
    assert wrong.returncode == FAILED and "wrong.conf:2: gateway.prot: there is no such key; the nearest is port in [gateway]" in wrong.stderr
    (desk.root / "etc/assist.conf.d/wrong.conf").unlink()
    desk.proof()


def test_a_desk_that_is_away_is_said_to_be(people):
    desk = people
    desk.terminate("gateway")
    done = desk.run_assist(CUSTOMER, "ticket", "list")
    assert done.returncode == AWAY
    assert re.fullmatch(r"assist: \S+ does not answer; trying again for 18 s\nassist: .*; try again in a while\n", done.stderr)
    desk.start("gateway")
    assert desk.run_assist(CUSTOMER, "ticket", "list").returncode == 0
    desk.terminate("fanout")
    away = desk.run_ctl("status")
    assert away.returncode == AWAY and re.search(r"^assist-fanout +does not answer$", away.stdout, re.MULTILINE)
    desk.start("fanout")
    desk.proof()


class Relay(http.server.BaseHTTPRequestHandler):
    """A desk that passes on another one's nonce: it names that one's address, not its own."""
    server_name = "127.0.0.9"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        body = json.dumps({"nonce": base64url(os.urandom(56)), "project": base64url(os.urandom(32)), "server": self.server_name,
                           "device": f"loopback:{CUSTOMER}"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Liar(http.server.BaseHTTPRequestHandler):
    """A desk that answers everything with an error of its own making."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": self.server.code, "message": "so there"}}).encode()
        self.send_response(503 if self.server.code == 503 else 400)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After", "18446744073709551615")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served_by(handler):
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def whoami(server, state):
    return subprocess.run([BIN / "assist", "--project", f"127.0.0.1:{server.server_port}", "--from", CUSTOMER, "whoami"],
                          capture_output=True, text=True, timeout=60, env=dict(os.environ, XDG_STATE_HOME=str(state)))


def test_an_error_is_an_error_whatever_its_code(tmp_path):
    with served_by(Liar) as server:
        for server.code in (0, 1, -1, 2**32, -2**32, 2**53 - 1, 503):
            done = whoami(server, tmp_path)
            assert done.returncode == 1 and done.stderr == "assist: so there\n"


def test_a_desk_that_says_it_is_at_another_address_gets_no_proof(tmp_path):
    with served_by(Relay) as server:
        server.asked = []
        done = whoami(server, tmp_path)
    assert done.returncode != 0 and "another address" in done.stderr
    assert server.asked == ["/session/nonce"]
    assert not list(tmp_path.rglob("*_*"))          # nor is its key kept
