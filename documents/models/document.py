from __future__ import annotations

import functools
import operator
import uuid
from pathlib import PurePath
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.fields.files import FieldFile
from django.urls import reverse

from documents.models.library import Library
from documents.models.people import User
from documents.models.receipt import Receipt
from documents.models.source import Source
from documents.rag.parsing.recognising import PDF, PICTURES
from documents.rag.types import HowRead

DEPTH = 3
"""How deep containers may lie in each other."""


class DocumentQuerySet(models.QuerySet["Document"]):
    def readable_by(self, user: User | AnonymousUser) -> DocumentQuerySet:
        return self.filter(deleted_at=None, library__in=Library.objects.readable_by(user))

    def editable_by(self, user: User | AnonymousUser) -> DocumentQuerySet:
        return self.filter(deleted_at=None, library__in=Library.objects.editable_by(user))

    def removed_from(self, *libraries: Library) -> DocumentQuerySet:
        """What can be restored in these libraries; what went with a container comes back with it."""
        whole = Q(container=None) | Q(container__deleted_at=None)
        return self.filter(whole, library__in=libraries, deleted_at__isnull=False, receipt=None)

    def restorable_by(self, user: User | AnonymousUser) -> DocumentQuerySet:
        return self.removed_from(*Library.objects.editable_by(user))

    def named(self, words: str) -> DocumentQuerySet:
        """The documents whose name, title or folder holds these characters, in whatever case."""
        return self.filter(Q(name__icontains=words) | Q(title__icontains=words) | Q(folder__icontains=words))

    def for_rows(self) -> DocumentQuerySet:
        """With what a library's table shows of each: `pages_failed` is a number of the latest version's pages."""
        failed = Page.objects.filter(version=models.OuterRef("latest"), how_read=HowRead.FAILED).order_by()
        counted = failed.values("version").annotate(count=models.Count("pk")).values("count")
        return self.select_related("latest", "container").annotate(pages_failed=models.Subquery(counted))

    def within(self, *documents: Document) -> DocumentQuerySet:
        """The documents that these hold, at any depth."""
        chains = ("__".join(["container"] * depth) for depth in range(1, DEPTH + 1))
        return self.filter(functools.reduce(operator.or_, (Q(**{f"{chain}__in": documents}) for chain in chains)))


def fresh_source() -> str:
    return f"upload:{uuid.uuid4()}"


