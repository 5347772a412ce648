"""The one command that runs everything, as a user meets it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from config import embedded
from tests.installation import ROOT, Installation


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_it_runs_stops_and_runs_again_with_its_data(tmp_path: Path) -> None:
    with Installation(tmp_path) as first:
        assert len(first.password) >= 12
        assert "Sign in" in first.get("account/login/")
        assert first.stop() == 0
        assert first.processes() == []

    with Installation(tmp_path) as second:
        assert "password" not in "".join(second.lines)
        assert "Sign in" in second.get("account/login/")


def test_a_taken_port_is_told_in_one_sentence(installation: Installation, tmp_path: Path) -> None:
    result = run("up", "--no-browser", "--port", str(installation.port), "--data", str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.startswith(f"Port {installation.port} is taken")
    assert result.stderr.count("\n") == 1


def test_a_second_one_on_the_same_data_is_told_where_the_first_is(installation: Installation) -> None:
    result = run("up", "--no-browser", "--data", str(installation.data))
    assert result.returncode == 1
    assert installation.address in result.stderr


@pytest.mark.parametrize("victim", ["celery", "uvicorn", "postgres", "valkey-server"])
def test_what_is_killed_runs_again(installation: Installation, victim: str) -> None:
    killed = installation.process_of(victim)
    killed.kill()
    assert "again" in installation.next_line()
    assert installation.process_of(victim) != killed
    assert "Sign in" in installation.get("account/login/")


def test_postgres_is_left_to_mend_itself_while_its_server_lives(tmp_path: Path) -> None:
    with embedded.services(tmp_path, with_postgres=True, with_valkey=False) as again:
        for _ in range(3):
            with psycopg.connect(embedded.database_url(tmp_path)) as connection:
                os.kill(connection.info.backend_pid, signal.SIGKILL)
            again()
            psycopg.connect(embedded.database_url(tmp_path)).close()


def test_after_a_crash_of_everything_it_mends_itself(tmp_path: Path) -> None:
    with Installation(tmp_path) as crashed:
        crashed.kill()
        crashed.process_of("postgres").kill()
    with Installation(tmp_path) as mended:
        assert "Sign in" in mended.get("account/login/")
        assert mended.stop() == 0
        assert mended.processes() == []


def test_after_the_supervisor_is_killed_its_port_is_free_again(tmp_path: Path) -> None:
    with Installation(tmp_path) as killed:
        killed.kill()
    with Installation(tmp_path, port=killed.port) as successor:
        assert "Sign in" in successor.get("account/login/")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOP_K", "many"),
        ("TOP_K", "0"),
        ("TIME_ZONE", "Mars/X"),
        ("OPENAI_BASE_URL", "nonsense"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing"),
        ("REDIS_URL", "nonsense"),
        ("REDIS_URL", "redis://127.0.0.1:1"),
    ],
)
def test_a_wrong_setting_names_itself(tmp_path: Path, name: str, value: str) -> None:
    result = run("up", "--no-browser", "--data", str(tmp_path), **{name: value})
    assert result.returncode == 1
    assert name in result.stderr
    assert "[" not in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("folder", ["/etc/hostname", "/proc/nowhere"])
def test_a_folder_that_cannot_hold_data_is_named(folder: str) -> None:
    result = run("up", "--no-browser", "--data", folder)
    assert result.returncode == 1
    assert folder in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_port_that_does_not_exist_is_told(tmp_path: Path) -> None:
    result = run("up", "--no-browser", "--data", str(tmp_path), "--port", "99999")
    assert result.stderr == "There is no port 99999: ports go from 1 to 65535.\n"


def test_a_command_starts_the_services_and_stops_them(tmp_path: Path) -> None:
    result = run("showmigrations", "--data", str(tmp_path))
    assert result.returncode == 0
    assert "[ ] 0001_initial" in result.stdout
    assert Installation(tmp_path).processes() == []


def test_help_needs_no_services(tmp_path: Path) -> None:
    assert run("up", "--help", "--data", str(tmp_path)).returncode == 0
    assert not (tmp_path / "postgres").exists()
