"""Short documents on their way into the index: many at a time, as a visit to the database costs more than their text.

Each is read whole, and what is kept of it before it is ready are its pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from documents import versions, wiring
from documents.leases import Lease
from documents.models import Version
from documents.originals import metadata, original
from documents.progress import announce
from documents.rag.errors import UnreadableDocument
from documents.rag.parsing import Opened, parse
from documents.rag.parsing.reading import SMALL_BYTES
from documents.rag.parsing.recognising import LIGHT
from documents.rag.types import Page
from documents.threads import in_thread

MOST = 128
MOST_BYTES = 196_608
"""Of the documents that are worked on together: some seconds' work for the installed embedding model."""


def lots(all_versions: Iterable[Version]) -> Iterator[list[Version]]:
    """The versions as they are to be worked on: short ones together, others each alone."""
    lot: list[Version] = []
    for version in all_versions:
        if not is_short(version):
            yield [version]
            continue
        if len(lot) == MOST or sum(one.bytes for one in [*lot, version]) > MOST_BYTES:
            yield lot
            lot = []
        lot.append(version)
    if lot:
        yield lot


def is_short(version: Version) -> bool:
    """Whether its file is read in a moment, and it isn't half done."""
    half_done = version.pages_indexed or version.pages_read not in (0, version.pages_total)
    return version.bytes <= SMALL_BYTES and version.media_type in LIGHT and not half_done


async def index(lease: Lease, together: Sequence[Version]) -> None:
    """Make short versions ready and current, all or none. Raises what is wrong with one of them, or with a model."""
    read = await in_thread(_read, together)
    for version, pages in read.items():
        if complaint := versions.complaint(version, pages):
            raise UnreadableDocument(complaint)
    await in_thread(versions.keep_whole, lease, read)
    await announce(*together)
    system = await wiring.current().system(sorted({version.document.library_id for version in together}))
    await system.index_documents(list(read.values()), [metadata(version) for version in together])
    await in_thread(versions.make_current, lease)
    for version in together:
        version.status = Version.Status.READY
    await announce(*together)


def _read(together: Sequence[Version]) -> dict[Version, list[Page]]:
    """All pages of versions of which nothing is in the index. Raises UnreadableDocument."""
    return {version: _pages(version) for version in together}


def _pages(version: Version) -> list[Page]:
    if version.pages_read:
        return versions.start_again(version)
    pages = []
    for item in parse(original(version), version.media_type, name=version.document.name):
        if isinstance(item, Opened):
            version.title = item.title[:500]
        else:
            pages.append(item)
    return pages
