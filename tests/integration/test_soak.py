"""Two hundred clients in three roles, while all that can go wrong does: every service is killed, connections are cut or fall silent, some
read slowly, roles and access change. In the end what each client has put together from its events is what the desk tells it, and nobody was
told what they may not see. ASSIST_SOAK_S: for how long (15 s); ASSIST_SEED repeats the same throws."""
import asyncio
import concurrent.futures
import contextlib
import faulthandler
import json
import os
import random
import sys
import time

import websockets

from cutting_proxy import CuttingProxy, narrow_socket
from harness import Desk, RpcError, ulid

SECONDS = float(os.environ.get("ASSIST_SOAK_S", 15))
SEED = int(os.environ.get("ASSIST_SEED") or random.SystemRandom().randrange(2**32))
CUSTOMERS, AGENTS, ADMINS, FICKLE, CLIENTS, WRITERS = 10, 5, 2, 2, 200, 8
VICTIMS = ("store", "identity", "fanout", "gateway", "courier", "mycelium-supervisor")
UNAVAILABLE, UNAUTHENTICATED, RATE_LIMITED, INTERNAL = -32006, -32001, -32005, -32603
CALM_S, SETTLE_S, CALL_S, CONNECT_S, SILENT_S = 60, 120, 90, 15, 40
END_S = SECONDS + CALM_S + SETTLE_S + 60      # well before ctest ends it all, with what it had to say
SECRET = "unspeakable"
SHOWN = ("number", "subject", "state", "priority", "assignee", "comments", "newest_comment")


class Waits:
    """What is waited for, by whom, since when: told where the soak does not end."""

    def __init__(self):
        self.now = {}

    @contextlib.asynccontextmanager
    async def __call__(self, deadline_s, who, what):
        key = object()
        self.now[key] = (time.monotonic(), who, what)
        try:
            async with asyncio.timeout(deadline_s):     # not wait_for, which may lose a cancellation where what it waits for is there
                yield
        finally:
            del self.now[key]

    def told(self):
        now = time.monotonic()
        return "\n".join(f"{now - since:6.1f} s  {who}: {what}" for since, who, what in sorted(self.now.values(), key=lambda wait: wait[0]))


waits = Waits()


