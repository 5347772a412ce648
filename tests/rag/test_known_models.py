"""What models want before a text, by the names under which endpoints offer them."""

from __future__ import annotations

import pytest

from documents.rag.known_models import Known, known

SENTENCE = "Represent this sentence for searching relevant passages: "
TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\n"


@pytest.mark.parametrize(
    ("model", "query", "passage", "may_be_cut"),
    [
        ("text-embedding-3-large", "", "", True),
        ("text-embedding-ada-002", "", "", False),
        ("Qwen/Qwen3-Embedding-8B", f"{TASK}Query:", "", True),
        ("qwen3-embedding:0.6b", f"{TASK}Query:", "", True),
        ("google/embeddinggemma-300m", "task: search result | query: ", "title: none | text: ", True),
        ("nomic-embed-text:latest", "search_query: ", "search_document: ", True),
        ("nomic-ai/nomic-embed-text-v1", "search_query: ", "search_document: ", False),
        ("text-embedding-nomic-embed-text-v1.5", "search_query: ", "search_document: ", True),
        ("intfloat/e5-large-v2", "query: ", "passage: ", False),
        ("intfloat/multilingual-e5-base", "query: ", "passage: ", False),
        ("intfloat/multilingual-e5-large-instruct", f"{TASK}Query: ", "", False),
        ("intfloat/e5-mistral-7b-instruct", f"{TASK}Query: ", "", False),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query: ", "", True),
        ("snowflake-arctic-embed2", "query: ", "", True),
        ("Snowflake/snowflake-arctic-embed-m-v1.5", SENTENCE, "", True),
        ("snowflake-arctic-embed:335m", SENTENCE, "", False),
        ("mixedbread-ai/mxbai-embed-large-v1", SENTENCE, "", True),
        ("BAAI/bge-small-en-v1.5", SENTENCE, "", False),
        ("BAAI/bge-large-zh-v1.5", "为这个句子生成表示以用于检索相关文章：", "", False),
        ("BAAI/bge-m3", "", "", False),
        ("all-MiniLM-L6-v2-int8", "", "", False),
    ],
)
def test_a_model_is_known_by_its_name(model: str, query: str, passage: str, may_be_cut: bool) -> None:
    assert known(model) == Known(query, passage, may_be_cut)
