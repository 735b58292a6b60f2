"""The chart of events: a bar for everybody, on a logarithmic scale, light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from html import escape
from textwrap import wrap
from typing import Any, TypeAlias

from outlast.views.theme import style_sheet

WIDTH, LEFT, RIGHT, TOP, ROW, BAR = 900, 250, 130, 74, 24, 14
Scale: TypeAlias = Callable[[float], float]
RULES = """
.fsm{font-size:13px} .fsm .title{font-size:17px;font-weight:600} .fsm .small{font-size:11.5px}
.fsm .grid{stroke:var(--rule)} .fsm .one{stroke:var(--mut);stroke-dasharray:3 3}
.fsm .ours rect{fill:var(--hot)} .fsm .peer rect{fill:var(--neutral)} .fsm .limit rect{fill:var(--soft);stroke:var(--line);stroke-dasharray:3 2}
.fsm .value{paint-order:stroke;stroke:var(--bg);stroke-width:4px} .fsm .ours text{font-weight:600} .fsm .spread{stroke:var(--ink);stroke-width:1.4} .fsm .halo{stroke:var(--bg);stroke-width:3.4}
"""


def chart(result: Mapping[str, Any]) -> str:
    """The SVG of the events of a result."""
    (table,) = (table for table in result["tables"] if table["title"] == "Events")
    (column,) = (key for key in table["rows"][0] if key.startswith("as many as "))
    rows = [(row["name"], row[column], row["events/s"]["median"]) for row in table["rows"]]
    base = column.removeprefix("as many as ")
    low = math.log10(min(ratio["low"] for _, ratio, _ in rows)) - 0.05
    high = math.log10(max(ratio["high"] for _, ratio, _ in rows)) + 0.05
    versions = ", ".join(f"{name} {number}" for name, number in result["versions"].items())
    under = f"{result['date']}; {result['python']}; {result['machine']}; median and quartiles of {result['rounds']} rounds of CPU time"
    notes = [under, *wrap(versions, 130)]
    height = TOP + ROW * len(rows) + 22 + 17 * len(notes)

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(value) - low) / (high - low)

    size, labels = f'width="{WIDTH}" height="{height}"', 'aria-labelledby="t d"'
    title = f"Events a second, as multiples of what {base} takes"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="fsm" viewBox="0 0 {WIDTH} {height}" {size} role="img" {labels}>',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{escape("; ".join(_said(*row) for row in rows))}</desc>',
            f'<style>{style_sheet(RULES)}</style><rect class="bg" width="{WIDTH}" height="{height}"/>',
            f'<text class="title" x="20" y="30">{escape(title)}</text>',
            *_grid(low, high, x, TOP + ROW * len(rows)),
            *(part for index, row in enumerate(rows) for part in _bar(index, *row, x)),
            *_notes(notes, TOP + ROW * len(rows) + 26),
            "</svg>\n",
        ]
    )


def _said(name: str, ratio: Mapping[str, float], events: float) -> str:
    return f"{name}: {_short(ratio['median'])} times, {events:,.0f} events a second"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 0.995 else f"{value:.1f}" if value < 9.95 else f"{value:.0f}"


def _rate(events: float) -> str:
    return f"{events / 1e6:.1f} M/s" if events >= 999_500 else f"{events / 1e3:.0f} k/s"


def _grid(low: float, high: float, x: Scale, bottom: int) -> Iterator[str]:
    for power in range(math.ceil(low), math.floor(high) + 1):
        at = f"{x(10.0**power):.1f}"
        kind = "one" if power == 0 else "grid"
        yield f'<line class="{kind}" x1="{at}" x2="{at}" y1="{TOP - 8}" y2="{bottom}"/>'
        yield f'<text class="mut small" x="{at}" y="{TOP - 14}" text-anchor="middle">{10.0**power:g} x</text>'


def _bar(index: int, name: str, ratio: Mapping[str, float], events: float, x: Scale) -> Iterator[str]:
    """From the line of 1 to the right if faster, to the left if slower; the figures stand to the right of both."""
    kind = "ours" if name.startswith("outlast") else "limit" if name.startswith("limit") else "peer"
    top = TOP + ROW * index
    middle, one, end = top + BAR / 2 + 2, x(1), x(ratio["median"])
    yield f'<g class="{kind}"><text x="{LEFT - 12}" y="{middle + 4.5:g}" text-anchor="end">{escape(name)}</text>'
    yield f'<rect x="{min(one, end):.1f}" y="{top + 2}" width="{max(abs(end - one), 1):.1f}" height="{BAR}" rx="2"/>'
    for kind in ("halo", "spread"):
        yield f'<path class="{kind}" d="M{x(ratio["low"]):.1f},{middle:g}H{x(ratio["high"]):.1f}"/>'
    label = f'{_short(ratio["median"])} x<tspan class="mut" dx="8">{_rate(events)}</tspan>'
    yield f'<text class="value" x="{max(one, x(ratio["high"])) + 8:.1f}" y="{middle + 4.5:g}">{label}</text></g>'


def _notes(lines: Iterable[str], top: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f'<text class="mut small" x="20" y="{top + 17 * number}">{escape(line)}</text>'
