"""Instants without an end: found at once, and named; what a run shows before is shown all the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from outlast.proofs.timed import check
from outlast.proofs.timed.standstill import LONGEST
from tests.proofs.lamps import planned

BLINKING = """
machine: lamp
fields: {{count: {{type: int, default: 0}}}}
events: {{start: {{by: hand}}, kick: {{by: hand}}}}
states: {{dark: {{}}, lit: {{}}, dim: {{}}, broken: {{}}}}
transitions:
  - {{id: on, from: dark, event: start, to: lit}}
  - {{id: kick, from: dark, event: kick, to: broken}}
  - {{id: there, from: lit, after: {there}, to: dim{do}}}
  - {{id: back, from: dim, within: {back}, to: lit}}
"""
ROUND = "time stands still: what has no duration goes round: a there -> a back"
ON = "time stands still: what has no duration goes on and on: a back -> a there -> a back -> a there"
COUNTED = ", do: [{set: {count: count + 1}}]"
ROWS = [  # durations, what is done, claim, outcome, reason
    ("0us", "0us", "", "never: count > 0", "undetermined", ROUND),
    ("0us", "0us", "", "while: self is lit, never-longer-than: 1m", "undetermined", ROUND),
    ("0us", "0us", "", "reachable: count > 0", "undetermined", ROUND),
    ("0us", "0us", "", "never: self is broken", "refuted", "at 0s `self is broken` holds for `a`"),
    ("0us", "0us", "", "never: self is dim", "undetermined", ROUND),
    ("0us", "0us", COUNTED, "never: count < 0", "undetermined", ON),
    ("0us", "0us", COUNTED, "while: self is lit, never-longer-than: 1m", "undetermined", ON),
    ("0us", "1us", "", "never: count > 0", "proved", ""),
    ("0us", "0us", ", when: count > 0", "never: count > 0", "proved", ""),
]


@pytest.mark.parametrize(("there", "back", "do", "claim", "outcome", "reason"), ROWS)
def test_an_instant_without_an_end(
    tmp_path: Path, there: str, back: str, do: str, claim: str, outcome: str, reason: str
) -> None:
    """Two timers of no duration arm each other: nothing later is ever reached."""
    if do.startswith(", when"):
        lamp = BLINKING.format(there=f"{there}{do}", back=back, do="")
    else:
        lamp = BLINKING.format(there=there, back=back, do=do)
    plan = planned(tmp_path, f"  - {{id: p, of: lamp, {claim}, says: So.}}", lamp=lamp)
    (verdict,) = check(plan)

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.statistics.zones < 3 * LONGEST
