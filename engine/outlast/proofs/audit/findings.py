"""What an audit reports: violations with what was allowed and what was seen, lines that could not be used, and the sums."""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

from outlast.moments import format_instant
from outlast.proofs.audit.lines import Unreadable
from outlast.values import frozen

Kind: TypeAlias = Literal["late", "missing", "overdue", "early", "impossible", "refused"]
"""`late`: a change came after its last moment. `missing`: it never came. `overdue`: after that moment, what should be over was still seen.
`early`: an exact moment had not come yet. `refused`: an event or a beginning that the document refuses. `impossible`: nothing leads there."""


@frozen
class Finding:
    """A violation. `line` is None for what should have come and did not. Instants in microseconds since the epoch."""

    kind: Kind
    at: int
    line: int | None
    instance: str
    machine: str
    says: str
    clauses: tuple[str, ...] = ()
    earliest: int | None = None
    latest: int | None = None
    seen: int | None = None
    why: tuple[str, ...] = ()
    """The rows that were asked, each with its verdict."""
    contested: tuple[str, ...] = ()
    """The readings under which this is no violation, as `A-02=pin`."""
    notes: tuple[str, ...] = ()


@frozen
class Late:
    """A line that came when its time was over: not used, so that what it tells may be missing."""

    line: int
    at: int
    instance: str


@attrs.define
class Totals:
    """What became of the lines."""

    lines: int = 0
    told: int = 0
    """Lines that began an instance or told an event."""
    seen: int = 0
    """Lines that told a state."""
    repeats: int = 0
    """Lines among these that told what was known already."""
    duplicates: int = 0
    disordered: int = 0
    """Lines that came out of order and were put in their place."""
    late: int = 0
    unreadable: int = 0
    ignored: int = 0
    adopted: int = 0
    """Instances met in the middle of their life."""
    inferred: int = 0
    """States that can only have been reached by way of one that no line tells."""
    lost: int = 0
    """Numbers that are missing where a source counts its lines."""
    violations: int = 0
    contested: int = 0
    """Violations that are none under another reading, counted beside the others."""
    instances: int = 0
    """The most that were held at once."""
    first: int | None = None
    last: int | None = None


def finding_to_json(finding: Finding) -> dict[str, object]:
    """A finding as plain data; instants in ISO 8601; empty parts are left out."""

    def instant(value: int | None) -> str | None:
        return None if value is None else format_instant(value)

    data: dict[str, object] = {
        "report": "finding",
        "kind": finding.kind,
        "line": finding.line,
        "at": instant(finding.at),
        "machine": finding.machine,
        "instance": finding.instance,
        "says": finding.says,
        "clauses": list(finding.clauses),
        "expected": {
            key: text
            for key, value in (("from", finding.earliest), ("to", finding.latest))
            if (text := instant(value)) is not None
        },
        "seen": instant(finding.seen),
        "why": list(finding.why),
        "contested": list(finding.contested),
        "notes": list(finding.notes),
    }
    return {key: value for key, value in data.items() if value not in (None, [], {})}


def line_to_json(report: Late | Unreadable) -> dict[str, object]:
    """A line that was not used, as plain data."""
    if isinstance(report, Late):
        at = format_instant(report.at)
        return {"report": "late", "line": report.line, "at": at, "instance": report.instance}
    return {"report": "unreadable", "line": report.line, "reason": report.reason}


def totals_to_json(totals: Totals) -> dict[str, object]:
    """The sums as plain data."""
    data: dict[str, object] = {"report": "totals", **attrs.asdict(totals)}
    for key, value in (("first", totals.first), ("last", totals.last)):
        data[key] = None if value is None else format_instant(value)
    return data
