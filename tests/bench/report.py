"""Tables of what was measured: as text in 100 columns, and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from tests.bench.measuring import Spread

Cell = Spread | float | str | None


def _number(value: float) -> str:
    """Three digits that count, with a letter for thousands and millions."""
    for size, letter in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if abs(value) >= size * 0.9995:
            return _digits(value / size) + letter
    return _digits(value)


def _digits(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 99.95 else f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"


def _times(value: float) -> str:
    return f"{_digits(value)} x"


FORMS: Mapping[str, Callable[[float], str]] = {"number": _number, "plain": _digits, "times": _times}


@attrs.frozen
class Column:
    """A column: its head, how its numbers are written, and whether their spread is shown beside them."""

    head: str
    form: str = "plain"
    spread: bool = False


@attrs.frozen
class Table:
    """One topic. A row is its name and a cell for each column."""

    title: str
    about: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]

    def text(self) -> str:
        """For a terminal."""
        head = ["", *(column.head for column in self.columns)]
        body = [[name, *map(_cell, self.columns, cells)] for name, cells in self.rows]
        widths = [max(map(len, column)) for column in zip(head, *body, strict=True)]
        lines = [_line(row, widths) for row in (head, *body)]
        rule = "  ".join("-" * width for width in widths)
        return "\n".join([self.title, *_wrapped(self.about), "", lines[0], rule, *lines[1:]])

    def to_json(self) -> dict[str, object]:
        """For a program."""
        names = [column.head for column in self.columns]
        rows = [{"name": name, **dict(zip(names, map(_plain, cells), strict=True))} for name, cells in self.rows]
        return {"title": self.title, "about": self.about, "rows": rows}


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = zip(cells, widths, strict=True)
    return "  ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in rest)]).rstrip()


def _wrapped(text: str, width: int = 100) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _cell(column: Column, cell: Cell) -> str:
    form = FORMS[column.form]
    match cell:
        case Spread(median, low, high):
            return f"{form(median)}  [{_digits(low)} .. {_digits(high)}]" if column.spread else form(median)
        case str():
            return cell
        case None:
            return "-"
        case _:
            return form(cell)


def _plain(cell: Cell) -> object:
    return attrs.asdict(cell) if isinstance(cell, Spread) else cell
