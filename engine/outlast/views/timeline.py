"""The picture of a story: one lane for each instance, states as bars, what happened as numbered marks, signals as arrows.

Time is squeezed by one rule, so that a minute and a week fit on a page: a gap of m minutes is `34 + 7 log2(1 + m / 10)` wide, times
what fills the page. The true durations stand above; slashes break a bar where a gap is squeezed much harder than the others; a strip
below shows one life at true scale. What happened is told in words under it, each linked to its clause.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import attrs

from outlast.moments import DAY, HOUR, MINUTE, SECOND, format_duration
from outlast.values import frozen
from outlast.views.lanes import Bar, Deadline, Lane, Lanes, Mark, Signal
from outlast.views.metrics import LEAD, text_width
from outlast.views.svg import MARGIN, escaped, identifier, text_line
from outlast.views.theme import style_sheet
from outlast.views.typeset import SIZES, Line, Span, Style, flowed, line_height

WIDTH = 800.0
LEAST = 0.75
"""No gap is drawn at less than this part of its width: a long story widens the picture instead."""
TAIL = 64.0
"""What is seen of the states in which a story ends."""
NAMES = 170.0
"""The names of lanes take at most so much."""
TRUE_SCALE = "at true scale"
"""Stands before the strip below, whatever the names of lanes leave for it."""
BAR, TRACK, SIGN = 26.0, 15.0, 17.0
SQUEEZED = 20.0
"""A gap that gets so many times less room for its length than the best off is broken by slashes."""

_RULES = """
.fsm .lane{fill:var(--soft)} .fsm .lane.alt{fill:var(--bg)} .fsm .tick{stroke:var(--rule);stroke-width:1;fill:none}
.fsm .bar>rect{fill:var(--rf,var(--soft));stroke:var(--rc,var(--line));stroke-width:1.4} .fsm .bar.gone>rect{stroke-dasharray:2 2}
.fsm .slash{stroke:var(--rc,var(--line));stroke-width:1.2;fill:none} .fsm .cut{stroke:none;fill:var(--ground)}
.fsm .signal{stroke:var(--line);stroke-width:1.3;fill:none} .fsm .head{fill:var(--line);stroke:none}
.fsm .sign text{font-weight:700;text-anchor:middle} .fsm .said>rect{fill:var(--ink)} .fsm .said>text{fill:var(--bg)}
.fsm .refused>rect{fill:var(--bg);stroke:var(--failure);stroke-width:1.6;stroke-dasharray:3 2}
.fsm .due>rect{fill:var(--bg);stroke:var(--danger);stroke-width:1.8}
.fsm .deadline{stroke:var(--danger);stroke-width:1.5;stroke-dasharray:2 3;fill:none} .fsm .ending{stroke:var(--danger);stroke-width:1.6;fill:none}
.fsm .ending.fired{fill:var(--danger)} .fsm .ending.open{fill:var(--bg)} .fsm .over{paint-order:stroke;stroke:var(--ground);stroke-width:4px;stroke-linejoin:round}
.fsm .life{fill:var(--rc,var(--line));opacity:.6}
"""


def timeline(lanes: Lanes, *, clauses: str | None = "") -> str:
    """The SVG text. `clauses` is the address of the page that the ids lead to, None for no links."""
    return _Timeline(lanes, clauses).written()


@frozen
class Scale:
    """Where an instant stands: `at` maps every instant of the story to pixels."""

    at: dict[int, float]
    factor: float

    @classmethod
    def of(cls, instants: tuple[int, ...], left: float, room: float) -> Scale:
        """Gaps by the rule, from `left`, stretched to `room` pixels, or shrunk as far as is allowed."""
        gaps = [two - one for one, two in pairwise(instants)]
        widths = [gap_width(gap) for gap in gaps]
        needed = [(_duration(gap, 0.0)[1] + 2) / width for gap, width in zip(gaps, widths, strict=True)]
        factor = max(LEAST, room / sum(widths), *needed) if widths else 1.0
        found = {instants[0]: left}
        for instant, width in zip(instants[1:], widths, strict=True):
            left += width * factor
            found[instant] = left
        return cls(found, factor)

    @property
    def squeezed(self) -> tuple[tuple[float, float], ...]:
        """The gaps that are drawn much too short beside the others, in pixels."""
        gaps = [(two - one, self.at[one], self.at[two]) for one, two in pairwise(self.at)]
        least = min((length / (right - left) for length, left, right in gaps), default=0.0)
        return tuple((left, right) for length, left, right in gaps if length / (right - left) > SQUEEZED * least)


def gap_width(microseconds: int) -> float:
    """How wide a gap is drawn before it is scaled to the page."""
    return 34 + 7 * math.log2(1 + microseconds / MINUTE / 10)


@frozen
class _Row:
    """Where a lane stands: its top and height, the top of its bars, and its deadlines, each on a track of its own."""

    top: float
    height: float
    bar: float
    tracks: tuple[tuple[Deadline, int], ...]


class _Timeline:
    def __init__(self, lanes: Lanes, clauses: str | None) -> None:
        self.story, self.clauses = lanes, clauses
        self.name = identifier(lanes.name)
        self.cited_before: set[str] = set()
        names = (text_width(lane.name, 12, bold=True) for lane in lanes.lanes)
        titles = (text_width(lane.title, 10) for lane in lanes.lanes)
        self.left = MARGIN + min(NAMES, max((*names, *titles), default=0.0)) + 16
        self.scale = Scale.of(lanes.instants, self.left, WIDTH - self.left - TAIL - MARGIN)
        self.right = max(self.scale.at.values()) + TAIL
        self.width = max(WIDTH, self.right + MARGIN)
        self.axis = 100.0
        self.rows: list[_Row] = []
        self.bottom = self.axis
        for lane, shown in enumerate(lanes.lanes):
            row = self.row(lane, shown, self.bottom)
            self.rows.append(row)
            self.bottom += row.height

    def written(self) -> str:
        story = self.story
        body = [*self.grounds(), *self.ticks(), *self.signals()]
        for index, lane in enumerate(story.lanes):
            body += [*self.deadlines(index), *self.bars(index, lane)]
        body += [*self.signs(), *self.names()]
        level = self.bottom + 16
        strip, level = self.strip(level)
        told, level = self.told(level)
        legend, level = self.legend(level)
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="fsm" viewBox="0 0 {self.width:.0f} {level:.0f}" width="{self.width:.0f}" '
            f'height="{level:.0f}" role="img" aria-labelledby="{self.name}-title {self.name}-desc">'
        )
        parts = [
            head,
            f'<title id="{self.name}-title">{escaped(story.title)}: timeline</title>',
            f'<desc id="{self.name}-desc">{escaped(described(story))}</desc>',
            f"<style>{style_sheet(_RULES)}</style>",
            '<rect class="bg" width="100%" height="100%"/>',
            self.text(story.title, MARGIN, 26, 17, bold=True),
            self.text(story.subtitle, MARGIN, 43, 11, look="mut"),
            *body,
            *strip,
            *told,
            *legend,
            "</svg>",
        ]
        return "\n".join(part for part in parts if part) + "\n"

    # ---- the grid

    def row(self, index: int, lane: Lane, top: float) -> _Row:
        busy = any(mark.lane == index and mark.number for mark in self.story.marks)
        bar = top + (SIGN + 10 if busy else 8)
        ends: list[float] = []
        tracks: list[tuple[Deadline, int]] = []
        for deadline in lane.deadlines:
            left, right = self.reach(deadline)
            track = next((number for number, end in enumerate(ends) if end + 6 <= left), len(ends))
            ends[track : track + 1] = [right]
            tracks.append((deadline, track))
        return _Row(top, bar - top + BAR + len(ends) * TRACK + 8, bar, tuple(tracks))

    def grounds(self) -> Iterator[str]:
        for index, row in enumerate(self.rows):
            look = " alt" if index % 2 else ""
            yield f'<rect class="lane{look}" x="0" y="{row.top:.1f}" width="{self.width:.0f}" height="{row.height:.1f}"/>'

    def ticks(self) -> Iterator[str]:
        """A line at every instant; above it the instant where there is room, and the length of every gap."""
        free = -1.0
        for instant, x in self.scale.at.items():
            yield f'<path class="tick" d="M{x:.1f},{self.axis - 8:.1f} V{self.bottom:.1f}"/>'
            words = format_duration(instant) if instant else "0"
            if x >= free:
                yield self.text(words, x, self.axis - 28, 11, bold=True)
                free = x + text_width(words, 11, bold=True) + 6
        for (one, left), (two, right) in pairwise(self.scale.at.items()):
            lines, _, size = _duration(two - one, right - left - 4)
            level = self.axis - (12 if len(lines) == 1 else 16.5)
            for number, words in enumerate(lines):
                yield self.text(words, (left + right) / 2, level + number * 8.2, size, look="mut", anchor="middle")

    def names(self) -> Iterator[str]:
        for lane, row in zip(self.story.lanes, self.rows, strict=True):
            middle = row.bar + BAR / 2
            yield self.text(_cut(lane.name, 12, NAMES, bold=True), MARGIN, middle - 1, 12, bold=True)
            yield self.text(_cut(lane.title, 10, NAMES), MARGIN, middle + 12, 10, look="mut")

    # ---- lives

    def bars(self, index: int, lane: Lane) -> Iterator[str]:
        top = self.rows[index].bar
        ground = "var(--bg)" if index % 2 else "var(--soft)"
        for bar in lane.bars:
            left, right = self.scale.at[bar.start], self.scale.at[bar.end] + (TAIL if bar.open else 0)
            right = max(right, left + 5)
            gone = " gone" if bar.start == bar.end and not bar.open else ""
            words = [f"{lane.name}: {bar.title}", self.lasting(bar), bar.about, ", ".join(bar.because)]
            parts = [
                f'<g class="bar{gone}{f" {bar.role}" if bar.role else ""}" style="--ground:{ground}" data-state="{escaped(" ".join(bar.states))}">'
                + _tooltip(words),
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{BAR:g}" rx="{min(5, (right - left) / 2):.1f}"/>',
            ]
            slashes = [b - 15 for a, b in self.scale.squeezed if left <= a and b <= right and right - left > 70]
            for x in slashes:
                parts.append(f'<path class="cut" d="M{x + 3:.1f},{top - 1:.1f} l-5,{BAR + 2:g} h6 l5,{-BAR - 2:g}Z"/>')
                parts.append(
                    f'<path class="slash" d="M{x + 3:.1f},{top - 2:.1f} l-5,{BAR + 4:g} m6,0 l5,{-BAR - 4:g}"/>'
                )
            yield "".join([*parts, self.inscription(bar, left, right, top, slashes), "</g>"])

    def inscription(self, bar: Bar, left: float, right: float, top: float, slashes: list[float]) -> str:
        """The title of a bar between its slashes, on one line or two; in the tooltip only where it does not fit."""
        edges = [left, *(edge for x in slashes for edge in (x - 4, x + 9)), right]
        left, right = max(zip(edges[::2], edges[1::2], strict=True), key=lambda pair: pair[1] - pair[0])
        room, middle = right - left - 6, (left + right) / 2
        level = top + BAR / 2
        for size in (11.0, 9.5):
            if text_width(bar.title, size) <= room:
                return self.text(bar.title, middle, level + size * 0.36, size, anchor="middle")
        lines = _halved(bar.title)
        if len(lines) == 2 and all(text_width(line, 9) <= room for line in lines):
            return "".join(
                self.text(line, middle, level + shift, 9, anchor="middle")
                for line, shift in zip(lines, (-1.8, 8.4), strict=True)
            )
        return ""

    def lasting(self, bar: Bar) -> str:
        began = f"from {format_duration(bar.start) if bar.start else 'the beginning'}"
        return began + (" on" if bar.open else f" for {format_duration(bar.end - bar.start)}")

    def reach(self, deadline: Deadline) -> tuple[float, float]:
        """From where to where a deadline and its words take room."""
        left, right = self.ends(deadline)
        words = text_width(deadline.title, 9)
        if right - left >= words + 20:
            return left, right + 6
        if right + 9 + words <= self.right:
            return left, right + 9 + words
        return left - 6 - words, right + 6

    def ends(self, deadline: Deadline) -> tuple[float, float]:
        return self.scale.at[deadline.start], self.scale.at[deadline.end] + (
            TAIL - 10 if deadline.ending == "open" else 0
        )

    def deadlines(self, index: int) -> Iterator[str]:
        row = self.rows[index]
        ground = "var(--bg)" if index % 2 else "var(--soft)"
        for deadline, track in row.tracks:
            left, right = self.ends(deadline)
            y = row.bar + BAR + 9 + track * TRACK
            begins, reaches = self.reach(deadline)
            words = text_width(deadline.title, 9)
            x = left + 7 if reaches == right + 6 and begins == left else right + 8 if begins == left else begins
            state = "due" if deadline.ending == "fired" else "would be due"
            title = [
                f"{deadline.title}: {deadline.ending}",
                f"{state} at {format_duration(deadline.due)}",
                ", ".join(deadline.because),
            ]
            yield "".join(
                [
                    f'<g class="limit" style="--ground:{ground}" data-row="{escaped(deadline.row)}" data-ending="{deadline.ending}">',
                    _tooltip(title),
                    f'<path class="deadline" d="M{left:.1f},{y:.1f} H{right:.1f}"/>',
                    ending(deadline.ending, right, y),
                    self.text(deadline.title, x, y + 3.2, 9, look="mut over", width=words),
                    "</g>",
                ]
            )

    # ---- what happened

    def signals(self) -> Iterator[str]:
        """Arrows from bar to bar, those of one instant beside each other."""
        taken: dict[tuple[int, int, int], set[int]] = {}
        for signal in self.story.signals:
            passed = set(range(min(signal.source, signal.target), max(signal.source, signal.target)))
            places = ((signal.start, signal.end, place) for place in range(len(self.story.signals)))
            place = next(place for place in places if not passed & taken.get(place, set()))
            taken[place] = taken.get(place, set()) | passed
            yield self.signal(signal, -4.0 * place[2])

    def signal(self, signal: Signal, shift: float) -> str:
        down = signal.target > signal.source
        source, target = self.rows[signal.source].bar, self.rows[signal.target].bar
        begin = (self.scale.at[signal.start] + shift, source + (BAR if down else 0))
        end = (self.scale.at[signal.end] + shift, target + (0 if down else BAR))
        length = math.hypot(end[0] - begin[0], end[1] - begin[1]) or 1.0
        dx, dy = (end[0] - begin[0]) / length, (end[1] - begin[1]) / length
        neck = (end[0] - 8 * dx, end[1] - 8 * dy)
        lanes = self.story.lanes
        title = f"{lanes[signal.source].name} to {lanes[signal.target].name}: {signal.event}"
        wings = " L".join(
            f"{x:.1f},{y:.1f}"
            for x, y in (end, (neck[0] - 4 * dy, neck[1] + 4 * dx), (neck[0] + 4 * dy, neck[1] - 4 * dx))
        )
        return (
            f'<g data-from="{escaped(lanes[signal.source].name)}" data-to="{escaped(lanes[signal.target].name)}">{_tooltip([title])}'
            f'<path class="signal" d="M{begin[0]:.1f},{begin[1]:.1f} L{neck[0]:.1f},{neck[1]:.1f}"/><path class="head" d="M{wings}Z"/></g>'
        )

    def signs(self) -> Iterator[str]:
        """The numbers, each to the right of its instant, pushed on where others stand."""
        free: dict[int, float] = {}
        for mark in self.story.marks:
            if not mark.number:
                continue
            x = max(self.scale.at[mark.at], free.get(mark.lane, 0.0))
            free[mark.lane] = x + SIGN + 1
            words = [f"{format_duration(mark.at)} {mark.event}: {mark.outcome}"]
            y = self.rows[mark.lane].bar - SIGN - 4
            yield f'<a href="#{self.name}-{mark.number}">{_measured(sign(mark, x, y, _tooltip(words)), x, y)}</a>'

    def told(self, top: float) -> tuple[list[str], float]:
        """Everything that happened, in words."""
        when = max((text_width(format_duration(mark.at), 11) for mark in self.story.marks), default=0.0)
        who = max((text_width(lane.name, 11, bold=True) for lane in self.story.lanes), default=0.0)
        column = MARGIN + SIGN + 8 + when + 10
        begin = column + who + 26
        parts, last = list[str](), -1
        for mark in self.story.marks:
            lines = flowed(_told(mark), self.width - MARGIN - begin)
            first = top + 13
            row = []
            if mark.number:
                row.append(_measured(sign(mark, MARGIN, top), MARGIN, top))
            else:
                row.append(self.text("↳", column + 2, first, 11, look="mut"))
            if mark.at != last:
                row.append(self.text(format_duration(mark.at), column - 10, first, 11, look="mut", anchor="end"))
            last = mark.at
            shift = 0.0 if mark.number else 14.0
            row.append(self.text(self.story.lanes[mark.lane].name, column + shift, first, 11, bold=True))
            for line in lines:
                row.append(_boxed(line, begin, top + 2.5))
                top += line_height(line)
            top += 6
            title = _tooltip([" ".join(mark.rows), *self.cited(mark.because)]) if mark.because or mark.rows else ""
            number = f' id="{self.name}-{mark.number}"' if mark.number else ""
            because = f' data-because="{escaped(" ".join(mark.because))}"' if mark.because else ""
            group = f'<g{number} data-row="{escaped(" ".join(mark.rows))}"{because}>{title}{"".join(row)}</g>'
            parts.append(
                f'<a href="{escaped(self.clauses)}#{escaped(mark.because[0])}">{group}</a>'
                if mark.because and self.clauses is not None
                else group
            )
        return parts, top + 8

    # ---- below

    def strip(self, top: float) -> tuple[list[str], float]:
        """One life at true scale: that of the instance that changes most."""
        if not self.story.end:
            return [], top
        lane = max(self.story.lanes, key=lambda lane: (len(lane.bars), -self.story.lanes.index(lane)))
        left = max(self.left, MARGIN + text_width(TRUE_SCALE, 10) + 8)
        room = self.right - left
        parts = [
            self.text(TRUE_SCALE, MARGIN, top + 6, 10, look="mut"),
            self.text(_cut(lane.name, 10, NAMES), MARGIN, top + 18, 10, look="mut"),
        ]
        for bar in lane.bars:
            x, end = (left + room * at / self.story.end for at in (bar.start, bar.end))
            look = f"life {bar.role}" if bar.role else "life"
            parts.append(
                f'<rect class="{look}" x="{x:.1f}" y="{top:.1f}" width="{max(end - x, 1.2):.1f}" height="11">{_tooltip([bar.title, self.lasting(bar)])}</rect>'
            )
        step = tick_length(self.story.end)
        for at in range(0, self.story.end + 1, step):
            x = left + room * at / self.story.end
            words = format_duration(at) if at else "0"
            parts.append(f'<path class="tick" d="M{x:.1f},{top - 3:.1f} v17"/>')
            if x + 3 + text_width(words, 9) <= self.width - 4:
                parts.append(self.text(words, x + 3, top + 21, 9, look="mut"))
        return parts, top + 40

    def legend(self, top: float) -> tuple[list[str], float]:
        """What the signs mean: only those that occur."""
        story = self.story
        kinds = {mark.kind for mark in story.marks}
        found: list[tuple[str, str, float]] = []
        for kind, words in (("said", "said from outside"), ("refused", "refused"), ("timer", "time has come")):
            if kind in kinds:
                mark = next(mark for mark in story.marks if mark.kind == kind)
                found.append((sign(attrs.evolve(mark, number=1), 0, -13), words, SIGN))
        if story.signals:
            found.append(('<path class="signal" d="M5,-12 v8"/><path class="head" d="M5,1 l-4,-8 h8Z"/>', "signal", 10))
        endings = {deadline.ending for lane in story.lanes for deadline in lane.deadlines}
        if endings:
            found.append(('<path class="deadline" d="M0,-4 h24"/>', "timer running", 24))
            called = {"fired": "fired", "cancelled": "cancelled", "open": "still open"}
            found += [(ending(each, 5, -4), text, 10) for each, text in called.items() if each in endings]
        if self.scale.squeezed:
            found.append(('<path class="slash" d="M5,-13 l-5,18 m5,0 l5,-18"/>', "much longer than drawn", 11))
        parts, x = ['<g class="legend" aria-hidden="true">'], MARGIN
        level = top + 12
        for drawn, words, width in found:
            if x + width + 5 + text_width(words, 10) > self.width - MARGIN:
                x, level = MARGIN, level + 20
            parts.append(f'<g transform="translate({x:.1f},{level:.1f})">{drawn}</g>')
            parts.append(self.text(words, x + width + 5, level, 10, look="mut"))
            x += width + 5 + text_width(words, 10) + 18
        return [*parts, "</g>"], level + 14

    # ---- words

    def cited(self, because: tuple[str, ...]) -> Iterator[str]:
        """Clauses, with their words where they are cited first."""
        for clause in because:
            first = clause in self.story.says and clause not in self.cited_before
            self.cited_before.add(clause)
            yield f"{clause}: {self.story.says[clause]}" if first else clause

    def text(
        self,
        text: str,
        x: float,
        base: float,
        size: float,
        *,
        look: str = "",
        bold: bool = False,
        anchor: str = "",
        width: float = 0,
    ) -> str:
        """A line of text; where it stands is said in `data-box`, for whoever measures."""
        width = width or text_width(text, size, bold=bold)
        left = x - {"": 0.0, "middle": width / 2, "end": width}[anchor]
        attributes = [
            f'class="{look}"' if look else "",
            f'font-weight="{700 if size > 12 else 600}"' if bold else "",
            f'text-anchor="{anchor}"' if anchor else "",
            f'data-box="{left:.1f} {base - size * 0.8:.1f} {left + width:.1f} {base + size * 0.24:.1f}"',
        ]
        said = " ".join(part for part in attributes if part)
        return f'<text x="{x:.1f}" y="{base:.1f}" font-size="{size:g}" {said}>{escaped(text)}</text>'


def described(lanes: Lanes) -> str:
    """The picture in words, for those who do not see it."""
    about = f"{lanes.about.strip()} " if lanes.about else ""
    said = (
        f"{format_duration(mark.at)} {lanes.lanes[mark.lane].name}: {mark.event}, {mark.outcome}"
        for mark in lanes.marks
    )
    return f"{about}{'; '.join(said)}."


def tick_length(end: int) -> int:
    """The distance of the ticks of a strip from 0 to `end`: a round one, and at most ten of them."""
    rounds = [factor * unit for unit in (1, 1000) for power in (1, 10, 100) for factor in (power, 2 * power, 5 * power)]
    rounds += (
        [SECOND * n for n in (1, 2, 5, 10, 30)]
        + [MINUTE * n for n in (1, 2, 5, 10, 30)]
        + [HOUR * n for n in (1, 2, 6, 12)]
    )
    rounds += [DAY * n for n in (1, 2, 7, 14, 30, 90, 365)]
    return next((length for length in rounds if end <= 10 * length), end)


def sign(mark: Mark, x: float, top: float, title: str = "") -> str:
    """The number of a mark: a disc for what is said, dashed where it is refused, a square for what is due."""
    kind = {"said": "said", "refused": "refused", "timer": "due", "signal": ""}[mark.kind]
    round_ = 2.5 if mark.kind == "timer" else SIGN / 2
    size = 10 if mark.number < 100 else 8
    return (
        f'<g class="sign {kind}">{title}'
        f'<rect x="{x + 0.8:.1f}" y="{top + 0.8:.1f}" width="{SIGN - 1.6:g}" height="{SIGN - 1.6:g}" rx="{round_:g}"/>'
        f'<text x="{x + SIGN / 2:.1f}" y="{top + SIGN / 2 + 3.6:.1f}" font-size="{size}">{mark.number}</text></g>'
    )


def _measured(drawn: str, x: float, top: float) -> str:
    return f'<g data-box="{x:.1f} {top:.1f} {x + SIGN:.1f} {top + SIGN:.1f}">{drawn}</g>'


def ending(how: str, x: float, y: float) -> str:
    """The sign at the end of a deadline."""
    if how == "cancelled":
        return f'<path class="ending" d="M{x - 4:.1f},{y - 4:.1f} l8,8 m0,-8 l-8,8"/>'
    return f'<circle class="ending {how}" cx="{x:.1f}" cy="{y:.1f}" r="4"/>'


def _told(mark: Mark) -> Iterator[Span]:
    """A mark in words, in the styles of the pictures of machines."""

    def words(text: str, style: Style) -> Iterator[Span]:
        return (Span(word, style) for word in text.split())

    yield from words(mark.event, "listed")
    yield from words(mark.outcome, "action")
    yield from words(" ".join(mark.rows), "id")
    yield from words(" ".join(mark.because), "id")


def _boxed(line: Line, left: float, top: float) -> str:
    width = sum(span.width for span in line)
    bottom = top + max(SIZES[span.style] for span in line) * LEAD
    return f'<g data-box="{left:.1f} {top:.1f} {left + width:.1f} {bottom:.1f}">{text_line(line, left, top)}</g>'


def _duration(microseconds: int, room: float) -> tuple[list[str], float, float]:
    """The length of a gap on one line or two, how wide that is, and its size: the largest that fits, the smallest if none does."""
    words = format_duration(microseconds)
    ways = [
        (lines, max(text_width(line, size) for line in lines), size)
        for lines, size in (([words], 10.0), ([words], 9.0), (_halved(words), 8.0))
    ]
    return next((way for way in ways if way[1] <= room), ways[-1])


def _halved(title: str) -> list[str]:
    """A title on two lines as even as its words allow."""
    words = title.split()
    cuts = [(" ".join(words[:at]), " ".join(words[at:])) for at in range(1, len(words))]
    return list(min(cuts, key=lambda pair: max(map(len, pair)))) if cuts else [title]


def _cut(text: str, size: float, width: float, *, bold: bool = False) -> str:
    """As much of a name as there is room for."""
    if text_width(text, size, bold=bold) <= width:
        return text
    while text and text_width(text + "…", size, bold=bold) > width:
        text = text[:-1]
    return text + "…"


def _tooltip(words: list[str]) -> str:
    return f"<title>{escaped(chr(10).join(word for word in words if word))}</title>"
