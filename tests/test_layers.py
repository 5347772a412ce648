"""Who may import whom: chat → documents → documents.rag; and nobody imports config but config itself and manage.py."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("chat", "config", "documents")
FOUNDATION = ("documents.rag.types", "documents.rag.errors", "documents.rag.prompts")


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {
    name_of(path): path
    for path in [ROOT / "manage.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
    if "migrations" not in path.parts
}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported anywhere in the tree; of `from a import b` both a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "Imports are written in full."
            yield from (str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names))


IMPORTS = {name: set(imported(tree)) for name, tree in TREES.items()}


def belongs(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def trespasses(inside: str, *forbidden: str) -> list[str]:
    """Each import by a module of `inside` of something that belongs to `forbidden`."""
    modules = [module for module in FILES if belongs(module, inside)]
    return [f"{module} → {it}" for module in modules for it in sorted(IMPORTS[module]) if belongs(it, *forbidden)]


def test_the_heart_is_plain_python() -> None:
    frameworks = ("django", "asgiref", "celery", "kombu", "channels", "channels_redis", "redis", "psycopg", "allauth")
    assert trespasses("documents.rag", *frameworks) == []


def test_the_heart_knows_nothing_of_its_users() -> None:
    assert trespasses("documents.rag", "chat", "config") == []
    outside = {name for name in FILES if belongs(name, "documents") and not belongs(name, "documents.rag")}
    assert trespasses("documents.rag", *(outside - {"documents"})) == []


def test_documents_know_nothing_of_chat() -> None:
    assert trespasses("documents", "chat") == []


def test_nobody_imports_config() -> None:
    assert trespasses("documents", "config") == []
    assert trespasses("chat", "config") == []


def test_only_the_system_imports_the_system() -> None:
    heart = {name for name in FILES if belongs(name, "documents.rag")} - {"documents.rag.system"}
    assert [name for name in heart if belongs_to_any(IMPORTS[name], "documents.rag.system")] == []


def test_stages_know_no_strategy() -> None:
    strategies = "documents.rag.strategies"
    stages = {name for name in FILES if belongs(name, "documents.rag") and not belongs(name, strategies)}
    users = {name for name in stages if belongs_to_any(IMPORTS[name], strategies)}
    assert users <= {"documents.rag.system"}


@pytest.mark.parametrize("module", FOUNDATION)
def test_what_all_build_on_builds_on_nothing_else(module: str) -> None:
    heart = {name for name in IMPORTS[module] if belongs(name, "documents.rag") and name != "documents.rag"}
    assert [name for name in heart if not belongs(name, *FOUNDATION)] == []


def test_no_import_of_ours_hides_in_a_function() -> None:
    """Something heavy from outside may be imported where it is first used; ours never is, to dodge a circle."""
    functions = {
        name: [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        for name, tree in TREES.items()
    }
    hidden = {name: {it for node in nodes for it in imported(node)} & FILES.keys() for name, nodes in functions.items()}
    assert {name: modules for name, modules in hidden.items() if modules} == {}


def test_imports_make_no_circle() -> None:
    ours = {name: {it for it in IMPORTS[name] if it in FILES and not belongs(name, it)} for name in FILES}
    try:
        TopologicalSorter(ours).prepare()
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def belongs_to_any(modules: set[str], package: str) -> bool:
    return any(belongs(module, package) for module in modules)
