"""How wide text is, from our own table of Arial's advance widths: a layout must not move with the fonts installed."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

MONO = 0.60
"""The advance of a monospaced font, in em."""
LEAD = 1.28
"""The height of a line, in em."""

_REGULAR = (
    "278 278 355 556 556 889 667 191 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 278 278 584 584 584 556 "
    "1015 667 667 722 722 667 611 778 722 278 500 667 556 833 722 778 667 778 722 667 611 722 667 944 667 667 611 278 278 278 469 556 "
    "333 556 556 500 556 556 278 556 556 222 222 500 222 833 556 556 556 556 333 500 278 556 500 722 500 500 500 334 260 334 584"
)
_BOLD = (
    "278 333 474 556 556 889 722 238 333 333 389 584 278 333 278 278 556 556 556 556 556 556 556 556 556 556 333 333 584 584 584 611 "
    "975 722 722 722 722 667 611 778 722 278 556 722 611 833 722 778 667 778 722 667 611 722 667 944 667 667 611 333 278 333 584 556 "
    "333 556 611 556 611 556 333 611 611 278 278 556 278 889 611 611 611 611 389 556 333 611 556 778 556 556 500 389 280 389 584"
)
_MORE = {
    "–": 556,
    "—": 1000,
    "…": 1000,
    "→": 1000,
    "↻": 1000,
    "·": 278,
    "’": 222,
    "‘": 222,
    "“": 333,
    "”": 333,
    "×": 584,
}


def _table(widths: str) -> dict[str, int]:
    return {chr(32 + index): int(width) for index, width in enumerate(widths.split())} | _MORE


_WIDTHS = {False: _table(_REGULAR), True: _table(_BOLD)}


@lru_cache(1 << 14)  # the same words stand in many pictures, and one picture asks for each several times
def text_width(text: str, size: float, *, bold: bool = False, mono: bool = False) -> float:
    """The width of `text` at `size`, in the unit of `size`. What Arial lacks is taken to be as wide as it is high."""
    if mono:
        return len(text) * MONO * size
    table = _WIDTHS[bold]
    return sum(table.get(letter) or _unlisted(letter, table) for letter in text) * size / 1000


def _unlisted(letter: str, table: dict[str, int]) -> int:
    """An accented letter is as wide as the plain one, a combining mark has no width."""
    if unicodedata.combining(letter):
        return 0
    return table.get(unicodedata.normalize("NFD", letter)[0], 1000)
