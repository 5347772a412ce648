"""The data in place: tables as this version wants them, an administrator, the handbook."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from documents.ingest import add_handbook
from documents.models import User

ADMINISTRATOR = "admin@footnote.local"

LOCK = 0x466F6F74
"""Ours alone among Postgres' advisory locks."""


class Command(BaseCommand):
    help = "Bring the tables up to date, and make the administrator and the handbook if they are missing."
    requires_system_checks = ()

    def handle(self, **options: Any) -> None:
        with alone():
            self.migrate()
            if not User.objects.filter(is_superuser=True).exists():
                self.create_administrator()
            add_handbook(User.objects.filter(is_superuser=True).earliest("pk"))

    def migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if plan := executor.migration_plan(executor.loader.graph.leaf_nodes()):
            call_command("migrate", interactive=False, verbosity=0)
            self.stdout.write(f"The tables are up to date ({len(plan)} migrations).")

    def create_administrator(self) -> None:
        password = secrets.token_urlsafe(12)
        User.objects.create_superuser(ADMINISTRATOR, password)
        self.stdout.write(f"Sign in as {ADMINISTRATOR} with the password {password} (it is shown this once).")


@contextmanager
def alone() -> Iterator[None]:
    """Other processes that want to prepare the same data wait meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
