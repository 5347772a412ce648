"""What is known of embedding models by their names: the words before a text that they want, and which may be cut."""

from __future__ import annotations

import re
from dataclasses import dataclass

from documents.rag.errors import PermanentError


class WrongDimensions(PermanentError):
    """A model's vectors can't have as many dimensions as were asked for."""


@dataclass(frozen=True, slots=True)
class Known:
    """The words before a question and before any other text, each with the space after it.

    With `may_be_cut`, the first numbers of a vector are a good vector themselves (Matryoshka representation learning:
    Kusupati et al., NeurIPS 2022).
    """

    query: str = ""
    passage: str = ""
    may_be_cut: bool = False


_SENTENCE = "Represent this sentence for searching relevant passages: "
_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"

# As the models' own cards say. A name may have an owner before it, and a tag after it; the first that fits counts.
_KNOWN = {
    r"text-embedding-3-|gemini-embedding-001|jina-embeddings-v[34]": Known(may_be_cut=True),
    r"qwen3-embedding": Known(f"{_TASK}Query:", may_be_cut=True),
    r"embeddinggemma": Known("task: search result | query: ", "title: none | text: ", may_be_cut=True),
    r"nomic-embed-text-v1(?!\.)": Known("search_query: ", "search_document: "),
    r"nomic-embed-text": Known("search_query: ", "search_document: ", may_be_cut=True),
    r"e5-mistral|e5-.*-instruct": Known(f"{_TASK}Query: "),
    r"\be5-(small|base|large)": Known("query: ", "passage: "),
    r"arctic-embed(2|-.*v2)": Known("query: ", may_be_cut=True),
    r"arctic-embed-m-v1\.5": Known(_SENTENCE, may_be_cut=True),
    r"arctic-embed": Known(_SENTENCE),
    r"mxbai-embed-(2d-)?large": Known(_SENTENCE, may_be_cut=True),
    r"bge-(small|base|large)-zh": Known("为这个句子生成表示以用于检索相关文章："),
    r"bge-(small|base|large)": Known(_SENTENCE),
}


def known(model: str) -> Known:
    """Nothing of a model that isn't in the table."""
    return next((of for pattern, of in _KNOWN.items() if re.search(pattern, model, re.IGNORECASE)), Known())


def dimensions(model: str, full: int, wanted: int | None, most: int) -> int:
    """How many numbers of a model's `full` ones are kept: those `wanted`, else all, but for what is more than `most`.

    Raises WrongDimensions.
    """
    if wanted is not None and not 0 < wanted <= full:
        raise WrongDimensions(f"The vectors of {model} have {full:,} numbers; they can't be shortened to {wanted:,}.")
    if (kept := wanted or full) <= most:
        return kept
    if wanted is None and known(model).may_be_cut:
        return most
    raise WrongDimensions(
        f"The vectors of {model} have {full:,} numbers, and an index holds {most:,}. Choose another model, or, where "
        "its endpoint can shorten them, name fewer: `manage.py reembed --model M --dimensions N`."
    )
