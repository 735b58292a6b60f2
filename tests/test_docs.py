"""What the documentation shows is true: Python blocks run, YAML blocks that are whole files can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from outlast.language import read_machine

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

if not PAGES[0].exists():
    pytest.skip("the documentation is not beside these tests", allow_module_level=True)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page: Path) -> None:
    """The Python of a page runs from top to bottom."""
    code = "\n".join(blocks(page, "python"))

    exec(compile(code, page.name, "exec"), {})  # noqa: S102  # our own documentation


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_machines_can_be_read(page: Path) -> None:
    """Every machine shown is a sound file."""
    machines = [block for block in blocks(page, "yaml") if block.lstrip().startswith("machine:")]
    problems = [problem for text in machines for problem in read_machine(text, page.name)[1]]

    assert problems == []
