"""A program that runs beside the test, and what it said so far."""
import os
import subprocess
import threading

from harness import DEADLINE_S, until


class Program:
    """out: the lines on its standard output; said: on both outputs, in the order in which they came."""

    def __init__(self, command, environment):
        self.process = subprocess.Popen(list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env=dict(os.environ, **environment))
        self.out, self.said = [], []
        self.readers = [threading.Thread(target=self.read, args=args, daemon=True)
                        for args in ((self.process.stdout, self.out), (self.process.stderr, None))]
        for reader in self.readers:
            reader.start()

    def read(self, pipe, also):
        for line in pipe:
            self.said.append(line.rstrip("\n"))
            if also is not None:
                also.append(line.rstrip("\n"))

    def until_said(self, words, times=1):
        until(f"{words!r}, {times} times; it said {self.said}", lambda: sum(words in line for line in list(self.said)) >= times)

    def ended(self):
        """Its exit status, once it ends by itself and all that it said is there."""
        try:
            status = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end; it said {self.said}")
        for reader in self.readers:
            reader.join()
        return status

    def close(self):
        self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
