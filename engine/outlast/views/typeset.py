"""Rows and boxes as lines of text: wrapped, grouped and measured. Everything a layout must know about sizes is decided here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Literal, TypeAlias

import attrs

from outlast.values import frozen
from outlast.views.graph import Arrow, Box, Graph, Row
from outlast.views.metrics import LEAD, text_width

Style: TypeAlias = Literal["name", "head", "note", "event", "listed", "guard", "action", "was", "badge", "id", "clock"]
SIZES: dict[Style, float] = {
    "name": 14, "head": 13, "note": 11, "event": 12, "listed": 11, "guard": 11, "action": 11, "was": 11, "badge": 10, "id": 9, "clock": 12,
}  # fmt: skip
"""In pixels. `listed` is an event inside a box."""
BOLD = ("name", "head", "event", "listed")
CLOCK_WIDTH = 14.0
BADGE_WIDTH = 16.0
GLYPH_WIDTH = 18.0
PADDING = 12.0
FRAME_TOP = 8.0
"""Where the title of a composite begins, below its border."""
DOT_SIZE = 18.0
GAP = 2.5
"""Between two rows in a box."""
TALLEST, STEP = 1.2, 0.2
"""A box that is taller than so many times its width is set wider, step by step."""
STRETCH = 1.3
"""How far a single word may stick out before it is broken."""


@frozen
class Span:
    """A stretch of text in one style. A clock is drawn, not written, and a badge has a ground of its own: see `DRAWN`."""

    text: str
    style: Style

    @property
    def width(self) -> float:
        """In pixels."""
        if self.style == "clock":
            return CLOCK_WIDTH
        if self.style == "badge":
            return badge_width(self.text) + 4
        return text_width(self.text, SIZES[self.style], bold=self.style in BOLD, mono=self.style == "id")


Line: TypeAlias = tuple[Span, ...]
DRAWN = ("badge", "clock")
"""What stands at the beginning of a line and takes no blank behind it."""


def badge_width(text: str) -> float:
    """In pixels, its ground included."""
    return max(BADGE_WIDTH, text_width(text, SIZES["badge"], bold=True) + 9)


@frozen
class Paragraph:
    """Lines that belong to one row, or to none."""

    lines: tuple[Line, ...]
    row: Row | None = None


@frozen
class Block:
    """Paragraphs under each other, `gap` apart, and how much room they take."""

    paragraphs: tuple[Paragraph, ...] = ()
    gap: float = 0.0

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines."""
        return tuple(line for paragraph in self.paragraphs for line in paragraph.lines)

    @property
    def width(self) -> float:
        """The widest line."""
        return max((line_width(line) for line in self.lines), default=0.0)

    @property
    def height(self) -> float:
        """All lines under each other."""
        return sum(line_height(line) for line in self.lines) + self.gap * max(0, len(self.paragraphs) - 1)


def line_width(line: Line) -> float:
    """The sum of its spans."""
    return sum(span.width for span in line)


def line_height(line: Line) -> float:
    """As high as its largest span asks."""
    return max(SIZES[span.style] for span in line) * LEAD


@frozen
class Sized:
    """A box or label with its text and its size. `rule` is the height above the rule that separates name and rows."""

    head: Block
    body: Block
    width: float
    height: float
    rule: float = 0.0


@frozen
class Sizes:
    """Every box and every label of a graph."""

    boxes: dict[str, Sized]
    labels: dict[str, Sized]


def measure(graph: Graph, *, label_width: float, body_width: float, stretch: float = 1.0) -> Sizes:
    """Typeset a graph: labels wrapped at `label_width`, the insides of boxes at `body_width`.

    A box much taller than wide is set up to `stretch` times wider.
    """
    boxes = {box.name: _stretched(box, body_width, stretch) for box in graph.boxes}
    labels = {arrow.name: _label(arrow, label_width) for arrow in graph.arrows if arrow.rows}
    for box in graph.boxes:
        body = boxes[box.name].body
        if box.contains and body.paragraphs:
            intro = Paragraph(tuple(wrapped(f"All of {box.title}:", "note", body.width)))
            body = Block((intro, *body.paragraphs), body.gap)
            labels[notes_of(box.name)] = Sized(Block(), body, body.width + 8, body.height + 6)
    return Sizes(boxes, labels)


