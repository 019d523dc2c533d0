"""Boxes on a real overlay: yggdrasil nodes over a cable each to the desk's box, which is the only one that listens."""
import json
import subprocess

from box import Box, InstalledDesk
from harness import until

PORT, TUN = 7272, "ygg0"


class Node:
    """A yggdrasil node of a box, by its package's own unit."""

    def __init__(self, box, listen=(), peers=()):
        self.box = box
        made = json.loads(box.run("yggdrasil", "-genconf", "-json"))
        box.put("/etc/yggdrasil/yggdrasil.conf", json.dumps({
            "PublicKey": made["PublicKey"], "PrivateKey": made["PrivateKey"], "AdminListen": "unix:///run/yggdrasil/yggdrasil.sock",
            "Listen": list(listen), "Peers": list(peers), "MulticastInterfaces": [], "IfName": TUN, "IfMTU": 1400, "NodeInfoPrivacy": True}))
        box.run("chown", "-R", "root:yggdrasil", "/etc/yggdrasil")
        box.run("chmod", "640", "/etc/yggdrasil/yggdrasil.conf")
        self.address = box.run("yggdrasil", "-useconffile", "/etc/yggdrasil/yggdrasil.conf", "-address").strip()

    def start(self):
        self.box.run("systemctl", "start", "yggdrasil.service")
        until("the node has its address", self.is_up, 90)

    def is_up(self):
        return self.address in self.box.try_run("ip", "-6", "address", "show", "dev", TUN).stdout


class OverlayDesk(InstalledDesk):
    """A desk as in production, reached at its node's address alone."""

    def __init__(self, box, node):
        super().__init__(box, {"overlay": {"driver": "yggdrasil", "admin": "unix:///run/yggdrasil/yggdrasil.sock"}}, development=False)
        self.node = node
        self.address = f"[{node.address}]:{PORT}"
        box.put("/etc/systemd/system/assist-mycelium-supervisor.service.d/yggdrasil.conf", "[Service]\nSupplementaryGroups=yggdrasil\n")
        box.run("systemctl", "daemon-reload")

    def is_healthy(self):
        return f"[{self.node.address}]%{TUN}:{PORT}" in self.box.run("ss", "-Hltn")


class Person:
    """Somebody at a box of their own, with the CLI."""

    def __init__(self, desk, box, node):
        self.desk, self.box, self.node = desk, box, node
        box.install()

    def try_assist(self, *args, **options):
        return self.box.try_run("assist", "--project", self.desk.address, *args, **options)

    def assist(self, *args):
        done = self.try_assist("--json", *args)
        assert done.returncode == 0, f"assist {' '.join(map(str, args))}: {done.returncode}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def enroll(self, email):
        before = set(self.desk.mails())
        self.assist("enroll", email)
        self.assist("enroll", "--code", self.desk.code_mailed_to(email, before))
        until("the store knows them", lambda: self.try_assist("ticket", "list").returncode == 0)

    def watch(self, count, *args):
        self.desk.heard_all()
        process = subprocess.Popen(self.box.command("assist", "--project", self.desk.address, "--json", "watch", "--count", count, *args),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stderr.readline() == "watching; Ctrl-C ends it\n"
        return process


def seen(watch, timeout_s=60):
    out, errors = watch.communicate(timeout=timeout_s)
    assert watch.returncode == 0, errors
    return [json.loads(line) for line in out.splitlines()]


class Joined:
    """The desk's box and those of others, each with a node and a cable to the desk's."""

    def __init__(self, *names):
        self.boxes, self.nodes = {}, {}
        try:
            for name in ("desk", *names):
                self.boxes[name] = Box(name)
            desk = self.boxes["desk"]
            for i, name in enumerate(names):
                desk.join(self.boxes[name], f"192.0.2.{4 * i + 1}/30", f"192.0.2.{4 * i + 2}/30")
            # The listener first: a node whose first dial fails waits a minute.
            self.nodes["desk"] = Node(desk, listen=[f"tcp://192.0.2.{4 * i + 1}:9651" for i in range(len(names))])
            self.nodes["desk"].start()
            for i, name in enumerate(names):
                self.nodes[name] = Node(self.boxes[name], peers=[f"tcp://192.0.2.{4 * i + 1}:9651"])
                self.nodes[name].start()
            for name in names:
                until(f"{name} reaches the desk", lambda: self.boxes[name].try_run("ping", "-6", "-c1", "-W1", self.nodes["desk"].address).returncode == 0, 90)
        except BaseException:
            self.close()
            raise

    def close(self):
        for box in self.boxes.values():
            box.close()
