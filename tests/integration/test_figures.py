"""How the desk is doing, as an admin sees it through the gateway: each process, its figures, and its last hour."""
import json

import pytest
from harness import Desk, RpcError, until

FORBIDDEN, UNKNOWN, UNAVAILABLE = -32002, -32601, -32006
ASKED = ("store.stats", "identity.stats", "fanout.stats")
REFUSED = 7


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.carl = desk.member("127.0.0.2", "carl@example.org", "Carl Confidential")
        desk.agnes = desk.member("127.0.0.3", "agnes@example.org", "Agnes", "agent")
        desk.ada = desk.member("127.0.0.4", "ada@example.org", "Ada", "admin")
        yield desk
        desk.proof()


def processes(desk):
    """All of them, by name, as the admin is told."""
    told = [process for method in ASKED for process in desk.ada.rpc(method)["processes"]]
    assert len({process["service"] for process in told}) == len(told)
    return {process["service"]: process for process in told}


def figure(process, name, **labels):
    """Its samples that have these labels, all together."""
    return sum(sample["value"] for figure in process["figures"] if figure["name"] == name for sample in figure["samples"]
               if labels.items() <= {label["name"]: label["value"] for label in sample["labels"]}.items())


def error_of(device, method, **params):
    with pytest.raises(RpcError) as failed:
        device.rpc(method, **params)
    return failed.value.code


def test_an_admin_sees_every_process_and_nobody_else_any(desk):
    seen = until("all were heard of", lambda: (told := processes(desk)) and all(process["up"] for process in told.values()) and told)
    assert set(seen) == {"store", "identity", "fanout", "gateway", "courier", "mycelium-supervisor"}
    for process in seen.values():
        assert process["version"] and process["status"] and process["started_at"] < process["told_at"]
        assert figure(process, "process_resident_memory_bytes") > 1000000
    store = seen["store"]
    assert figure(store, "log_head") >= 3 and figure(store, "database_bytes") >= 4096 and figure(store, "database_wal_bytes") >= 0
    assert {name for name in ("queue_calls", "blob_bytes", "blob_files", "job_under_way", "disk_free_bytes")} <= {figure["name"] for figure in store["figures"]}
    assert figure(seen["mycelium-supervisor"], "overlay_state", state="up") == 1
    for method in ASKED:
        assert error_of(desk.agnes, method) == FORBIDDEN and error_of(desk.carl, method) == FORBIDDEN
    assert error_of(desk.ada, "supervisor.stats") == UNKNOWN


def test_an_operator_sees_the_supervisor_once(desk):
    told = [json.loads(line)["service"] for line in desk.ctl("--json", "status").splitlines()]
    assert sorted(told) == ["courier", "fanout", "gateway", "identity", "mycelium-supervisor", "store"]


def test_nothing_that_people_are_or_wrote_is_in_them(desk):
    ticket = desk.carl.rpc("ticket.create", subject="Unspeakable", body="Do not tell")
    told = json.dumps(processes(desk))
    for secret in ("Unspeakable", "Confidential", "carl@", desk.carl.user, ticket["id"], desk.carl.address, desk.carl.token):
        assert secret not in told, secret


def test_what_fails_is_in_the_figures_and_in_the_last_minute(desk):
    def refused():
        seen = processes(desk)
        return (figure(seen["store"], "rpc_calls_total", method="project.set", result="Forbidden"), figure(seen["gateway"], "jsonrpc_calls_total", result="Forbidden"),
                sum(minute["refused"] for minute in seen["store"]["past"]["minutes"]), sum(minute["refused"] for minute in seen["gateway"]["past"]["minutes"]))
    before = refused()
    for _ in range(REFUSED):
        assert error_of(desk.agnes, "project.set", name="Mine") == FORBIDDEN
    until("they are told of", lambda: all(now - then >= REFUSED for now, then in zip(refused(), before)))
    past = processes(desk)["store"]["past"]
    assert (past["counted"], past["waits"]) == ("rpc_calls_total", "queue_calls")
    last = past["minutes"][-1]
    assert last["calls"] >= last["failed"] + last["refused"] and len(last["took"]) == len(past["bounds"]) + 1
    assert all(minute["ms"] >= 60000 for minute in past["minutes"][:-1])


def test_a_service_that_is_away_is_a_fault_of_ours(desk):
    def failed():
        return sum(minute["failed"] for process in desk.ada.rpc("identity.stats")["processes"] if process["service"] == "gateway"
                   for minute in process["past"]["minutes"])
    before = failed()
    desk.kill("store")
    assert error_of(desk.agnes, "ticket.list") == UNAVAILABLE
    desk.start("store")
    until("it is told of", lambda: failed() > before)


def test_what_attachments_take_is_known_after_a_restart_too(desk):
    def blobs():
        store = desk.ada.rpc("store.stats")["processes"][0]
        return figure(store, "blob_files"), figure(store, "blob_bytes")
    before = blobs()
    for content in (b"one" * 1000, b"two" * 1000, b"one" * 1000):
        desk.carl.upload("file.txt", content)
    assert blobs() == (before[0] + 2, before[1] + 6000)
    desk.restart("store")
    until("they were counted", lambda: blobs() == (before[0] + 2, before[1] + 6000))
