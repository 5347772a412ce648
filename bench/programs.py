"""The processes of a run: started, watched for what they cost, stopped."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, LiteralString, Self
from urllib.request import Request, urlopen

import psutil
import psycopg
from psycopg.rows import TupleRow

from bench.client import Load, Read
from bench.model_server import CHAT_MODEL, EMBEDDING_MODEL, Pace, Told
from config import embedded
from tests.installation import ROOT, Installation, free_port

UVICORN = (
    "--ws",
    "websockets-sansio",
    "--ws-per-message-deflate",
    "false",
    "--log-level",
    "warning",
    "--no-access-log",
)
"""As the product's own web server is started."""


class Program:
    """`python -m …` that listens at a port of its own."""

    def __init__(self, *words: str, environment: Mapping[str, str] | None = None) -> None:
        self.port = free_port()
        self._command = [sys.executable, "-m", *(word.format(port=self.port) for word in words)]
        self._environment = {**os.environ, **(environment or {})}

    def __enter__(self) -> Self:
        self.process = psutil.Popen(self._command, cwd=ROOT, env=self._environment)
        while not listens(self.port):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self._command} ended by itself.")
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait()

    def cpu(self) -> Counter[str]:
        """Seconds of processor time so far."""
        return Counter({self._command[2]: _seconds(self.process)})


class ModelServer(Program):
    def __init__(self) -> None:
        super().__init__("bench.model_server", "{port}")

    @property
    def settings(self) -> dict[str, str]:
        """What connects the product with it."""
        address = f"http://127.0.0.1:{self.port}/v1"
        return {"OPENAI_BASE_URL": address, "CHAT_MODEL": CHAT_MODEL, "EMBEDDING_MODEL": EMBEDDING_MODEL}

    def pace(self, pace: Pace) -> None:
        """How the next answers come; what was told before is forgotten."""
        self._call("/pace", json.dumps(asdict(pace)).encode())

    def told(self) -> dict[str, Told]:
        return {tag: Told(*values) for tag, values in self._call("/told", b"").items()}

    def _call(self, path: str, body: bytes) -> dict[str, Any]:
        with urlopen(Request(f"http://127.0.0.1:{self.port}{path}", body, method="POST")) as response:
            return dict(json.load(response))


class Floor(Program):
    """The bare relay, served as the product is."""

    def __init__(self, model: ModelServer) -> None:
        environment = {"MODEL_PORT": str(model.port)}
        words = (
            "uvicorn",
            "bench.floors.relay:relay",
            "--port",
            "{port}",
            "--backlog",
            "2048",
            "--no-access-log",
            *UVICORN,
        )
        super().__init__(*words, environment=environment)


class Product(Installation):
    """Footnote as its users start it."""

    def __init__(self, data: Path, environment: Mapping[str, str] | None = None) -> None:
        own = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "OPENAI_BASE_URL", "CHAT_MODEL", "EMBEDDING_MODEL"), "")
        super().__init__(data, {**own, **(environment or {})})

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a command beside it."""
        return {**os.environ, **self.environment}

    def tree(self) -> list[psutil.Process]:
        """All of its processes that live; Postgres, Valkey, web and worker are its children."""
        supervisor = psutil.Process(self.process.pid)
        return [process for process in (supervisor, *supervisor.children(recursive=True)) if _lives(process)]

    def cpu(self) -> Counter[str]:
        """Seconds of processor time so far, by what the processes are."""
        return self._sums(_seconds)

    def memory(self) -> Counter[str]:
        """Proportional set sizes in bytes, by what the processes are."""
        return self._sums(lambda process: float(process.memory_full_info().pss))

    def _sums(self, figure: Callable[[psutil.Process], float]) -> Counter[str]:
        sums: Counter[str] = Counter()
        for process in self.tree():
            with suppress(psutil.NoSuchProcess):
                sums[kind(process)] += figure(process)  # type: ignore[assignment]
        return sums


def read_answers(load: Load) -> tuple[list[Read], float]:
    """The answers, as a client in a process of its own reads them, and what that costs in processor seconds."""
    command = [sys.executable, "-m", "bench.client"]
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(asdict(load)), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"The client ended by itself: {done.stderr}")
    result = json.loads(done.stdout)
    return [Read(**answer) for answer in result["answers"]], result["cpu"]


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def _seconds(process: psutil.Process) -> float:
    """Children that have ended count with those who waited for them."""
    return float(sum(process.cpu_times()[:4]))


def kind(process: psutil.Process) -> str:
    """Which part of the product it is; empty where it has just ended."""
    words = ""
    with suppress(psutil.NoSuchProcess):
        words = " ".join(process.cmdline())
    kinds = {
        "celery": "worker",
        "uvicorn": "web",
        "postgres": "Postgres",
        "valkey": "Valkey",
        "manage.py": "supervisor",
    }
    return next((kind for word, kind in kinds.items() if word in words), words[:40])


def fill(data: Path, model: ModelServer) -> None:
    """Put libraries, documents and their chunks into a new data folder."""
    command = [sys.executable, "manage.py", "shell", "--verbosity", "0", "--data", str(data)]
    command += ["--command", "from bench.filling import fill; fill()"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, **model.settings}, check=True)


def rows(data: Path, query: LiteralString, values: Sequence[object] = ()) -> list[TupleRow]:
    """What the product's database says, while it runs."""
    with psycopg.connect(embedded.database_url(data)) as connection:
        return connection.execute(query, values).fetchall()


def doctor(product: Product) -> Iterator[str]:
    """What `doctor` finds wrong."""
    command = [sys.executable, "manage.py", "doctor", "--json", "--data", str(product.data)]
    done = subprocess.run(command, cwd=ROOT, env=product.settings, capture_output=True, check=False)
    checks = json.loads(done.stdout)["checks"]
    yield from (f"doctor: {check['name']}: {check['detail']}" for check in checks if not check["ok"])