def notes_of(frame: str) -> str:
    """The label that holds what is listed in a composite."""
    return f"notes of {frame}"


def _label(arrow: Arrow, width: float) -> Sized:
    block = Block(tuple(paragraphs(arrow.rows, width)))
    if block.width > width:
        block = Block(tuple(paragraphs(arrow.rows, block.width)))
    return Sized(Block(), block, block.width + 8, block.height + 6)


def _stretched(box: Box, width: float, stretch: float) -> Sized:
    """A box as wide as it needs to be to look like one."""
    sized, wider = _box(box, width), width
    while sized.height > TALLEST * sized.width and wider < width * stretch:
        wider += width * STEP
        sized = _box(box, wider)
    return sized


def _box(box: Box, width: float) -> Sized:
    if box.is_dot:
        return Sized(Block(), Block(), DOT_SIZE, DOT_SIZE)
    glyph = GLYPH_WIDTH if box.role else 0.0
    head = [Paragraph(tuple(wrapped(box.title, "head" if box.contains else "name", max(120, width * 0.85))))]
    if box.about and not box.contains:
        note = wrapped(box.about.rstrip("."), "note", max(head[0].lines[0][0].width * 1.2, width * 0.7))
        if len(note) <= 2:
            head.append(Paragraph(tuple(note)))
    top, bottom = Block(tuple(head)), _inside(box, width)
    if bottom.width > width:  # a long word widens the box: let the rest use that
        bottom = _inside(box, bottom.width)
    rule = round(top.height + 14)
    full = max(top.width + glyph, bottom.width) + 2 * PADDING
    height = rule + (bottom.height + 10 if bottom.paragraphs else 0)
    return Sized(top, bottom, round(max(full, 76)), round(max(height, 38)), rule if bottom.paragraphs else 0)


def _inside(box: Box, width: float) -> Block:
    deeds = (Paragraph(tuple(wrapped(text, "action", width))) for text in box.deeds)
    return Block((*deeds, *listing(box.rows, width)), GAP)


def paragraphs(rows: Iterable[Row], width: float) -> Iterator[Paragraph]:
    """Rows with the same trigger share it; an action shared by all rows of a label is said once, at the end."""
    rows = list(rows)
    shared = rows[0].actions if len(rows) > 1 and len({row.actions for row in rows}) == 1 else ()
    for _, group in groupby(rows, key=lambda row: (row.triggers, row.timed)):
        same = list(group)
        lines = trigger_lines(same[0], width)
        if len(same) == 1:
            yield Paragraph(tuple(_row_lines(same[0], lines, width, said=shared)), same[0])
            continue
        yield Paragraph(tuple(lines), attrs.evolve(same[0], id="", because=()))
        for row in same:
            yield Paragraph(tuple(_row_lines(row, [], width, said=shared)), row)
    if shared:
        yield Paragraph(tuple(line for text in shared for line in wrapped("all / " + text, "action", width)))


def trigger_lines(row: Row, width: float) -> list[Line]:
    """What a row waits for: a line for each event of a list that does not fit on one."""
    if row.timed:
        first, *rest = wrapped(row.triggers[0], "event", width - CLOCK_WIDTH)
        return [(Span("", "clock"), *first), *rest]
    text = ", ".join(row.triggers)
    if Span(text, "event").width <= width * 1.2:
        return [(Span(text, "event"),)] if text else []
    last = len(row.triggers) - 1
    named = (word + ("," if index < last else "") for index, word in enumerate(row.triggers))
    return [line for word in named for line in wrapped(word, "event", width)]


def _row_lines(row: Row, lines: list[Line], width: float, *, said: tuple[str, ...]) -> Iterator[Line]:
    """The lines of one row, after those of its trigger; its badge stands before the first."""
    first, *rest = _unmarked_lines(row, lines, width, said=said)
    yield (Span(row.badge, "badge"), *first) if row.badge else first
    yield from rest


