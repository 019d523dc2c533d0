"""The web client as the gateway serves it: to anybody, with policies that a browser holds it to, small, and never stale."""
import gzip
import re

import pytest

from harness import Desk, Device

STRANGER, HTML = "127.0.0.9", "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        desk.ctl("project", "set", "A secret cellar")
        yield desk


@pytest.fixture(scope="module")
def stranger(desk):
    return Device(desk, STRANGER)       # without a session


@pytest.fixture(scope="module")
def asset(stranger):
    page = stranger.http("GET", "/").body.decode()
    found = re.search(r'src="(/assets/[^"]+\.js)"', page)
    if not found:
        pytest.skip("this build has no web pages")
    return found[1]


def test_a_stranger_is_given_the_page_with_what_a_browser_holds_it_to(desk, stranger):
    answer = stranger.http("GET", "/")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache" and answer.headers["Vary"] == "Accept-Encoding"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == policy["form-action"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin" and "camera=()" in answer.headers["Permissions-Policy"]
    assert "Set-Cookie" not in answer.headers and not any(name.lower().startswith("access-control") for name in answer.headers)
    assert b"cellar" not in answer.body and not re.search(rb"<script(?![^>]* src=)|<style|\son\w+=", answer.body)


def test_every_path_that_a_browser_goes_to_is_the_client(stranger, asset):
    page = stranger.http("GET", "/").body
    for path in ("/bind", "/t/1", "/admin/users?x=1", "/index.html"):
        answer = stranger.http("GET", path, headers={"Accept": HTML})
        assert answer.status == 200 and answer.body == page, path
        for other in ("*/*", "application/json", "text/html;q=0", "text/html; q=0.000", None):
            assert stranger.http("GET", path, headers={"Accept": other}).status == 404, (path, other)
        answer = stranger.http("HEAD", path, headers={"Accept": HTML})
        assert answer.status == 200 and answer.body == b"" and answer.headers["Content-Length"] == str(len(page))
        assert stranger.http("POST", path, "{}", {"Accept": HTML}).status == 404
    assert stranger.http("POST", "/", "{}").status == 405
    for path in ("/assets/none.js", "/assets/", "/assets/../index.html", asset + "/", asset + "x"):
        assert stranger.http("GET", path, headers={"Accept": HTML}).status == 404, path
    for path in ("/healthz", "/rpc", "/session", "/ws", "/attachments/x"):      # what has a route stays what it is
        assert b"<html" not in stranger.http("GET", path, headers={"Accept": HTML}).body, path


def test_the_page_is_asked_for_anew_each_time_and_sent_when_it_changed(stranger):
    for encoding in (None, "gzip"):
        first = stranger.http("GET", "/", headers={"Accept-Encoding": encoding})
        etag = first.headers["ETag"]
        for known in (etag, f'"x", W/{etag}', "*"):
            answer = stranger.http("GET", "/", headers={"Accept-Encoding": encoding, "If-None-Match": known})
            assert answer.status == 304 and answer.body == b"" and answer.headers["ETag"] == etag, known
            assert answer.headers["Cache-Control"] == "no-cache"
        assert stranger.http("GET", "/", headers={"Accept-Encoding": encoding, "If-None-Match": '"x"'}).body == first.body


def test_what_is_named_by_its_content_is_kept_for_ever(stranger, asset):
    answer = stranger.http("GET", asset)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable" and "Content-Encoding" not in answer.headers
    packed = stranger.http("GET", asset, headers={"Accept-Encoding": "br;q=1, GZIP ; q=0.5"})
    assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["ETag"] != answer.headers["ETag"]
    assert gzip.decompress(packed.body) == answer.body and len(packed.body) < len(answer.body) / 2
    assert stranger.http("HEAD", asset, headers={"Accept-Encoding": "gzip"}).headers["Content-Length"] == str(len(packed.body))
    for refused in ("gzip;q=0", "identity, gzip; q=0.00", "br", "xgzip"):
        assert stranger.http("GET", asset, headers={"Accept-Encoding": refused}).body == answer.body, refused


def test_whose_work_is_in_it_is_told(stranger, asset):
    answer = stranger.http("GET", "/licenses.txt")
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain; charset=utf-8" and b"preact" in answer.body


def test_the_rules_for_every_request_hold_for_pages(desk, stranger):
    assert stranger.http("GET", "/", headers={"Host": "evil.example"}).status == 421
    assert stranger.http("GET", "/", headers={"Origin": "http://evil.example"}).status == 403
    desk.configure({"gateway": {"device_rate": 3}})
    desk.restart("gateway")
    assert [stranger.http("GET", "/").status for _ in range(4)] == [200, 200, 200, 429]
    desk.configure()
    desk.restart("gateway")
