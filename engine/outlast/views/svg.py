"""The picture: a laid-out graph as SVG, light and dark in one file, readable by a screen reader, every id linked to its clause."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, TypeAlias

import attrs

from outlast import model
from outlast.values import frozen
from outlast.views.apart import GUTTER, columns
from outlast.views.arrange import Arranged
from outlast.views.graph import Arrow, Box, Graph, Row
from outlast.views.layout import Line, Point, Rect
from outlast.views.metrics import text_width
from outlast.views.theme import FILLED, GLYPHS, ROLES, style_sheet
from outlast.views.typeset import (
    DRAWN,
    FRAME_TOP,
    GLYPH_WIDTH,
    PADDING,
    SIZES,
    Block,
    Paragraph,
    Span,
    badge_width,
    line_height,
    line_width,
    notes_of,
)

MARGIN = 14.0
HEADER = 46.0
BELOW = 26.0
"""Between a picture and what it tells below itself."""
BEND = 8.0
TIP = 8.0

MarkKind: TypeAlias = Literal["hot", "warm", "mild", "cold", "added", "removed", "changed", ""]
"""`hot`, `warm`, `mild`: much, some, little; `cold`: it steps back."""


_IDS = re.compile(r'(?<= )(id|aria-labelledby)="([^"]*)"')

SIGNS: dict[MarkKind, str] = {"added": "+", "removed": "−", "changed": "≠"}
"""What stands beside the colour of a difference."""


@frozen
class Mark:
    """How a row or a box stands out, and a badge beside it."""

    kind: MarkKind = ""
    badge: str = ""


@frozen
class Marks:
    """What stands out in a picture; `rest` is how everything else looks."""

    rows: Mapping[str, Mark] = attrs.field(factory=dict)
    boxes: Mapping[str, Mark] = attrs.field(factory=dict)
    rest: Mark = Mark()
    legend: tuple[tuple[MarkKind, str], ...] = ()

    def of_row(self, row: str) -> Mark:
        """The mark of a row."""
        return self.rows.get(row, self.rest)

    def of_box(self, box: str) -> Mark:
        """The mark of a box."""
        return self.boxes.get(box, self.rest)


def marked(graph: Graph, marks: Marks) -> Graph:
    """The graph with the badges of its rows written before them, so that a layout has room for them."""

    def rows(given: Iterable[Row]) -> tuple[Row, ...]:
        return tuple(attrs.evolve(row, badge=marks.of_row(row.id).badge if row.id else "") for row in given)

    boxes = tuple(attrs.evolve(box, rows=rows(box.rows)) for box in graph.boxes)
    return attrs.evolve(
        graph, boxes=boxes, arrows=tuple(attrs.evolve(arrow, rows=rows(arrow.rows)) for arrow in graph.arrows)
    )


def svg(arranged: Arranged, *, clauses: str | None = "", marks: Marks | None = None, stamp: str = "") -> str:
    """The SVG text. `clauses` is the address of the page that the ids lead to, None for no links; `stamp` goes into `data-stamp`."""
    return _Picture(arranged, clauses, marks or Marks(), stamp).written()


class _Picture:
    def __init__(self, arranged: Arranged, clauses: str | None, marks: Marks, stamp: str) -> None:
        self.graph, self.layout = arranged.graph, arranged.layout
        self.clauses, self.marks, self.stamp = clauses, marks, stamp
        self.boxes = {box.name: box for box in self.graph.boxes}
        self.frames = {box.parent for box in self.graph.boxes if box.parent}

    def written(self) -> str:
        graph, layout = self.graph, self.layout
        key = Legend(graph, self.marks)
        width = max(layout.width, key.width, text_width(graph.title, 17, bold=True)) + 2 * MARGIN
        below = self.below(layout.height + BELOW, width - 2 * MARGIN)
        bottom = layout.height + (BELOW + below[1] if graph.below else 0)
        height = bottom + 2 * MARGIN + HEADER + key.height
        shift = (width - 2 * MARGIN - layout.width) / 2 if layout.width < 320 else 0
        name = identifier(graph.name)
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="fsm" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
            f'height="{height:.0f}" role="img" aria-labelledby="{name}-title {name}-desc"'
            + (f' data-stamp="{self.stamp}"' if self.stamp else "")
            + ">",
            f'<title id="{name}-title">{escaped(graph.title)}: state diagram</title>',
            f'<desc id="{name}-desc">{escaped(described(graph))}</desc>',
            f"<style>{style_sheet()}</style>",
            '<rect class="bg" width="100%" height="100%"/>',
            f'<text x="{MARGIN:g}" y="26" font-size="17" font-weight="700">{escaped(graph.title)}</text>',
            f'<text class="mut" x="{MARGIN:g}" y="43" font-size="11">{escaped(graph.subtitle)}</text>',
            f'<g transform="translate({MARGIN + shift:.1f},{MARGIN + HEADER:g})">',
            *(self.frame(box) for box in graph.boxes if box.name in self.frames),
            *(self.arrow(arrow) for arrow in graph.arrows),
            *(self.box(box) for box in graph.boxes if box.name not in self.frames),
            *(self.badges(arrow) for arrow in graph.arrows),
            below[0],
            "</g>",
            key.written(MARGIN, MARGIN + HEADER + bottom + 10),
            "</svg>",
        ]
        return "\n".join(part for part in parts if part) + "\n"

    # ---- boxes

    def frame(self, box: Box) -> str:
        """A composite: a rounded frame with its name and what is listed in it at the top left."""
        rect, sized = self.layout.boxes[box.name], self.layout.sizes.boxes[box.name]
        odd = " odd" if len(self.graph.around(box.name)) % 2 else ""
        kind = " region" if box.kind == "region" else ""
        parts = [
            f'<g class="frame{odd}{kind}{self.look(box)}" {self.place_of(box)}>{self.tooltip(box)}',
            f'<rect {_rect(rect)} rx="12"/>',
        ]
        left, top = rect.left + PADDING, rect.top + FRAME_TOP
        parts += self.block(sized.head, left, top)
        if box.kind == "parallel":
            after = left + line_width(sized.head.lines[-1]) + 8
            level = top + sized.head.height - 4
            parts.append(f'<text class="mut" x="{after:.1f}" y="{level:.1f}" font-size="10">in parallel</text>')
        if notes := self.layout.labels.get(notes_of(box.name)):
            parts += self.block(self.layout.sizes.labels[notes_of(box.name)].body, notes.left + 4, notes.top + 3)
        parts += [self.corner(box, rect), "</g>"]
        return "".join(parts)

    def box(self, box: Box) -> str:
        """A state that contains none, an actor or a machine."""
        rect, sized = self.layout.boxes[box.name], self.layout.sizes.boxes[box.name]
        if box.is_dot:
            return self.dot(box, rect)
        parts = [
            f'<g class="box{self.look(box)}" {self.place_of(box)}>{self.tooltip(box)}',
            f'<rect {_rect(rect)} rx="9"/>',
        ]
        if box.kind == "final":
            inner = Rect(rect.left + 3.5, rect.top + 3.5, rect.right - 3.5, rect.bottom - 3.5)
            parts.append(f'<rect class="inner" {_rect(inner)} rx="6"/>')
        left, top = rect.left + PADDING, rect.top + (sized.rule or rect.bottom - rect.top) / 2 - sized.head.height / 2
        if box.role:
            parts.append(glyph(box.role, left + 5, top + line_height(sized.head.lines[0]) / 2))
            left += GLYPH_WIDTH
        parts += self.block(sized.head, left, top)
        if sized.rule:
            level = rect.top + sized.rule
            parts.append(f'<path class="rule" d="M{rect.left:.1f},{level:.1f} H{rect.right:.1f}"/>')
            parts += self.block(sized.body, rect.left + PADDING, level + 4)
        parts += [self.corner(box, rect), "</g>"]
        return "".join(parts)

    def corner(self, box: Box, rect: Rect) -> str:
        """The badge of a box, across its border at the top right."""
        mark = self.marks.of_box(box.name)
        return badge(mark.badge, rect.right - 4, rect.top, mark.kind) if mark.badge else ""

    def dot(self, box: Box, rect: Rect) -> str:
        x, y = (rect.left + rect.right) / 2, (rect.top + rect.bottom) / 2
        if box.kind == "start":
            return f'<g><title>Start</title><circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="6.5"/></g>'
        deep = box.kind == "deep-history"
        words = f"{'deep' if deep else 'shallow'} history: {box.title}"
        return (
            f'<g class="{self.look(box).strip()}" {self.place_of(box)}><title>{escaped(words)}</title>'
            f'<circle class="history" cx="{x:.1f}" cy="{y:.1f}" r="9"/>'
            f'<text x="{x:.1f}" y="{y + 4:.1f}" font-size="11" font-weight="600" text-anchor="middle">{"H*" if deep else "H"}</text></g>'
        )

    def look(self, box: Box) -> str:
        mark = self.marks.of_box(box.name)
        return "".join(f" {word}" for word in (box.role, mark.kind) if word)

    def place_of(self, box: Box) -> str:
        because = f' data-because="{escaped(" ".join(box.because))}"' if box.because else ""
        return (
            f'id="{identifier(self.graph.name)}-state-{identifier(box.name)}" data-state="{escaped(box.name)}"{because}'
        )

    def tooltip(self, box: Box) -> str:
        kind = {
            "atomic": "",
            "final": "final state",
            "composite": "composite state",
            "parallel": "parallel state",
            "region": "region",
        }
        words = [
            f"{box.title}" + (f": {kind[box.kind]}" if kind.get(box.kind) else ""),
            box.about,
            *self.cited(box.because),
        ]
        return f"<title>{escaped(chr(10).join(word for word in words if word))}</title>"

    def cited(self, because: Iterable[str]) -> Iterator[str]:
        for clause in because:
            yield f"{clause}: {self.graph.says[clause]}" if clause in self.graph.says else clause

    # ---- rows

    def block(self, block: Block, left: float, top: float, *, inside: bool = True) -> Iterator[str]:
        """Paragraphs under each other; `inside` a box, each has its own badge."""
        for paragraph in block.paragraphs:
            yield self.paragraph(paragraph, left, top, inside=inside)
            top += sum(line_height(line) for line in paragraph.lines) + block.gap

    def paragraph(self, paragraph: Paragraph, left: float, top: float, *, inside: bool) -> str:
        """The lines of one row, with its clauses as tooltip, linked to the first of them."""
        lines, level = [], top
        for line in paragraph.lines:
            lines.append(text_line(line, left, level))
            level += line_height(line)
        text, row = "".join(lines), paragraph.row
        if row is None or not row.id:
            return text
        mark = self.marks.of_row(row.id)
        look = " ".join(word for word in ("row", mark.kind) if word)
        words = [
            row.id + (f": {row.about}" if row.about else ""),
            f"refused: {row.refuse}" if row.refuse else "",
            *self.cited(row.because),
        ]
        title = f"<title>{escaped(chr(10).join(word for word in words if word))}</title>"
        if mark.badge and inside and not row.badge:
            text += badge(mark.badge, left - 3, top + 9, mark.kind)
        because = f' data-because="{escaped(" ".join(row.because))}"' if row.because else ""
        group = f'<g class="{look}" data-row="{escaped(row.id)}"{because}>{title}{text}</g>'
        if not row.because or self.clauses is None:
            return group
        return f'<a href="{escaped(self.clauses)}#{escaped(row.because[0])}">{group}</a>'

    def below(self, top: float, width: float) -> tuple[str, float]:
        """What the picture tells below itself, and how high that is."""
        across, found = columns(self.graph.below, width)
        parts = ['<g class="below">']
        for index, column in enumerate(found):
            x = index * (across + GUTTER)
            parts.append(f'<path class="rule" d="M{x:.1f},{top - 10:.1f} h{across:.1f}"/>')
            parts += (self.paragraph(paragraph, x, top + level, inside=True) for level, paragraph in column.paragraphs)
        return ("".join(parts) + "</g>" if found else ""), max((column.height for column in found), default=0.0)

    def arrow(self, arrow: Arrow) -> str:
        """The lines of an arrow and its label."""
        kinds = [self.marks.of_row(row.id).kind for row in arrow.rows] or [self.marks.rest.kind]
        kind = _together(kinds)
        look = " ".join(word for word in ("arrow", "timed" if arrow.timed else "", kind) if word)
        ends = f'data-from="{escaped(" ".join(arrow.sources))}" data-to="{escaped(" ".join(arrow.targets))}"'
        parts = [f'<g class="{look}" {ends}>']
        for route in self.layout.routes[arrow.name]:
            parts.append(
                f'<path class="way" d="{_rounded(_shortened(route.points) if route.ends else route.points)}"/>'
            )
            if route.ends:
                parts.append(f'<path class="tip" d="{_tip(route.points)}"/>')
        if arrow.rows:
            rect, sized = self.layout.labels[arrow.name], self.layout.sizes.labels[arrow.name]
            parts.append(
                f'<g class="label"{self.halo(arrow)} data-box="{rect.left:.1f} {rect.top:.1f} {rect.right:.1f} {rect.bottom:.1f}">'
            )
            parts += self.block(sized.body, rect.left + 4, rect.top + 3, inside=False)
            parts.append("</g>")
        parts.append("</g>")
        return "".join(parts)

    def halo(self, arrow: Arrow) -> str:
        """The colour behind a label: that of the innermost frame it stands in."""
        rect = self.layout.labels[arrow.name]
        depth = sum(self.layout.boxes[name].contains(rect) for name in self.frames)
        return ' style="--halo:var(--soft)"' if depth % 2 else ""

    def badges(self, arrow: Arrow) -> str:
        found = [mark for row in arrow.rows if (mark := self.marks.of_row(row.id)).badge and not row.badge]
        if not found:
            return ""
        rect = self.layout.labels[arrow.name]
        words = " · ".join(mark.badge for mark in found)
        return badge(words, max(rect.left, 6), rect.top + 10, _together([mark.kind for mark in found]))


def renamed(picture: str, prefix: str) -> str:
    """A picture with `prefix` before every id in it: a page may show a machine twice, and an id stands for one thing."""
    return _IDS.sub(
        lambda found: f'{found[1]}="{" ".join(prefix + name for name in found[2].split())}"',
        picture,
    )


def described(graph: Graph) -> str:
    """The picture in words, for those who do not see it."""
    states = [box.title for box in graph.boxes if not box.is_dot and not box.contains]
    rows = len({row.id for row in graph.rows if row.id})
    about = f"{graph.about.strip()} " if graph.about else ""
    return f"{about}{len(states)} boxes: {', '.join(states)}. {rows} rows between them; each names its event, guard and clauses."


# ---- pieces


class Legend:
    """What the signs mean: only those that occur."""

    def __init__(self, graph: Graph, marks: Marks) -> None:
        self.roles = (
            [role for role in ROLES if any(box.role == role for box in graph.boxes)] if graph.name != "wiring" else []
        )
        rows = list(graph.rows)
        self.signs: list[tuple[str, str]] = []
        if any(arrow.rows and not arrow.timed for arrow in graph.arrows):
            self.signs.append(("line", "event"))
        if any(row.timed for row in rows):
            self.signs.append(("timer", "timer"))
        if any(row.guard for row in rows):
            self.signs.append(("guard", "must hold"))
        if any(row.actions for row in rows):
            self.signs.append(("action", "then does"))
        if graph.below:
            self.signs.append(("more", "told below"))
        if any(row.leads.startswith("→") for row in rows):
            self.signs.append(("leads", "leads there" if graph.below else "leads there, not drawn"))
        if any(row.because for row in rows):
            self.signs.append(("id", "name of the rule, leads to its clause"))
        self.marks = marks.legend

    @property
    def height(self) -> float:
        """As many lines as there are kinds of signs."""
        return 8 + 24.0 * (bool(self.roles) + bool(self.signs) + bool(self.marks))

    @property
    def width(self) -> float:
        """The longest of its lines."""
        roles = sum(44 + text_width(ROLES[role], 11) for role in self.roles)
        signs = sum(self.sample(sign, 0, 0)[1] + 18 + text_width(words, 11) for sign, words in self.signs)
        marks = sum(56 + text_width(words, 11) for _, words in self.marks)
        return max(roles, signs, marks)

    def written(self, left: float, top: float) -> str:
        """The SVG of it."""
        parts, level = ['<g class="legend" aria-hidden="true">'], top + 14
        if self.roles:
            x = left
            for role in self.roles:
                parts.append(
                    f'<g class="box {role}"><rect x="{x:.1f}" y="{level - 11:.1f}" width="20" height="15" rx="4"/>'
                )
                parts.append(glyph(role, x + 10, level - 3.5, scale=0.8) + "</g>")
                parts.append(f'<text x="{x + 26:.1f}" y="{level:.1f}" font-size="11">{ROLES[role]}</text>')
                x += 44 + text_width(ROLES[role], 11)
            level += 24
        if self.signs:
            x = left
            for sign, words in self.signs:
                drawn, width = self.sample(sign, x, level)
                parts.append(drawn)
                parts.append(f'<text class="mut" x="{x + width + 5:.1f}" y="{level:.1f}" font-size="11">{words}</text>')
                x += width + 18 + text_width(words, 11)
            level += 24
        x = left
        for kind, words in self.marks:
            parts.append(
                f'<g class="arrow{f" {kind}" if kind else ""}"><path class="way" d="M{x:.1f},{level - 4:.1f} h26"/></g>'
            )
            if kind in SIGNS:
                parts.append(badge(SIGNS[kind], x + 22, level - 4, kind))
            parts.append(f'<text x="{x + 32:.1f}" y="{level:.1f}" font-size="11">{escaped(words)}</text>')
            x += 56 + text_width(words, 11)
        return "".join(parts) + "</g>"

    def sample(self, sign: str, x: float, level: float) -> tuple[str, float]:
        """One sign, and its width."""
        if sign in ("line", "timer"):
            timed = " timed" if sign == "timer" else ""
            return f'<g class="arrow{timed}"><path class="way" d="M{x:.1f},{level - 4:.1f} h26"/></g>', 26
        words: dict[str, Span] = {
            "guard": Span("[guard]", "guard"), "action": Span("/ action", "action"), "leads": Span("→ State", "action"),
            "more": Span("…", "guard"), "id": Span("rule", "id"),
        }  # fmt: skip
        return text_line((words[sign],), x, level - 11.5), words[sign].width


def glyph(role: model.Role, x: float, y: float, *, scale: float = 1.0) -> str:
    """The sign of a role."""
    filled = " f" if role in FILLED else ""
    size = f" scale({scale:g})" if scale != 1 else ""
    return f'<path class="glyph{filled}" transform="translate({x:.1f},{y:.1f}){size}" d="{GLYPHS[role]}"/>'


def _together(kinds: list[MarkKind]) -> MarkKind:
    """How an arrow looks whose rows are marked like this: as the one that stands out, `changed` if it gained or lost a row."""
    found = list(dict.fromkeys(kinds))
    if len(found) < 2:
        return found[0] if found else ""
    return next(
        (kind for kind in ("hot", "warm", "mild") if kind in found),
        "changed" if {"added", "removed", "changed"} & {*found} else "",
    )


def badge(text: str, right: float, middle: float, kind: MarkKind = "") -> str:
    """A number or a sign on a ground of its own, ending at `right`."""
    width = badge_width(text)
    left = right - width - 2
    return (
        f'<g class="badge{f" {kind}" if kind else ""}"><rect x="{left:.1f}" y="{middle - 8:.1f}" width="{width:.1f}" height="16" rx="8"/>'
        f'<text x="{left + width / 2:.1f}" y="{middle + 3.6:.1f}" font-size="10" text-anchor="middle">{escaped(text)}</text></g>'
    )


def text_line(line: tuple[Span, ...], x: float, top: float) -> str:
    """A line of text in its styles, beginning at `x`, below `top`."""
    base = top + line_height(line) - max(SIZES[span.style] for span in line) * 0.3
    parts, spans = [], list(line)
    while spans and spans[0].style in DRAWN:
        span = spans.pop(0)
        parts.append(
            _clock(x + 5, base - 4) if span.style == "clock" else badge(span.text, x + span.width - 2, base - 3.6)
        )
        x += span.width
    texts = "".join(
        f'<tspan class="{span.style}" font-size="{SIZES[span.style]:g}">{escaped(span.text)}</tspan>' for span in spans
    )
    parts.append(f'<text x="{x:.1f}" y="{base:.1f}" xml:space="preserve">{texts}</text>')
    return "".join(parts)


def _clock(x: float, y: float) -> str:
    return (
        f'<g class="clock"><circle cx="{x:.1f}" cy="{y:.1f}" r="4.3"/>'
        f'<path d="M{x:.1f},{y - 2.6:.1f} V{y:.1f} L{x + 2:.1f},{y + 1.2:.1f}"/></g>'
    )


def _rect(rect: Rect) -> str:
    return f'x="{rect.left:.1f}" y="{rect.top:.1f}" width="{rect.right - rect.left:.1f}" height="{rect.bottom - rect.top:.1f}"'


def escaped(text: str) -> str:
    """Text as XML, in an attribute too."""
    return html.escape(text, quote=True)


def identifier(name: str) -> str:
    """A name as an XML id."""
    return "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name)


def _rounded(points: Line) -> str:
    """A path with its corners rounded."""
    (x, y), *_ = points
    path = [f"M{x:.1f},{y:.1f}"]
    for a, b, c in zip(points, points[1:], points[2:], strict=False):
        one, two = _length(a, b), _length(b, c)
        reach = min(BEND, one / 2, two / 2)
        if reach < 0.5:
            path.append(f"L{b[0]:.1f},{b[1]:.1f}")
            continue
        before, after = _toward(b, a, reach), _toward(b, c, reach)
        path.append(f"L{before[0]:.1f},{before[1]:.1f} Q{b[0]:.1f},{b[1]:.1f} {after[0]:.1f},{after[1]:.1f}")
    x, y = points[-1]
    return " ".join([*path, f"L{x:.1f},{y:.1f}"])


def _shortened(points: Line) -> Line:
    """Without the last pixels, which the arrowhead covers."""
    last = _length(points[-2], points[-1])
    return (*points[:-1], _toward(points[-1], points[-2], min(TIP - 2, last / 2)))


def _tip(points: Line) -> str:
    """An arrowhead at the end."""
    end, before = points[-1], points[-2]
    length = _length(before, end) or 1.0
    dx, dy = (end[0] - before[0]) / length, (end[1] - before[1]) / length
    x, y = end[0] - dx * TIP, end[1] - dy * TIP
    notch = (end[0] - dx * (TIP - 2), end[1] - dy * (TIP - 2))
    one, two = (x - dy * 3.6, y + dx * 3.6), (x + dy * 3.6, y - dx * 3.6)
    return "M" + " L".join(f"{point[0]:.1f},{point[1]:.1f}" for point in (end, one, notch, two)) + "Z"


def _length(a: Point, b: Point) -> float:
    return float(((b[0] - a[0]) ** 2 + (b[1] - a[1]) ** 2) ** 0.5)


def _toward(start: Point, end: Point, distance: float) -> Point:
    length = _length(start, end) or 1.0
    return start[0] + (end[0] - start[0]) / length * distance, start[1] + (end[1] - start[1]) / length * distance
