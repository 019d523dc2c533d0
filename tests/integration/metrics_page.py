"""GET /metrics, read strictly as Prometheus' text format 0.0.4 has it."""
import http.client
import re

LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9]+(?:\.[0-9]+)?)")
UNESCAPED = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def labels_of(text):
    found, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        assert match, text[at:]
        found.append((match[1], re.sub(r'\\[\\"n]', lambda m: UNESCAPED[m[0]], match[2])))
        at = match.end()
    assert len({name for name, _ in found}) == len(found), f"a label twice: {text}"
    return frozenset(found)


class Page:
    def __init__(self, text):
        assert text.endswith("\n")
        self.kinds, self.samples, family, helped = {}, {}, None, None
        for line in text.splitlines():
            if line.startswith("# HELP "):
                helped = line.split(" ", 3)[2]
                assert helped not in self.kinds, f"{helped} stands in two places"
            elif line.startswith("# TYPE "):
                _, _, family, kind = line.split(" ")
                assert family == helped and kind in ("counter", "gauge", "histogram"), line
                self.kinds[family] = kind
            else:
                match = SAMPLE.fullmatch(line)
                assert match, line
                name = match[1]
                if self.kinds[family] == "histogram":
                    assert name in (f"{family}_bucket", f"{family}_sum", f"{family}_count"), line
                else:
                    assert name == family, f"{line} under {family}"
                series = (name, labels_of(match[2] or ""))
                assert series not in self.samples, f"twice: {line}"
                self.samples[series] = float(match[3])

    def value(self, name, **labels):
        return self.samples.get((f"assist_{name}", frozenset(labels.items())))

    def labelled(self, name):
        """[(labels, value)] of all its samples"""
        return [(dict(labels), value) for (of, labels), value in self.samples.items() if of == f"assist_{name}"]

    def up(self):
        return {labels["service"]: value == 1 for labels, value in self.labelled("up")}


def ask(port, method="GET", path="/metrics", headers=None, timeout_s=10):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode()
    finally:
        connection.close()


def scrape(port):
    status, headers, text = ask(port)
    assert status == 200 and headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Page(text)
