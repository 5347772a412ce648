from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils import timezone

from documents.models.library import Library
from documents.models.people import User


class SourceQuerySet(models.QuerySet["Source"]):
    def editable_by(self, user: User | AnonymousUser) -> SourceQuerySet:
        return self.filter(library__in=Library.objects.editable_by(user))


class Source(models.Model):
    """A place with which documents of a library are kept in step.

    It is due when `next_run` has come, and stays so until somebody who held the lease came to an end with it. What is
    counted, and what was wrong, is that of its last run; `error` is why it found nothing out at all.
    """

    class Kind(models.TextChoices):
        PAGE = "page", "one web page or file"
        SITEMAP = "sitemap", "all pages of a sitemap"
        FOLDER = "folder", "a folder of the server"

    class Schedule(models.TextChoices):
        NONE = "none", "when asked"
        HOURLY = "hourly", "every hour"
        DAILY = "daily", "every day"
        WEEKLY = "weekly", "every week"

    library = models.ForeignKey(Library, models.CASCADE, related_name="sources")
    kind = models.CharField("what", max_length=10, choices=Kind, default=Kind.PAGE)
    address = models.CharField(max_length=1000)
    schedule = models.CharField("fetch it", max_length=10, choices=Schedule, default=Schedule.NONE)
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    next_run = models.DateTimeField(null=True, blank=True, db_index=True)
    last_run = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    items = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    problems = models.JSONField(default=list, blank=True, help_text="A sentence each for the first that failed.")
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ("created", "pk")
        constraints = (models.UniqueConstraint("library", "kind", "address", name="one_source_an_address"),)

    def __str__(self) -> str:
        return self.address

    def next_after(self, run: datetime) -> datetime | None:
        """When it is due after a run; None where it has to be asked for."""
        interval = _INTERVALS.get(Source.Schedule(self.schedule))
        return run + interval if interval else None

    @property
    def is_running(self) -> bool:
        return bool(self.lease_until and self.lease_until > timezone.now())

    @property
    def is_due(self) -> bool:
        return bool(self.next_run and self.next_run <= timezone.now())

    @property
    def result(self) -> str:
        """What the last run found, in words: `12 pages; 1 new, 1 changed, 1 gone`."""
        what = "file" if self.kind == Source.Kind.FOLDER else "page"
        counted = {"new": self.added, "changed": self.changed, "moved": self.moved, "gone": self.gone}
        counted["could not be taken in"] = self.failed
        news = ", ".join(f"{number:,} {word}" for word, number in counted.items() if number)
        return f"{self.items:,} {what}{'' if self.items == 1 else 's'}; {news or 'nothing new'}"


_INTERVALS = {
    Source.Schedule.HOURLY: timedelta(hours=1),
    Source.Schedule.DAILY: timedelta(days=1),
    Source.Schedule.WEEKLY: timedelta(weeks=1),
}
