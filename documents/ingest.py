"""Files in: checked, kept, and queued to be indexed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.db.models import Max, OuterRef, Subquery
from django.utils import timezone

from documents.leases import take_away, wanted
from documents.models import Document, Library, Membership, User, Version
from documents.naming import safe_folder, safe_name
from documents.queueing import queue, queue_recognition
from documents.rag.errors import PermanentError
from documents.rag.parsing import media_type
from documents.rag.parsing.recognising import LIGHT
from documents.rag.types import HowRead

HANDBOOK = "Footnote handbook"
HANDBOOK_SOURCE = "handbook:"


class TooLarge(PermanentError):
    """This file is larger than Footnote takes."""


class Keep(StrEnum):
    """What to do with a file of a name that exists."""

    BOTH = "both"
    VERSION = "version"


class Outcome(StrEnum):
    """What became of a file."""

    ADDED = "added"
    NEW_VERSION = "new version"
    RESTORED = "restored"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Received:
    """The version that holds a file's bytes now, and how it came about."""

    version: Version
    outcome: Outcome

    @property
    def sentence(self) -> str:
        name, number = self.version.document.name, self.version.number
        match self.outcome:
            case Outcome.ADDED:
                return f"{name} was added."
            case Outcome.NEW_VERSION:
                return f"{name} was added as version {number}."
            case Outcome.RESTORED:
                return f"{name} is the same as version {number}, which becomes the current one again."
            case Outcome.UNCHANGED:
                return f"{name} is here already, with the same content. Nothing was changed."


@dataclass(frozen=True, slots=True)
class Offered:
    """A file, where it lay, and the path or address of a document that is kept in step with it."""

    file: File[bytes]
    folder: str = ""
    source: str | None = None


Place = str | tuple[str, str]
"""A source, or else a folder and a name in it."""


@dataclass(frozen=True, slots=True)
class _Given:
    """A file that was looked at."""

    name: str
    folder: str
    source: str | None
    media_type: str
    sha256: str
    file: File[bytes]

    @property
    def place(self) -> Place:
        """By what it is known whether there is a document of it already."""
        return self.source or (self.folder, self.name)


def receive(
    user: User | None,
    library: Library,
    file: File[bytes],
    *,
    source: str | None = None,
    keep: Keep = Keep.BOTH,
    folder: str = "",
    container: Document | None = None,
) -> Received:
    """Keep a file in a library, for `queue` to have it indexed; bytes that are there already are not kept again.

    `source` is the path or address of a document that is kept in step with it; without one, `keep` says whether a file
    of a name that exists in its folder is a document of its own. Raises PermanentError with a sentence that names the
    file. Whether the user may add to the library has to be known.
    """
    [received] = receive_all(user, library, [Offered(file, folder, source)], keep=keep, container=container)
    if isinstance(received, PermanentError):
        raise received
    return received


def receive_all(
    user: User | None,
    library: Library,
    files: Sequence[Offered],
    *,
    keep: Keep = Keep.BOTH,
    container: Document | None = None,
) -> list[Received | PermanentError]:
    """The same for many files, each refused by itself; those that are new cost a few visits to the database in all."""
    looked_at = [_looked_at_or_refused(file) for file in files]
    given = [one for one in looked_at if isinstance(one, _Given)]
    receiving = _Receiving(user, library, keep, container)
    received = dict(zip(given, receiving.receive(given), strict=True))
    return [received[one] if isinstance(one, _Given) else one for one in looked_at]


def retry(version: Version) -> None:
    """Have a version indexed from where it stopped, and its pages read anew that have no text."""
    with transaction.atomic():
        if version.media_type not in LIGHT:
            pages = version.pages.filter(how_read__in=(HowRead.EMPTY, HowRead.FAILED))
            pages.update(how_read=HowRead.WAITING, error="")
        _wait_again(version)
        queue([version])


def read_again(version: Version, number: int) -> None:
    """Have one page read anew, or one that has a text recognised from its picture, while the others stay as they are.

    Leaves alone one that waits for it already, and a version that isn't whole or isn't the latest.
    """
    with transaction.atomic():
        version = Version.objects.select_for_update(of=("self",)).get(pk=version.pk)
        page = version.pages.filter(number=number).exclude(how_read=HowRead.WAITING)
        if not version.whole or not wanted().filter(pk=version.pk).exists():
            return
        if not page.update(how_read=HowRead.WAITING, error=""):
            return
        if version.status != Version.Status.RECOGNISING:
            version.pages_to_recognise = version.pages_recognised = 0
            version.status, version.error, version.attempts = Version.Status.RECOGNISING, "", 0
        version.pages_to_recognise += 1
        version.save(update_fields=["status", "error", "attempts", "pages_to_recognise", "pages_recognised"])
        queue_recognition()


