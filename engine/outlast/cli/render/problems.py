"""What is wrong with a text: place, code and words, the source line with a caret.

Imports little on purpose: every command can fail, and `outlast.cli.app` needs this before it knows which one was called.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from outlast.errors import Problem, window
from outlast.place import Place


def problems(found: Iterable[Problem]) -> Group:
    """One problem after the other."""
    return Group(*map(problem, found))


def problem(item: Problem) -> Group:
    """`file:line:column: code: text (hint)`, then the line and a caret."""
    colour = "bad" if item.severity == "error" else "doubt"
    words = Text(f"{near(item.place)}: " if item.place else "", style="name")
    words.append(f"{item.code}: ", style=colour).append(item.text)
    if item.hint:
        words.append(f" ({item.hint})", style="quiet")
    if item.place is None or not (item.excerpt or "").strip():
        return Group(words)
    line, column = window(item.excerpt or "", item.place.column)
    shown = Text(line, style="quiet", no_wrap=True, overflow="crop")
    caret = Text(" " * (column - 1), no_wrap=True, overflow="crop").append("^", style=colour)
    return Group(words, Padding(Group(shown, caret), (0, 0, 0, 2)))


def near(place: Place) -> str:
    """The place, with a path that is short from here."""
    path = Path(place.file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    return f"{path}:{place.line}:{place.column}" if place.file else f"{place.line}:{place.column}"
