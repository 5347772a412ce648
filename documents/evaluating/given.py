"""Golden questions as people give them: one by one, or as a table."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO

from django.db import transaction
from django.db.models import Q, QuerySet

from documents.evaluating.golden import stands
from documents.models import Document, GoldenPlace, GoldenQuestion, Library, User
from documents.questions import check_question
from documents.rag.errors import FootnoteError, PermanentError

COLUMNS = ("question", "document", "page", "quote")
MOST = 5_000
LONGEST_QUOTE = 2_000
ERRORS_TOLD = 20

Origin = GoldenQuestion.Origin


class NotGolden(PermanentError):
    """This can't be a golden question."""


@dataclass(frozen=True, slots=True)
class Given:
    """A question and where its answer stands: in a document, by name or path, on a page of it, in words it holds."""

    question: str
    document: str
    page: str = ""
    quote: str = ""


def add(library: Library, given: Given, user: User, *, origin: str = Origin.HAND) -> GoldenQuestion:
    """Add a question, or to one that is there already another place. Raises NotGolden."""
    text = given.question.strip()
    try:
        check_question(text)
    except FootnoteError as error:
        raise NotGolden(str(error)) from error
    place = find_place(library, given)
    defaults = {"origin": origin, "created_by": user}
    question, _ = GoldenQuestion.objects.get_or_create(library=library, text=text, defaults=defaults)
    GoldenPlace.objects.get_or_create(question=question, document=place.document, page=place.page, quote=place.quote)
    return question


def find_place(library: Library, given: Given) -> GoldenPlace:
    """The place that is named, not saved yet. Raises NotGolden where there is none."""
    document = _document(library, given.document.strip())
    page, quote = _page(given.page.strip()), given.quote.strip()
    if len(quote) > LONGEST_QUOTE:
        raise NotGolden(f"The quote has {len(quote):,} characters; {LONGEST_QUOTE:,} are allowed. Shorten it.")
    place = GoldenPlace(document=document, page=page, quote=quote)
    if not stands(place):
        where = f"on page {page} of {document.name}" if page and not quote else f"in {document.name}"
        raise NotGolden(f"“{quote}” doesn't stand {where}." if quote else f"There is nothing {where}.")
    return place


@transaction.atomic
def add_table(library: Library, content: bytes, user: User) -> int:
    """Add all questions of a table, or none; the number of its lines.

    Raises NotGolden: a sentence a line, for each line that is wrong.
    """
    given = list(_lines(content))
    errors = [sentence for number, each in given if (sentence := _added(library, number, each, user))]
    if errors:
        more = [f"So are {len(errors) - ERRORS_TOLD} more lines."] if len(errors) > ERRORS_TOLD else []
        raise NotGolden("\n".join(["Nothing was added.", *errors[:ERRORS_TOLD], *more]))
    return len(given)


def as_table(questions: Iterable[GoldenQuestion]) -> str:
    """Questions with their places, as `add_table` reads them."""
    out = StringIO()
    table = csv.writer(out)
    table.writerow(COLUMNS)
    for question in questions:
        for place in question.places.all():
            table.writerow([question.text, place.document.path, place.page or "", place.quote])
    return out.getvalue()


def _added(library: Library, number: int, given: Given, user: User) -> str:
    """What is wrong with a line; "" where it was added."""
    try:
        add(library, given, user, origin=Origin.CSV)
    except NotGolden as error:
        return f"Line {number}: {error}"
    return ""


def _lines(content: bytes) -> Iterator[tuple[int, Given]]:
    """The lines of a table with their numbers. Raises NotGolden."""
    try:
        text = content.decode("utf-8-sig").replace("\0", "")
        rows = csv.DictReader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        names = [str(name).strip().lower() for name in rows.fieldnames or ()]
        if not {"question", "document"} <= set(names):
            raise NotGolden("The first line must name the columns: question, document, and if you like page and quote.")
        rows.fieldnames = names
        for count, row in enumerate(rows, 1):
            if count > MOST:
                raise NotGolden(f"The table has more than {MOST:,} lines. Send it in parts.")
            values = {name: (row.get(name) or "").strip() for name in COLUMNS}
            if any(values.values()):
                yield rows.line_num, Given(**values)
    except UnicodeDecodeError as error:
        raise NotGolden("The table isn't in UTF-8. Save it as “CSV UTF-8”.") from error
    except csv.Error as error:
        raise NotGolden(f"This can't be read as a table: {error}. Save it as CSV.") from error


def _delimiter(text: str) -> str:
    """The one that parts the names of the columns."""
    head = text.partition("\n")[0]
    return max(",;\t", key=head.count)


def _document(library: Library, name: str) -> Document:
    if not name:
        raise NotGolden("Name the document in which the answer stands.")
    there = Document.objects.filter(library=library, deleted_at=None).exclude(current=None)
    found = _named(there, name)
    if not found:
        raise NotGolden(f"There is no document “{name}” in {library} that can be searched.")
    if len(found) > 1:
        raise NotGolden(f"Several documents are called “{name}”. Write the folder, too.")
    return found[0]


def _named(documents: QuerySet[Document], name: str) -> Sequence[Document]:
    """By path, else by file name or title."""
    folder, _, last = name.rpartition("/")
    by_path = list(documents.filter(folder=folder, name=last))
    return by_path or list(documents.filter(Q(name=name) | Q(title=name))[:2])


def _page(written: str) -> int | None:
    if not written:
        return None
    if not written.isdecimal() or not 0 < int(written[:9]) == int(written):
        raise NotGolden(f"“{written}” is no page. Write its number, or leave it empty.")
    return int(written)