def retry_failed(library: Library) -> int:
    """Try again all of a library that failed, but for what needs a password first; how many there are."""
    failed = list(wanted().filter(document__library=library, status=Version.Status.FAILED, needs_password=False))
    _wait_again(*failed)
    queue(failed)
    return len(failed)


def delete(document: Document) -> None:
    """Take the document, and what it holds, out of every search at once; rows and files stay for a while."""
    document.deleted_at = timezone.now()
    with transaction.atomic():
        document.save(update_fields=["deleted_at"])
        take_away(document)
        # Only now: whoever still unpacks it adds nothing without its lease.
        members = Document.objects.within(document).filter(deleted_at=None)
        for member in members:
            take_away(member)
        members.update(deleted_at=document.deleted_at)


def existing_paths(library: Library, paths: Sequence[str]) -> list[str]:
    """At which of these paths, folder and name, the library has a document that a file there would belong to."""
    places = {path: _place(path) for path in paths}
    names = {name for _, name in places.values()}
    kept = library.documents.filter(deleted_at=None, container=None, name__in=names)
    known = set(kept.values_list("folder", "name"))
    return [path for path, place in places.items() if place in known]


def _place(path: str) -> tuple[str, str]:
    folder, _, name = path.rpartition("/")
    return safe_folder(folder), safe_name(name)


def add_handbook(user: User) -> None:
    """Bring Footnote's own documentation to where it is kept, or into a library of its own where there is none at all.

    What its readers removed stays removed, and the library may be renamed, or made private.
    """
    library = Library.objects.filter(documents__source__startswith=HANDBOOK_SOURCE).first()
    if library is None and Library.objects.exists():
        return
    if library is None:
        library = Library.objects.create(name=HANDBOOK, visibility=Library.Visibility.TEAM)
        Membership.objects.create(library=library, user=user, role=Membership.Role.OWNER)
    removed = set(library.documents.exclude(deleted_at=None).values_list("source", flat=True))
    folder = settings.BASE_DIR / "docs"
    received = []
    for path in sorted(folder.rglob("*.md")):
        source = f"{HANDBOOK_SOURCE}{path.relative_to(folder)}"
        if source not in removed:
            with path.open("rb") as opened:
                received.append(receive(user, library, File(opened, path.name), source=source).version)
    queue(received)


# --- Looking at a file ------------------------------------------------------------------------


def _looked_at_or_refused(offered: Offered) -> _Given | PermanentError:
    try:
        return _looked_at(offered)
    except PermanentError as error:
        return error


def _looked_at(offered: Offered) -> _Given:
    file, name = offered.file, safe_name(offered.file.name or "")
    if file.size > settings.MAX_UPLOAD_MB * 2**20:
        raise TooLarge(
            f"{name} has {_megabytes(file.size)} MB; Footnote takes files of up to {settings.MAX_UPLOAD_MB} MB. "
            "Split it, or ask your administrator to raise MAX_UPLOAD_MB."
        )
    kind = media_type(name, file)
    return _Given(name, safe_folder(offered.folder), offered.source, kind, sha256(file), file)


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.1f}".removesuffix(".0")


def sha256(file: File[bytes]) -> str:
    """The file's hash, in hexadecimal digits; it is read from its beginning to its end."""
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    return digest.hexdigest()


# --- Where it belongs -------------------------------------------------------------------------


