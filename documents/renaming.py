"""The names under which a document is shown, cited and downloaded."""

from __future__ import annotations

from documents.models import Document


def rename(document: Document, *, name: str, title: str) -> None:
    """Show a document under another file name and title from now on; an empty title means the one in its file.

    What is searched keeps the title that the text was indexed with, until there is a new version.
    """
    of_its_file = document.current.title if document.current else ""
    document.name = name
    document.title_given = bool(title) and title != of_its_file
    document.title = title or of_its_file
    document.save(update_fields=["name", "title", "title_given"])
