"""Names in texts, and what they are known by."""

import pytest

from documents.rag.entities import key, mentions, names
from documents.rag.types import Chunk, Role


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The director Guido Brignone was born in Milan.", ["Guido Brignone", "Milan"]),
        (
            "He read at the University of Oxford, and the Bank of England paid.",
            ["University of Oxford", "Bank of England"],
        ),
        ("In Oslo the Data Centre rests, unlike Lima and Quito.", ["Oslo", "Data Centre", "Lima", "Quito"]),
        ("The Museum of the City of Prague is shut.", ["Museum of the City of Prague"]),
        ("In 1998 Apollo 11 is told of by NASA's staff.", ["Apollo 11", "NASA's"]),
        ("We were there. When it rained, nobody came.", []),
        ("Keep the plan. Otherwise nobody in Oslo has one.\nKeep it.", ["Oslo"]),
        ("Weber signs. NASA pays. Anna Weber leads.", ["Weber", "NASA", "Anna Weber"]),
        ("Ludwig van der Rohe met Simón de la Cruz.", ["Ludwig van der Rohe", "Simón de la Cruz"]),
        ("Alle Räume sind zu.", ["Räume"]),
        ("会議は東京で開かれた。", []),
        ("", []),
    ],
)
def test_names_are_runs_of_capitalised_words(text: str, found: list[str]) -> None:
    assert names(text) == found


@pytest.mark.parametrize(
    "name",
    [
        "Travel Policy",
        "travel  policy",
        "Travel Policy (2024)",
        "Travel policy.pdf",
        "“Travel Policy”",
        "Travel Policy's",
    ],
)
def test_a_name_is_known_by_the_same_key_however_it_is_written(name: str) -> None:
    assert key(name) == "travel policy"


def test_a_chunk_bears_its_documents_title_only_where_it_is_the_first() -> None:
    chunk = Chunk("Milan is near.", (), 3, {"title": "Guido Brignone", "chunk_id": 0}, ("Life", "Milan"))
    assert [(mention.name, mention.role) for mention in mentions(chunk)] == [
        ("Guido Brignone", Role.TITLE),
        ("Milan", Role.HEADING),
    ]
    second = Chunk("Near is Milan.", (), 3, {"title": "Guido Brignone", "chunk_id": 1})
    assert [(mention.name, mention.role) for mention in mentions(second)] == [("Milan", Role.NAME)]
