"""Bodies that nobody means well at /rpc, each with its exact answer: the code and the field that is named. The connection goes on."""
import json

import pytest

from besieged import OPEN, Besieged, error_of
from test_hostile import post


@pytest.fixture(scope="module")
def desk():
    with Besieged() as desk:
        yield desk


PARSE, INVALID, UNKNOWN, PARAMS, ABSENT = -32700, -32600, -32601, -32602, -32003
INFO = '{"jsonrpc":"2.0","id":1,"method":"project.info"'


def info(members=""):
    return INFO + members + "}"


def call(method, params):
    return '{"jsonrpc":"2.0","id":1,"method":"%s","params":%s}' % (method, params)


def page(members):
    return call("ticket.list", "{%s}" % members)


def create(subject="s", body="b", more=""):
    """Text between quotes, as it is."""
    return call("ticket.create", '{"subject":"%s","body":"%s"%s}' % (subject, body, more))


def nested(n, kind="[]"):
    return kind[0] * n + kind[1] * n if kind == "[]" else '{"a":' * n + "1" + "}" * n


FINE = (None, None)
CASES = {
    # what is no JSON
    "nothing": ("", PARSE, None),
    "a space": (" ", PARSE, None),
    "an open brace": ("{", PARSE, None),
    "a brace too many": (info() + "}", PARSE, None),
    "two values": (info() + info(), PARSE, None),
    "a comma too many": (info(","), PARSE, None),
    "a member without a value": (info(',"x":'), PARSE, None),
    "a member without a name": (info(',:1'), PARSE, None),
    "a name without quotes": (info(",x:1"), PARSE, None),
    "single quotes": (info(",'x':1"), PARSE, None),
    "a comment": (info("/* */"), PARSE, None),
    "a comment to the end": (info() + "// x", PARSE, None),
    "a BOM": (b"\xef\xbb\xbf" + info().encode(), PARSE, None),
    "UTF-16": (info().encode("utf-16"), PARSE, None),
    "NUL behind it": (info() + "\0", PARSE, None),
    "NUL before it": ("\0" + info(), PARSE, None),
    "a form": ("jsonrpc=2.0&method=project.info", PARSE, None),
    "XML": ("<methodCall><methodName>project.info</methodName></methodCall>", PARSE, None),
    "a form feed for a space": (info(',\f"x":1'), PARSE, None),
    "NaN": (info(',"x":NaN'), PARSE, None),
    "Infinity": (info(',"x":Infinity'), PARSE, None),
    "a leading zero": (info(',"x":01'), PARSE, None),
    "a plus": (info(',"x":+1'), PARSE, None),
    "nothing behind the point": (info(',"x":1.'), PARSE, None),
    "nothing before the point": (info(',"x":.5'), PARSE, None),
    "a hexadecimal number": (info(',"x":0x10'), PARSE, None),
    "a minus alone": (info(',"x":-'), PARSE, None),
    "True": (info(',"x":True'), PARSE, None),
    "an unknown escape": (info(r',"x":"\q"'), PARSE, None),
    "half an escape": (info(r',"x":"\u12"'), PARSE, None),
    "a line feed in a string": (info(',"x":"\n"'), PARSE, None),
    "an open string": (info(',"x":"'), PARSE, None),
    "deeper than 32": (info(',"x":' + nested(32)), INVALID, None),
    "100,000 brackets": (nested(100000), INVALID, None),
    "100,000 open brackets": ("[" * 100000, INVALID, None),
    "100,000 open braces": ('{"a":' * 100000, INVALID, None),
    "depth in params": (page('"x":' + nested(40)), INVALID, None),
    "depth in the id": ('{"jsonrpc":"2.0","method":"project.info","id":%s}' % nested(40), INVALID, None),
    "depth of objects": (info(',"x":' + nested(40, "{}")), INVALID, None),
    "as deep as may be": (info(',"x":' + nested(31)), *FINE),
    # text that is no UTF-8
    "an overlong slash": (info().encode()[:-1] + b',"x":"\xc0\xaf"}', PARSE, None),
    "an overlong NUL": (info().encode()[:-1] + b',"x":"\xc0\x80"}', PARSE, None),
    "overlong in three": (info().encode()[:-1] + b',"x":"\xe0\x80\xaf"}', PARSE, None),
    "overlong in four": (info().encode()[:-1] + b',"x":"\xf0\x80\x80\xaf"}', PARSE, None),
    "a surrogate in UTF-8": (info().encode()[:-1] + b',"x":"\xed\xa0\x80"}', PARSE, None),
    "beyond Unicode": (info().encode()[:-1] + b',"x":"\xf4\x90\x80\x80"}', PARSE, None),
    "five bytes": (info().encode()[:-1] + b',"x":"\xf8\x88\x80\x80\x80"}', PARSE, None),
    "a cut character": (info().encode()[:-1] + b',"x":"\xe2\x82"}', PARSE, None),
    "a tail without a head": (info().encode()[:-1] + b',"x":"\x80"}', PARSE, None),
    "Latin-1": (info().encode()[:-1] + b',"x":"\xe9"}', PARSE, None),
    "an overlong name of a member": (info().encode()[:-1] + b',"\xc0\xaf":1}', PARSE, None),
    "an overlong id": (info().encode().replace(b'"id":1', b'"id":"\xc0\x80"'), PARSE, None),
    "an overlong text in an ignored list": (info().encode()[:-1] + b',"x":[["\xc0\xaf"]]}', PARSE, None),
    "an overlong text in params": (create("\0\0\0").encode().replace(b"\0\0\0", b"\xc0\xaf"), PARSE, None),
    "a lone high surrogate": (create(r"\ud800"), PARSE, None),
    "a lone low surrogate": (create(r"\udc00"), PARSE, None),
    "surrogates the wrong way round": (create(r"\udc00\ud800"), PARSE, None),
    "two high surrogates": (create(r"\ud800\ud800"), PARSE, None),
    "a high one and a letter": (create(r"\ud800A"), PARSE, None),
    "a lone one in the id": (info().replace('"id":1', r'"id":"\ud800"'), PARSE, None),
    "a lone one that is ignored": (info(r',"x":"\udfff"'), PARSE, None),
    "NUL in a subject": (create(r"a\u0000b"), PARAMS, "subject"),
    "NUL in a method": (info().replace("project.info", r"project.info\u0000"), INVALID, None),
    "NUL in the id": (info().replace('"id":1', r'"id":"\u0000"'), *FINE),
    # JSON that is no request
    "null": ("null", INVALID, None),
    "a number": ("1", INVALID, None),
    "a string": ('"x"', INVALID, None),
    "an empty object": ("{}", INVALID, None),
    "no version": ('{"id":1,"method":"project.info"}', INVALID, None),
    "version 1.0": (info().replace("2.0", "1.0"), INVALID, None),
    "the version as a number": (info().replace('"2.0"', "2.0"), INVALID, None),
    "version 2.00": (info().replace("2.0", "2.00"), INVALID, None),
    "no method": ('{"jsonrpc":"2.0","id":1}', INVALID, None),
    "a method null": (info().replace('"project.info"', "null"), INVALID, None),
    "a method of a number": (info().replace('"project.info"', "1"), INVALID, None),
    "a method of a list": (info().replace('"project.info"', "[]"), INVALID, None),
    "a method of 101 letters": (info().replace("project.info", "a" * 101), INVALID, None),
    "params null": (info(',"params":null'), INVALID, None),
    "params a string": (info(',"params":"x"'), INVALID, None),
    "params a number": (info(',"params":1'), INVALID, None),
    "params true": (info(',"params":true'), INVALID, None),
    "params a list": (info(',"params":[1]'), PARAMS, None),
    "an id that is an object": (info().replace('"id":1', '"id":{}'), INVALID, None),
    "an id that is a list": (info().replace('"id":1', '"id":[1]'), INVALID, None),
    "an id that is true": (info().replace('"id":1', '"id":true'), INVALID, None),
    "an id of 1025 bytes": (info().replace('"id":1', '"id":"%s"' % ("a" * 1023)), INVALID, None),
    "an id of 2000 digits": (info().replace('"id":1', '"id":' + "9" * 2000), INVALID, None),
    "a member twice": (info(',"method":"project.info"'), INVALID, None),
    "the id twice": (info(',"id":2'), INVALID, None),
    "params twice": (info(',"params":{},"params":{}'), INVALID, None),
    "a member twice, escaped": (info(r',"\u006dethod":"user.list"'), INVALID, None),
    "an unknown member twice": (info(',"x":1,"x":2'), *FINE),
    # methods
    "no such method": (info().replace("project.info", "no.such"), UNKNOWN, None),
    "the empty method": (info().replace("project.info", ""), UNKNOWN, None),
    "a method in capitals": (info().replace("project.info", "PROJECT.INFO"), UNKNOWN, None),
    "a space behind the method": (info().replace("project.info", "project.info "), UNKNOWN, None),
    "a method between services": (call("session.resolve", '{"token":"x","address":"127.0.0.3"}'), UNKNOWN, None),
    "the log": (call("ops.follow", '{"after":0}'), UNKNOWN, None),
    "the gateway's own read": (call("attachment.read", '{"attachment":"@NEW@","offset":0,"length":1}'), UNKNOWN, None),
    "a session from here": (call("session.open", '{"address":"127.0.0.3","nonce":""}'), UNKNOWN, None),
    "the operator's": (call("store.rebuild", "{}"), UNKNOWN, None),
    "a stranger's name for a type": (call("__proto__", "{}"), UNKNOWN, None),
    # numbers
    "a fraction": (page('"limit":1.5'), PARAMS, "limit"),
    "an exponent": (page('"limit":1e1'), PARAMS, "limit"),
    "a whole fraction": (page('"limit":1.0'), PARAMS, "limit"),
    "minus one": (page('"limit":-1'), PARAMS, "limit"),
    "zero": (page('"limit":0'), PARAMS, "limit"),
    "one too many": (page('"limit":201'), PARAMS, "limit"),
    "2 to the 63rd": (page('"limit":9223372036854775808'), PARAMS, "limit"),
    "minus 2 to the 63rd": (page('"limit":-9223372036854775808'), PARAMS, "limit"),
    "2 to the 64th and one": (page('"limit":18446744073709551617'), PARAMS, "limit"),
    "5000 digits": (page('"limit":' + "1" * 5000), PARAMS, "limit"),
    "1e400": (page('"limit":1e400'), PARAMS, "limit"),
    "a number beyond a double that is ignored": (info(',"x":1e400'), *FINE),
    "half a million digits that are ignored": (info(',"x":' + "1" * 500000), *FINE),
    "a number as text": (page('"limit":"1"'), PARAMS, "limit"),
    "a number that is true": (page('"limit":true'), PARAMS, "limit"),
    "a number that is a list": (page('"limit":[1]'), PARAMS, "limit"),
    "a number beyond 53 bits": (call("ticket.get", '{"number":9007199254740993}'), PARAMS, "number"),
    "a number that nobody has": (call("ticket.get", '{"number":9007199254740991}'), ABSENT, None),
    # ids, texts, lists
    "an id too short": (call("ticket.get", '{"ticket":"%s"}' % ("0" * 25)), PARAMS, "ticket"),
    "an id too long": (call("ticket.get", '{"ticket":"%s"}' % ("0" * 27)), PARAMS, "ticket"),
    "an id beyond 128 bits": (call("ticket.get", '{"ticket":"8%s"}' % ("0" * 25)), PARAMS, "ticket"),
    "an id with U": (call("ticket.get", '{"ticket":"%sU"}' % ("0" * 25)), PARAMS, "ticket"),
    "an id of another alphabet": (call("ticket.get", '{"ticket":"%s"}' % ("０" * 26)), PARAMS, "ticket"),
    "an id of zeros": (call("ticket.get", '{"ticket":"%s"}' % ("0" * 26)), ABSENT, None),
    "an id that is a number": (call("ticket.get", '{"ticket":0}'), PARAMS, "ticket"),
    "both": (call("ticket.get", '{"ticket":"@TICKET@","number":1}'), PARAMS, "ticket"),
    "neither": (call("ticket.get", "{}"), PARAMS, "ticket"),
    "an op id of zeros": (create(more=',"op_id":"%s"' % ("0" * 26)), PARAMS, "op_id"),
    "a subject of 201 letters": (create("s" * 201), PARAMS, "subject"),
    "a subject of 201 emoji": (create("\U0001f525" * 201), PARAMS, "subject"),
    "a subject of none": (create(""), PARAMS, "subject"),
    "a subject that is null": (call("ticket.create", '{"subject":null,"body":"b"}'), PARAMS, "subject"),
    "a subject that is an object": (call("ticket.create", '{"subject":{},"body":"b"}'), PARAMS, "subject"),
    "a body of 65,537 letters": (create(body="b" * 65537), PARAMS, "body"),
    "a parameter twice": (call("ticket.create", '{"subject":"s","subject":"t","body":"b"}'), PARAMS, "subject"),
    "a parameter twice, escaped": (call("ticket.create", r'{"subject":"s","\u0073ubject":"t","body":"b"}'), PARAMS, "subject"),
    "eleven files": (create(more=',"attachments":[%s]' % ",".join(['"@NEW@"'] * 11)), PARAMS, "attachments"),
    "a million files": (create(more=',"attachments":[%s]' % ",".join(["0"] * 200000)), PARAMS, "attachments[0]"),
    "a file twice": (create(more=',"attachments":["%s","%s"]' % ("0" * 26, "0" * 26)), PARAMS, "attachments"),
    "files that are one": (create(more=',"attachments":"@NEW@"'), PARAMS, "attachments"),
    "files within files": (create(more=',"attachments":[["@NEW@"]]'), PARAMS, "attachments[0]"),
    "a file that is not there": (create(more=',"attachments":["@NEW@"]'), PARAMS, "attachments"),
    "a priority of nobody's": (create(more=',"priority":"mine"'), PARAMS, "priority"),
    "a state that is a number": (page('"state":1'), PARAMS, "state"),
    "SQL in a tag": (page('"tag":"\' OR 1=1 --"'), *FINE),
    # cursors
    "a forged page": (page('"after":"AAAA"'), PARAMS, "after"),
    "a page of SQL": (page('"after":"1;DROP TABLE ticket"'), PARAMS, "after"),
    "a page of 65 letters": (page('"after":"%s"' % ("A" * 65)), PARAMS, "after"),
    "a forged cursor": (call("op.since", '{"cursor":"AAAA"}'), PARAMS, "cursor"),
    "a cursor of zeros": (call("op.since", '{"cursor":"%s"}' % ("A" * 54)), PARAMS, "cursor"),
    "a cursor of 129 letters": (call("op.since", '{"cursor":"%s"}' % ("A" * 129)), PARAMS, "cursor"),
    "a cursor above ASCII": (call("op.since", '{"cursor":"é"}'), PARAMS, "cursor"),
    "a forged sight": (call("ticket.set", '{"ticket":"@TICKET@","state":"solved","seen":"AAAA"}'), PARAMS, "seen"),
}

