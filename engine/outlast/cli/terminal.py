"""Where answers and complaints go: a console that respects the reader's terminal, and JSON for programs."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.theme import Theme

from outlast.values import frozen

USUAL, WIDEST = 100, 120
"""Columns where the reader's are unknown (a file, a pipe), and at most: longer lines of prose are hard to follow."""

THEME = Theme(
    {
        "title": "bold",
        "name": "bold",
        "event": "cyan",
        "timer": "magenta",
        "state": "green",
        "row": "default",
        "clause": "blue",
        "quiet": "dim",
        "good": "green",
        "bad": "bold red",
        "doubt": "yellow",
    },
    inherit=False,
)

# Words come from strangers: nothing in them may command a terminal or reorder a line.
_COMMANDS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class Terminal(Console):
    """A console without markup or emoji, on which the text of a specification is only ever text."""

    def __init__(self, *, stderr: bool = False) -> None:
        file = sys.stderr if stderr else sys.stdout
        known = file.isatty() or os.environ.get("COLUMNS", "").isdigit()
        super().__init__(file=file, theme=THEME, markup=False, emoji=False, highlight=False, soft_wrap=False)
        self.width = min(self.width, WIDEST) if known else USUAL

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Segments with control characters made visible as `\ufffd`."""
        for segment in super().render(renderable, options):
            text, style, control = segment
            yield segment if control else Segment(_COMMANDS.sub("\ufffd", text), style)

    def on_broken_pipe(self) -> None:
        """Whoever reads us went away: let the command end, see `Commands.invoke`."""
        raise BrokenPipeError


@frozen
class Trimmed:
    """The same without blanks at the ends of lines, which columns leave behind and nobody wants to copy."""

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for line in console.render_lines(self.inner, options, pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                text, style, control = line.pop()
                line.append(Segment(text.rstrip(), style, control))
            yield from line
            yield Segment.line()


def show(*parts: RenderableType) -> None:
    """Print to standard output, part by part."""
    terminal = Terminal()
    for part in parts:
        terminal.print(Trimmed(part), end="")


def show_path(label: str, path: object) -> None:
    """Print one line that is never broken, however long: a path is for copying."""
    click.echo(_COMMANDS.sub("\ufffd", f"{label}: {path}"))


def complain(*parts: RenderableType) -> None:
    """Print to standard error, part by part."""
    terminal = Terminal(stderr=True)
    for part in parts:
        terminal.print(Trimmed(part), end="")


def show_json(data: object) -> None:
    """Print data as JSON, and nothing else: in ASCII, so that no terminal or pipe can spoil it."""
    click.echo(json.dumps(data, indent=2))
