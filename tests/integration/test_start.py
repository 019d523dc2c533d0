"""scripts/start.sh makes a desk that runs and stays, as root and as anybody."""
import json
import re

import pytest

from sandbox import Sandbox, why_not

SERVICES = ("mycelium-supervisor", "identity", "store", "fanout", "gateway", "courier")
SOMEBODY = 12345
WHY_NOT = why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
START = "scripts/start.sh --no-build"
ENV = 'eval "$(scripts/start.sh --env)"; '


@pytest.fixture(params=[0, SOMEBODY], ids=["root", "somebody"])
def sandbox(request):
    sandbox = Sandbox(request.param)
    yield sandbox
    sandbox.close()


def processes(sandbox):
    """service -> (pid, user, group, effective capabilities)"""
    found = {}
    for line in sandbox.must("ps -eo pid,user:40,group:40,args").splitlines():
        match = re.match(r" *(\d+) +(\S+) +(\S+) +\S+/bin/assist-(\S+) --root ", line)
        if match:
            pid, user, group, service = match.groups()
            assert service not in found, f"twice: {service}"
            status = sandbox.must(f"cat /proc/{pid}/status")
            found[service] = (pid, user, group, re.search(r"CapEff:\s*(\S+)", status)[1])
    return found


def tickets(sandbox):
    listed = json.loads(sandbox.must(ENV + "assist --from 127.0.0.3 --json ticket list"))["items"]
    return {ticket["number"]: (ticket["subject"], ticket["state"]) for ticket in listed}


def test_it_starts_a_desk_whose_next_commands_work(sandbox):
    said = sandbox.must(START)
    assert "The desk is running at 127.0.0.1:7272" in said
    commands = [line.strip() for line in said.splitlines() if line.startswith("  ")]
    assert len(commands) == 3
    shown = sandbox.must("\n".join(["set -e", *commands]))
    assert "The printer burns" in shown and shown.endswith("Your reply is there.\n")
    assert tickets(sandbox)[1] == ("The printer burns", "open")
    roles = json.loads(sandbox.must(ENV + "assistctl --json user list"))["items"]
    assert sorted(user["role"] for user in roles) == ["admin", "agent", "customer"]
    for device, role in (("127.0.0.2", "customer"), ("127.0.0.3", "agent"), ("127.0.0.4", "admin")):
        assert json.loads(sandbox.must(ENV + f"assist --from {device} --json whoami"))["role"] == role


def test_each_service_has_a_user_of_its_own_where_root_starts_it(sandbox):
    sandbox.must(START)
    running = processes(sandbox)
    assert sorted(running) == sorted(SERVICES)
    for service, (_, user, _, capabilities) in running.items():
        assert user == (f"assist-{service}" if sandbox.uid == 0 else str(SOMEBODY)), service
        assert int(capabilities, 16) == 0, service
    if sandbox.uid == 0:
        assert running["store"][2] == "assist-store-callers" and running["gateway"][2] == "assist-gateway"
        for path in ("keys/store/instance", "state/store/store.db", "keys/identity/caller", "run/assist-store/rpc.sock"):
            reach = f"setpriv --reuid assist-courier --regid assist-courier --init-groups test -w /var/lib/assist-demo/{path}"
            assert sandbox.must(f"test -e /var/lib/assist-demo/{path}") == "" and sandbox.run(reach).returncode == 1, path


def test_running_it_again_is_harmless_and_brings_back_what_died(sandbox):
    sandbox.must(START)
    before, filed = processes(sandbox), tickets(sandbox)
    assert len(filed) == 3
    sandbox.must(START)
    assert processes(sandbox) == before and tickets(sandbox) == filed
    sandbox.must(f"kill -9 {before['store'][0]}")
    sandbox.must(START)
    after = processes(sandbox)
    assert after["store"][0] != before["store"][0]
    assert {s: p for s, p in after.items() if s != "store"} == {s: p for s, p in before.items() if s != "store"}
    assert tickets(sandbox) == filed
    sandbox.must("cp build/bin/assist-fanout new && mv -f new build/bin/assist-fanout && printf x >>build/bin/assist-fanout"
                 if sandbox.uid == 0 else "true")
    sandbox.must(START)
    if sandbox.uid == 0:
        assert processes(sandbox)["fanout"][0] != after["fanout"][0]  # a new build of it
    assert tickets(sandbox) == filed
    assert "equal            yes" in sandbox.must(ENV + "assistctl store rebuild && assistctl audit verify")


def test_stop_leaves_nothing_but_the_data(sandbox):
    sandbox.must(START)
    filed = tickets(sandbox)
    said = sandbox.must("scripts/start.sh --stop")
    root = re.search(r"Its data is in (\S+)\.\n", said)[1]
    assert root == ("/var/lib/assist-demo" if sandbox.uid == 0 else f"{sandbox.home}/.local/state/assist-demo")
    assert processes(sandbox) == {}
    assert sandbox.must(f"find {root} -name '*.pid' -o -name '*.sock'") == ""
    assert sandbox.must(f"cat {root}/log/*.log | grep -c ' stopped$'") == f"{len(SERVICES)}\n"
    sandbox.must("scripts/start.sh --stop")
    sandbox.must(START)
    assert tickets(sandbox) == filed


def test_it_takes_another_place_and_port_and_says_what_it_cannot_do(sandbox):
    place = f"{sandbox.home}/desk" if sandbox.uid else "/var/lib/desk"
    assert "running at 127.0.0.1:7373" in sandbox.must(f"{START} --root {place} --port 7373")
    said = sandbox.must(f"{START} --root {place} --port 7374")
    assert "running at 127.0.0.1:7374" in said and f'eval "$(scripts/start.sh --root {place} --env)"' in said
    assert "export ASSIST_PROJECT=127.0.0.1:7374 " in sandbox.must(f"scripts/start.sh --env --root {place}")
    sandbox.must(f"scripts/start.sh --stop --root {place}")
    for arguments, status, message in ((f"--root {sandbox.home}/{'x' * 60}", 2, "a socket's path has little room"), ("--root relative", 2, "absolute"),
                                       ("--bla", 2, "--stop"), (f"--env --root {sandbox.home}/none", 1, "there is no desk in")):
        done = sandbox.run(f"scripts/start.sh --no-build {arguments}")
        assert done.returncode == status and message in done.stderr, done
    if sandbox.uid:
        sandbox.must("mkdir ~/run")
        assert f"logs are in {sandbox.home}/run/assist-demo" in sandbox.must(START, XDG_RUNTIME_DIR=f"{sandbox.home}/run")
