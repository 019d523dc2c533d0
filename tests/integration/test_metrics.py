"""/metrics of a desk at work: every process is there, figures move as what they count, and one that is away is said to be."""
import os
import signal
import time

import pytest
from harness import SERVICES, Desk, Device, RpcError, free_port, until
from metrics_page import ask, scrape

AGENT, CUSTOMER = "127.0.0.3", "127.0.0.2"


@pytest.fixture(scope="module")
def desk():
    port = free_port()
    with Desk(settings={"metrics": {"port": port}}, services=SERVICES + ("metrics",)) as desk:
        desk.metrics = port
        yield desk
        desk.proof()


@pytest.fixture(scope="module")
def agent(desk):
    return desk.member(AGENT, "agnes@example.org", "Agnes", "agent")


@pytest.fixture(scope="module")
def customer(desk):
    return desk.member(CUSTOMER, "carl@example.org", "Carl")


def stranger(desk, address):
    device = Device(desk, address)
    device.open()
    return device


def test_every_process_is_there_and_up(desk):
    page = until("all are up", lambda: (page := scrape(desk.metrics)) and all(page.up().values()) and page)
    assert set(page.up()) == set(SERVICES)
    for service in SERVICES:
        assert abs(page.value("process_start_time_seconds", service=service) - time.time()) < 600
        assert page.value("process_resident_memory_bytes", service=service) > 1000000
        assert 5 < page.value("process_open_fds", service=service) < 100
        assert page.value("build_info", service=service, version=desk.processes_told()[service]["version"]) == 1


def test_calls_are_counted_by_method_and_result(desk, agent, customer):
    def counted(page, service, result, method="ticket.get"):
        return page.value("rpc_calls_total", service=service, method=method, result=result) or 0

    before = scrape(desk.metrics)
    ticket = customer.rpc("ticket.create", subject="A question", body="b")["id"]
    for _ in range(5):
        agent.rpc("ticket.get", ticket=ticket)
    with pytest.raises(RpcError):
        agent.rpc("ticket.get", ticket="00000000000000000000000000")
    after = scrape(desk.metrics)
    assert counted(after, "store", "ok") - counted(before, "store", "ok") == 5
    assert counted(after, "store", "NotFound") - counted(before, "store", "NotFound") == 1
    assert counted(after, "store", "ok", "ticket.create") - counted(before, "store", "ok", "ticket.create") == 1
    assert counted(after, "identity", "ok") == 0

    took = [value for (name, labels), value in after.samples.items()
            if name == "assist_rpc_call_seconds_bucket" and {("service", "store"), ("method", "ticket.get")} <= labels]
    total = after.value("rpc_call_seconds_count", service="store", method="ticket.get")
    assert took == sorted(took) and took[-1] == total == counted(after, "store", "ok") + counted(after, "store", "NotFound")
    assert 0 < after.value("rpc_call_seconds_sum", service="store", method="ticket.get") < 60
    assert not after.value("rpc_call_seconds_count", service="store", method="ops.follow"), "how long one waits for news says nothing"


def test_the_log_moves_and_those_who_follow_it_arrive(desk, customer):
    before = scrape(desk.metrics)
    customer.rpc("ticket.create", subject="Another question", body="b")
    after = until("fanout has it", lambda: (page := scrape(desk.metrics)) and
                  page.value("log_position", service="fanout") == page.value("log_head", service="store") and page)
    ops = after.value("ops_total", service="store") - before.value("ops_total", service="store")
    assert ops >= 1 and after.value("log_head", service="store") - before.value("log_head", service="store") == ops
    assert after.value("commits_total", service="store") > before.value("commits_total", service="store")
    assert after.value("tickets", service="store") - before.value("tickets", service="store") == 1
    assert after.value("transactions_total", service="store", result="ok") > before.value("transactions_total", service="store", result="ok")
    assert 0 <= after.value("log_silence_seconds", service="fanout") < 5
    for service in ("store", "identity"):
        assert after.value("database_wal_bytes", service=service) > 0 and after.value("disk_free_bytes", service=service) > 1000000
    assert {labels["thread"]: value for labels, value in after.labelled("queue_calls")} == {"writer": 0, "reader": 0, "files": 0, "past": 0}


