"""A long log of an organisation that keeps to the document, but for what was planted: an audit finds exactly that, in bounded memory."""

from __future__ import annotations

import gc
import io
from collections import Counter
from collections.abc import Iterator
from types import FunctionType, ModuleType

import attrs
import pytest

from outlast.moments import DAY, HOUR
from outlast.proofs.audit.auditing import Audit
from outlast.proofs.audit.findings import Finding, Late
from outlast.proofs.audit.lines import Unreadable
from outlast.proofs.audit.mapping import Mapping
from tests.audit.logs import mapping, plan
from tests.audit.organisation import Organisation, Spoiler, ids, written


class Pipe:
    """A log that can be read once, from front to back."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self.lines, self.rest = lines, b""

    def read(self, size: int = -1) -> bytes:
        """As a file's."""
        while len(self.rest) < size and (line := next(self.lines, None)) is not None:
            self.rest += line + b"\n"
        data, self.rest = self.rest[:size], self.rest[size:]
        return data


def test_twenty_five_violations_in_100_000_lines() -> None:
    """Those that were planted are found, each once, each at its line, and no other; every line is accounted for."""
    organisation = Organisation(seed=1, lines=99_000, users=300)
    organisation.run()
    spoiler = Spoiler(organisation)
    spoiler.all_of_them()
    lines, mishaps = written(organisation, seed=1)
    names = dict(ids(lines))

    audit = Audit(plan(), mapping(), Pipe(iter(lines)))  # type: ignore[arg-type]  # all that is asked of it is to be read
    reports = list(audit)

    found = [report for report in reports if isinstance(report, Finding)]
    seen = [(finding.kind, finding.instance, names[finding.line] if finding.line else "") for finding in found]
    assert (len(lines) >= 100_000, len(spoiler.expected)) == (True, 25)
    assert sorted(spoiler.expected) == sorted(seen)
    assert Counter(late=4, missing=3, overdue=6, early=4, impossible=3, refused=5) == Counter(
        kind for kind, _, _ in seen
    )

    totals = audit.totals
    late = [names[report.line] for report in reports if isinstance(report, Late)]
    unreadable = [lines[report.line - 1] for report in reports if isinstance(report, Unreadable)]
    assert (sorted(mishaps.late), mishaps.unreadable) == (sorted(late), unreadable)
    assert (mishaps.duplicates, mishaps.lost, mishaps.ignored) == (totals.duplicates, totals.lost, totals.ignored)
    used = totals.told + totals.seen
    assert len(lines) == totals.lines == used + totals.duplicates + totals.ignored + totals.late + totals.unreadable

    auditor = audit.auditor
    assert auditor is not None
    assert len(organisation.jobs) > 3 * totals.instances
    horizon = (totals.last or 0) - 8 * DAY
    recent = sum(job.ended > horizon or not job.end for job in organisation.jobs.values()) + 400
    assert len(auditor.roll.tracked) <= recent
    assert len(auditor.system.world) <= 2 * recent
    assert len(auditor.recent) <= 64
    assert len(audit.seen.ids) < len(lines) / 10
    assert len(auditor.system._population.watchers.referrers) <= 2 * recent


@pytest.mark.parametrize("seed", [2, 3])
def test_nothing_is_found_where_nothing_is_wrong(seed: int) -> None:
    """An organisation that keeps to the document is left alone, whatever its clock, its bus and its administrators do."""
    organisation = Organisation(seed, lines=4_000, users=20)
    organisation.run()
    lines, _ = written(organisation, seed)
    reports = list(Audit(plan(), mapping(), io.BytesIO(b"\n".join(lines))))

    assert [report for report in reports if isinstance(report, Finding)] == []


def test_memory_does_not_grow_with_the_log() -> None:
    """A log four times as long needs little more, once it is longer than what the mapping says to remember."""
    organisation = Organisation(seed=4, lines=2_400, users=4)
    organisation.run()
    lines, _ = written(organisation, seed=4)
    forgetful = attrs.evolve(mapping(), remember=HOUR, idle=6 * HOUR)

    def held(count: int, rules: Mapping) -> int:
        audit = Audit(plan(), rules, Pipe(iter(lines[:count])))  # type: ignore[arg-type]  # as above
        for _ in audit:
            pass
        return reachable(audit)

    few, many, all_of_it = held(600, forgetful), held(2_400, forgetful), held(2_400, mapping())
    assert many - few < (all_of_it - few) / 5


def reachable(root: object) -> int:
    """How many objects somebody holds, with those that they hold, but for code."""
    code = (type, ModuleType, FunctionType)
    seen, left = {id(root): root}, [root]
    while left:
        found = {id(item): item for item in gc.get_referents(*left) if not isinstance(item, code)}
        left = [item for key, item in found.items() if key not in seen]
        seen |= found
    return len(seen)


def test_the_organisation_is_eventful() -> None:
    """Otherwise finding nothing would mean little."""
    organisation = Organisation(seed=2, lines=4_000, users=20)
    organisation.run()
    jobs = organisation.jobs.values()

    assert {job.end for job in jobs} == {"completed", "failed", "stopped", "max-runtime"}
    assert {job.bound for job in jobs} >= {"running-background", "running-interactive"}
    assert sum(job.lost > 0 for job in jobs) > 20
    assert (organisation.now - min(job.submitted for job in jobs)) > 20 * 24 * HOUR
