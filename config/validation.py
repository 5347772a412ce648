"""What settings must look like; each raises ValidationError with a sentence that says so. An empty one is unset."""

from __future__ import annotations

from pathlib import PurePath
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import psycopg
from environs import ValidationError
from psycopg.conninfo import conninfo_to_dict


def web_address(value: str) -> None:
    if value and not (_is_of(value, "http", "https") and urlsplit(value).hostname):
        raise ValidationError("Must be an address as https://api.example.com/v1.")


def redis_address(value: str) -> None:
    if value and not _is_of(value, "redis", "rediss", "unix"):
        raise ValidationError("Must be an address as redis://host:6379/0, rediss://host:6379/0 or unix:///path?db=0.")


def postgres_address(value: str) -> None:
    try:
        conninfo_to_dict(value)
    except psycopg.ProgrammingError:  # Its message may hold the password.
        raise ValidationError("Must be an address as postgresql://user:password@host/name.") from None


def time_zone(value: str) -> None:
    try:
        ZoneInfo(value or "UTC")
    except (KeyError, ValueError, OSError):
        raise ValidationError("Must be a time zone as Europe/Berlin.") from None


def folders(value: list[str]) -> None:
    if wrong := [folder for folder in value if not PurePath(folder).is_absolute()]:
        raise ValidationError(f"{wrong[0]} must be a whole path as /srv/documents.")


def _is_of(value: str, *schemes: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.netloc or parts.path) and parts.port != 0  # Raises for 99999.
    except ValueError:
        return False
