"""The package under a real systemd: what is installed, how it starts, who may call whom, how its walls hold."""
import re
import subprocess

import pytest
from box import UNITS
from harness import SERVICES, until

LIMIT = 1.5                                     # of systemd-analyze security
NOBODY = 65534
SWAPON = 167                                    # on x86-64
TALK = r"""
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(5)
try:
    s.connect(sys.argv[1])
    s.sendall(b"\0SP\0\0\x30\0\0")
    print(len(s.recv(8)))
except OSError as error:
    print(type(error).__name__)
"""


def test_every_unit_starts_and_says_so(box, desk):
    for service in SERVICES:
        unit = box.unit(UNITS[service], "ActiveState", "SubState", "Type", "NRestarts", "StatusText", "WatchdogUSec", "User")
        assert (unit["ActiveState"], unit["SubState"], unit["Type"], unit["NRestarts"]) == ("active", "running", "notify", "0"), unit
        assert unit["WatchdogUSec"] == "4s" and unit["User"] == f"assist-{service}"
    assert box.unit(UNITS["store"], "StatusText")["StatusText"].endswith("ops in the log")
    assert box.run("systemctl", "list-units", "--failed", "--plain", "--no-legend", "assist*") == ""
    assert box.run("systemctl", "is-enabled", "assist.target") == "enabled\n"


def test_the_package_has_the_web_pages(box, desk):
    script = ("import urllib.request as u; page = u.urlopen('http://127.0.0.1:7272/').read().decode(); "
              "print(len(u.urlopen('http://127.0.0.1:7272' + page.split('src=\"', 1)[1].split('\"')[0]).read()) > 1000)")
    assert box.run("python3", "-c", script) == "True\n"
    assert "preact" in box.run("cat", "/usr/share/doc/hero-assistance-server/web-licenses.txt")


def test_it_is_hardened(box, desk):
    figures = {}
    for service in SERVICES:
        said = box.run("systemd-analyze", "security", "--no-pager", UNITS[service])
        figures[service] = float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1])
    print(figures)
    assert all(figure <= LIMIT for figure in figures.values()), figures


@pytest.mark.parametrize("service", [s for s in SERVICES if s not in ("gateway", "courier")])
def test_a_stranger_gets_nothing_from_a_socket(box, desk, service):
    sock = f"/run/assist-{service}/rpc.sock"
    assert box.run("python3", "-c", TALK, sock) == "8\n"                           # root, the operator
    for uid in (NOBODY, 12345):
        assert box.run("setpriv", f"--reuid={uid}", "--clear-groups", "python3", "-c", TALK, sock) == "PermissionError\n"
    # Who got into the group of callers all the same is known by the uid, and refused.
    group = box.run("stat", "-c", "%g", sock).strip()
    for uid in (NOBODY, 12345):
        said = box.run("setpriv", f"--reuid={uid}", f"--groups={group}", "python3", "-c", TALK, sock)
        assert said in ("0\n", "ConnectionResetError\n", "BrokenPipeError\n"), said
    until("the journal has it", lambda: box.journal(f"_SYSTEMD_UNIT={UNITS[service]}", "MESSAGE_ID=5fedd91798574e91b176cd1e28a647db"))


def test_services_cannot_reach_each_others_files(box, desk):
    for service, path in (("gateway", "/var/lib/assist-store"), ("courier", "/var/lib/assist-identity"), ("store", "/var/lib/assist-identity")):
        done = box.try_run("setpriv", f"--reuid=assist-{service}", "--init-groups", f"--regid=assist-{service}", "ls", path)
        assert done.returncode != 0 and "Permission denied" in done.stderr
    assert box.run("stat", "-c", "%a %U", "/etc/assist/keys") == "700 root\n"


def test_a_reload_reads_the_settings_and_a_wrong_one_is_said_and_left(box, desk):
    good = box.unit(UNITS["gateway"], "MainPID")
    desk.configure({"gateway": {"user_rate": 77}})
    box.run("systemctl", "reload", UNITS["gateway"])
    until("it said so", lambda: [r for r in box.journal(f"_SYSTEMD_UNIT={UNITS['gateway']}") if r["MESSAGE"] == "settings were read again"])
    desk.configure({"gateway": {"user_rate": "many"}})
    assert "user_rate" in box.try_run("assistctl", "config", "check").stderr
    box.run("systemctl", "reload", UNITS["gateway"])
    refused = until("it is refused", lambda: box.journal(f"_SYSTEMD_UNIT={UNITS['gateway']}", "MESSAGE_ID=9340dfb558c64268a64defffe85b524f"))
    assert "test.conf" in refused[0]["MESSAGE"] and "user_rate" in refused[0]["MESSAGE"]
    assert box.unit(UNITS["gateway"], "MainPID") == good
    desk.configure()
    box.run("systemctl", "reload", UNITS["gateway"])


def test_the_log_is_folded_anew_and_verified_within_the_stores_walls(box, desk):
    assert "equal            yes" in box.run("assistctl", "store", "rebuild")
    assert "sound            yes" in box.run("assistctl", "audit", "verify")
    for kind in ("rebuild", "verify"):
        until("the journal has it", lambda: [r for r in box.journal(f"_SYSTEMD_UNIT={UNITS['store']}") if re.match(kind + r": \d+ ops, as they should be", r["MESSAGE"])])
    assert box.unit(UNITS["store"], "NRestarts")["NRestarts"] == "0"


@pytest.mark.parametrize("service", SERVICES)
def test_a_forbidden_system_call_ends_the_service_and_it_comes_back(box, desk, service):
    """swapon, from within the running process: a debugger puts it there. Where it holds the process for longer than the watchdog waits,
    that one ends the process first, and it is tried again."""
    for _ in range(5):
        before = box.unit(UNITS[service], "MainPID", "NRestarts")
        subprocess.run(["prlimit", "--core=0", "gdb", "-nx", "-batch", "-p", str(desk.main_pid(service)), "-ex", f"call (long)syscall({SWAPON}, 0, 0)"],
                       capture_output=True, text=True, timeout=60, cwd="/tmp")
        until(f"{service} is back", lambda: desk.runs_anew(service, before))
        after = box.unit(UNITS[service], "NRestarts")
        assert int(after["NRestarts"]) == int(before["NRestarts"]) + 1
        said = box.run("journalctl", "--no-pager", "-u", UNITS[service], "-o", "cat")
        if "status=31/SYS" in said or "Watchdog timeout" not in said:
            break
    assert "status=31/SYS" in said
