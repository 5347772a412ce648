"""What the commands that ask have in common: who asks, of which libraries, and where a passage stands."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence

from django.core.management.base import CommandError
from django.db.models import Sum
from django.db.models.functions import Length

from documents.models import Library, Page, User
from documents.rag.strategies import STRATEGIES
from documents.rag.system import DEFAULT_STRATEGY
from documents.rag.types import PAGE_BREAK, Passage, Span


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("text", help="the question")
    add_where(parser)
    parser.add_argument("--strategy", choices=list(STRATEGIES), default=DEFAULT_STRATEGY)
    parser.add_argument("--json", action="store_true", help="print JSON")


def add_where(parser: ArgumentParser) -> None:
    """Of which libraries it is asked, and by whom."""
    parser.add_argument(
        "--library", action="append", default=[], dest="libraries", metavar="NAME", help="only this one; repeatable"
    )
    parser.add_argument("--user", metavar="E-MAIL", help="who asks (default: the first administrator)")


def find_user(email: str | None) -> User:
    """The user of that e-mail address, or the first administrator. Raises CommandError."""
    try:
        user = User.objects.get(email=email.lower()) if email else User.objects.first_administrator()
    except User.DoesNotExist:
        raise CommandError(f"There is no user {email}." if email else "There is no administrator yet.") from None
    if not user.is_active:
        raise CommandError(f"The user {user.email} is deactivated. Name another.")
    return user


def find_libraries(user: User, names: Sequence[str]) -> list[int]:
    """The libraries of these names, or all, that the user may read. Raises CommandError."""
    readable = Library.objects.readable_by(user)
    for name in names:
        if not readable.filter(name=name).exists():
            raise CommandError(f"There is no library “{name}” that {user.email} may read.")
    return list((readable.filter(name__in=names) if names else readable).values_list("pk", flat=True))


def page_number(passage: Passage, span: Span) -> int | None:
    """The page, where the format has pages."""
    return span.page if passage.metadata["paged"] else None


def offset(version: int, page: int) -> int:
    """Where a page begins in its version's text, which is its pages' texts joined by PAGE_BREAK."""
    before = Page.objects.filter(version=version, number__lt=page)
    length = before.aggregate(length=Sum(Length("text")))["length"] or 0
    return int(length) + before.count() * len(PAGE_BREAK)
