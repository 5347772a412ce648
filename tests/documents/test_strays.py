"""What belongs to nothing: told by `doctor`, and taken away where that is safe."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from documents import strays
from documents.ingest import delete
from documents.management.commands.doctor import Check, checked, files, orphans, pictures, removed
from documents.models import Chunk, Document, Embedding, EmbeddingSpace, Library, Mention
from documents.purging import erase
from documents.removing import KEPT
from tests.documents.conftest import Give

pytestmark = pytest.mark.django_db

HOUR = 3_600


def stray(name: str, hours: float) -> Path:
    kept = default_storage.save(f"documents/{name}", ContentFile(b"x"))
    path = Path(default_storage.path(kept))
    os.utime(path, (time.time() - hours * HOUR,) * 2)
    return path


def test_all_is_well_where_there_is_nothing_and_with_a_document(give: Give) -> None:
    looks = (files, orphans, pictures, removed)
    assert [checked("", look).detail for look in looks if not checked("", look).ok] == []
    give("leave.md", "# Leave")
    assert [checked("", look).detail for look in looks if not checked("", look).ok] == []


def test_a_file_that_a_crash_left_is_removed_and_others_are_left_to_people(give: Give) -> None:
    give("leave.md", "# Leave")
    young, crashed, foreign = stray("young.md", 0), stray("crashed.md", 2), stray("foreign.md", 48)
    assert checked("files", files).detail.startswith("2 files belong to no document")
    strays.tidy()
    assert [path.exists() for path in (young, crashed, foreign)] == [True, False, True]
    assert len(strays.stored() & strays.known()) == 1


def test_what_a_crash_left_just_now_is_about_to_be_removed(give: Give) -> None:
    give("leave.md", "# Leave")
    stray("crashed.md", 0.1)
    assert checked("files", files) == Check(
        "files", True, "1 files, each of a document; 1 that a crash left are removed in a few minutes."
    )


@pytest.mark.django_db(transaction=True)
def test_a_file_whose_rows_may_yet_be_committed_is_no_stray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "MARGIN", timedelta(0))
    with psycopg.connect(settings.DATABASE_URL) as other:
        other.execute("SELECT 1")
        path = stray("coming.md", 0)
        strays.tidy()
        assert path.exists()
    strays.tidy()
    assert not path.exists()


def test_a_file_that_is_erased_while_it_is_looked_at_is_no_stray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strays, "stored", lambda: {"documents/gone.md"})
    assert strays.files() == {}


def test_files_of_what_is_being_erased_are_no_strays(give: Give, library: Library) -> None:
    delete(give("leave.md", "# Leave").version.document)
    erase(library, Document.objects.removed_from(library))
    assert checked("files", files).ok


def test_pictures_of_no_version_are_told_and_removed(give: Give) -> None:
    folder = settings.DATA_DIR / "cache" / "pages"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = folder / f"{give('leave.md', '# Leave').version.sha256}-1-600.png"
    lost = folder / f"{'0' * 64}-1-600.png"
    for path in (wanted, lost):
        path.write_bytes(b"x")
        os.utime(path, (time.time() - 2 * HOUR,) * 2)
    assert "1 pictures of pages belong to no document" in checked("pictures", pictures).detail
    strays.tidy()
    assert (wanted.exists(), lost.exists()) == (True, False)
    wanted.unlink()


def test_what_should_have_been_erased_long_ago_is_told(give: Give) -> None:
    delete(give("leave.md", "# Leave").version.document)
    assert checked("removed", removed).ok
    Document.objects.update(deleted_at=timezone.now() - 2 * KEPT)
    assert checked("removed", removed).detail.startswith("1 removed documents and 0 orders to erase are overdue.")


def test_an_embedding_in_another_library_than_its_document_is_told(give: Give) -> None:
    version = give("leave.md", "# Leave").version
    chunk = Chunk.objects.create(version=version, position=0, spans=[], text="x", tokens=1, hash=b"", signature=[])
    space = EmbeddingSpace.objects.create(model="m", dimensions=2, state="live")
    other = Library.objects.create(name="Other")
    Embedding.objects.create(space=space, library=other, chunk=chunk, window=0, vector=[1.0, 0.0])
    Mention.objects.create(library=other, chunk=chunk, key="x", name="X", role=0)
    told = checked("index", orphans).detail
    assert "1 embeddings in another library than their document" in told
    assert "1 mentions in another library than their document" in told
