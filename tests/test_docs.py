"""What README and handbook name exists."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
PAGES = {path: path.read_text() for path in [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]}
SETTING = re.compile(r"^#? ?([A-Z0-9_]+)=", re.MULTILINE)
FOLDERS = "bench|chat|config|docs|documents|static|templates|tests"


def settings_read() -> set[str]:
    """The names that config/settings.py asks the environment for."""
    tree = ast.parse((ROOT / "config" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return {ast.literal_eval(call.args[0]) for call in calls if re.match(r"env\.(?!read_env)", ast.unparse(call.func))}


def named_commands() -> dict[str, set[str]]:
    """Each command that the documents call, with the options they call it with."""
    commands: dict[str, set[str]] = {}
    for name, rest in re.findall(r"manage\.py ([a-z_]+)([^`\n]*)", "\n".join(PAGES.values())):
        commands.setdefault(name, set()).update(re.findall(r"--[a-z-]+", rest))
    return commands


def anchors(page: Path) -> set[str]:
    """The headings' anchors, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", PAGES[page], re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    goal = (page.parent / path).resolve() if path else page
    return goal.exists() and (not anchor or anchor in anchors(goal))


def test_the_readme_lists_every_setting_and_no_other() -> None:
    table = README.read_text().partition("## Settings\n")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([A-Z0-9_]+)` \|", table, re.MULTILINE)) == settings_read()


def test_the_example_environment_lists_every_setting_and_no_other() -> None:
    assert set(SETTING.findall((ROOT / ".env.example").read_text())) == settings_read()


def test_the_settings_in_examples_exist() -> None:
    assert set(SETTING.findall("\n".join(PAGES.values()))) <= settings_read()


@pytest.mark.parametrize(("command", "options"), sorted(named_commands().items()))
def test_a_command_answers_help_and_has_the_options_that_examples_use(command: str, options: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert options <= set(re.findall(r"--[a-z-]+", done.stdout))


def test_the_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z_-]+)", "\n".join(PAGES.values()), re.MULTILINE)) <= targets


def test_every_link_leads_somewhere() -> None:
    links = [(page, target) for page, text in PAGES.items() for target in re.findall(r"\]\(([^)\s]+)\)", text)]
    ours = [(page, target) for page, target in links if not target.startswith("https://")]
    assert [(page.name, target) for page, target in ours if not leads_somewhere(page, target)] == []


def test_every_file_named_exists() -> None:
    named = {path for text in PAGES.values() for path in re.findall(rf"`((?:{FOLDERS})/[\w./-]*)`", text)}
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
