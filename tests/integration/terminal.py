"""A program on a terminal of its own."""
import os
import pty
import subprocess

from harness import until


class Terminal:
    """seen: all that it wrote there, as a terminal gets it."""

    def __init__(self, command, environment):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(list(map(str, command)), stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        env=dict(os.environ, **environment))
        os.close(slave)
        os.set_blocking(self.master, False)
        self.bytes = bytearray()

    @property
    def seen(self):
        try:
            while piece := os.read(self.master, 65536):
                self.bytes += piece
        except OSError:                      # nothing more, or, behind its end, EIO
            pass
        return self.bytes.decode(errors="replace")

    def until_seen(self, words):
        until(f"{words!r}; seen: {self.seen}", lambda: words in self.seen)

    def ended(self):
        """Its exit status, once it ends by itself."""
        until(f"its end; seen: {self.seen}", lambda: self.seen is not None and self.process.poll() is not None)
        return self.process.returncode

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)
