"""Somebody else's page in the browser of a member's machine: it has the member's address, and even a token and a link that it stole. It
changes nothing at the desk and reads nothing; neither from another origin, nor as evil.example after its name was pointed at the desk."""
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest

from harness import Desk, picture, until

CHROMIUM = shutil.which("chromium")
MEMBER = "127.0.0.1"        # where a browser on this machine comes from
ATTACKER = "127.0.0.5"
PAGE = (pathlib.Path(__file__).parent / "foreign.html").read_text()
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage"]

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (Debian's package chromium)")


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.member_device = desk.member(MEMBER, "mia@example.org", "Mia", "agent")
        ticket = desk.member_device.rpc("ticket.create", subject="Private words", body="x",
                                        attachments=[desk.member_device.upload("private.png", picture(1000))])
        desk.ticket = ticket["id"]
        desk.file = desk.member_device.rpc("comment.list", ticket=desk.ticket)["items"][0]["attachments"][0]["id"]
        yield desk
        desk.proof()


class Attacker:
    """Serves the page, and hears at `report` what it found. After the page was given out, with relay on, it passes everything else on to the desk: what a
    name that is pointed elsewhere comes to, as the browser and the desk see it."""

    def __init__(self, desk, address, port, target, relay):
        attacker = self
        setup = {"desk": target, "ticket": desk.ticket, "file": desk.file, "token": desk.member_device.token,
                 "link": desk.member_device.rpc("attachment.link", attachment=desk.file)["url"]}

        class Handler(http.server.BaseHTTPRequestHandler):
            def handle_one_request(self):
                try:
                    line = self.connection.recv(65536, socket.MSG_PEEK).split(b"\r\n")[0]
                except ConnectionError:
                    line = b""
                if not line:
                    self.close_connection = True
                elif line.startswith(b"GET / ") or self.server is not attacker.server or not relay:
                    super().handle_one_request()
                else:
                    attacker.passed_on += 1
                    self.close_connection = True
                    pass_on(self.connection, desk)

            def do_GET(self):
                body = PAGE.replace("SETUP", json.dumps(setup)).encode()
                self.send_response(200 if self.path == "/" else 404)
                self.send_header("Content-Type", "text/html")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self):
                attacker.found = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.found, self.passed_on = None, 0
        self.server, self.report = (http.server.ThreadingHTTPServer((address, n), Handler) for n in (port, 0))
        setup["report"] = f"http://{address}:{self.report.server_address[1]}/"
        for server in (self.server, self.report):
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self):
        for server in (self.server, self.report):
            server.shutdown()
            server.server_close()


def pass_on(client, desk):
    """One request, byte for byte, from the member's address."""
    with socket.create_connection(("127.0.0.1", desk.port), source_address=(MEMBER, 0), timeout=10) as s:
        def answers():
            try:
                while data := s.recv(65536):
                    client.sendall(data)
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

        answering = threading.Thread(target=answers)
        answering.start()
        try:
            while data := client.recv(65536):
                s.sendall(data)
            s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        answering.join()


def browse(attacker, url, *flags):
    """What the page found, in a browser of its own."""
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        browser = subprocess.Popen([CHROMIUM, *FLAGS, *flags, f"--user-data-dir={folder}", "--remote-debugging-port=0", url],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ, HOME=folder))
        try:
            until("the page tried all it could", lambda: attacker.found or browser.poll() is not None, 90)
            assert attacker.found, "chromium ended"
        finally:
            browser.terminate()
            browser.wait(30)
    return attacker.found


def state(desk):
    return desk.member_device.rpc("ticket.list")["cursor"], desk.member_device.rpc("ticket.get", ticket=desk.ticket)["ticket"]


def test_a_page_of_another_origin_changes_nothing_and_reads_nothing(desk):
    before = state(desk)
    attacker = Attacker(desk, ATTACKER, 0, f"http://{desk.address}", relay=False)
    mark = desk.log_size("gateway")
    found = browse(attacker, f"http://{ATTACKER}:{attacker.server.server_address[1]}/")
    attacker.close()
    assert found.pop("secure") and found.pop("origin").startswith(f"http://{ATTACKER}:")
    assert len(found) > 20 and {name: what for name, what in found.items() if what is not None} == {}
    assert state(desk) == before
    assert "planted" not in str(desk.member_device.rpc("ticket.list")) and "ticket.create: ok" not in desk.log("gateway")[mark:]


def test_a_name_that_was_pointed_at_the_desk_changes_nothing_and_reads_nothing(desk):
    before = state(desk)
    own = f"http://evil.example:{desk.port}"
    attacker = Attacker(desk, ATTACKER, desk.port, own, relay=True)
    found = browse(attacker, own + "/", f"--host-resolver-rules=MAP evil.example {ATTACKER}")
    attacker.close()
    assert not found.pop("secure") and found.pop("origin") == own and attacker.passed_on >= 20
    for name, what in found.items():        # it may read: that this is not its desk
        text = json.dumps(what)
        assert what is None or "Host must be this server's address" in text, (name, what)
    assert found["fetch"][0] == found["a call with a stolen token"][0] == found["fetch a link"][0] == 421
    assert state(desk) == before


def test_the_page_would_have_read_what_it_may(desk):
    """The attempts themselves work: against a desk that takes the name for its own."""
    with Desk({"gateway": {"hosts": "evil.example"}}) as own:
        own.member_device = own.member(MEMBER, "mia@example.org", "Mia", "agent")
        ticket = own.member_device.rpc("ticket.create", subject="s", body="x", attachments=[own.member_device.upload("p.png", picture(1000))])
        own.ticket = ticket["id"]
        own.file = own.member_device.rpc("comment.list", ticket=own.ticket)["items"][0]["attachments"][0]["id"]
        url = f"http://evil.example:{own.port}"
        attacker = Attacker(own, ATTACKER, own.port, url, relay=True)
        found = browse(attacker, url + "/", f"--host-resolver-rules=MAP evil.example {ATTACKER}")
        attacker.close()
        assert found["fetch"] == [200, '{"ok":true}\n'] and found["an image"] == [1, 1]
        assert found["a call with a stolen token"][0] == 200 and '"type":"' in found["a WebSocket with a stolen token"]
        assert "planted" in str(own.member_device.rpc("ticket.list"))
        assert found["a call as text"][0] == 415 and found["a WebSocket"] is None
