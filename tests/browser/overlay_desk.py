"""A desk as its people reach it: at an address of an overlay, each device in a network of its own. Run by harness.mjs, which says what
to do: a JSON line {"id", "call", "args"} in, a line {"id", "value"} or {"id", "error"} out.

This process has a network where all cables end, and where devices without a browser are; the desk's services have one, and so has each browser.
Addresses are yggdrasil's, because a browser trusts 127.x.y.z more than it trusts people's; the node is played, and the cables are plain ones."""
import http.server
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "integration"))
from harness import BIN, Desk, until  # noqa: E402

OWN, NETWORK, PEER = "200:de5c::1", "300:de5c::/64", "200:{:x}::1"
TUN = "ygg0"


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


class Namespace:
    """A network of its own, on a cable to ours."""

    made = 0

    def __init__(self, address, interface):
        Namespace.made += 1
        self.address, self.cable = address, f"cable{Namespace.made}"
        self.holder = subprocess.Popen(["unshare", "--net", "bash", "-c", "echo; exec sleep infinity"], stdout=subprocess.PIPE)
        self.holder.stdout.readline()
        # an address that becomes good later would be a change of the network, which ends what a browser is loading
        run(*self.command("sh", "-c", "for where in all default; do echo 0 >/proc/sys/net/ipv6/conf/$where/accept_dad; done"))
        run("ip", "link", "add", self.cable, "type", "veth", "peer", "name", interface, "netns", str(self.holder.pid))
        run("ip", "link", "set", self.cable, "master", "hub", "up")
        for what in (["link", "set", "lo", "up"], ["address", "add", f"{address}/7", "dev", interface, "nodad"], ["link", "set", interface, "up"]):
            run(*self.command("ip", *what))
        until("the cable is plugged in", lambda: "LOWER_UP" in run(*self.command("ip", "link", "show", interface)))

    def command(self, *command):
        return ["nsenter", "--target", str(self.holder.pid), "--net", "--", *map(str, command)]

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()


class Node:
    """What a yggdrasil daemon says at its admin socket."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.answer, daemon=True).start()

    def answer(self):
        while True:
            client, _ = self.listener.accept()
            with client:
                asked = client.recv(4096)
                if not asked:
                    continue
                response = {"key": "de" * 32, "address": OWN, "subnet": NETWORK}
                if json.loads(asked)["request"] == "getpeers":
                    response = {"peers": [{"up": True}]}
                client.sendall(json.dumps({"status": "success", "response": response}).encode())


class OverlayDesk(Desk):
    host, driver = OWN, "yggdrasil"

    def __init__(self, settings):
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "hub", "type", "bridge", "mcast_snooping", "0")
        run("ip", "link", "set", "hub", "up")
        self.namespace = Namespace(OWN, TUN)
        self.browsers, self.peers = {}, 0
        self.own = self.peer()
        self.join(self.own)
        super().__init__(settings)
        self.address = f"[{OWN}]:{self.port}"
        self.node = Node(self.root / "node.sock")

    def configure(self, settings=None):
        overlay = {"driver": "yggdrasil", "admin": f"unix://{self.root}/node.sock"}
        super().configure({**(settings or {}), "overlay": overlay})

    def service_command(self, service):
        return self.namespace.command(*super().service_command(service))

    def peer(self):
        self.peers += 1
        return PEER.format(self.peers)

    def join(self, address):
        run("ip", "address", "add", f"{address}/7", "dev", "hub", "nodad")

    # ---- what harness.mjs asks for ----

    def browser(self, name):
        """A network for a browser, and how to start what shall be in it."""
        namespace = self.browsers[name] = Namespace(self.peer(), "net0")
        return {"address": namespace.address, "command": namespace.command()}

    def plug(self, name, plugged):
        run("ip", "link", "set", self.browsers[name].cable, "up" if plugged else "down")

    def code(self, email, before=()):
        """The code in the newest mail to somebody, that is none of those before."""
        return self.code_mailed_to(email, before)

    def code_without_link(self, email, before):
        """The same of a mail for an embedded page."""
        def find():
            for file in self.mails():
                mail = self.ctl("mail", "show", file) if file not in before else ""
                if f"To: <{email}>" in mail and (code := re.search(r"^ +([0-9A-Z]{4}-[0-9A-Z]{4})$", mail, re.MULTILINE)):
                    return code[1]
        return until(f"a code for {email}", find)

    def links(self):
        """What the mails' links lead to."""
        return [link for file in self.mails() for link in re.findall(r"http://\S+", self.ctl("mail", "show", file))]

    def bind_browser(self, name, email):
        """What a browser's device would have got by enrolling: its secret."""
        namespace, before = self.browsers[name], set(self.mails())
        home = dict(os.environ, XDG_STATE_HOME=str(self.root / f"browser-{name}"))

        def assist(*args):
            done = subprocess.run(namespace.command(BIN / "assist", "--project", self.address, *args), capture_output=True, text=True, env=home)
            assert done.returncode == 0, done.stderr

        assist("enroll", email)
        assist("enroll", "--code", self.code_mailed_to(email, before))
        files = list((self.root / f"browser-{name}").glob("assist/*/*.secret"))
        return {"secret": files[0].read_text().strip()}

    def member_at_no_browser(self, email, name, role="customer"):
        """Somebody whom a test plays by JSON-RPC; answers how `rpc` names them."""
        address = self.peer()
        self.join(address)
        self.member(address, email, name, role)
        return address

    def rpc(self, address, method, params):
        return self.devices[address].rpc(method, params)

    def site(self, page, tls):
        """Somebody else's site with one page, in which DESK is the desk's origin; answers where it is: an address that names must be mapped to."""
        body = page.replace("DESK", f"http://{self.address}").encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/" else 404)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        class Server(http.server.ThreadingHTTPServer):
            address_family = socket.AF_INET6

        server = Server((self.own, 0), Handler)
        if tls:
            files = self.root / "site.key", self.root / "site.crt"
            run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=site", "-keyout", str(files[0]), "-out", str(files[1]))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(files[1], files[0])
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return {"address": f"[{self.own}]", "port": server.server_address[1]}

    def finish(self):
        """All is as it should be at the end."""
        self.proof()
        self.stop()

    def close(self):
        for namespace in (self.namespace, *self.browsers.values()):
            namespace.close()
        super().close()


def why_not():
    """Why none of this can be here; None where it can."""
    if os.geteuid() != 0:
        return "needs root, for namespaces"
    if not shutil.which("chromium"):
        return "no chromium here (Debian's package chromium)"
    done = subprocess.run(["unshare", "--net", "ip", "link", "add", "hub", "type", "bridge"], capture_output=True, text=True)
    return None if done.returncode == 0 else f"no namespaces here: {done.stderr.strip()}"


def main():
    out, sys.stdout = sys.stdout, sys.stderr
    desk = None

    def say(**message):
        print(json.dumps(message), file=out, flush=True)

    try:
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                if asked["call"] == "open":
                    desk = OverlayDesk(*asked["args"])
                    desk.start()
                    desk.ctl("project", "set", "Test desk")
                    value = {"origin": f"http://{desk.address}", "root": str(desk.root)}
                else:
                    value = getattr(desk, asked["call"])(*asked["args"])
                say(id=asked["id"], value=value)
            except Exception:
                say(id=asked["id"], error=traceback.format_exc())
    finally:
        if desk:
            desk.close()


if sys.argv[1:] == ["--why-not"]:
    print(why_not() or "")
elif "--inside" in sys.argv:
    main()
else:
    os.execvp("unshare", ["unshare", "--net", sys.executable, __file__, "--inside"])
