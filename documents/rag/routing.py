"""Which strategy suits a question, by rules that look at nothing but its words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from documents.rag.queries import understand
from documents.rag.types import Question

_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|thanks?(?: you)?(?: a lot| very much)?|bye|goodbye|hallo|"
    r"danke|guten (?:morgen|tag|abend)|bonjour|merci|hola|gracias|ciao|grazie)\b(?:\s+(?:there|all|everyone))?[\s!.,]*",
    re.IGNORECASE,
)
_SIGNS = r"[+*/^×÷–-]"
_ARITHMETIC = re.compile(r"(?:what(?:'s| is) )?[\d\s.,()+*/^×÷–-]+=? ?\??", re.IGNORECASE)
_OPERATION = re.compile(rf"\d[ )]*{_SIGNS}[ (]*\d")
_THEMES = re.compile(
    r"\b(?:main|key|major|central|overall|recurring|common)\s+(?:themes?|topics?|subjects?|issues?|ideas?)\b"
    r"|\b(?:overview|summary|summari[sz]e)\b.*\b(?:all|every|everything|whole|librar(?:y|ies)|documents|collection)\b"
    r"|\bwhat (?:are|is) (?:these|the|all|our) (?:documents|files|librar(?:y|ies)) about\b",
    re.IGNORECASE,
)
_RELATED = re.compile(
    r"\bhow (?:is|are|was|were)\b.*\b(?:related|connected|linked|tied|associated)\b"
    r"|\b(?:relationship|connection|link) between\b|\bwhat (?:connects|links)\b|\bin common\b",
    re.IGNORECASE,
)
_RESEARCH = re.compile(
    r"^(?:please |can you |could you )?(?:do )?(?:some )?(?:research|investigate)\b"
    r"|\b(?:in[- ]depth|thorough|comprehensive|detailed)\b.*\b(?:report|analysis|overview|review)\b"
    r"|\bcompare\b.*\b(?:across|all)\b",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:compare[ds]?|comparison|versus|vs|differences?|similarit(?:y|ies)|in contrast)\b"
    r"|\b(?:differ|different)\b.*\b(?:from|than)\b"
    r"|\b(?:both|same|first|earlier|later|older|younger|oldest|youngest|longer|larger|bigger|more|better)\b.*\b(?:and|or)\b"
    r"|\b(?:and|or)\b.*\b(?:both|same|differs?|different)\b",
    re.IGNORECASE,
)
_LISTED = re.compile(r"^(?:list|name|which|what are)\b.*\b(?:all|every|each)\b|^list\b", re.IGNORECASE)

_LONGEST = 500
"""Characters of a question that are looked at: a kind is told at its beginning, and patterns take no time."""

_NAME = r"[\"“'‘]?[A-Z\d][\w’'.&-]*"
_HOPS = (
    # "the city where Kerry Saxby was born", "the author that wrote Brand"
    re.compile(
        rf"\b(?:the|an?|what|which)(?: [\w’'-]+){{1,5}}?,? (?:where|whose|who|whom|that|which|when)\b.*? {_NAME}"
    ),
    # "the state Henry Worrall died in"
    re.compile(rf"\bthe [a-z]+ {_NAME}(?: {_NAME})* (?:is|was|were|died|lived|played|comes|came|works|worked)\b"),
    # "the director of film Petra", "the author of Brand", but not "the mayor of Warsaw"
    re.compile(rf"\bthe [a-z]+ (?:of|by|for) (?:the )?(?:[a-z]+ ){{1,3}}(?:of |by |in )?{_NAME}"),
    # "Where was the father of May Morris born?"
    re.compile(
        rf"^(?:Where|When|Why|What \w+|Which \w+) (?:is|was|were|do|does|did) the \w+ of {_NAME} .*\b[a-z]{{3,}}\??$"
    ),
    # "Anna's mother", "Anna's city of birth"
    re.compile(r"(?<=\s)[A-Z][\w.-]*(?:['’]s|s['’]) [a-z]+"),
)


def asks_for_themes(text: str) -> bool:
    """Whether it is a question about all documents together, which no passage answers alone."""
    return bool(_THEMES.search(text[:_LONGEST]))


@dataclass(frozen=True, slots=True)
class Route:
    """A strategy's name, and why it is the one for a question."""

    strategy: str
    reason: str


def route(question: Question, *, has_model: bool) -> Route:
    """The strategy that suits a question.

    Without a chat model nothing is sent to one: what would be answered without documents, or by an agent, is searched
    for, too.
    """
    text = " ".join(question.text[:_LONGEST].split())
    if _GREETING.fullmatch(text):
        return Route("direct", "a greeting needs no document")
    if has_model and _ARITHMETIC.fullmatch(text) and _OPERATION.search(text):
        return Route("direct", "a sum needs no document")
    if _RESEARCH.search(text):
        return Route("agentic" if has_model else "iterative", "it asks for research")
    if asks_for_themes(text):
        return Route("graph", "it asks about all documents together")
    if _RELATED.search(text):
        return Route("graph", "it asks how things are related")
    if _COMPARED.search(text):
        return Route("iterative", "it compares")
    if _LISTED.search(text):
        return Route("iterative", "it asks for all there are")
    if any(hop.search(text) for hop in _HOPS):
        return Route("iterative", "it takes more than one step")
    if understand(text).narrowing.phrases:
        return Route("hybrid", "it names words to be found literally")
    return Route("hybrid", "it asks for one thing")
