"""The terms under which a text is found, by the language that it is in."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain
from threading import Lock
from typing import NamedTuple

import snowballstemmer  # type: ignore[import-untyped]

from documents.rag.stopwords import STOP_WORDS

ANALYSIS = 4
"""Goes up when other terms, or names, than before are made of a text: what was indexed before is then indexed anew."""

LONGEST = 64
"""A term's characters; what is longer is no word, and is cut."""

ENGLISH = "en"
"""The language whose stems stand for a text that is in no language that has a stemmer, or is hard to tell."""

STEMMERS = {
    "ar": "arabic", "ca": "catalan", "da": "danish", "de": "german", "el": "greek", "en": "english",
    "es": "spanish", "et": "estonian", "eu": "basque", "fi": "finnish", "fr": "french", "ga": "irish", "hi": "hindi",
    "hu": "hungarian", "hy": "armenian", "id": "indonesian", "it": "italian", "lt": "lithuanian", "ne": "nepali",
    "nl": "dutch", "no": "norwegian", "pl": "polish", "pt": "portuguese", "ro": "romanian", "ru": "russian",
    "sr": "serbian", "sv": "swedish", "ta": "tamil", "tr": "turkish", "yi": "yiddish",
}  # fmt: skip
"""ISO 639-1 code → Snowball's algorithm; its Czech one is left out, as less is found by it than without."""

_ANY_STOP_WORD = frozenset[str]().union(*STOP_WORDS.values())

_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0900-\u0dff\u0e31-\u0eff\u1000-\u109f\u1780-\u17d3"
_LETTER = rf"[\w{_MARKS}]"
_TOKEN = re.compile(rf"(?:(?<![\w-])--?(?=[^\W\d]))?{_LETTER}+(?:(?:[.'’-]|::){_LETTER}+)*")
_ASCII_TOKEN = re.compile(r"(?:(?<![\w-])--?(?=[A-Za-z_]))?\w+(?:(?:[.'-]|::)\w+)*", re.ASCII)
_APOSTROPHE = re.compile("['’]")
_PART = re.compile(rf"(?:[^\W_]|[{_MARKS}])+")
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17d3\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
    "\U00020000-\U0003ffff]+)"
)


def terms(text: str, language: str = ENGLISH) -> list[str]:
    """A text's terms, with repeats: stems by its language, and identifiers both whole and in parts."""
    return list(chain.from_iterable(map(_analysis(language).__getitem__, _tokens(text))))


def telling_terms(text: str, languages: Sequence[str] = (ENGLISH,)) -> list[str]:
    """The terms, with repeats, of the words that tell something; of all words where none does.

    The text may be in any of these languages, and what shares a term with it as well, or in none that is known.
    """
    pieces = [piece for token in _tokens(text) for piece in _pieces(token)]
    stop = frozenset[str]().union(*(STOP_WORDS.get(language, ()) for language in languages or (ENGLISH,)))
    telling = [piece for piece in pieces if piece.text not in stop] or pieces
    stemmers = {_stemmer(language) for language in (ENGLISH, *languages)}
    return [term for piece in telling for term in sorted({piece.term(stemmer) for stemmer in stemmers})]


def possible_terms(text: str) -> list[set[str]]:
    """For each word of a text the terms that may stand for it, whatever language what it is found in is taken for.

    Words that hold sentences together are left out, if there are others. What of a token depends on its neighbours, as
    an identifier as a whole does, is none of them: so whatever holds the text, as whole words, has one of each.
    """
    pieces = [piece for token in _tokens(text) for piece in _inner_pieces(token)]
    telling = [piece for piece in pieces if piece.text not in _ANY_STOP_WORD] or pieces
    stemmers = list(map(_stemmer, STEMMERS))
    return [{piece.term(stemmer) for stemmer in stemmers} for piece in telling]


def is_spaced(letter: str) -> bool:
    """Whether it is a letter or digit of a script that sets words apart."""
    return letter.isalnum() and not _UNSPACED.match(letter)


class _Piece(NamedTuple):
    """What stands for itself, or a word, which its stem stands for."""

    text: str
    is_word: bool

    def term(self, stemmer: _Stemmer) -> str:
        return stemmer.stem(self.text)[:LONGEST] if self.is_word else self.text[:LONGEST]


class _Stemmer:
    """The stemmer of a language. Snowball's isn't safe to share between threads."""

    def __init__(self, algorithm: str) -> None:
        self._stem = snowballstemmer.stemmer(algorithm).stemWord
        self._lock = Lock()

    def stem(self, word: str) -> str:
        with self._lock:
            return str(self._stem(word if word.isascii() else _plain(word)))


class _Analysis(dict[str, tuple[str, ...]]):
    """Token → terms in a language, worked out once."""

    ENOUGH = 300_000

    def __init__(self, stemmer: _Stemmer) -> None:
        self._stemmer = stemmer

    def __missing__(self, token: str) -> tuple[str, ...]:
        if len(self) >= self.ENOUGH:
            self.clear()
        found = self[token] = tuple(piece.term(self._stemmer) for piece in _pieces(token))
        return found


def _stemmer(language: str) -> _Stemmer:
    return _stemmer_of(STEMMERS.get(language, STEMMERS[ENGLISH]))


_stemmer_of = functools.cache(_Stemmer)


def _analysis(language: str) -> _Analysis:
    return _analysis_by(_stemmer(language))


_analysis_by = functools.cache(_Analysis)


def _tokens(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    return _TOKEN.findall(unicodedata.normalize("NFKC", text).casefold())


def _inner_pieces(token: str) -> list[_Piece]:
    if token.isascii() and token.isalpha():
        return [_Piece(token, is_word=True)]
    return [piece for part in _parts(token) for piece in _pieces_of(part)]


def _pieces(token: str) -> list[_Piece]:
    pieces = _inner_pieces(token)
    is_whole = len(pieces) == 1 and pieces[0].text == token
    return [_Piece(token, is_word=False), *pieces] if _is_identifier(token) and not is_whole else pieces


def _pieces_of(part: str) -> Iterable[_Piece]:
    if part.isascii():
        return [_Piece(part, is_word=part.isalpha())]
    return chain.from_iterable(
        [_Piece(pair, is_word=False) for pair in _bigrams(run)] if _UNSPACED.match(run) else [_Piece(run, is_word=True)]
        for run in _UNSPACED.split(part)
        if run
    )


def _parts(token: str) -> list[str]:
    """A token's words; what an apostrophe cuts off ('s, 't, l') is none."""
    pieces = _APOSTROPHE.split(token)
    if len(pieces) > 1:
        pieces = [piece for piece in pieces if len(piece) > 2] or pieces
    return [part for piece in pieces for part in _PART.findall(piece)]


def _is_identifier(token: str) -> bool:
    return any(sign in token for sign in "_.:") or token[0] == "-" or ("-" in token and any(map(str.isdigit, token)))


def _bigrams(run: str) -> list[str]:
    """What stands for words in a script that is written without spaces."""
    return [run[at : at + 2] for at in range(len(run) - 1)] or [run]


def _plain(word: str) -> str:
    """A word without accents, as people often type it."""
    return "".join(char for char in unicodedata.normalize("NFKD", word) if not unicodedata.combining(char))
