"""`assistctl doctor`: what an admin sees of a desk that is well, and of each thing that is not."""
import json

import pytest

from harness import Desk, until


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        yield desk


@pytest.fixture(scope="module")
def well(desk):
    """The same, with a backup: so nothing is to be said of it."""
    desk.ctl("backup")
    return desk


def findings(desk):
    """By what they are about, those that are not good; and the exit status."""
    done = desk.run_ctl("--json", "doctor")
    found = json.loads(done.stdout)["findings"]
    assert done.returncode == any(f["level"] != "good" for f in found), done
    return {f["about"]: (f["level"], f["text"]) for f in found if f["level"] != "good"}


def test_a_desk_without_a_backup_is_told_so_and_then_it_is_well(desk):
    until("all have told of themselves", lambda: set(findings(desk)) == {"backups"})
    level, text = findings(desk)["backups"]
    assert level == "warning" and "none was made yet: `assistctl backup`" in text
    desk.ctl("backup")
    said = desk.ctl("doctor")
    assert said.endswith("All is well.\n") and "WARNING" not in said and "FAILURE" not in said
    for about in ("services", "overlay", "keys", "mails", "disk", "backups"):
        assert f"good     {about} " in said, said
    desk.ctl("call", "store.backup_kept", "--at", "1700000000000", "--bytes", "1")
    assert findings(desk)["backups"][0] == "warning" and "hours ago" in findings(desk)["backups"][1]
    desk.ctl("backup")
    assert findings(desk) == {}


@pytest.mark.parametrize("service", ["store", "identity", "fanout", "mycelium-supervisor"])
def test_a_service_that_is_away_is_named_with_the_next_command(well, service):
    well.terminate(service)
    level, text = findings(well)[service]
    assert level == "failure" and f"`systemctl status assist-{service}`" in text
    said = well.run_ctl("doctor")
    assert said.returncode == 1 and f"FAILURE  {service} " in said.stdout and said.stdout.endswith("What is not good says what to do.\n")
    well.start(service)
    until("it is well again", lambda: findings(well) == {})


@pytest.mark.parametrize("service", ["gateway", "courier"])
def test_who_has_no_socket_is_missed_too(well, service):
    well.terminate(service)
    level, text = until("it is missed", lambda: findings(well).get(service))
    assert level == "failure" and f"assist-{service}" in text
    well.start(service)
    until("it is well again", lambda: findings(well) == {})


def test_keys_that_are_lost_open_or_no_keys_are_named(well):
    key = well.root / "keys/store/link"
    text = key.read_text()
    try:
        key.chmod(0o644)
        assert findings(well)["store/link"] == ("failure", f"{key} can be read by others: `chmod 600 {key}`")
        key.chmod(0o600)
        key.write_text("short\n")
        assert "is no key of 64 hexadecimal digits" in findings(well)["store/link"][1]
        key.unlink()
        assert "No such file" in findings(well)["store/link"][1] and "project init" in findings(well)["store/link"][1]
    finally:
        key.write_text(text)
        key.chmod(0o600)
    mark = well.root / "state/identity/restoring"
    mark.write_text("replaced-x")
    assert "a restore was not finished" in findings(well)["identity"][1]
    mark.unlink()
    assert findings(well) == {} and well.run_ctl("doctor", "now").returncode == 2
