"""PDFs that need a password: opened with it once, and kept as an unlocked copy beside the original."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.files import File
from django.db import transaction

from documents.ingest import retry
from documents.models import Version
from documents.rag.parsing.unlocking import write_unlocked
from documents.threads import in_thread


async def unlock(version: Version, password: str) -> None:
    """Have a PDF read by its password, which is kept nowhere; one that needs none is left alone.

    Its `document` must be loaded. Raises WrongPassword, or UnreadableDocument where the file is damaged.
    """
    with TemporaryDirectory(prefix="footnote-") as folder:
        copy = Path(folder) / "unlocked.pdf"
        if await write_unlocked(Path(version.file.path), password, copy, name=version.document.name):
            await in_thread(_keep, version, copy)


def _keep(version: Version, copy: Path) -> None:
    """Keep the unlocked copy, and have the version indexed from it."""
    with transaction.atomic():
        locked = Version.objects.select_for_update().filter(pk=version.pk, unlocked="").first()
        if locked is None:  # Unlocked by another, or purged.
            return
        with copy.open("rb") as opened:
            locked.unlocked.save(copy.name, File(opened), save=False)
        try:
            locked.save(update_fields=["unlocked"])
            retry(locked)
        except BaseException:
            locked.unlocked.delete(save=False)
            raise
