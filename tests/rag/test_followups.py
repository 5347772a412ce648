"""What a question in a conversation is searched for with, where no model writes it anew."""

from documents.rag.followups import background, in_words, leans, standalone
from documents.rag.types import Question, Turn


def asked(*texts: str) -> Question:
    """The last of these questions, after the others and their answers."""
    *earlier, last = texts
    return Question(last, tuple(turn for text in earlier for turn in (Turn("user", text), Turn("assistant", "Yes."))))


def test_the_first_question_is_searched_for_as_it_is() -> None:
    question = asked("And for them?")
    assert not leans(question)
    assert in_words(question) == standalone(question) == "And for them?"


def test_a_question_leans_on_those_back_to_one_that_stands_alone() -> None:
    question = asked(
        "Who pays the rent of offices?", "How is a mortgage paid back by a family?", "And early?", "Is it dear?"
    )
    assert background(question) == "How is a mortgage paid back by a family?\nAnd early?"
    assert standalone(question) == f"{background(question)}\nIs it dear?"


def test_its_own_words_weigh_more_than_those_that_only_its_background_has() -> None:
    words = in_words(asked("Which mortgage suits a family?", "Is that mortgage dear?")).split()
    assert (words.count("mortgage"), words.count("dear?"), words.count("family?")) == (5, 5, 2)


def test_one_that_stands_alone_is_coloured_by_the_one_before_only_a_little() -> None:
    question = asked("Which mortgage suits a family?", "How much does a house insurance cost per year?")
    assert not leans(question)
    assert standalone(question) == question.text
    words = in_words(question).split()
    assert (words.count("insurance"), words.count("mortgage")) == (7, 1)
