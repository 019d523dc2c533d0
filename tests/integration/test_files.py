"""Files as clients see them: up in pieces, down in parts, by links, and what a browser may do with them."""
import os
import socket

import pytest

from harness import Desk, Device, ulid

CUSTOMER, AGENT = "127.0.0.2", "127.0.0.3"


@pytest.fixture(scope="module")
def desk():
    with Desk() as desk:
        yield desk


@pytest.fixture(scope="module")
def customer(desk):
    return desk.member(CUSTOMER, "linus@example.org", "Linus")


@pytest.fixture(scope="module")
def agent(desk):
    return desk.member(AGENT, "ada@example.org", "Ada", "agent")


PIECE = 1024 * 1024


def upload(device, name, data, skip=()):
    started = device.rpc("attachment.start", name=name, size=len(data))["upload"]
    for at in range(0, len(data), PIECE):
        piece = data[at:at + PIECE]
        answer = device.http("PUT", f"/attachments/{started}", piece,
                             {"Content-Range": f"bytes {at}-{at + len(piece) - 1}/{len(data)}"})
        assert answer.status == 204 and int(answer.headers["Upload-Offset"]) == at + len(piece)
    assert answer.headers["Upload-Complete"] == "true"
    return started


def attached(device, name, data):
    """Uploads, files a ticket with it, and answers (ticket, attachment)."""
    t = device.rpc("ticket.create", subject="With a file", body="See", attachments=[upload(device, name, data)])
    return t, device.rpc("comment.list", ticket=t["id"])["items"][0]["attachments"][0]


def png(n):
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\6\0\0\0" + os.urandom(n)


def test_a_file_comes_back_byte_for_byte(customer, agent):
    data = png(3 * 1024 * 1024 + 17)
    _, a = attached(customer, "Überblick \"1\".png", data)
    answer = agent.http("GET", f"/attachments/{a['id']}")
    assert answer.status == 200 and answer.body == data and answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Content-Type"] == "image/png" and "sandbox" in answer.headers["Content-Security-Policy"]
    shown = answer.headers["Content-Disposition"]
    assert shown == "inline; filename=\"_berblick _1_.png\"; filename*=UTF-8''%C3%9Cberblick%20%221%22.png"
    head = agent.http("HEAD", f"/attachments/{a['id']}")
    assert head.status == 200 and head.body == b"" and head.headers["Content-Length"] == str(len(data))


def test_parts_of_a_file_and_files_that_did_not_change(customer):
    data = png(700000)
    _, a = attached(customer, "a.png", data)
    path = f"/attachments/{a['id']}"
    for first, last in ((0, 0), (5, 300000), (len(data) - 1, len(data) - 1)):
        part = customer.http("GET", path, headers={"Range": f"bytes={first}-{last}"})
        assert part.status == 206 and part.body == data[first:last + 1]
        assert part.headers["Content-Range"] == f"bytes {first}-{last}/{len(data)}"
    assert customer.http("GET", path, headers={"Range": "bytes=-10"}).body == data[-10:]
    assert customer.http("GET", path, headers={"Range": "bytes=0-1,5-6"}).status == 200
    outside = customer.http("GET", path, headers={"Range": f"bytes={len(data)}-"})
    assert outside.status == 416 and outside.headers["Content-Range"] == f"bytes */{len(data)}"
    etag = customer.http("HEAD", path).headers["ETag"]
    assert customer.http("GET", path, headers={"If-None-Match": f'"x", W/{etag}'}).status == 304
    assert customer.http("GET", path, headers={"Range": "bytes=0-1", "If-Range": '"x"'}).status == 200
    assert customer.http("GET", path, headers={"Range": "bytes=0-1", "If-Range": etag}).status == 206


def test_an_upload_goes_on_where_it_ended_and_gaps_are_told(customer, agent):
    data = os.urandom(PIECE + 1000)
    started = customer.rpc("attachment.start", name="x.bin", size=len(data))["upload"]
    path = f"/attachments/{started}"

    def put(first, last, device=customer, body=None):
        return device.http("PUT", path, body if body is not None else data[first:last + 1],
                           {"Content-Range": f"bytes {first}-{last}/{len(data)}"})

    gap = put(1000, 1999)
    assert gap.status == 409 and gap.headers["Upload-Offset"] == "0"
    assert put(0, 599999).headers["Upload-Complete"] == "false"
    head = customer.http("HEAD", path)
    assert head.headers["Upload-Offset"] == "600000" and head.headers["Upload-Length"] == str(len(data))
    assert put(0, 599999).headers["Upload-Offset"] == "600000"         # again
    assert put(600000, 700000, body=b"short").status == 400
    assert put(600000, 600000, device=agent).status == 404             # another's
    assert agent.http("HEAD", path).status == 404
    assert customer.http("PUT", path, data[:5], {"Content-Range": "bytes x"}).status == 400
    assert put(600000, len(data) - 1).headers["Upload-Complete"] == "true"


def test_only_what_is_harmless_is_shown_by_a_browser(customer):
    for name, data, kind, shown in (("a.html", b"<!DOCTYPE html><html><script>alert(1)</script></html>", "text/plain; charset=utf-8", "inline"),
                                    ("a.svg", b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"></svg>',
                                     "application/octet-stream", "attachment"),
                                    ("a.pdf", b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "application/octet-stream", "attachment")):
        _, a = attached(customer, name, data)
        answer = customer.http("GET", f"/attachments/{a['id']}")
        assert answer.body == data and answer.headers["Content-Type"] == kind, name
        assert answer.headers["Content-Disposition"].startswith(shown) and answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_link_needs_no_header_but_its_device(desk, customer, agent):
    data = png(1000)
    _, a = attached(customer, "a.png", data)
    url = agent.rpc("attachment.link", attachment=a["id"])["url"]
    anonymous = Device(desk, AGENT)
    assert anonymous.http("GET", url).body == data
    assert anonymous.http("GET", url, headers={"Range": "bytes=0-3"}).body == data[:4]
    assert Device(desk, "127.0.0.99").http("GET", url).status == 404
    assert anonymous.http("GET", url[:-1] + ("A" if url[-1] != "A" else "B")).status == 404
    assert anonymous.http("GET", f"/attachments/{a['id']}").status == 401
    assert customer.http("GET", "/attachments/" + ulid()).status == 404
    assert customer.http("GET", "/attachments/x").status == 404


def test_a_client_that_leaves_in_the_middle_of_a_file_is_forgotten(desk, customer):
    _, a = attached(customer, "a.png", png(8 * 1024 * 1024))
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", desk.port), source_address=(customer.address, 0)) as s:
            s.sendall(f"GET /attachments/{a['id']} HTTP/1.1\r\nHost: 127.0.0.1:{desk.port}\r\nAuthorization: Bearer {customer.token}\r\n"
                      "\r\n".encode())
            assert s.recv(1000)
    assert customer.rpc("project.info")