def _unmarked_lines(row: Row, lines: list[Line], width: float, *, said: tuple[str, ...]) -> Iterator[Line]:
    if row.guard:
        lines = lines + wrapped(f"[{row.guard}]", "guard", width)
    at = (
        sum(span.style != "guard" for span, *_ in lines) - 1
    )  # the last line of the trigger, or of the guard where that is said before
    if at < 0:
        at = len(lines) - 1
    if row.id:
        tag = Span("  " + row.id, "id")
        if lines and line_width(lines[at]) + tag.width <= width + 24:
            lines[at] = (*lines[at], tag)
        else:
            lines.insert(at + 1, (Span(row.id, "id"),))
    yield from lines
    if row.refuse:
        yield (Span("refused", "action"),)
    if row.leads:
        yield from wrapped(row.leads, "action", width)
    if not said:
        for text in row.actions:
            yield from wrapped("/ " + text, "action", width)
    for text in row.was:
        yield from wrapped(text, "was", width)


def listing(rows: Iterable[Row], width: float) -> Iterator[Paragraph]:
    """Rows inside a box: as running text, one after the other, those of one trigger under it."""
    for (triggers, timed), group in groupby(rows, key=lambda row: (row.triggers, row.timed)):
        same = list(group)
        waits = _pieces(", ".join(triggers), "listed")
        if timed:
            waits = [Span("", "clock"), *waits]
        if len(same) == 1:
            yield Paragraph(tuple(flowed([*_badge(same[0]), *waits, *_told(same[0])], width)), same[0])
            continue
        yield Paragraph(tuple(flowed(waits, width)), attrs.evolve(same[0], id="", because=()))
        for row in same:
            yield Paragraph(tuple(flowed([*(_badge(row) or [Span("·", "guard")]), *_told(row)], width)), row)


def _badge(row: Row) -> list[Span]:
    return [Span(row.badge, "badge")] if row.badge else []


def _told(row: Row) -> Iterator[Span]:
    """What stands after the trigger."""
    if row.guard:
        yield from _pieces(f"[{row.guard}]", "guard")
    if row.leads:
        yield from _pieces(row.leads, "action")
    if row.refuse:
        yield Span("refused", "action")
    for text in row.actions:
        yield from _pieces("/ " + text, "action")
    for text in row.was:
        yield from _pieces(text, "was")
    if row.id:
        yield Span(row.id, "id")


def _pieces(text: str, style: Style) -> list[Span]:
    return [Span(word, style) for word in text.split()]


def flowed(words: Iterable[Span], width: float) -> list[Line]:
    """Words of several styles set one after the other, in lines no wider than `width`."""
    lines: list[list[Span]] = [[]]
    for word in words:
        parts = [word] if word.style in DRAWN else [line[0] for line in wrapped(word.text, word.style, width)]
        for part in parts:
            last = lines[-1]
            joined = Span(" " + part.text, part.style) if last and last[-1].style not in DRAWN else part
            if last and part is parts[0] and line_width((*last, joined)) <= width:
                last.append(joined)
            else:
                lines.append([part])
    return [_merged(line) for line in lines if line]


def _merged(line: list[Span]) -> Line:
    """Neighbours of one style as one span."""
    return tuple(
        Span("".join(span.text for span in group), style) for style, group in groupby(line, key=lambda span: span.style)
    )


def wrapped(text: str, style: Style, width: float) -> list[Line]:
    """Lines no wider than `width`, broken at blanks, and inside a word after dots and dashes when it is too wide alone."""
    lines, current = list[str](), ""
    for word in text.split():
        joined = f"{current} {word}" if current else word
        if Span(joined, style).width <= width:
            current = joined
            continue
        if current:
            lines.append(current)
        current = word
        while Span(current, style).width > width:
            head, current = _broken(current, style, width)
            if not current:
                current = head
                break
            lines.append(head)
    return [(Span(line, style),) for line in [*lines, current] if line]


def _broken(word: str, style: Style, width: float) -> tuple[str, str]:
    """The longest beginning that ends after a dot, or else a dash, and fits (a little more is allowed), and the rest."""
    if Span(word, style).width <= width * STRETCH:
        return word, ""
    for ends in (r"\.", r"-"):
        cuts = [match.end() for match in re.finditer(ends, word) if 2 < match.end() < len(word)]
        fitting = [cut for cut in cuts if Span(word[:cut], style).width <= width * STRETCH]
        if fitting:
            return word[: fitting[-1]], word[fitting[-1] :]
    return word, ""
