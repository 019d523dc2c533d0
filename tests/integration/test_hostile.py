"""Requests that nobody means well, each with its exact answer: status, code, and whether the connection goes on. What test_crowd.py
has (two lengths, folded fields, what never ends) is not repeated."""
import pytest

from besieged import ATTACKER, CLOSED, CUSTOMER, OPEN, STRANGER, Besieged, error_of
from harness import Device, base64url, ulid, unbase64url


@pytest.fixture(scope="module")
def desk():
    with Besieged({"gateway": {"hosts": "desk.example"}}) as desk:
        yield desk


def get(target="/healthz", *fields, method="GET", host="@HOST@", version="HTTP/1.1", body=""):
    return "\r\n".join([f"{method} {target} {version}", f"Host: {host}", *fields, "", body])


def post(target, body, *fields):
    return get(target, "Content-Type: application/json", f"Content-Length: {len(body)}", *fields, method="POST", body=body)


PARSE, INVALID, PARAMS, STALE, FORBIDDEN, ABSENT, LARGE = -32700, -32600, -32602, -32001, -32002, -32003, -32007
BEARER = "Authorization: Bearer @TOKEN@"

# ---- the request line and the fields ----

HEADS = {
    "method in small letters": (get(method="get"), 405, INVALID, OPEN),
    "TRACE": (get(method="TRACE"), 405, INVALID, OPEN),
    "CONNECT": (get("@HOST@", method="CONNECT"), 404, None, OPEN),
    "a preflight": (get("/rpc", "Origin: http://@HOST@", "Access-Control-Request-Method: POST", method="OPTIONS"), 405, INVALID, OPEN),
    "a foreign preflight": (get("/rpc", "Origin: http://evil.example", "Access-Control-Request-Method: POST", method="OPTIONS"), 403, FORBIDDEN, OPEN),
    "OPTIONS *": (get("*", method="OPTIONS"), 404, None, OPEN),
    "a method of 8000 letters": (get(method="A" * 8000), 405, INVALID, OPEN),
    "a method with a slash": (get(method="GE/T"), 400, INVALID, CLOSED),
    "a method with NUL": (get(method="GE\0T"), 400, INVALID, CLOSED),
    "a tab for a space": ("GET\t/healthz HTTP/1.1\r\nHost: @HOST@\r\n\r\n", 400, INVALID, CLOSED),
    "a space before the line": (" " + get(), 400, INVALID, CLOSED),
    "a space behind the line": (get(version="HTTP/1.1 "), 400, INVALID, CLOSED),
    "HTTP/1.10": (get(version="HTTP/1.10"), 400, INVALID, CLOSED),
    "HTTP/01.1": (get(version="HTTP/01.1"), 400, INVALID, CLOSED),
    "HTTP/1.2": (get(version="HTTP/1.2"), 400, INVALID, CLOSED),
    "HTTP/0.9": (get(version="HTTP/0.9"), 400, INVALID, CLOSED),
    "http/1.1": (get(version="http/1.1"), 400, INVALID, CLOSED),
    "HTTP/1.0 is answered once": (get(version="HTTP/1.0"), 200, None, CLOSED),
    "HTTP/1.0 without Host": ("GET /healthz HTTP/1.0\r\n\r\n", 400, INVALID, CLOSED),
    "two empty lines first": ("\r\n\r\n" + get(), 400, INVALID, CLOSED),
    "an empty field name": (get("/healthz", ": x"), 400, INVALID, CLOSED),
    "a field name with a space": (get("/healthz", "X Y: z"), 400, INVALID, CLOSED),
    "a field name with a tab": (get("/healthz", "X\t: z"), 400, INVALID, CLOSED),
    "a field name with NUL": (get("/healthz", "X\0: z"), 400, INVALID, CLOSED),
    "a field name above ASCII": (get("/healthz", "Hóst: z"), 400, INVALID, CLOSED),
    "DEL in a field": (get("/healthz", "X: \x7f"), 400, INVALID, CLOSED),
    "a fold by tab": (get("/healthz", "X: y", "\tTransfer-Encoding: chunked"), 400, INVALID, CLOSED),
    "a bare return in a name": (get("/healthz", "X: y\rTransfer-Encoding: chunked"), 400, INVALID, CLOSED),
    "a bare line feed": (get("/healthz", "X: y\nTransfer-Encoding: chunked"), 400, INVALID, CLOSED),
    "64 fields": (get("/healthz", *(f"X-{i}: y" for i in range(63))), 200, None, OPEN),
    "one field of 15 KiB": (get("/healthz", "X: " + "y" * 15000), 200, None, OPEN),
    "a field that only looks like Transfer-Encoding": (get("/healthz", "Transfer_Encoding: chunked"), 200, None, OPEN),
    "chunked, capitals": (get("/healthz", "TRANSFER-ENCODING: CHUNKED"), 411, INVALID, CLOSED),
    "chunked behind a tab": (get("/healthz", "Transfer-Encoding:\tchunked"), 411, INVALID, CLOSED),
    "xchunked": (get("/healthz", "Transfer-Encoding: xchunked"), 411, INVALID, CLOSED),
    "chunked and identity": (get("/healthz", "Transfer-Encoding: chunked, identity"), 411, INVALID, CLOSED),
    "an empty coding": (get("/healthz", "Transfer-Encoding:"), 411, INVALID, CLOSED),
    "a coding in HTTP/1.0": (get("/healthz", "Transfer-Encoding: chunked", version="HTTP/1.0"), 411, INVALID, CLOSED),
    "a length with a letter": (get("/healthz", "Content-Length: 5a"), 400, INVALID, CLOSED),
    "a length with an exponent": (get("/healthz", "Content-Length: 1e1"), 400, INVALID, CLOSED),
    "a length with a line": (get("/healthz", "Content-Length: 0_5"), 400, INVALID, CLOSED),
    "a length in Arabic digits": (get("/healthz", "Content-Length: ٥"), 400, INVALID, CLOSED),
    "a length behind a vertical tab": (get("/healthz", "Content-Length: \v5"), 400, INVALID, CLOSED),
    "a length of many zeros": (get("/healthz", "Content-Length: " + "0" * 40), 400, INVALID, CLOSED),
    "a body behind GET is not the next request": (get("/healthz", "Content-Length: 34", body="GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"), 200, None, OPEN),
    "nothing behind a length of 0": (get("/healthz", "Content-Length: 0"), 200, None, OPEN),
    "an upgrade to HTTP/2": (get("/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), 200, None, CLOSED),
    "an upgrade to TLS": (get("/healthz", "Connection: Upgrade", "Upgrade: TLS/1.0"), 200, None, CLOSED),
    "a connection that names fields": (get("/healthz", "Connection: keep-alive, Host, Content-Length"), 200, None, OPEN),
    "Expect twice": (get("/healthz", "Expect: 100-continue", "Expect: 100-continue"), 200, None, OPEN),
    "Expect of something more": (get("/healthz", "Expect: 100-continue, x"), 417, INVALID, CLOSED),
    "a path above ASCII": (get("/héalthz"), 400, INVALID, CLOSED),
    "a link above ASCII": (get("/attachments/@NEW@?link=é"), 400, INVALID, CLOSED),
    "a link beyond its limit": (get("/attachments/@NEW@?link=" + "A" * 301), 400, PARAMS, OPEN),
    "TLS at the door": (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\n" * 8, 400, INVALID, CLOSED),
    "SSH at the door": ("SSH-2.0-OpenSSH_9.2\r\n", 400, INVALID, CLOSED),
    "a WebSocket frame at the door": (b"\x81\x85\0\0\0\0hello\r\n", 400, INVALID, CLOSED),
    "16 KiB of nothing": ("\r" * 16400, 431, INVALID, CLOSED),
}

# ---- whose server, whose page ----

HOSTS = {
    "name in capitals": ("DESK.EXAMPLE:@PORT@", 200),
    "a dot behind the name": ("desk.example.:@PORT@", 421),
    "a name below ours": ("x.desk.example:@PORT@", 421),
    "a name that ends as ours": ("evildesk.example:@PORT@", 421),
    "our name before another": ("desk.example.evil.example:@PORT@", 421),
    "a user before it": ("evil@@HOST@", 421),
    "a user and password": ("desk.example:@PORT@@evil.example", 421),
    "two names": ("@HOST@, evil.example", 421),
    "two names by a space": ("@HOST@ evil.example", 421),
    "a path behind it": ("@HOST@/", 421),
    "a query behind it": ("@HOST@?", 421),
    "a fragment behind it": ("@HOST@#", 421),
    "localhost": ("localhost:@PORT@", 421),
    "a short address": ("127.1:@PORT@", 421),
    "a hexadecimal address": ("0x7f000001:@PORT@", 421),
    "a decimal address": ("2130706433:@PORT@", 421),
    "an octal address": ("0177.0.0.1:@PORT@", 421),
    "an address mapped to IPv6": ("[::ffff:127.0.0.1]:@PORT@", 421),
    "loopback of IPv6": ("[::1]:@PORT@", 421),
    "all addresses": ("0.0.0.0:@PORT@", 421),
    "brackets around IPv4": ("[127.0.0.1]:@PORT@", 421),
    "an open bracket": ("[127.0.0.1:@PORT@", 421),
    "a zone": ("[fe80::1%25lo]:@PORT@", 421),
    "no port": ("127.0.0.1", 421),
    "an empty port": ("127.0.0.1:", 421),
    "a port with a plus": ("127.0.0.1:+@PORT@", 421),
    "a port with a space": ("127.0.0.1: @PORT@", 421),
    "a port beyond 16 bits": ("127.0.0.1:1@PORT@", 421),
    "nothing": ("", 421),
    "a star": ("*", 421),
    "long": ("a" * 15000, 421),
    "bytes above ASCII": ("desk.examplé:@PORT@", 421),
}

ORIGINS = {
    "ours": ("http://@HOST@", 200),
    "ours in capitals": ("HTTP://@HOST@", 200),
    "null": ("null", 403),
    "NULL": ("NULL", 403),
    "file": ("file://", 403),
    "another scheme": ("https://@HOST@", 403),
    "another port": ("http://127.0.0.1:1", 403),
    "no port": ("http://127.0.0.1", 403),
    "another loopback": ("http://127.0.0.2:@PORT@", 403),
    "our other name": ("http://desk.example:@PORT@", 403),
    "a path": ("http://@HOST@/", 403),
    "a user": ("http://evil@@HOST@", 403),
    "ours and another": ("http://@HOST@ http://evil.example", 403),
    "another and ours": ("http://evil.example http://@HOST@", 403),
    "ours as prefix": ("http://@HOST@.evil.example", 403),
    "an extension": ("chrome-extension://@HOST@", 403),
    "a scheme alone": ("http://", 403),
}

# ---- where to ----

PATHS = {
    "a slash behind": "/healthz/",
    "two slashes": "//healthz",
    "a dot": "/./healthz",
    "dots to nowhere": "/../healthz",
    "dots that come back": "/rpc/../healthz",
    "dots encoded": "/%2e%2e/healthz",
    "a letter encoded": "/%68ealthz",
    "NUL encoded": "/healthz%00",
    "overlong dots": "/%c0%ae%c0%ae/healthz",
    "a parameter": "/healthz;x=1",
    "a fragment": "/healthz#x",
    "capitals": "/HEALTHZ",
    "a backslash": "\\healthz",
    "no slash": "healthz",
    "a star": "*",
    "files of the machine": "/../../../../etc/passwd",
    "the socket's name": "/run/assist-store/rpc.sock",
    "an absolute address": "http://@HOST@/healthz",
    "another's absolute address": "http://evil.example/healthz",
    "attachments without a slash": "/attachments",
    "long": "/" + "a" * 15000,
    "broken encoding": "/%zz",
}

ATTACHMENT_PATHS = {    # with a customer's token
    "nothing": "/attachments/",
    "dots": "/attachments/..",
    "files of the machine": "/attachments/../../../../etc/passwd",
    "dots behind an id": "/attachments/@NEW@/..",
    "a slash behind an id": "/attachments/@NEW@/",
    "an id encoded": "/attachments/%30" + "0" * 25,
    "an id in small letters with u": "/attachments/" + "u" * 26,
    "an id beyond 128 bits": "/attachments/8" + "Z" * 25,
    "an id too short": "/attachments/" + "0" * 25,
    "an id too long": "/attachments/" + "0" * 27,
    "a ticket's id": "/attachments/@TICKET@",
    "a link of nothing": "/attachments/@NEW@?link=",
    "a link of dots": "/attachments/@NEW@?link=../..",
    "a link of a page": "/attachments/@NEW@?link=" + "A" * 300,
    "two links": "/attachments/@NEW@?link=a&link=b",
}


@pytest.mark.parametrize("name", HEADS)
def test_heads(desk, name):
    request, status, code, then = HEADS[name]
    got, _, body, after = desk.say(request)
    assert (got, error_of(body)[0], after) == (status, code, then), body


@pytest.mark.parametrize("name", HOSTS)
def test_hosts(desk, name):
    host, status = HOSTS[name]
    got, headers, body, after = desk.say(get(host=host))
    assert (got, error_of(body)[0], after) == (status, FORBIDDEN if status == 421 else None, OPEN)
    assert "evil" not in str(headers) + body.decode()


@pytest.mark.parametrize("name", ORIGINS)
def test_origins(desk, name):
    origin, status = ORIGINS[name]
    for request in (get("/healthz", f"Origin: {origin}"), post("/session/nonce", "{}", f"Origin: {origin}")):
        got, headers, body, after = desk.say(request)
        assert (got, error_of(body)[0], after) == (status, FORBIDDEN if status == 403 else None, OPEN)
        assert not any(name.startswith("access-control") for name in headers)


@pytest.mark.parametrize("name", PATHS)
def test_paths(desk, name):
    got, _, body, after = desk.say(get(PATHS[name]))
    assert (got, body, after) == (404, b"There is nothing here.\n", OPEN)


@pytest.mark.parametrize("name", ATTACHMENT_PATHS)
def test_paths_of_attachments(desk, name):
    got, _, body, after = desk.say(get(ATTACHMENT_PATHS[name], BEARER))
    assert (got, error_of(body)[0], after) == (404, ABSENT, OPEN), body


# ---- who ----

def flipped(token, i):
    raw = bytearray(unbase64url(token))
    raw[i] ^= 1
    return base64url(bytes(raw))


TOKENS = {      # what becomes of a good one, and how the header goes
    "none": lambda t: "",
    "no scheme": lambda t: t,
    "another scheme": lambda t: f"Basic {t}",
    "a scheme without a space": lambda t: f"Bearer{t}",
    "a scheme and a tab": lambda t: f"Bearer\t{t}",
    "a scheme alone": lambda t: "Bearer ",
    "two tokens": lambda t: f"Bearer {t} {t}",
    "two tokens by a comma": lambda t: f"Bearer {t},{t}",
    "in quotes": lambda t: f'Bearer "{t}"',
    "padded": lambda t: f"Bearer {t}=",
    "cut": lambda t: f"Bearer {t[:-1]}",
    "cut by a block": lambda t: f"Bearer {t[:-4]}",
    "longer": lambda t: f"Bearer {t}AAAA",
    "in capitals": lambda t: f"Bearer {t.upper()}",
    "another version": lambda t: f"Bearer {flipped(t, 0)}",
    "a later end": lambda t: f"Bearer {flipped(t, 5)}",
    "another binding": lambda t: f"Bearer {flipped(t, 20)}",
    "another MAC": lambda t: f"Bearer {flipped(t, 30)}",
    "the MAC's last bit": lambda t: f"Bearer {flipped(t, -1)}",
    "zeros": lambda t: f"Bearer {base64url(bytes(57))}",
    "a stranger made of a member": lambda t: f"Bearer {base64url(unbase64url(t)[:9] + bytes(16) + unbase64url(t)[25:])}",
    "base64 that is not base64url": lambda t: f"Bearer +/{t[2:]}",
    "300 letters": lambda t: "Bearer " + "A" * 300,
    "301 letters": lambda t: "Bearer " + "A" * 301,
    "15,000 letters": lambda t: "Bearer " + "A" * 15000,
    "percent signs": lambda t: "Bearer %00%0a",
    "bytes above ASCII": lambda t: "Bearer é" + t[2:],
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens(desk, name):
    header = f"Authorization: {TOKENS[name](desk.customer.token)}"
    call = '{"jsonrpc":"2.0","id":1,"method":"project.info"}'
    for address in (CUSTOMER, ATTACKER):
        got, headers, body, after = desk.say(post("/rpc", call, header), address)
        assert (got, error_of(body), after) == (200, (STALE, None), OPEN)
        got, headers, body, after = desk.say(get("/attachments/@NEW@", header), address)
        assert (got, error_of(body), after, headers["www-authenticate"]) == (401, (STALE, None), OPEN, "Bearer")


def test_a_token_in_other_places_is_none(desk):
    call = '{"jsonrpc":"2.0","id":1,"method":"project.info"}'
    for request in (post("/rpc", call, "Cookie: token=@TOKEN@"), post("/rpc?token=@TOKEN@", call), post("/rpc?access_token=@TOKEN@", call),
                    post("/rpc", call, "X-Authorization: Bearer @TOKEN@"), post("/rpc", call, "Proxy-Authorization: Bearer @TOKEN@")):
        assert error_of(desk.say(request)[2]) == (STALE, None)


def test_who_names_an_address_in_a_header_is_still_where_they_are(desk):
    for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Client-IP", "True-Client-IP"):
        _, _, body, _ = desk.say(post("/session/nonce", "{}", f"{name}: {CUSTOMER}"), ATTACKER)
        assert f'"device":"loopback:{ATTACKER}"' in body.decode()


SESSIONS = {    # @NONCE@: a good one of the attacker's device
    "no nonce": ("{}", 400, PARAMS, "nonce"),
    "an empty nonce": ('{"nonce":""}', 400, PARAMS, "nonce"),
    "a short nonce": ('{"nonce":"AAAA"}', 400, PARAMS, "nonce"),
    "a nonce of zeros": ('{"nonce":"%s"}' % base64url(bytes(56)), 401, STALE, None),
    "a nonce of another length": ('{"nonce":"%s"}' % base64url(bytes(57)), 401, STALE, None),
    "a nonce that is too long": ('{"nonce":"%s"}' % base64url(bytes(97)), 400, PARAMS, "nonce"),
    "a nonce padded": ('{"nonce":"@NONCE@="}', 400, PARAMS, "nonce"),
    "a nonce with its end moved": ('{"nonce":"B@NONCE1@"}', 401, STALE, None),
    "a nonce that is a list": ('{"nonce":["@NONCE@"]}', 400, PARAMS, "nonce"),
    "a nonce twice": ('{"nonce":"@NONCE@","nonce":"@NONCE@"}', 400, PARAMS, "nonce"),
    "an empty proof": ('{"nonce":"@NONCE@","proof":""}', 400, PARAMS, "proof"),
    "a proof of zeros": ('{"nonce":"@NONCE@","proof":"%s"}' % base64url(bytes(32)), 401, STALE, None),
    "a proof of 31 bytes": ('{"nonce":"@NONCE@","proof":"%s"}' % base64url(bytes(31)), 400, PARAMS, "proof"),
    "a proof of 33 bytes": ('{"nonce":"@NONCE@","proof":"%s"}' % base64url(bytes(33)), 400, PARAMS, "proof"),
    "a list": ("[]", 400, PARAMS, None),
    "no JSON": ("{", 400, PARSE, None),
    "a form": ("nonce=@NONCE@", 400, PARSE, None),
    "NUL behind it": ('{"nonce":"@NONCE@"}\0', 400, PARSE, None),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_sessions(desk, name):
    text, status, code, field = SESSIONS[name]
    nonce = Device(desk, ATTACKER).post("/session/nonce", {}).json["nonce"]
    got, _, body, after = desk.say(post("/session", text.replace("@NONCE@", nonce).replace("@NONCE1@", nonce[1:])), ATTACKER)
    assert (got, error_of(body), after) == (status, (code, field), OPEN), body


def test_a_nonce_of_another_device_is_none(desk):
    nonce = Device(desk, STRANGER).post("/session/nonce", {}).json["nonce"]
    assert Device(desk, ATTACKER).post("/session", {"nonce": nonce, "address": STRANGER}).status == 401


# ---- files ----

CONTENT_RANGES = {      # five bytes of an upload of ten
    "no unit": "0-4/10",
    "another unit": "lines 0-4/10",
    "the unit in capitals": "BYTES 0-4/10",
    "two spaces": "bytes  0-4/10",
    "a tab": "bytes\t0-4/10",
    "an equals sign": "bytes=0-4/10",
    "no total": "bytes 0-4",
    "a star for the total": "bytes 0-4/*",
    "a star for the range": "bytes */10",
    "backwards": "bytes 4-0/10",
    "beyond its total": "bytes 0-4/4",
    "a first below zero": "bytes -1-4/10",
    "a plus": "bytes +0-4/10",
    "spaces": "bytes 0 - 4 / 10",
    "hexadecimal": "bytes 0x0-0x4/0xa",
    "16 digits": "bytes 0000000000000000-4/10",
    "2 to the 64th": "bytes 0-18446744073709551620/18446744073709551621",
    "two ranges": "bytes 0-4,5-9/10",
    "fewer than the body": "bytes 0-3/10",
    "more than the body": "bytes 0-5/10",
    "something behind it": "bytes 0-4/10 x",
}

RANGES = {              # of a file of ten bytes: "0123456789"
    "no unit": ("0-1", 200, None),
    "another unit": ("lines=0-1", 200, None),
    "two parts": ("bytes=0-1,3-4", 200, None),
    "many parts": ("bytes=" + ",".join("0-9" for _ in range(3000)), 200, None),
    "backwards": ("bytes=5-1", 200, None),
    "nothing": ("bytes=", 200, None),
    "a dash": ("bytes=-", 200, None),
    "two dashes": ("bytes=--1", 200, None),
    "a plus": ("bytes=+1-2", 200, None),
    "hexadecimal": ("bytes=0x1-0x2", 200, None),
    "20 digits": ("bytes=0-99999999999999999999", 200, None),
    "NUL encoded": ("bytes=0-%00", 200, None),
    "letters": ("bytes=a-b", 200, None),
    "all of it": ("bytes=0-", 206, b"0123456789"),
    "beyond its end": ("bytes=8-100", 206, b"89"),
    "far beyond its end": ("bytes=8-999999999999999", 206, b"89"),
    "the last hundred": ("bytes=-100", 206, b"0123456789"),
    "the last one": ("bytes=-1", 206, b"9"),
    "behind its end": ("bytes=10-", 416, b""),
    "far behind its end": ("bytes=999999999999999-", 416, b""),
    "the last none": ("bytes=-0", 416, b""),
}


def put(path, body, *fields):
    return get(path, BEARER, f"Content-Length: {len(body)}", *fields, method="PUT", body=body)


@pytest.mark.parametrize("name", CONTENT_RANGES)
def test_content_ranges(desk, name):
    upload = desk.customer.rpc("attachment.start", name="x", size=10)["upload"]
    got, _, body, after = desk.say(put(f"/attachments/{upload}", "01234", f"Content-Range: {CONTENT_RANGES[name]}"))
    assert (got, error_of(body)[0], after) == (400, INVALID, OPEN), body
    head = desk.customer.http("HEAD", f"/attachments/{upload}")
    assert (head.status, head.headers["Upload-Offset"]) == (204, "0"), "nothing of it was taken"
    whole = "0123456789"
    assert desk.say(put(f"/attachments/{upload}", whole))[0] == 204
    desk.customer.rpc("comment.add", ticket=desk.ticket, body=name, attachments=[upload])


def test_pieces_that_are_not_the_uploads(desk):
    path = f"/attachments/{desk.customer.rpc('attachment.start', name='x', size=10)['upload']}"
    for body, content_range, status, offset in (
            ("01234567890", "bytes 0-10/11", 413, None),        # more than was announced
            ("56789", "bytes 5-9/10", 409, "0"),                # a gap
            ("", "bytes 0-0/10", 400, None),
            ("01234", "bytes 0-4/5", 204, "5"),                 # the size that was announced counts
            ("x1234", "bytes 0-4/10", 204, "5"),                # a repetition: what came first stays
            ("x12345678", "bytes 0-8/10", 204, "9"),
            ("0", "bytes 20-20/21", 409, "9"),
            ("9", "bytes 9-9/10", 204, "10"),
            ("0123456789", "bytes 0-9/10", 204, "10"),
            ("0", "bytes 10-10/11", 413, None)):
        got, headers, answer, after = desk.say(put(path, body, f"Content-Range: {content_range}"))
        assert (got, headers.get("upload-offset"), after) == (status, offset, OPEN), (content_range, answer)
    added = desk.customer.rpc("comment.add", ticket=desk.ticket, body="see", attachments=[path.split("/")[2]])["comment"]
    assert desk.agent.http("GET", f"/attachments/{added['attachments'][0]['id']}").body == b"0123456789"


@pytest.fixture(scope="module")
def file(desk):
    upload = desk.customer.upload("x.txt", b"0123456789")
    return desk.customer.rpc("comment.add", ticket=desk.ticket, body="see", attachments=[upload])["comment"]["attachments"][0]["id"]


@pytest.mark.parametrize("name", RANGES)
def test_ranges(desk, file, name):
    text, status, body = RANGES[name]
    got, headers, found, after = desk.say(get(f"/attachments/{file}", BEARER, f"Range: {text}"))
    assert (got, found, after) == (status, b"0123456789" if body is None else body, OPEN)
    assert headers["x-content-type-options"] == "nosniff" and "sandbox" in headers["content-security-policy"]


LINKS = {       # what becomes of a good one
    "cut": lambda u: u[:-1],
    "longer": lambda u: u + "A",
    "padded": lambda u: u + "=",
    "its first byte": lambda u: u.split("=")[0] + "=" + flipped(u.split("=")[1], 0),
    "its end moved": lambda u: u.split("=")[0] + "=" + flipped(u.split("=")[1], 7),
    "another person": lambda u: u.split("=")[0] + "=" + flipped(u.split("=")[1], 12),
    "its MAC": lambda u: u.split("=")[0] + "=" + flipped(u.split("=")[1], -1),
    "encoded": lambda u: u.split("=")[0] + "=%" + u.split("=")[1][1:],
    "in capitals": lambda u: u.split("=")[0] + "=" + u.split("=")[1].upper(),
    "of another file": lambda u: "/attachments/" + ulid() + "?" + u.split("?")[1],
}


@pytest.mark.parametrize("name", LINKS)
def test_links(desk, file, name):
    url = desk.customer.rpc("attachment.link", attachment=file)["url"]
    assert desk.say(get(url))[2] == b"0123456789" and desk.say(get(url), ATTACKER)[0] == 404
    got, _, body, after = desk.say(get(LINKS[name](url)))
    assert (got, error_of(body)[0], after) == (404, ABSENT, OPEN), body


def test_the_table_is_long(desk):
    tables = (HEADS, HOSTS, ORIGINS, PATHS, ATTACHMENT_PATHS, TOKENS, SESSIONS, CONTENT_RANGES, RANGES, LINKS)
    assert sum(map(len, tables)) > 200