class Person:
    """A user with one device. `role` is what they are for sure; None while it changes."""

    def __init__(self, desk, device, email, role):
        self.desk, self.device, self.email, self.role, self.epoch = desk, device, email, role, 0
        self.could_see, self.was_agent = set(), role != "customer"
        self.opening = asyncio.Lock()

    async def renew(self, token):
        """Another session, where nobody else has opened one meanwhile."""
        async with waits(CALL_S, self.email, "another session"), self.opening:
            if self.device.token == token:
                with contextlib.suppress(OSError, AssertionError, ValueError, KeyError):
                    await asyncio.get_running_loop().run_in_executor(None, self.device.open)
                self.device.token = self.device.token or token

    async def call_once(self, method, params):
        async with waits(CONNECT_S, self.email, f"a connection for {method}"):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.desk.port, local_addr=(self.device.address, 0))
        try:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
            writer.write((f"POST /rpc HTTP/1.1\r\nHost: {self.desk.address}\r\nContent-Type: application/json\r\nConnection: close\r\n"
                          f"Authorization: Bearer {self.device.token}\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode())
            async with waits(20, self.email, f"the answer of {method}"):
                answer = await reader.read(-1)
            return json.loads(answer.partition(b"\r\n\r\n")[2])
        finally:
            writer.transport.abort()

    async def call(self, method, **params):
        """Until it is answered: as any client does, a change with its op id again and again."""
        end, reply = time.monotonic() + CALL_S, None
        while True:
            assert time.monotonic() < end, f"{self.email}: {method} {params} has no answer but {reply}"
            token = self.device.token
            try:
                reply = await self.call_once(method, params)
            except (OSError, ValueError, TimeoutError) as failure:
                reply = repr(failure)
                await asyncio.sleep(0.05)
                continue
            if "result" in reply:
                return reply["result"]
            code = reply["error"]["code"]
            if code == UNAUTHENTICATED:
                await self.renew(token)
            elif code not in (UNAVAILABLE, RATE_LIMITED):
                assert code != INTERNAL, reply
                raise RpcError(reply["error"])
            await asyncio.sleep(0.05)

    async def pages(self, method, **params):
        items, after = [], {}
        while True:
            page = await self.call(method, limit=200, **params, **after)
            items += page["items"]
            if "next" not in page:
                return items
            after = {"after": page["next"]}

    async def fetch(self, ticket):
        """A ticket and what was said on it; None where it may not be seen."""
        try:
            got = (await self.call("ticket.get", ticket=ticket))["ticket"]
            comments = {c["id"]: said(c) for c in await self.pages("comment.list", ticket=ticket)}
            notes = {c["id"]: said(c) for c in await self.pages("note.list", ticket=ticket)} if "notes" in got else {}
        except RpcError:
            return None
        return Ticket(got, comments, notes)

    async def fetch_all(self):
        return {t["id"]: found for t in await self.pages("ticket.list") if (found := await self.fetch(t["id"]))}


def said(comment):
    return comment["body"], comment["deleted"]


class Ticket:
    def __init__(self, t, comments=None, notes=None):
        self.fields = {name: t.get(name) for name in SHOWN}
        self.tags, self.watchers = set(t["tags"]), set(t["watchers"])
        self.comments, self.notes = comments or {}, notes or {}

    def change(self, data):
        for name, value in data.items():
            if name in self.fields:
                self.fields[name] = value
        for name, there in (("tag", self.tags), ("watcher", self.watchers)):
            if f"added_{name}" in data:
                there.add(data[f"added_{name}"])
            if f"removed_{name}" in data:
                there.discard(data[f"removed_{name}"])

    def seen(self):
        """What there is to compare. Counts and the newest comment follow from the comments."""
        there = [comment for comment in self.comments if not self.comments[comment][1]]
        fields = {**self.fields, "comments": len(there), "newest_comment": None}
        return fields, self.tags, self.watchers, self.comments, self.notes


class Client:
    """What docs/protocol.md says that a client does."""

    def __init__(self, soak, number, person, slow):
        self.soak, self.person, self.slow, self.name = soak, person, slow, f"client {number} of {person.email}"
        self.tickets, self.cursor, self.fetching, self.waiting = None, None, {}, []
        self.resumed = self.resets = self.events = self.pulls = 0
        self.socket, self.epoch, self.role = None, None, None

    async def run(self):
        while not self.soak.over:
            token = self.person.device.token
            try:
                await self.connect(token)
            except websockets.InvalidStatusCode as refused:
                if refused.status_code == 401:
                    await self.person.renew(token)
                assert refused.status_code in (401, 503), refused
            except (websockets.ConnectionClosed, OSError, TimeoutError, websockets.InvalidMessage):
                pass
            if self.socket and self.socket.close_code in (4001, 4002):
                self.tickets, self.cursor, self.fetching, self.waiting = None, None, {}, []
                await self.person.renew(token)
            self.socket = None
            await asyncio.sleep(self.soak.dice.uniform(0, 0.3))

    async def connect(self, token):
        query = f"?cursor={self.cursor}" if self.cursor and self.tickets is not None else ""
        self.epoch = self.person.epoch if self.person.role == "customer" else None
        async with waits(CONNECT_S, self.name, "a WebSocket"):
            self.socket = await websockets.connect(
                f"ws://{self.soak.desk.address}/ws{query}", subprotocols=["assist.1", f"assist.token.{token}"], compression=None,
                sock=await narrow_socket(self.person.device.address, self.soak.proxy.port), max_size=None, ping_interval=None, close_timeout=1,
                open_timeout=10, max_queue=1 if self.slow else 64, user_agent_header=None)
        try:
            while not self.soak.over:
                async with waits(SILENT_S, self.name, "a message"):
                    text = await self.socket.recv()
                await self.take(json.loads(text), text)
                if self.slow and self.soak.chaos and self.soak.dice.random() < 0.01:
                    await asyncio.sleep(self.soak.dice.uniform(0, 12))
        finally:
            async with waits(CONNECT_S, self.name, "the end of its WebSocket"):
                await self.socket.close()

    async def take(self, message, text):
        kind = message.get("type")
        if kind == "hello" or kind == "reset":
            mode = message.get("mode", "reset")
            self.resumed += mode == "replay"
            fresh = mode == "reset" or self.tickets is None or message.get("role", self.role) != self.role
            self.role = message.get("role", self.role)
            if mode == "reset" or not self.cursor:
                self.cursor = message["cursor"]
            assert message["cursor"] == self.cursor
            if fresh:
                self.begin_anew()
        elif kind == "pull":
            self.pulls += 1
            await self.acknowledge()
        elif kind == "error":
            raise AssertionError(message)
        elif kind is None and "to" in message:
            assert message["from"] == self.cursor, "a gap"
            for event in message["events"]:
                self.hear(event, text)
            self.cursor = message["to"]
            if message.get("more"):
                await self.acknowledge()

    async def acknowledge(self):
        async with waits(SILENT_S, self.name, "room for an ack"):
            await self.socket.send(json.dumps({"type": "ack", "cursor": self.cursor}))

    # ---- what it makes of events ----

    def begin_anew(self):
        self.resets += 1
        self.tickets, self.fetching, self.waiting = {}, {}, []
        self.soak.spawn(self.fetch_all(self.waiting))

    async def fetch_all(self, waiting):
        found = await self.person.fetch_all()
        if self.waiting is not waiting:     # begun anew since
            return
        self.tickets, self.waiting = found, None
        for event in waiting:
            self.apply(event)

    def begin_fetch(self, ticket):
        self.fetching[ticket] = []
        self.soak.spawn(self.fetch(ticket, self.fetching[ticket]))

    async def fetch(self, ticket, waiting):
        found = await self.person.fetch(ticket)
        if self.fetching.get(ticket) is not waiting:
            return
        del self.fetching[ticket]
        if not found:
            return
        self.tickets[ticket] = found
        for event in waiting:
            self.apply(event)

    def hear(self, event, text):
        self.events += 1
        self.soak.check(self, event, text)
        if self.waiting is not None:
            self.waiting.append(event)
        else:
            self.apply(event)

    def apply(self, event):
        kind, data = event["type"], event["data"]
        comment = data.get("comment")
        ticket = data["ticket"]["id"] if kind == "ticket.created" else comment["ticket"] if comment else data.get("ticket")
        if kind == "role.changed":
            self.begin_anew()
        elif kind == "access.lost":
            self.tickets.pop(ticket, None)
            self.fetching.pop(ticket, None)
        elif kind == "access.gained":
            self.begin_fetch(ticket)
        elif ticket in self.fetching:
            self.fetching[ticket].append(event)
        elif kind == "ticket.created" and ticket not in self.tickets:
            self.tickets[ticket] = Ticket(data["ticket"])
        elif ticket and ticket not in self.tickets:     # it moved between two pages of the list while these were read
            self.begin_fetch(ticket)
        elif ticket:
            there = self.tickets[ticket]
            if kind == "ticket.changed":
                there.change(data)
            elif kind in ("comment.added", "comment.changed"):
                there.comments[comment["id"]] = said(comment)
            elif kind in ("note.added", "note.changed"):
                there.notes[comment["id"]] = said(comment)

    def agrees(self, truth):
        return (self.waiting is None and not self.fetching and self.tickets is not None and self.tickets.keys() == truth.keys() and
                all(self.tickets[t].seen() == truth[t].seen() for t in truth))


class Soak:
    def __init__(self, desk, stderr):
        self.desk, self.stderr, self.dice = desk, stderr, random.Random(SEED)
        self.over, self.chaos = False, True
        self.tasks, self.failures, self.written, self.killed = set(), [], 0, 0
        self.tickets = []

    def spawn(self, coroutine):
        task = asyncio.ensure_future(self.guard(coroutine))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def guard(self, coroutine):
        try:
            await coroutine
        except asyncio.CancelledError:
            pass
        except Exception as failure:
            self.failures.append(failure)
            raise

    def check(self, client, event, text):
        """Nobody is told what they may not see."""
        person, data = client.person, event["data"]
        if client.epoch is not None and client.epoch == person.epoch:
            assert SECRET not in text and not event["type"].startswith("note."), f"a note for a customer: {event}"
        comment = data.get("comment")
        ticket = data["ticket"]["id"] if event["type"] == "ticket.created" else comment["ticket"] if comment else data.get("ticket")
        if ticket and not person.was_agent:
            assert ticket in person.could_see, f"another's ticket: {event}"

    # ---- what happens ----

    async def write(self):
        while self.chaos:
            person = self.dice.choice(self.people)
            with contextlib.suppress(RpcError):
                await self.dice.choice(self.deeds)(person)
                self.written += 1
            await asyncio.sleep(self.dice.uniform(0, 0.15))

    async def create(self, person):
        op_id = ulid()
        more = {}
        if person.role in ("agent", "admin") and self.dice.random() < 0.7:
            customer = self.dice.choice(self.customers)
            customer.could_see.add(op_id)
            more = {"requester": customer.device.user}
        else:
            person.could_see.add(op_id)
        await person.call("ticket.create", op_id=op_id, subject=f"Ticket {len(self.tickets)}", body="What now?", **more)
        self.tickets.append(op_id)

    def any_ticket(self, person):
        return self.dice.choice(self.tickets if person.was_agent or not person.could_see else sorted(person.could_see))

    async def comment(self, person):
        body = f"words {self.dice.random()}" + (" and more" * 6000 if self.dice.random() < 0.15 else "")
        made = await person.call("comment.add", op_id=ulid(), ticket=self.any_ticket(person), body=body)
        if self.dice.random() < 0.2:
            await person.call("comment.edit", op_id=ulid(), comment=made["comment"]["id"], body="better words")
        if self.dice.random() < 0.1:
            await person.call("comment.delete", op_id=ulid(), comment=made["comment"]["id"])

    async def note(self, person):
        await person.call("note.add", op_id=ulid(), ticket=self.any_ticket(person), body=f"{SECRET} {self.dice.random()}")

    async def change(self, person):
        field = self.dice.choice(("state", "priority", "assignee", "add_tags", "remove_tags"))
        value = {"state": self.dice.choice(("open", "solved", "closed")), "priority": self.dice.choice(("low", "high", "urgent")),
                 "assignee": self.dice.choice([None] + [p.device.user for p in self.staff]), "add_tags": [self.dice.choice("abc")],
                 "remove_tags": [self.dice.choice("abc")]}[field]
        await person.call("ticket.set", op_id=ulid(), ticket=self.any_ticket(person), **{field: value})

    async def watch(self, person):
        watcher, ticket = self.dice.choice(self.customers), self.any_ticket(person)
        if self.dice.random() < 0.5:
            watcher.could_see.add(ticket)
            await person.call("ticket.set", op_id=ulid(), ticket=ticket, add_watchers=[watcher.device.user])
        else:
            await person.call("ticket.set", op_id=ulid(), ticket=ticket, remove_watchers=[watcher.device.user])

    # ---- what goes wrong ----

    async def away(self, function, *arguments):
        async with waits(CALL_S, "the soak", f"{function.__name__} {arguments}"):
            return await asyncio.get_running_loop().run_in_executor(self.executor, function, *arguments)

    async def kill(self):
        while self.chaos:
            await self.away(self.desk.crash, self.dice.choice(VICTIMS))
            self.killed += 1
            await asyncio.sleep(self.dice.uniform(0.5, 2.5))

    async def cut(self):
        while self.chaos:
            wires = sorted(self.proxy.wires, key=id)
            for wire in self.dice.sample(wires, min(len(wires), self.dice.randrange(1, 12))):
                wire.cut()
            for wire in self.dice.sample(wires, min(len(wires), 1)):
                wire.fall_silent()
            await asyncio.sleep(self.dice.uniform(0.2, 1.5))

    async def promote(self):
        while self.chaos:
            person = self.dice.choice(self.fickle)
            role = "agent" if person.role == "customer" else "customer"
            person.role = None
            person.epoch += 1
            with contextlib.suppress(AssertionError):       # identity may be away just now
                await self.away(self.desk.ctl, "user", "set", person.email, "--role", role)
            told = json.loads(await self.away(self.retry_ctl, "user", "list"))["items"]
            person.role = next(user["role"] for user in told if user["id"] == person.device.user)
            await asyncio.sleep(self.dice.uniform(1, 4))

    def retry_ctl(self, *words):
        end = time.monotonic() + 60
        while True:
            done = self.desk.run_ctl("--json", *words)
            if done.returncode == 0:
                return done.stdout
            assert time.monotonic() < end, done

    # ---- the whole ----

    def join(self):
        roles = ["customer"] * CUSTOMERS + ["agent"] * AGENTS + ["admin"] * ADMINS + ["customer"] * FICKLE
        self.people = []
        for i, role in enumerate(roles):
            email = f"p{i}@example.org"
            self.people.append(Person(self.desk, self.desk.member(f"127.0.0.{i + 2}", email, f"P{i}", role), email, role))
        self.customers, self.staff, self.fickle = self.people[:CUSTOMERS], self.people[CUSTOMERS:-FICKLE], self.people[-FICKLE:]
        for person in self.fickle:
            person.was_agent = True
        self.deeds = [self.create] * 2 + [self.comment] * 8 + [self.note] * 3 + [self.change] * 4 + [self.watch] * 3

    async def settle(self):
        """Nothing happens any more. Until each client has put together what its user is told."""
        for wire in [wire for wire in self.proxy.wires if wire.dead]:
            wire.cut()
        truth = {person: await person.fetch_all() for person in self.people}
        end = time.monotonic() + SETTLE_S
        while True:
            left = [client for client in self.clients if not client.agrees(truth[client.person])]
            if not left or self.failures:
                return truth
            assert time.monotonic() < end, self.difference(left, truth)
            await asyncio.sleep(0.1)

    def difference(self, left, truth):
        client = left[0]
        there, wanted = client.tickets or {}, truth[client.person]
        lines = [f"{len(left)} clients don't agree; one, {client.person.role}, connected: {bool(client.socket)}, reading: {client.fetching}",
                 f"missing: {wanted.keys() - there.keys()}, too many: {there.keys() - wanted.keys()}"]
        lines += [f"{t}:\n  has  {there[t].seen()}\n  want {wanted[t].seen()}" for t in wanted if t in there and there[t].seen() != wanted[t].seen()]
        return "\n".join(lines)[:6000]

    async def ended(self, tasks, deadline_s, what):
        _, left = await asyncio.wait(tasks, timeout=deadline_s)
        if left:
            self.too_late(f"{len(left)} {what} don't end within {deadline_s} s")

    def too_late(self, what):
        """Said at once: the tasks that are left may keep the loop from its end."""
        text = f"{what}; what is waited for:\n{waits.told()}"
        print(text, file=self.stderr, flush=True)
        raise AssertionError(text)

    async def run_in_time(self):
        """All of it, or what it was waiting for."""
        try:
            async with asyncio.timeout(END_S - 30):
                return await self.run()
        except TimeoutError:
            self.too_late("the soak does not end")

    async def run(self):
        self.executor = concurrent.futures.ThreadPoolExecutor(4)
        self.proxy = await CuttingProxy(self.desk.port).start()
        for person in self.staff[:2] + self.customers + self.fickle:     # each has something to see, however little is done
            await self.create(person)
        self.clients = [Client(self, i, self.people[i % len(self.people)], slow=i % 10 == 0) for i in range(CLIENTS)]
        running = [self.spawn(client.run()) for client in self.clients]
        doing = [self.spawn(self.write()) for _ in range(WRITERS)] + [self.spawn(self.kill()), self.spawn(self.cut()), self.spawn(self.promote())]
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not self.failures:
            await asyncio.sleep(0.2)
        self.chaos = False
        await self.ended(doing, CALM_S, "who does something")
        assert not self.failures, self.failures[0]
        truth = await self.settle()
        self.over = True
        for task in running:
            task.cancel()
        await self.ended(running, CONNECT_S, "clients")
        self.proxy.close()
        assert not self.failures, self.failures[0]
        return truth


@contextlib.contextmanager
def last_words(capsys):
    """Where the loop itself stands still, each thread's stack, and the end; not into pytest's hands, which ctest would close on it."""
    with capsys.disabled():
        print(f"ASSIST_SEED={SEED}", flush=True)
        stderr = os.fdopen(os.dup(sys.__stderr__.fileno()), "w")
    faulthandler.dump_traceback_later(END_S, exit=True, file=stderr)
    try:
        yield stderr
    finally:
        faulthandler.cancel_dump_traceback_later()
        stderr.close()


def test_in_the_end_everybody_has_seen_what_the_desk_tells(capsys):
    with last_words(capsys) as stderr, Desk({"log": {"level": "notice"}}) as desk:
        soak = Soak(desk, stderr)
        soak.join()
        truth = asyncio.run(soak.run_in_time())
        clients = soak.clients
        print(f"{soak.written} deeds, {soak.killed} services killed, {sum(c.events for c in clients)} events, "
              f"{sum(c.resumed for c in clients)} replays, {sum(c.resets for c in clients)} resets, {sum(c.pulls for c in clients)} pulls")
        for ticket in (ticket for seen in truth.values() for ticket in seen.values()):
            assert ticket.fields["comments"] == ticket.seen()[0]["comments"], "what is counted is there"
        assert soak.killed > 2 and sum(c.resumed for c in clients) > 0 and all(len(seen) > 0 for seen in truth.values())
        desk.proof()
