"""Ways to gather evidence, by name."""

from documents.rag.errors import UnknownStrategy
from documents.rag.strategies.agentic import agentic
from documents.rag.strategies.auto import auto
from documents.rag.strategies.direct import direct
from documents.rag.strategies.graph import graph
from documents.rag.strategies.hybrid import hybrid
from documents.rag.strategies.hyde import hyde
from documents.rag.strategies.iterative import iterative
from documents.rag.strategies.lexical import lexical
from documents.rag.strategies.multi_query import multi_query
from documents.rag.strategies.naive import naive
from documents.rag.strategies.tools import Strategy

STRATEGIES: dict[str, Strategy] = {
    "direct": direct,
    "naive": naive,
    "hybrid": hybrid,
    "iterative": iterative,
    "agentic": agentic,
    "graph": graph,
    "auto": auto,
}
"""Those that users choose from."""

MEASURED: dict[str, Strategy] = STRATEGIES | {
    "lexical": lexical,
    "dense": naive,
    "hyde": hyde,
    "multi-query": multi_query,
}
"""Those that `evaluate` compares: hybrid's two halves, and ways that are yet to show that they help."""


def find_strategy(name: str) -> Strategy:
    """The strategy of that name. Raises UnknownStrategy."""
    try:
        return MEASURED[name]
    except KeyError:
        known = ", ".join(STRATEGIES)
        raise UnknownStrategy(f"There is no strategy “{name}”. Choose one of: {known}.") from None
