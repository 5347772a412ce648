"""From the markers in a model's text to footnotes at exact characters of what was retrieved."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from documents.rag.alignment import ENOUGH, Source
from documents.rag.claims import is_prose, plain, states
from documents.rag.sentences import sentences
from documents.rag.types import Citation, Passage, Text

_MARKER = r"[ \t]{0,3}[\[【［]\s?\^?\d{1,3}(?:\s?[,;、，]\s?\^?\d{1,3}){0,8}\s?(?:†[^\]】\n]{0,40})?[\]】］]"
_UNFINISHED = re.compile(r"(?:[ \t]{0,3}(?:[\[【［][\d\s,;、，^]{0,50}(?:†[^\]】\n]{0,40})?|[\"'“‘(])?|`+|~+)\Z")
_TOKEN = re.compile(rf"(?P<newline>\n)|(?P<run>`+|~{{3,}})|(?P<marker>{_MARKER})")
_GAP = re.compile(r"[ \t]{0,3}")
_ENDED = re.compile(r"[.!?…。！？][\"'”’)\]*_]*\Z")
_ITEM = re.compile(r"[ \t]*(?:[*+•-]|\d{1,3}[.)])[ \t]")
_BREAKS = re.compile(r"[.!?…。！？\s]")
_HELD = 100
_REACH = 600
"""How many characters back from a marker its sentence may begin."""

_CARRIED = 0.5
"""Share of a sentence that a passage must carry to be cited for it where the model cites none."""


class CitationTracker:
    """Follows an answer as it is written and replaces each marker by the number of a footnote.

    A marker counts the passages that the model was given; a footnote is a stretch of one of them, found by aligning
    the sentence before the marker. The same stretch keeps its number; numbers rise in the order of first use. A
    marker that matches no passage is dropped, and nothing inside code is a marker. A sentence of a paragraph or a list
    that ends without one is given a footnote where a passage carries it.
    """

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._sources = [Source(passage) for passage in passages]
        self._passages = passages
        self._footnotes: dict[tuple[int, int, int], Citation] = {}
        self._held = ""
        self._line = ""
        self._sentence = ""
        self._cut = 0
        self._is_cited = False
        self._fence = ""
        self._ticks = ""

    @property
    def citations(self) -> tuple[Citation, ...]:
        return tuple(self._footnotes.values())

    @property
    def cited(self) -> dict[int, Source]:
        """By a footnote's number, the passage that it is a stretch of."""
        return {citation.number: self._sources[index] for (index, _, _), citation in self._footnotes.items()}

    def feed(self, piece: str) -> Iterator[Citation | Text]:
        """What may be shown now, each citation before the text that holds its number."""
        text = self._held + piece
        unfinished = _UNFINISHED.search(text, max(len(text) - _HELD, 0))
        self._held = unfinished.group() if unfinished else ""
        return self._read(text[: len(text) - len(self._held)])

    def finish(self) -> Iterator[Citation | Text]:
        """What was held back because a marker might have begun there, and what the last sentence lacks."""
        held, self._held = self._held, ""
        return self._read(held, last=True)

    def _read(self, text: str, *, last: bool = False) -> Iterator[Citation | Text]:
        known = len(self._footnotes)
        shown: list[str] = []
        position = 0
        for token in _TOKEN.finditer(text):
            self._say(shown, text[position : token.start()], ends=token.lastgroup == "newline")
            position = token.end()
            if token.lastgroup == "marker" and not (self._fence or self._ticks):
                shown.append(self._numbered(token.group()))
            elif token.lastgroup == "marker":
                self._say(shown, token.group())
            else:
                shown.append(token.group())
                self._follow_code(token)
        self._say(shown, text[position:], ends=last)
        yield from self.citations[known:]
        if whole := "".join(shown):
            yield Text(whole)

    def _say(self, shown: list[str], text: str, *, ends: bool = False) -> None:
        """Text between markers and ends of lines; its line `ends` behind it."""
        self._line = (self._line + text)[:_REACH]
        if self._fence:
            shown.append(text)
            return
        at = len(self._sentence)
        written = self._sentence + text
        known = self._sentence + (_BREAKS.sub("_", text) if self._ticks else text)
        places = sentences(known) or [(0, 0)]
        for (start, end), (following, _) in pairwise(places):
            shown.append(written[at : max(end, at)])
            at = max(end, at)
            if _GAP.fullmatch(known, end, following):
                shown.append(self._lacking(known[start:end]))
            self._cut, self._is_cited = 0, False
        said = known[places[-1][0] if len(places) > 1 else 0 :]
        self._cut += max(len(said) - _REACH, 0)
        self._sentence = said[-_REACH:]
        rest = written[at:]
        bare = rest.rstrip(" \t") if ends else rest
        shown += (bare, self._lacking_at_end() if ends else "", rest[len(bare) :])

    def _lacking_at_end(self) -> str:
        """The marker that a line's last sentence lacks. Only an item of a list may do without a full stop."""
        said = self._sentence.rstrip(" \t")
        ended = _ENDED.search(said) or _ITEM.match(self._line)
        return self._lacking(said) if ended and _GAP.fullmatch(self._sentence, len(said)) and not self._ticks else ""

    def _lacking(self, sentence: str) -> str:
        """The marker that a sentence has none of, where a passage carries it."""
        said = plain(sentence)
        is_long, is_row = self._cut + len(sentence) > _REACH, self._line.lstrip().startswith("|")
        if self._is_cited or is_long or is_row or not (is_prose(self._line) and states(said)):
            return ""
        shares = [source.align(said).share for source in self._sources]
        best = max(range(len(shares)), key=shares.__getitem__, default=0)
        return f"[{self._footnote(best, said).number}]" if shares and shares[best] >= _CARRIED else ""

    def _follow_code(self, token: re.Match[str]) -> None:
        """A run of ``` or ~~~ that begins a line opens or closes a code block; other backticks, a span of it."""
        if token.lastgroup == "newline":
            self._ticks = self._line = self._sentence = ""
            self._cut, self._is_cited = 0, False
            return
        run = token.group()
        begins_line = not self._line.strip()
        self._line += run
        self._sentence += run
        if self._fence:
            self._fence = "" if begins_line and run.startswith(self._fence) else self._fence
        elif begins_line and len(run) >= 3:
            self._fence = run
        elif run.startswith("`"):
            self._ticks = "" if run == self._ticks else self._ticks or run

    def _numbered(self, marker: str) -> str:
        self._line, self._is_cited = self._line + marker, True
        numbers = dict.fromkeys(int(digits) for digits in re.findall(r"\d+", marker.partition("†")[0]))
        said = plain(self._sentence)
        found = [self._footnote(number - 1, said) for number in numbers if 0 < number <= len(self._passages)]
        return "".join(f"[{citation.number}]" for citation in found)

    def _footnote(self, index: int, sentence: str) -> Citation:
        """Of a passage, the stretch that carries a sentence; all of it where none does."""
        passage = self._passages[index]
        found = self._sources[index].align(sentence)
        start, end = (found.start, found.end) if found.share >= ENOUGH else (0, len(passage.text))
        number = len(self._footnotes) + 1
        return self._footnotes.setdefault((index, start, end), _citation(number, passage, start, end))


def _citation(number: int, passage: Passage, start: int, end: int) -> Citation:
    span = passage.place(start, end)
    return Citation(number, passage, span, quote=passage.text[start : start + span.end - span.start])
