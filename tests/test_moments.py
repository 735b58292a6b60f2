"""Durations and instants: what is read, what is printed, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast.moments import (
    DAY,
    HOUR,
    LONGEST,
    MINUTE,
    SECOND,
    format_duration,
    format_instant,
    parse_duration,
    parse_instant,
)

DURATIONS = [  # text     microseconds            printed
    ("0s", 0, "0s"),
    ("10us", 10, "10us"),
    ("500ms", 500_000, "500ms"),
    ("90s", 90 * SECOND, "1m 30s"),
    ("1.5s", 1_500_000, "1s 500ms"),
    ("15m", 15 * MINUTE, "15m"),
    ("8h", 8 * HOUR, "8h"),
    ("2w", 14 * DAY, "14d"),
    ("6d 23h", 6 * DAY + 23 * HOUR, "6d 23h"),
    ("23h 6d", 6 * DAY + 23 * HOUR, "6d 23h"),
    ("PT15M", 15 * MINUTE, "15m"),
    ("P7D", 7 * DAY, "7d"),
    ("P1DT0.000001S", DAY + 1, "1d 1us"),
    ("3660000d", LONGEST, "3660000d"),
]


@pytest.mark.parametrize(("text", "microseconds", "printed"), DURATIONS)
def test_durations(text: str, microseconds: int, printed: str) -> None:
    """A duration is so many microseconds, and is printed in its shortest form."""
    read = parse_duration(text)

    assert (microseconds, printed) == (read, format_duration(read))


NO_DURATIONS = [
    ("", "`` is not a duration"),
    ("15", "`15` is not a duration"),
    ("15 m", "`15 m` is not a duration"),
    ("-15m", "`-15m` is not a duration"),
    ("15M", "`15M` is not a duration"),
    ("6d23h", "`6d23h` is not a duration"),
    ("P1M", "`P1M` is not a duration"),
    ("P1Y", "`P1Y` is not a duration"),
    ("P", "`P` is not a duration"),
    ("PT", "`PT` is not a duration"),
    ("١٥m", "`١٥m` is not a duration"),
    ("1h 2h", "`1h 2h` says a unit twice"),
    ("0.5us", "`0.5us` is not a whole number of microseconds"),
    ("1.0000001s", "`1.0000001s` is not a whole number of microseconds"),
    ("3660001d", "`3660001d` is longer than 3660000d"),
    ("9" * 5000 + "d", f"`{'9' * 20}…` is longer than 3660000d"),
]


@pytest.mark.parametrize(("text", "message"), NO_DURATIONS)
def test_no_durations(text: str, message: str) -> None:
    """What is no duration is refused in words."""
    with pytest.raises(ValueError, match=r".+") as refused:
        parse_duration(text)

    assert message == str(refused.value)


@given(st.integers(0, LONGEST))
def test_durations_come_back(microseconds: int) -> None:
    """Every duration is read back as it was printed."""
    assert microseconds == parse_duration(format_duration(microseconds))


def test_negative_durations_are_printed() -> None:
    """A difference may be negative; it has one sign."""
    assert "-1h 30m" == format_duration(-90 * MINUTE)


INSTANTS = [
    ("1970-01-01T00:00:00Z", 0),
    ("2026-11-23T18:00:00Z", 1_795_456_800_000_000),
    ("2026-11-23T18:00:00.000001Z", 1_795_456_800_000_001),
    ("1969-12-31T23:59:59Z", -SECOND),
]


@pytest.mark.parametrize(("text", "instant"), INSTANTS)
def test_instants(text: str, instant: int) -> None:
    """An instant is printed in UTC, and read back."""
    assert (instant, text) == (parse_instant(text), format_instant(instant))


@pytest.mark.parametrize("text", ["2026-11-23T19:00:00+01:00", "2026-11-23T18:00:00", "2026-11-23 18:00"])
def test_instants_with_offsets(text: str) -> None:
    """An offset counts; without one, it is UTC."""
    assert 1_795_456_800_000_000 == parse_instant(text)


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01"])
def test_no_instants(text: str) -> None:
    """What is no date and time is refused."""
    with pytest.raises(ValueError, match=r".+"):
        parse_instant(text)


OUT_OF_THE_CALENDAR = [
    (parse_instant("9999-12-31T23:59:59") + SECOND, "+10000-01-01T00:00:00Z"),
    (parse_instant("9600-02-29") + 146_097 * DAY, "+10000-02-29T00:00:00Z"),
    (parse_instant("0001-01-01") - DAY, "+00000-12-31T00:00:00Z"),
]


@pytest.mark.parametrize(("instant", "text"), OUT_OF_THE_CALENDAR)
def test_instants_out_of_the_calendar(instant: int, text: str) -> None:
    """A long timer may be due when years have five digits: that is printed, not a crash."""
    assert text == format_instant(instant)
