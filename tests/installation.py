"""A Footnote of its own, started and stopped as a user does it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from config.embedded.processes import socket_folder

ROOT = Path(__file__).resolve().parent.parent


class Installation:
    """`manage.py up` on `port`, or a free one; `address`, `email` and `password` let a test in.

    `environment` is added to the tests' own, such as the address of a model.
    """

    email = "admin@footnote.local"

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None, port: int = 0) -> None:
        self.data = data
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}/"
        self.environment = environment or {}
        self.password = ""

    def __enter__(self) -> Installation:
        self.output = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--no-browser", "--port", str(self.port), "--data", str(self.data)],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=self.output,
            text=True,
        )
        self.lines = list(self._until_ready())
        if not any("ready" in line for line in self.lines):
            raise AssertionError(f"Footnote did not start: {self.lines} {self.errors()}")
        found = re.search(r"with the password (\S+)", "".join(self.lines))
        self.password = found[1] if found else self.password
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.output.close()

    def stop(self) -> int:
        """Press Ctrl-C; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def kill(self) -> None:
        """End the supervisor as a crash does, with nothing tidied up."""
        self.process.kill()
        self.process.wait()

    def errors(self) -> str:
        self.output.seek(0)
        return self.output.read()

    def next_line(self) -> str:
        """What it says next, waiting for that."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def get(self, path: str) -> str:
        """The page, waiting for a web server that is just starting."""
        deadline = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(self.address + path) as response:
                    return str(response.read().decode())
            except urllib.error.URLError as error:
                if not isinstance(error.reason, ConnectionError) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def processes(self) -> list[psutil.Process]:
        """Everything that runs for it now, found by the folders that each has in its environment or command."""
        return [process for process in psutil.process_iter() if self._belongs_to_us(process)]

    def process_of(self, word: str) -> psutil.Process:
        """The oldest of its processes that has the word in its command."""
        return min((p for p in self.processes() if word in " ".join(p.cmdline())), key=lambda p: p.create_time())

    def _belongs_to_us(self, process: psutil.Process) -> bool:
        try:
            said = " ".join([process.environ().get("DATA_DIR", ""), *process.cmdline()])
            ours = str(self.data) in said or str(socket_folder(self.data)) in said
            return ours and process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return False

    def _until_ready(self) -> Iterator[str]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield line
            if "ready" in line:
                return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