def test_an_upload_is_open_until_it_is_whole(desk, customer):
    upload = customer.rpc("attachment.start", name="a.txt", size=6)["upload"]
    assert scrape(desk.metrics).value("uploads_open", service="store") == 1
    customer.http("PUT", f"/attachments/{upload}", b"abcdef", {"Content-Range": "bytes 0-5/6"})
    assert scrape(desk.metrics).value("uploads_open", service="store") == 0


def test_gateway_and_courier_are_heard_of_though_nobody_asks_them(desk, agent, customer):
    before = scrape(desk.metrics)
    live = customer.live()
    with pytest.raises(RpcError):
        agent.rpc("ticket.list", limit=0)
    desk.user("dora@example.org", "Dora")
    agent.rpc("ticket.list")
    stranger(desk, "127.0.0.9").rpc("enroll.start", email="dora@example.org", label="phone")

    def moved(name, **labels):
        return (scrape(desk.metrics).value(name, **labels) or 0) - (before.value(name, **labels) or 0)

    until("the session is seen", lambda: moved("live_sessions", service="gateway") == 1)
    assert scrape(desk.metrics).value("sessions", service="fanout") == 1
    until("the mistake is seen", lambda: moved("jsonrpc_calls_total", service="gateway", result="InvalidParams") == 1)
    assert moved("jsonrpc_calls_total", service="gateway", result="ok") >= 2 and moved("http_answers_total", service="gateway", status="2xx") >= 2
    until("the mail is seen", lambda: moved("mails_total", service="courier", outcome="sent") >= 1)
    until("the outbox is empty", lambda: scrape(desk.metrics).value("outbox_waiting", service="identity") == 0)
    assert scrape(desk.metrics).value("callers_cached", service="gateway") >= 2
    live.close()
    until("it is gone", lambda: moved("live_sessions", service="gateway") == 0)


def test_a_mail_that_can_not_be_sent_grows_old(desk):
    desk.terminate("courier")
    stranger(desk, "127.0.0.10").rpc("enroll.start", email="dora@example.org", label="tablet")
    page = until("it waits", lambda: (page := scrape(desk.metrics)).value("outbox_oldest_seconds", service="identity") > 0.5 and page)
    assert page.value("outbox_waiting", service="identity") == 1
    until("the courier is missed", lambda: not scrape(desk.metrics).up()["courier"])
    desk.start("courier")
    until("it went", lambda: scrape(desk.metrics).value("outbox_waiting", service="identity") == 0)


def test_the_overlay_says_its_state(desk):
    states = {labels["state"]: value for labels, value in scrape(desk.metrics).labelled("overlay_state")}
    assert states == {"down": 0, "starting": 0, "up": 1}


@pytest.mark.parametrize("service", ["store", "identity", "fanout", "mycelium-supervisor", "gateway"])
def test_one_that_is_killed_is_seen_and_holds_nobody_up(desk, service):
    desk.kill(service)
    page = until("it is missed", lambda: not (page := scrape(desk.metrics)).up()[service] and page)
    told = {"gateway", "courier"} if service == "identity" else set()       # by identity, who can't
    assert {name for name, up in page.up().items() if up} == set(SERVICES) - {service} - told
    assert not [labels for (_, labels) in page.samples if ("service", service) in labels and len(labels) > 1]
    desk.start(service)
    until("all are up again", lambda: all((up := scrape(desk.metrics).up()).values()) and set(up) == set(SERVICES))


def test_one_that_hangs_is_given_up_in_time(desk):
    os.kill(desk.processes["store"].pid, signal.SIGSTOP)
    try:
        assert scrape(desk.metrics).up()["store"] is False
        assert scrape(desk.metrics).up()["fanout"] is True
    finally:
        os.kill(desk.processes["store"].pid, signal.SIGCONT)
    until("it is back", lambda: scrape(desk.metrics).up()["store"])


def test_nothing_else_is_served(desk):
    assert ask(desk.metrics, path="/")[0] == 404
    assert ask(desk.metrics, path="/rpc", method="POST")[0] == 404
    assert ask(desk.metrics, method="POST")[0] == 405
    assert ask(desk.metrics, headers={"Host": "desk.example.org"})[0] == 421
    assert ask(desk.metrics, headers={"X": "y" * 5000})[0] == 431
    assert scrape(desk.metrics).up()["store"]
