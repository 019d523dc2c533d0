"""Backups under a real systemd: the timer's service within its walls, and a desk that goes back by the commands of docs/operations.md."""
import re

import pytest

from box import UNITS
from harness import SERVICES, until

UNIT = "assist-backup.service"


@pytest.fixture(scope="module")
def carl(desk):
    return desk.member("127.0.0.2", "carl@example.org", "Carl")


def backed_up(box):
    """The folder of the backup that the service makes."""
    box.run("systemctl", "start", UNIT)
    assert box.unit(UNIT, "Result", "ActiveState") == {"Result": "success", "ActiveState": "inactive"}
    said = [r["MESSAGE"] for r in box.journal(f"_SYSTEMD_UNIT={UNIT}") if " ops, " in r["MESSAGE"]]
    return re.match(r"(/var/backups/assist/\S+): \d+ ops, ", said[-1])[1]


def test_the_timer_waits_and_its_service_is_hardened(box, desk):
    assert box.unit("assist-backup.timer", "ActiveState")["ActiveState"] == "active"
    assert "assist-backup.timer" in box.run("systemctl", "list-timers", "--no-pager", "--plain", "--no-legend")
    said = box.run("systemd-analyze", "security", "--no-pager", UNIT)
    assert float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1]) <= 1.5


def test_backups_and_a_way_back(box, desk, carl):
    carl.rpc("ticket.create", subject="Before", body="This is in it.")
    first, second = backed_up(box), backed_up(box)
    assert first != second and box.run("stat", "-c", "%a %U", second, "/var/backups/assist") == "700 root\n700 root\n"
    assert box.try_run("ls", "/var/lib/assist-store/backup", "/var/lib/assist-identity/backup").returncode == 2
    assert second.rsplit("/")[-1] in box.run("assistctl", "backup", "list")
    carl.rpc("ticket.create", subject="After", body="This is not.")

    assert "stop the desk first, by `systemctl stop assist.target`" in box.try_run("assistctl", "restore", second).stderr
    box.run("systemctl", "stop", "assist.target")
    said = box.run("assistctl", "restore", second, "--replace")
    assert "Next: `systemctl start assist.target`" in said and "What was there is in /var/lib/assist-identity/replaced-" in said
    assert box.try_run("systemctl", "start", UNIT).returncode != 0                 # a desk that is stopped makes none
    box.run("systemctl", "reset-failed", "assist-*")
    assert box.unit("assist-backup.timer", "ActiveState")["ActiveState"] == "inactive"
    for path in ("/var/lib/assist-store/store.db", "/var/lib/assist-store/blobs", "/var/lib/assist-identity/identity.db"):
        assert box.run("stat", "-c", "%U", path) == f"{path.split('/')[3]}\n"
    box.run("systemctl", "start", "assist.target")
    for service in SERVICES:
        until(f"{service} runs", lambda: box.unit(UNITS[service], "SubState")["SubState"] == "running")
    until("the gateway answers", desk.is_healthy)
    carl.open()
    until("the store knows him", carl.is_known)
    assert [ticket["subject"] for ticket in carl.rpc("ticket.list", limit=50)["items"]] == ["Before"]
    assert "sound            yes" in box.run("assistctl", "audit", "verify")
    assert "equal            yes" in box.run("assistctl", "store", "rebuild")
    assert box.unit("assist-backup.timer", "ActiveState")["ActiveState"] == "active"
    until("the doctor finds nothing", lambda: box.try_run("assistctl", "doctor").stdout.endswith("All is well.\n"))


def test_another_folder_is_a_drop_in(box, desk, carl):
    box.run("mkdir", "-m", "700", "-p", "/srv/backups")
    box.run("mkdir", "-p", f"/etc/systemd/system/{UNIT}.d")
    box.put(f"/etc/systemd/system/{UNIT}.d/override.conf",
            "[Service]\nExecStart=\nExecStart=/usr/bin/assistctl backup --to /srv/backups --keep 30\nReadWritePaths=/srv/backups\n")
    box.run("systemctl", "daemon-reload")
    try:
        box.run("systemctl", "start", UNIT)
        assert len(box.run("assistctl", "backup", "list", "--in", "/srv/backups").splitlines()) == 2
    finally:
        box.run("rm", "-r", f"/etc/systemd/system/{UNIT}.d")
        box.run("systemctl", "daemon-reload")
