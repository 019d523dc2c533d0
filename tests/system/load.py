"""People at work while services come and go: writers who reply again and again, and know what was acknowledged."""
import http.client
import threading
import time

from harness import Device, ulid

PAUSE_S = 0.05


def twin(device):
    """The same device, for another thread."""
    other = Device(device.desk, device.address, device.secret)
    other.open()
    return other


class Writer(threading.Thread):
    """Every request must be answered, and well. A connection that broke is made again, as every HTTP client does where the server ended
    it, and the request repeated with its op id; one that can't be made is a failure."""

    def __init__(self, device, ticket, stop):
        super().__init__(daemon=True)
        self.device, self.ticket, self.stop = device, ticket, stop
        self.acknowledged, self.failures, self.broken, self.slowest_s = [], [], 0, 0.0

    def run(self):
        while not self.stop.wait(PAUSE_S):
            began = time.monotonic()
            try:
                self.write(ulid())
            except Exception as error:
                self.failures.append(error)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)

    def write(self, op_id):
        for _ in range(3):
            try:
                made = self.device.rpc("comment.add", ticket=self.ticket, body=f"words of {op_id}", op_id=op_id)
                assert made["comment"]["id"] == op_id
                self.acknowledged.append(op_id)
                return
            except ConnectionRefusedError:
                raise
            except (OSError, http.client.HTTPException):
                self.broken += 1
        raise AssertionError("the connection broke three times")


class Load:
    """with Load(agent, customer, 6) as load: ..."""

    def __init__(self, agent, customer, writers):
        self.agent, self.stop = agent, threading.Event()
        devices = (agent, customer)
        tickets = [customer.rpc("ticket.create", subject=f"Ticket {i}", body="b")["id"] for i in range(writers)]
        self.writers = [Writer(twin(devices[i % 2]), ticket, self.stop) for i, ticket in enumerate(tickets)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        for writer in self.writers:
            writer.join(60)

    def done(self):
        return sum(len(writer.acknowledged) for writer in self.writers)

    def failures(self):
        return [failure for writer in self.writers for failure in writer.failures]

    def check(self):
        """Nothing failed, nothing is lost, nothing doubled, all in the order of its writer."""
        assert not self.failures(), self.failures()[:5]
        reader = twin(self.agent)
        for writer in self.writers:
            there, page = [], None
            while True:
                answer = reader.rpc("comment.list", ticket=writer.ticket, limit=200, **({"after": page} if page else {}))
                there += [comment["id"] for comment in answer["items"]]
                page = answer.get("next")
                if not page:
                    break
            assert there[1:] == writer.acknowledged
