"""Good bytes and good JSON made bad, by dice that a seed repeats."""
import json

WORDS = (b"\0", b"\r\n", b"\r\n\r\n", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"{", b"[", b'"', b"\\u0000", b"\\ud800", b"-1", b"1e400", b"18446744073709551616",
         b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Host: evil.example\r\n", b"HTTP/1.0", b"../", b"%00",
         b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\x91" * 40)
VALUES = (None, True, False, 0, -1, 1, 2**31, 2**53 - 1, 2**63, -2**63, 2**64, 1.5, 1e300, "", "a", "a" * 300, "\0", "\ufffe", "\U0001f525" * 50,
          "0" * 26, "7" + "Z" * 25, "8" + "0" * 25, [], {}, [[]], [None] * 20, {"": 1}, "' OR 1=1 --", "../../etc/passwd", "<script>")


def bytes_from(dice, good, others):
    """One to four changes to good bytes; now and then the end of another one."""
    data = bytearray(good)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data) + 1)
        n = dice.choice((1, 1, 2, 4, 16, 64))
        kind = dice.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            del data[at:at + n]
        elif kind == 2:
            data[at:at] = data[at:at + n] * dice.choice((1, 2, 100))
        elif kind == 3:
            data[at:at] = dice.choice(WORDS)
        elif kind == 4:
            data[at:at + n] = dice.randbytes(n)
        elif kind == 5:
            del data[at:]
        else:
            other = dice.choice(others)
            data[at:] = other[dice.randrange(len(other) + 1):]
    return bytes(data)


def value_from(dice, value):
    """A JSON value with one place changed."""
    if isinstance(value, dict) and value and dice.random() < 0.85:
        name = dice.choice(sorted(value))
        changed = dict(value)
        if dice.random() < 0.1:
            del changed[name]
        else:
            changed[name] = value_from(dice, value[name])
        return changed
    if isinstance(value, list) and value and dice.random() < 0.85:
        changed = list(value)
        at = dice.randrange(len(changed))
        changed[at] = value_from(dice, changed[at])
        return changed
    kind = dice.randrange(4)
    if kind == 0:
        return [value] * dice.choice((1, 11, 60))
    if kind == 1:
        return {"x": value}
    return dice.choice(VALUES)


def text_of(value):
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
