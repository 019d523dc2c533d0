"""Somebody who watches a desk live, whatever happens to its services."""
import threading

from harness import Live


class Watcher(threading.Thread):
    """A WebSocket that resumes at its cursor whenever it breaks, and keeps what it saw."""

    def __init__(self, device):
        super().__init__(daemon=True)
        self.device, self.events, self.over, self.failure, self.resumed = device, [], threading.Event(), None, 0
        self.live = Live(device)
        self.start()

    def run(self):
        try:
            while not self.over.is_set():
                try:
                    self.events.append(self.live.next(deadline_s=1))
                except AssertionError:
                    pass
                except Exception:
                    self.resume()
        except Exception as error:
            self.failure = error

    def resume(self):
        assert self.live.seen == len(self.live.events)
        while not self.over.is_set():
            try:
                self.live = Live(self.device, self.live.cursor)
                assert self.live.hello["mode"] != "reset", self.live.hello
                self.resumed += 1
                return
            except AssertionError:
                raise
            except Exception:
                self.over.wait(0.1)
                try:
                    self.device.open()
                except Exception:
                    pass
