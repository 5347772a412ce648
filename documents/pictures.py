"""Pictures of pages, made when they are first looked at and kept beside the files."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from django.conf import settings
from django.http import Http404

from documents.models import Page

WIDTHS = (1200, 600, 1800)
"""Pixels; the first is for those who don't say."""

SECONDS = 20

# PDFium crashes now and then on files that nobody vouches for: never in the process that serves everyone.
_RENDER = """
import sys
from pathlib import Path
from documents.rag.parsing.images import render
path, media_type, number, width, name = sys.argv[1:]
sys.stdout.buffer.write(render(Path(path), media_type, int(number), int(width), name=name))
"""


def picture(page: Page, width: int) -> Path:
    """The file that holds a page's picture as a PNG; raises Http404 where there is none to be had."""
    version = page.version
    kept = settings.DATA_DIR / "cache" / "pages" / f"{version.sha256}-{page.number}-{width}.png"
    if not version.paged:
        raise Http404
    if not kept.exists():
        _keep(kept, _rendered(page, width))
    return kept


def _rendered(page: Page, width: int) -> bytes:
    version = page.version
    arguments = [version.readable.path, version.media_type, str(page.number), str(width), version.document.name]
    try:
        done = subprocess.run(
            [sys.executable, "-c", _RENDER, *arguments],
            cwd=settings.BASE_DIR,
            env={"OPENBLAS_NUM_THREADS": "1"},
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise Http404 from error
    return done.stdout


def _keep(path: Path, data: bytes) -> None:
    """Write it whole or not at all, however many want it at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        draft.write(data)
    os.replace(draft.name, path)
