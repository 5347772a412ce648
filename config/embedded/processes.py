"""What the two services have in common: their folders, their user, starting and waiting."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path

START_SECONDS = 120
"""Long, because Postgres may have to replay its log after a crash."""

STOP_SECONDS = 60

UNPRIVILEGED = 65534
"""The user and group `nobody`, where root may not make a user namespace."""


class ServiceFailed(Exception):
    """A sentence for the user: what did not start or stop, and where to look."""


def socket_folder(data: Path) -> Path:
    """A short folder for the sockets (their paths may have no more than 107 characters), always the same for `data`."""
    return Path("/tmp") / f"footnote-{hashlib.sha256(bytes(data.resolve())).hexdigest()[:16]}"


@contextmanager
def kept_in(folder: Path) -> Iterator[None]:
    """Raises ServiceFailed when what is done inside fails because of the folder."""
    try:
        yield
    except OSError as error:
        why = f"Footnote can't keep its data in {folder} ({error.strerror})."
        raise ServiceFailed(f"{why} Choose another folder with --data or DATA_DIR.") from error


def make_data_folder(data: Path) -> None:
    """The data folder, there and closed to everyone else, but for the way to what the services own."""
    with kept_in(data):
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=data).close()  # Its disk may be full or only for reading.
        if unprivileged_user() is not None:
            data.chmod(0o711)


def make_socket_folder(data: Path) -> Path:
    """The folder for the sockets, there and closed to everyone else."""
    folder = socket_folder(data)
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.lstat()
    if folder.is_symlink() or state.st_uid not in (os.geteuid(), UNPRIVILEGED) or state.st_mode & 0o077:
        raise ServiceFailed(f"{folder} belongs to someone else. Remove it, then start again.")
    return folder


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret in `path`, made on the first call; of several processes that make it at once, one wins."""
    with kept_in(path.parent):
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _keep(path, make())
        return path.read_text()


def _keep(path: Path, secret: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}") as draft:
        draft.write(secret)
        draft.flush()
        with suppress(FileExistsError):
            os.link(draft.name, path)


def random_secret() -> str:
    return secrets.token_urlsafe(48)


def package_folder(name: str) -> Path:
    """Where a package is installed, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ServiceFailed(f"The package {name} is missing. Run make install, or set DATABASE_URL and REDIS_URL.")
    return Path(spec.origin).parent


@cache
def namespace() -> tuple[str, ...]:
    """The prefix under which root's command takes itself for an ordinary user; empty for others, or where it fails."""
    prefix = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return ()
    return prefix if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0 else ()


def unprivileged_user() -> int | None:
    """The user to drop to, where root must and can't do so by `namespace`."""
    return UNPRIVILEGED if os.geteuid() == 0 and not namespace() else None


def give(folder: Path) -> None:
    """Let the services' user own the folder, which changes when root gains or loses user namespaces."""
    owner = unprivileged_user() or os.geteuid()
    if folder.exists() and folder.stat().st_uid != owner:
        for path in [*folder.rglob("*"), folder]:
            os.chown(path, owner, owner if owner == UNPRIVILEGED else -1, follow_symlinks=False)


def launch(command: Sequence[str | Path], log: Path) -> subprocess.Popen[bytes]:
    """Start a service in a session of its own, so that Ctrl-C in the terminal is not meant for it.

    `log` holds what it says from now on; what was said before stands beside it, as `….log.old`.
    """
    user = unprivileged_user()
    if log.exists():
        log.replace(log.with_suffix(".log.old"))
    with log.open("wb") as output:
        return subprocess.Popen(
            [*namespace(), *map(str, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )


def listens(address: Path) -> bool:
    """Whether a process accepts connections at this socket."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(address))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def wait(until: Callable[[], bool], seconds: float, otherwise: str) -> None:
    """Look every 20 ms whether it is so; after `seconds` raise ServiceFailed with the sentence `otherwise`."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            raise ServiceFailed(otherwise)
        time.sleep(0.02)


def last_words(log: Path) -> str:
    """Why a service ended: its last fatal message, else the last line it wrote."""
    lines = log.read_text(errors="replace").strip().splitlines() or ["it left no message"]
    fatal = [line.partition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    return [*lines[-1:], *fatal][-1]
