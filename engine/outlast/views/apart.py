"""What a crowded picture says below itself: rules that no arrow shows, and those an arrow has no room for, in columns.

In the picture itself remain the states and the ways between them, so that it can be taken in at a glance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from outlast.values import frozen
from outlast.views.graph import Arrow, Graph, Note, Row
from outlast.views.typeset import GAP, Paragraph, line_height, listing, wrapped

MORE = "…"
"""Stands on an arrow for a guard or for actions that are told below."""
LONG = 24
"""So many letters of a guard, or of actions, an arrow can carry."""
COLUMN, GUTTER = 225.0, 22.0
"""The least width of a column, and what stands between two."""
SPACE = 9.0
"""Between two groups of rules."""


def parted(graph: Graph) -> Graph:
    """The graph with nothing listed in its boxes and little on its arrows; all of it in `below`, by the states it is about."""
    found: dict[Row, list[str]] = {}
    for box in graph.boxes:
        for row in box.rows:
            found.setdefault(row, []).append(box.name)
    arrows = []
    for arrow in graph.arrows:
        arrows.append(attrs.evolve(arrow, rows=tuple(_short(row) for row in arrow.rows)))
        for row, told in zip(arrow.rows, _told(graph, arrow), strict=True):
            if row != _short(row):
                found.setdefault(told, []).extend(arrow.sources)
    return attrs.evolve(
        graph,
        boxes=tuple(attrs.evolve(box, rows=()) for box in graph.boxes),
        arrows=tuple(arrows),
        below=tuple(_notes(graph, found)),
    )


def _short(row: Row) -> Row:
    """A row as an arrow shows it."""
    guard = MORE if len(row.guard) > LONG else row.guard
    actions = (MORE,) if sum(map(len, row.actions)) > LONG else row.actions
    return attrs.evolve(row, guard=guard, actions=actions)


def _told(graph: Graph, arrow: Arrow) -> Iterator[Row]:
    leads = "→ " + " and ".join(graph.box(name).title for name in arrow.targets)
    return (attrs.evolve(row, leads=leads) for row in arrow.rows)


def _notes(graph: Graph, found: dict[Row, list[str]]) -> Iterator[Note]:
    """A note for each group of states that share rules, in the order of their first state."""
    order = {box.name: index for index, box in enumerate(graph.boxes)}
    grouped: dict[tuple[str, ...], list[Row]] = {}
    for row, about in found.items():
        grouped.setdefault(tuple(sorted(dict.fromkeys(about), key=order.__getitem__)), []).append(row)
    for names in sorted(grouped, key=lambda names: [order[name] for name in names]):
        titles = ", ".join(graph.box(name).title for name in names)
        yield Note(
            f"All of {titles}" if any(graph.box(name).contains for name in names) else titles, tuple(grouped[names])
        )


@frozen
class Column:
    """Paragraphs with the height at which each begins."""

    paragraphs: tuple[tuple[float, Paragraph], ...]
    height: float


def columns(notes: Iterable[Note], width: float) -> tuple[float, tuple[Column, ...]]:
    """The notes in as many columns as fit, all about as high: the width of a column, and the columns."""
    count = max(1, int((width + GUTTER) // (COLUMN + GUTTER)))
    across = (width - GUTTER * (count - 1)) / count
    pieces = [piece for note in notes for piece in _pieces(note, across)]
    height = sum(_height(piece) for piece in pieces) / count
    while len(found := _filled(pieces, height)) > count:
        height += 4
    return across, tuple(found)


def _pieces(note: Note, width: float) -> Iterator[tuple[Paragraph, ...]]:
    """What stays together: the name of the states with their first rule, then each rule."""
    head = Paragraph(tuple(wrapped(note.title, "event", width)))
    first, *rest = listing(note.rows, width)
    yield head, first
    for paragraph in rest:
        yield (paragraph,)


def _tall(paragraph: Paragraph) -> float:
    return sum(map(line_height, paragraph.lines))


def _height(piece: tuple[Paragraph, ...]) -> float:
    return sum(map(_tall, piece)) + (SPACE if len(piece) > 1 else 0) + GAP


def _filled(pieces: Iterable[tuple[Paragraph, ...]], height: float) -> list[Column]:
    """Columns no higher than `height`, unless a single piece is."""
    found: list[Column] = []
    placed: list[tuple[float, Paragraph]] = []
    top = 0.0
    for piece in pieces:
        if placed and top + _height(piece) > height:
            found.append(Column(tuple(placed), top))
            placed, top = [], 0.0
        if placed and len(piece) > 1:
            top += SPACE
        for paragraph in piece:
            placed.append((top, paragraph))
            top += _tall(paragraph)
        top += GAP
    return [*found, Column(tuple(placed), top)] if placed else found