class _Receiving:
    """Files that were looked at on their way into a library: all are kept, or none."""

    def __init__(self, user: User | None, library: Library, keep: Keep, container: Document | None) -> None:
        self.user = user
        self.library = library
        self.keep = keep
        self.container = container
        self.stored: list[Version] = []

    def receive(self, given: Sequence[_Given]) -> list[Received]:
        try:
            with transaction.atomic():
                return self._received(given)
        except BaseException:
            for version in self.stored:
                version.file.delete(save=False)
            raise

    def _received(self, given: Sequence[_Given]) -> list[Received]:
        known = self._known_places(given)
        first: dict[Place, _Given] = {}
        for one in given:
            if one.place not in known:
                first.setdefault(one.place, one)
        added = dict(zip(first.values(), self._added(list(first.values())), strict=True))
        return [added.get(one) or self._at_known_place(one) for one in given]

    def _known_places(self, given: Sequence[_Given]) -> set[Place]:
        """Where there are documents already."""
        documents = self.library.documents.filter(deleted_at=None)
        by_source = documents.filter(source__in=[one.source for one in given if one.source])
        unbound = [one for one in given if not one.source]
        names, folders = {one.name for one in unbound}, {one.folder for one in unbound}
        by_name = documents.filter(name__in=names, folder__in=folders, container=None)
        return {*by_source.values_list("source", flat=True), *by_name.values_list("folder", "name")}

    def _at_known_place(self, given: _Given) -> Received:
        document = self._same(given)
        return self._updated(document, given) if document else self._added([given])[0]

    def _same(self, given: _Given) -> Document | None:
        """The document that the file belongs to, locked; None where it is a new one."""
        documents = self.library.documents.filter(deleted_at=None).select_for_update(of=("self",))
        documents = documents.select_related("latest")
        if given.source:
            return documents.filter(source=given.source).first()
        named = documents.filter(name=given.name, folder=given.folder, container=None).order_by("-pk")
        same_bytes = named.filter(latest__sha256=given.sha256).first()
        return same_bytes or (named.first() if self.keep is Keep.VERSION else None)

    def _updated(self, document: Document, given: _Given) -> Received:
        latest = document.latest
        if latest and latest.sha256 == given.sha256:
            if latest.status == Version.Status.FAILED:
                _wait_again(latest)
            return Received(_of(latest, document), Outcome.UNCHANGED)
        if earlier := document.versions.filter(sha256=given.sha256).first():
            return Received(_restored(_of(earlier, document)), Outcome.RESTORED)
        take_away(document)
        number = (document.versions.aggregate(Max("number"))["number__max"] or 0) + 1
        [version] = self._versions([(document, given)], number=number)
        return Received(version, Outcome.NEW_VERSION)

    def _added(self, given: Sequence[_Given]) -> list[Received]:
        documents = Document.objects.bulk_create(map(self._document, given))
        versions = self._versions(list(zip(documents, given, strict=True)), number=1)
        return [Received(version, Outcome.ADDED) for version in versions]

    def _document(self, given: _Given) -> Document:
        document = Document(library=self.library, created_by=self.user, container=self.container)
        document.name, document.folder = given.name, given.folder
        if given.source:
            document.source = given.source
        return document

    def _versions(self, files: Sequence[tuple[Document, _Given]], *, number: int) -> list[Version]:
        """The files' versions, which become the latest ones of their documents."""
        versions = [self._version(document, given, number) for document, given in files]
        Version.objects.bulk_create(versions)
        _make_latest(*versions)
        return versions

    def _version(self, document: Document, given: _Given, number: int) -> Version:
        version = Version(document=document, number=number, sha256=given.sha256, media_type=given.media_type)
        version.bytes = given.file.size
        version.file.save(given.name, given.file, save=False)
        self.stored.append(version)
        return version


def _restored(version: Version) -> Version:
    """An earlier version, to be indexed again from the pages that were read then."""
    version.pages_indexed = version.chunks_indexed = 0
    version.chunks_total = None
    version.save(update_fields=["pages_indexed", "chunks_indexed", "chunks_total"])
    take_away(version.document)
    _make_latest(version)
    _wait_again(version)
    return version


def _wait_again(*versions: Version) -> None:
    for version in versions:
        version.status, version.error, version.attempts = Version.Status.QUEUED, "", 0
        version.needs_password = False
        version.lease = version.lease_until = version.started = None
    fields = ["status", "error", "attempts", "needs_password", "lease", "lease_until", "started"]
    Version.objects.bulk_update(versions, fields, batch_size=1000)


def _make_latest(*versions: Version) -> None:
    new = Version.objects.filter(pk__in=[version.pk for version in versions])
    documents = Document.objects.filter(pk__in=[version.document_id for version in versions])
    documents.update(latest=Subquery(new.filter(document=OuterRef("pk")).values("pk")))


def _of(version: Version, document: Document) -> Version:
    version.document = document
    return version
