"""Durations and instants: integers of microseconds, and how people write them.

A duration is a count of microseconds; an instant is one since the epoch (UTC). Text forms: `90s`, `15m`, `6d 23h`, or ISO 8601
(`PT15M`, `P7D`). Months and years have no fixed length and are refused.
"""

from __future__ import annotations

import datetime
import re

UNITS = {
    "w": 7 * 24 * 3600 * 1_000_000,
    "d": 24 * 3600 * 1_000_000,
    "h": 3600 * 1_000_000,
    "m": 60 * 1_000_000,
    "s": 1_000_000,
    "ms": 1_000,
    "us": 1,
}
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
SECOND, MINUTE, HOUR, DAY = UNITS["s"], UNITS["m"], UNITS["h"], UNITS["d"]
LONGEST = 10_000 * 366 * DAY
"""No duration may be longer: ten thousand years, which keeps every instant in 64 bits."""

_CYCLE = 146_097 * DAY  # four hundred years, after which the calendar repeats itself
_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|w|d|h|m|s)", re.ASCII)
_ISO = re.compile(
    r"P(?:(?P<w>\d+)W)?(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d{1,6})?)S)?)?",
    re.ASCII,
)


def parse_duration(text: str) -> int:
    """Microseconds of `15m`, `6d 23h`, `1.5s` or `PT15M`.

    Raises ValueError, with a message for the author, on anything else, on fractions of a microsecond and beyond `LONGEST`.
    """
    if (iso := _ISO.fullmatch(text)) and any(iso.groups()):
        parts = [(number, unit) for unit, number in iso.groupdict().items() if number]
    else:
        words = text.split()
        matches = [_PART.fullmatch(word) for word in words]
        parts = [(match[1], match[2]) for match in matches if match]
        if not parts or len(parts) < len(words):
            raise ValueError(f"`{text}` is not a duration")
        if len({unit for _, unit in parts}) < len(parts):
            raise ValueError(f"`{text}` says a unit twice")
    total = sum(_scaled(number, unit, text) for number, unit in parts)
    if total > LONGEST:
        raise ValueError(f"`{text}` is longer than {format_duration(LONGEST)}")
    return total


def _scaled(number: str, unit: str, text: str) -> int:
    whole, _, fraction = number.partition(".")
    if len(whole) > 18:
        raise ValueError(f"`{text[:20]}…` is longer than {format_duration(LONGEST)}")
    scaled = int(whole) * UNITS[unit]
    if fraction:
        part, rest = divmod(int(fraction) * UNITS[unit], 10 ** len(fraction))
        if rest:
            raise ValueError(f"`{text}` is not a whole number of microseconds")
        scaled += part
    return scaled


def format_duration(microseconds: int) -> str:
    """`6d 23h`, the shortest form `parse_duration` reads back; weeks are written as days. Negative ones get a minus sign."""
    if microseconds < 0:
        return "-" + format_duration(-microseconds)
    parts = []
    for unit in ("d", "h", "m", "s", "ms", "us"):
        number, microseconds = divmod(microseconds, UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts) or "0s"


def format_instant(instant: int) -> str:
    """ISO 8601 in UTC: `2026-11-23T18:00:00Z`, with as many digits of the second as needed; `+12026-…` beyond the year 9999."""
    cycles, rest = divmod(instant, _CYCLE)
    moment = EPOCH + datetime.timedelta(microseconds=rest)
    year, text = moment.year + 400 * cycles, moment.isoformat()[4:].removesuffix("+00:00") + "Z"
    return f"{year:04}{text}" if 0 < year < 10_000 else f"{year:+06}{text}"


def parse_instant(text: str) -> int:
    """Microseconds since the epoch of an ISO 8601 date and time; without an offset it is UTC. Raises ValueError."""
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)
