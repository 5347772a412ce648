#!/usr/bin/env python3
"""Footnote's commands; one that needs them finds the services running and the data in place."""

import os
import signal
import sys

if sys.version_info < (3, 11):
    sys.exit("Footnote needs Python 3.11 or newer; this is %d.%d." % sys.version_info[:2])

import django
from django.core.management import call_command, execute_from_command_line, load_command_class
from environs import EnvError, EnvValidationError

from config import embedded
from config.servers import services

BY_THEMSELVES = {"", "check", "findstatic", "help", "version"}
WITHOUT_DATA = {"dbshell", "flush", "makemigrations", "migrate", "prepare", "showmigrations", "sqlmigrate", "test"}


def main(arguments: list[str]) -> None:
    arguments = take_data_folder(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    command = next((word for word in arguments[1:] if not word.startswith("-")), "")
    try:
        if command == "up":
            load_command_class("config", "up").run_from_argv(arguments)  # With no application loaded, it stays small.
        elif command in BY_THEMSELVES or {"-h", "--help", "--version"} & set(arguments):
            execute_from_command_line(arguments)
        else:
            run_with_services(command, arguments)
    except EnvError as error:
        sys.exit(f"A setting is wrong. {plain(error)}")
    except embedded.ServiceFailed as error:
        sys.exit(str(error))


def take_data_folder(arguments: list[str]) -> list[str]:
    """The arguments without `--data DIR`, which has to be known before the settings are read."""
    rest = []
    words = iter(arguments)
    for word in words:
        name, _, value = word.partition("=")
        if name == "--data":
            os.environ["DATA_DIR"] = os.path.abspath(value or next(words, "") or sys.exit("--data needs a folder."))
        else:
            rest.append(word)
    return rest


def plain(error: EnvError) -> str:
    """What environs says of a setting, without the brackets around its sentences."""
    if not isinstance(error, EnvValidationError):
        return str(error)
    return f"{str(error).partition(' invalid: ')[0]}: {' '.join(map(str, error.error_messages))}"


def run_with_services(command: str, arguments: list[str]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with services():
        django.setup()
        if command not in WITHOUT_DATA:
            call_command("prepare", stdout=sys.stderr)  # A command's own output may be JSON.
        execute_from_command_line(arguments)


if __name__ == "__main__":
    main(sys.argv)
