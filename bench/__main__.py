"""`python -m bench [PART…]`: runs all of them or those named, and prints a table at the end.

Each part is a module of its own, whose JSON lines are passed on; what else it says goes to the terminal.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from bench.figures import figures, table
from tests.installation import ROOT

PARTS = (
    "answers",
    "ingest",
    "footprint",
    "faults",
    "retrieval",
    "bm25",
    "parsing",
    "pages",
    "weight",
    "hostile",
    "deletion",
)


def main(names: Sequence[str]) -> int:
    if unknown := set(names) - set(PARTS):
        sys.exit(f"There is no part {', '.join(sorted(unknown))}. Choose of: {', '.join(PARTS)}.")
    lines: list[str] = []
    failed = [name for name in names or PARTS if not _run(name, lines)]
    print(f"\n{table(figures(lines))}")
    for name in failed:
        print(f"The part {name} ended with an error; what it said stands above.")
    return len(failed)


def _run(name: str, lines: list[str]) -> bool:
    """Run a part, passing on what it prints and adding it to `lines`; whether it came to its end."""
    with subprocess.Popen([sys.executable, "-m", f"bench.{name}"], cwd=ROOT, stdout=subprocess.PIPE, text=True) as part:
        for line in part.stdout or ():
            print(line, end="", flush=True)
            lines += [line]
    return part.returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
