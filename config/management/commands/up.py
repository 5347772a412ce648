"""Everything Footnote needs, in the foreground, until Ctrl-C."""

from __future__ import annotations

import fcntl
import shutil
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config import embedded
from config.celery import QUEUES
from config.servers import services
from config.supervisor import Child, Children

HOST = "127.0.0.1"
START_SECONDS = 60
FREE_MEGABYTES = 256


class Command(BaseCommand):
    help = "Run everything in the foreground: Postgres, Valkey, the worker and the web server. Ctrl-C stops it all."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="where the web server listens (default: 8000)")
        parser.add_argument("--no-browser", action="store_true", help="don't open a browser")
        parser.add_argument("--data", metavar="DIR", help="where everything is kept (default: var)")

    def handle(self, *, port: int, no_browser: bool, **options: Any) -> None:
        if not 1 <= port <= 65535:
            sys.exit(f"There is no port {port}: ports go from 1 to 65535.")
        listen_to_signals(signal.default_int_handler)
        try:
            self.run(port, browser=not no_browser)
        except embedded.ServiceFailed as error:
            sys.exit(str(error))
        except KeyboardInterrupt:
            self.say("Footnote has stopped.")

    def run(self, port: int, *, browser: bool) -> None:
        address = f"http://{HOST}:{port}/"
        with ExitStack() as stack:
            stack.enter_context(only_one(settings.DATA_DIR, address))
            check_room(settings.DATA_DIR)
            again = stack.enter_context(services())
            self.say("Postgres and Valkey are running.")
            children = stack.enter_context(Children(settings.DATA_DIR / "up.json"))
            # A second Ctrl-C must not break off the stopping.
            stack.callback(listen_to_signals, signal.SIG_IGN)
            check_port(port)
            prepare()
            self.start(children, port)
            self.say(f"Footnote is ready at {address} (Ctrl-C stops it).")
            if browser:
                open_browser(address)
            self.look_after(children, again)

    def start(self, children: Children, port: int) -> None:
        web = children.add("The web server", web_server(port), settings.BASE_DIR)
        children.add("The worker", worker(), settings.BASE_DIR)
        self.say("The worker and the web server are starting.")
        wait_for(web, port)

    def look_after(self, children: Children, again: Callable[[], bool]) -> None:
        """Start again what dies, until we are told to stop."""
        while True:
            time.sleep(1)
            if again():
                self.say("Postgres or Valkey had ended; both run again.")
            for child in children.all:
                if child.restart_in_time():
                    children.write()
                    self.say(f"{child.name} had ended; it runs again.")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


@contextmanager
def only_one(folder: Path, address: str) -> Iterator[None]:
    """Refuses to run twice on the same data; the lock goes with the process, so a killed one leaves none behind."""
    with embedded.kept_in(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("a+")
    with lock as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            sys.exit(
                f"Footnote is running already, at {file.read()}. Stop it there first, or use another --data folder."
            )
        file.truncate(0)
        file.write(address)
        file.flush()
        yield


def check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free // 2**20
    if free < FREE_MEGABYTES:
        sys.exit(f"The disk is full: {folder} has {free} MB left, Footnote needs {FREE_MEGABYTES}. Make room first.")


def check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            sys.exit(f"Port {port} is taken or not allowed. Choose another: make run PORT={port + 1}")


def prepare() -> None:
    """In a process of its own, because ours lives long and should stay small."""
    command = [sys.executable, "manage.py", "prepare"]
    if subprocess.run(command, cwd=settings.BASE_DIR, check=False).returncode:
        sys.exit("The data could not be made ready. What was said last stands above.")


def web_server(port: int) -> list[str]:
    command = [sys.executable, "-m", "uvicorn", "config.asgi:application", "--host", HOST, "--port", str(port)]
    command += ["--lifespan", "on", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false"]
    return [*command, "--log-level", "warning", "--no-access-log", "--timeout-graceful-shutdown", "3"]


def worker() -> list[str]:
    command = [sys.executable, "-W", "ignore:You're running the worker with superuser"]  # In a container, we are root.
    command += ["-m", "celery", "--app", "config.celery", "--quiet", "worker", "--loglevel", "WARNING"]
    return [*command, "--queues", ",".join(QUEUES), "--without-gossip", "--without-mingle"]


def wait_for(web: Child, port: int) -> None:
    """Until the web server lets us in."""
    deadline = time.monotonic() + START_SECONDS
    while not answers(port):
        if web.ended or time.monotonic() > deadline:
            sys.exit("The web server did not start. What it said last stands above.")
        time.sleep(0.05)


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def open_browser(address: str) -> None:
    """Where there is a screen; a browser of the terminal would take ours."""
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:
        browser.open(address)


def listen_to_signals(handler: Callable[..., Any] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)