class Document(models.Model):
    """Something to read: an identity in a library, of which there may be several versions.

    `source` is that identity: the path or address of a document that is kept in step, a fresh id for an upload.
    A file in an archive, or one attached to an e-mail, is a document of its own, a member of its `container`.
    `kept_by` is the source that keeps it in step, by `modified` and `etag`: what that said when it was fetched last.
    `latest` is the version that was given last; it becomes the `current` one, which is what is searched, when it is
    ready.
    """

    library = models.ForeignKey(Library, models.CASCADE, related_name="documents")
    source = models.CharField(max_length=1000, default=fresh_source)
    name = models.CharField("file name", max_length=255)
    title = models.CharField(max_length=500, blank=True)
    title_given = models.BooleanField(default=False, help_text="By hand: a new version doesn't bring another.")
    folder = models.CharField(max_length=1000, blank=True, help_text="Where it lay, in its container or when dropped.")
    container = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="members")
    kept_by = models.ForeignKey(Source, models.SET_NULL, null=True, blank=True, related_name="documents")
    modified = models.CharField(max_length=100, blank=True)
    etag = models.CharField(max_length=200, blank=True)
    current = models.ForeignKey("documents.Version", models.SET_NULL, null=True, blank=True, related_name="+")
    latest = models.ForeignKey("documents.Version", models.SET_NULL, null=True, blank=True, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    deleted_at = models.DateTimeField(null=True, blank=True)
    receipt = models.ForeignKey(
        Receipt, models.PROTECT, null=True, editable=False, related_name="+", help_text="Given once it is to be erased."
    )

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering = ("name", "pk")
        constraints = (
            models.UniqueConstraint("library", "source", condition=Q(deleted_at=None), name="one_document_a_source"),
        )
        indexes = (
            models.Index(fields=("deleted_at",), condition=~Q(deleted_at=None), name="removed_documents"),
            models.Index(fields=("library", "name"), name="documents_by_name"),
            models.Index(fields=("library", "created", "id"), name="documents_by_age"),
        )

    def __str__(self) -> str:
        return self.title or self.name

    def get_absolute_url(self) -> str:
        return reverse("document", args=[self.pk])

    @property
    def address(self) -> str:
        """Where it is on the web; "" for what isn't."""
        return self.source if self.source.startswith(("http://", "https://")) else ""

    @property
    def path(self) -> str:
        """Its name with the folder where it lay."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


def upload_path(version: Version, name: str) -> str:
    """Where a file is kept: never under the name it came with."""
    return f"documents/{uuid.uuid4().hex}{PurePath(name).suffix[:16].lower()}"


class Version(models.Model):
    """One state of a document's file, and how far its reading has come.

    A worker that works on it holds the lease and renews it; one that has run out may be taken by another.
    """

    class Status(models.TextChoices):
        QUEUED = "queued"
        READING = "reading"
        EMBEDDING = "embedding"
        RECOGNISING = "recognising"
        READY = "ready"
        FAILED = "failed"

    document = models.ForeignKey(Document, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(default=1)
    sha256 = models.CharField(max_length=64)
    file = models.FileField(upload_to=upload_path, max_length=255)
    unlocked = models.FileField(upload_to=upload_path, max_length=255, blank=True)
    """A copy of it that needs no password, where the file itself needs one."""
    media_type = models.CharField(max_length=100)
    bytes = models.BigIntegerField()
    title = models.CharField(max_length=500, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.QUEUED)
    attempts = models.PositiveIntegerField(default=0, help_text="How often it failed for a reason that may pass.")
    error = models.TextField(blank=True)
    needs_password = models.BooleanField(default=False, help_text="Why it failed: an editor may enter the password.")
    left_out = models.JSONField(default=list, blank=True, help_text="Members that weren't taken in: a sentence each.")
    pages_total = models.PositiveIntegerField(null=True, blank=True, help_text="None until it is known.")
    pages_read = models.PositiveIntegerField(default=0)
    pages_indexed = models.PositiveIntegerField(default=0)
    chunks_total = models.PositiveIntegerField(null=True, blank=True, help_text="An estimate until it is ready.")
    chunks_indexed = models.PositiveIntegerField(default=0)
    pages_to_recognise = models.PositiveIntegerField(default=0, help_text="Of the pages that waited, or wait, for it.")
    pages_recognised = models.PositiveIntegerField(default=0)
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True, blank=True, help_text="When a worker first took it, since it was queued.")
    ready_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("document", "number")
        constraints = (models.UniqueConstraint("document", "number", name="one_version_a_number"),)

    def __str__(self) -> str:
        return f"{self.document}, version {self.number}"

    def place(self, page: int, start: int, end: int) -> str:
        """The address of its document's page with these characters of that page marked."""
        query = urlencode({"version": self.number, "page": page, "start": start, "end": end})
        return f"{self.document.get_absolute_url()}?{query}"

    @property
    def readable(self) -> FieldFile:
        """The file that is read and shown; what is downloaded is always `file`."""
        return self.unlocked or self.file

    @property
    def paged(self) -> bool:
        """Whether the format itself has pages, so that a page number means something to people."""
        return self.media_type == PDF or self.media_type in PICTURES

    @property
    def whole(self) -> bool:
        """Whether each of its pages was read, and is in the index, so that one can be read anew alone."""
        at_rest = self.status in (self.Status.RECOGNISING, self.Status.READY, self.Status.FAILED)
        return at_rest and self.pages_indexed == self.pages_read == self.pages_total

    @property
    def language(self) -> str:
        """That of most of its chunks, as ISO 639-1 code; "" where it is hard to tell."""
        counted = self.chunks.exclude(language="").values_list("language").annotate(count=models.Count("pk"))
        return next((code for code, _ in counted.order_by("-count", "language")[:1]), "")


class Page(models.Model):
    """A page's text as it was read, final once stored: every span of a chunk or citation counts its characters.

    `blocks` are [kind, start, end, level, [heading, …]]; `words` is a `rag.types.Words`, packed.
    """

    version = models.ForeignKey(Version, models.CASCADE, related_name="pages")
    number = models.PositiveIntegerField()
    text = models.TextField()
    blocks = models.JSONField(default=list)
    words = models.BinaryField(default=b"")
    width = models.FloatField(null=True, blank=True)
    height = models.FloatField(null=True, blank=True)
    how_read = models.CharField(max_length=10, choices=[(how.value, how.value) for how in HowRead])
    error = models.TextField(blank=True)

    class Meta:
        ordering = ("version", "number")
        constraints = (models.UniqueConstraint("version", "number", name="one_page_a_number"),)
        indexes = (models.Index(fields=("version",), condition=Q(how_read=HowRead.FAILED), name="failed_pages"),)

    def __str__(self) -> str:
        return f"{self.version}, page {self.number}"