BATCHES = {     # the codes of its answers, in order; None: a result
    "empty": ("[]", INVALID),
    "of 51": ("[%s]" % ",".join(["1"] * 51), INVALID),
    "of 100,000 numbers": ("[%s]" % ",".join(["1"] * 100000), INVALID),
    "open": ("[" + info(), PARSE),
    "with a comma too many": ("[" + info() + ",]", PARSE),
    "with something behind it": ("[" + info() + "]]", PARSE),
    "in a batch": ("[[%s]]" % info(), [INVALID]),
    "of nothing": ("[null]", [INVALID]),
    "of 50 nothings": ("[%s]" % ",".join(["null"] * 50), [INVALID] * 50),
    "of numbers, texts and lists": ('[1,"x",true,[],{}]', [INVALID] * 5),
    "with a good one among bad": ("[1,%s,{}]" % info(), [INVALID, None, INVALID]),
    "of the same id": ("[%s,%s]" % (info(), info()), [None, None]),
    "with one of no UTF-8": (b"[" + info().encode() + b",\"\xff\"]", PARSE),
    "with one that is deep": ("[%s,%s]" % (info(), nested(40)), INVALID),
    "of notifications and nonsense": ('[{"jsonrpc":"2.0","method":"no.such"},1]', [INVALID]),
    "that reads and writes": ("[%s,%s]" % (info(), create("")), [None, PARAMS]),
}


@pytest.mark.parametrize("name", CASES)
def test_bodies(desk, name):
    text, code, field = CASES[name]
    body = desk.fill(text).decode("latin-1")
    got, _, answer, after = desk.say(post("/rpc", body, "Authorization: Bearer @TOKEN@").encode("latin-1"))
    assert (got, error_of(answer), after) == (200, (code, field), OPEN), answer
    json.loads(answer.decode("utf-8"))      # whatever came in, UTF-8 goes out


@pytest.mark.parametrize("name", BATCHES)
def test_batches(desk, name):
    text, codes = BATCHES[name]
    body = desk.fill(text).decode("latin-1")
    got, _, answer, after = desk.say(post("/rpc", body, "Authorization: Bearer @TOKEN@").encode("latin-1"))
    replies = json.loads(answer.decode("utf-8"))
    assert (got, after) == (200, OPEN)
    if isinstance(codes, list):
        assert [reply.get("error", {}).get("code") for reply in replies] == codes
    else:
        assert replies["error"]["code"] == codes and replies["id"] is None
