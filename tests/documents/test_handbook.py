"""Footnote's own documentation as a library."""

from __future__ import annotations

import pytest
from django.conf import settings

from documents.ingest import add_handbook
from documents.models import Document, Library, Membership, User

pytestmark = pytest.mark.django_db


def test_the_handbook_is_a_library_that_everybody_may_read(owner: User, stranger: User) -> None:
    add_handbook(owner)
    add_handbook(owner)
    library = Library.objects.readable_by(stranger).get()
    assert library.documents.count() == len(list((settings.BASE_DIR / "docs").rglob("*.md")))
    assert Membership.objects.get().user == owner


def test_a_handbook_that_was_renamed_or_made_private_stays_the_handbook(owner: User) -> None:
    add_handbook(owner)
    Library.objects.update(name="Help", visibility=Library.Visibility.PRIVATE)
    add_handbook(owner)
    assert Library.objects.get().name == "Help"


def test_a_handbook_that_was_removed_does_not_come_back(owner: User, library: Library) -> None:
    add_handbook(owner)
    assert not Document.objects.exists()
