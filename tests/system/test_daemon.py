"""The overlay's daemon under a real systemd: what its unit is, what it outlives, and its key. The daemon is the
stand-in of the supervisor's own tests: mycelium's flags, key file and answers, and a real interface."""
import pathlib
import re
import shutil
import subprocess

import pytest
from box import BUILD, Box
from harness import until

SUPERVISOR, DAEMON = "assist-mycelium-supervisor.service", "assist-mycelium.service"
STATE = "/var/lib/assist-mycelium"


@pytest.fixture(scope="module")
def overlay():
    with Box("overlay") as box:
        box.install()
        program = BUILD / "tests/services-mycelium-supervisor-mycelium_test"
        shutil.copy(program, box.path("/usr/bin/mycelium"))
        # what the tests alone link
        library = re.search(r"libcmocka\S* => (\S+)", subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout)[1]
        shutil.copy(pathlib.Path(library).resolve(), box.path("/usr/lib") / pathlib.Path(library).name)
        box.put("/etc/assist/mycelium.env", f"RECORDED={STATE}\nMYCELIUM_FLAGS=--peers tcp://192.0.2.1:9651\n")
        box.run("install", "-d", "-o", "assist-mycelium", "-m", "700", STATE)
        box.put(f"{STATE}/alive", "1")
        box.put(f"{STATE}/release", "0.7.8")
        box.run("chown", "-R", "assist-mycelium:", STATE)
        box.run("systemctl", "start", SUPERVISOR)
        until("the overlay is up", lambda: is_up(box), 60)
        yield box


def status(box):
    return box.unit(SUPERVISOR, "StatusText")["StatusText"]


def is_up(box):
    return status(box).startswith("mycelium is up")


def address(box):
    return re.search(r"up, (\S+) on mycelium$", status(box))[1]


def pid(box, unit=DAEMON):
    return int(box.unit(unit, "MainPID")["MainPID"])


def kill(box, unit):
    box.run("kill", "-KILL", pid(box, unit))


def test_it_has_the_daemon_started_as_its_own_user(overlay):
    unit = overlay.unit(DAEMON, "ActiveState", "Type", "User", "WatchdogUSec", "PartOf", "AmbientCapabilities")
    assert unit["ActiveState"] == "active" and unit["User"] == "assist-mycelium"
    # the settings of our own services are not those of a daemon that knows nothing of them
    assert unit["Type"] == "exec" and unit["WatchdogUSec"] in ("0", "infinity") and unit["PartOf"] == ""
    assert unit["AmbientCapabilities"] == "cap_net_admin"
    assert address(overlay) in overlay.run("ip", "-6", "address", "show", "dev", "mycelium")
    assert overlay.run("stat", "-c", "%s %a %U", f"{STATE}/key.bin") == "32 600 assist-mycelium\n"
    assert len(overlay.run("cat", "/var/lib/assist-mycelium-supervisor/mycelium.pubkey").strip()) == 64


def test_the_supervisor_may_start_that_unit_and_nothing_else(overlay):
    def ask(verb, unit):
        return overlay.try_run("setpriv", "--reuid=assist-mycelium-supervisor", "--regid=assist-mycelium-supervisor", "--init-groups",
                               "busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
                               verb, "ss", unit, "replace").returncode
    assert ask("StartUnit", DAEMON) == 0
    assert ask("StopUnit", DAEMON) != 0
    assert ask("StartUnit", "yggdrasil.service") != 0
    assert ask("RestartUnit", "dbus.service") != 0
    assert overlay.unit(DAEMON, "ActiveState")["ActiveState"] == "active"


def test_it_outlives_the_supervisor_and_the_desk(overlay):
    before, where = pid(overlay), address(overlay)
    kill(overlay, SUPERVISOR)
    until("it is up again", lambda: is_up(overlay))
    overlay.run("systemctl", "restart", SUPERVISOR)
    until("it is up again", lambda: is_up(overlay))
    overlay.run("systemctl", "stop", "assist.target")
    overlay.run("systemctl", "start", SUPERVISOR)
    until("it is up again", lambda: is_up(overlay))
    assert pid(overlay) == before and address(overlay) == where


def test_a_daemon_that_was_killed_comes_back_at_the_same_address(overlay):
    before, where = pid(overlay), address(overlay)
    kill(overlay, DAEMON)
    until("another one runs", lambda: pid(overlay) not in (0, before), 60)
    until("it is up again", lambda: is_up(overlay), 60)
    assert address(overlay) == where


def test_without_its_key_it_does_not_start(overlay):
    where = address(overlay)
    overlay.run("mv", f"{STATE}/key.bin", f"{STATE}/key.saved")
    overlay.run("systemctl", "stop", DAEMON)
    until("the journal says why", lambda: "is lost: restore it from the backup" in overlay.run("journalctl", "--no-pager", "-u", DAEMON), 60)
    assert status(overlay).startswith("mycelium is down")
    assert overlay.try_run("test", "-e", f"{STATE}/key.bin").returncode != 0
    overlay.run("mv", f"{STATE}/key.saved", f"{STATE}/key.bin")
    until("it is up again", lambda: is_up(overlay), 90)
    assert address(overlay) == where


def test_it_is_hardened(overlay):
    said = overlay.run("systemd-analyze", "security", "--no-pager", DAEMON)
    assert float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1]) <= 2.0
