"""Ways to gather evidence, by the names that users choose them by."""

from documents.rag.errors import UnknownStrategy
from documents.rag.strategies.hybrid import hybrid
from documents.rag.strategies.naive import naive
from documents.rag.strategies.tools import Strategy

STRATEGIES: dict[str, Strategy] = {"naive": naive, "hybrid": hybrid}


def find_strategy(name: str) -> Strategy:
    """The strategy of that name. Raises UnknownStrategy."""
    try:
        return STRATEGIES[name]
    except KeyError:
        known = ", ".join(STRATEGIES)
        raise UnknownStrategy(f"There is no strategy “{name}”. Choose one of: {known}.") from None
