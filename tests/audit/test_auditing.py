"""What an audit finds in small logs, and what it must not find: a row for each."""

from __future__ import annotations

import gzip
import io
from typing import Any

import attrs
import pytest

from outlast.moments import MINUTE
from outlast.proofs.audit.auditing import Audit
from outlast.proofs.audit.findings import Finding
from outlast.proofs.audit.lines import LONGEST, Unreadable
from tests.audit.logs import as_bytes, audited, cloud, job, mapping, plan, shown, status, training

Log = list[dict[str, Any] | bytes]

IN = cloud("0m", "user.signed-in", user="ana")
OUT = cloud("3h", "user.signed-out", user="ana")
ON_BACKGROUND: Log = [IN, job("1h"), training("1h 30s"), OUT]
"""Its background session ends at 7d 1h."""
NO_BACKGROUND = cloud("30m", "identity-center.background-disabled", instance="acme")
ON_SIGN_IN: Log = [IN, NO_BACKGROUND, job("1h"), training("1h 30s")]
"""Its user's session ends at 8h."""
LIMITED: Log = [IN, job("1h", maxRuntimeInSeconds=3600), training("1h 30s")]
"""It is stopped at 2h 30s."""
WRITTEN = cloud("2d", "job.checkpoint-written", job="train")
LIMITED_AT_WORK = training("1h")
LIMITED_AT_WORK["detail"]["StoppingCondition"] = {"MaxRuntimeInSeconds": 3600}
LATER = cloud("40d", "user.signed-in", user="ben")
OFF: Log = [
    cloud("4d", "domain.tip-disabled", domain="ds"),
    cloud("4d 1h", "identity-center.background-disabled", instance="acme"),
]

ROWS: list[tuple[str, Log, list[str]]] = [
    ("fails at once", [*ON_BACKGROUND, status("7d 1h", "Failed"), LATER], []),
    ("fails within the grace period", [*ON_BACKGROUND, status("7d 1h 14m", "Failed"), LATER], []),
    ("fails at its very end", [*ON_BACKGROUND, status("7d 1h 15m", "Failed"), LATER], []),
    ("fails within the tolerance", [*ON_BACKGROUND, status("7d 1h 16m", "Failed"), LATER], []),
    ("fails a second after that", [*ON_BACKGROUND, status("7d 1h 16m 1s", "Failed"), LATER], ["late? 5 train"]),
    ("fails long after", [*ON_BACKGROUND, status("7d 1h 50m", "Failed"), LATER], ["late 5 train"]),
    ("never fails", [*ON_BACKGROUND, LATER], ["missing - train"]),
    ("the log ends before it must fail", [*ON_BACKGROUND, cloud("7d 1h 16m", "user.signed-in", user="ben")], []),
    ("the log ends just after", [*ON_BACKGROUND, cloud("7d 1h 18m", "user.signed-in", user="ben")], ["missing - train"]),
    ("goes on for too long", [*ON_BACKGROUND, training("7d 1h 20m"), status("7d 2h", "Completed"), LATER], ["overdue 5 train"]),
    ("is missing, then seen: one fault", [*ON_BACKGROUND, training("7d 5h"), status("7d 6h", "Completed"), LATER], ["missing - train"]),
    ("goes on in the grace period", [*ON_BACKGROUND, training("7d 1h 15m 50s"), status("7d 1h 16m", "Failed"), LATER], []),
    ("finishes in the grace period", [*ON_BACKGROUND, status("7d 1h 15m 40s", "Completed"), LATER], []),
    ("fails by itself at any time", [*ON_BACKGROUND, status("2d", "Failed"), LATER], []),
    ("has the user's session", [*ON_SIGN_IN, cloud("3h", "user.signed-out", user="ana"), status("3h 10m", "Failed")], []),
    ("outlives the user's session", [*ON_SIGN_IN, cloud("3h", "user.signed-out", user="ana"), LATER], ["missing - train"]),
    ("outlives its end by itself", [*ON_SIGN_IN, LATER], ["missing - train"]),
    ("is stopped when due", [*LIMITED, status("2h 30s", "Stopped", "MaxRuntimeExceeded")], []),
    ("is stopped a little early", [*LIMITED, status("1h 59m 30s", "Stopped", "MaxRuntimeExceeded")], []),
    ("is stopped a little late", [*LIMITED, status("2h 1m 30s", "Stopped", "MaxRuntimeExceeded")], []),
    ("is stopped too early", [*LIMITED, status("1h 59m 29s", "Stopped", "MaxRuntimeExceeded")], ["early 4 train"]),
    ("is stopped too late", [*LIMITED, status("2h 1m 31s", "Stopped", "MaxRuntimeExceeded")], ["late 4 train"]),
    ("is not stopped", [*LIMITED, LATER], ["missing - train"]),
    ("finishes instead", [*LIMITED, status("2h 30m", "Completed")], ["overdue 4 train"]),
    ("finishes a moment after", [*LIMITED, status("2h 1m 20s", "Completed")], []),
    ("stops by a limit it has not", [IN, job("1h"), training("1h 1m"), status("2h", "Stopped", "MaxRuntimeExceeded")], ["impossible 4 train"]),
    ("is stopped on request", [*LIMITED, status("1h 40m", "Stopping"), status("1h 42m", "Stopped")], []),
    ("lives again", [IN, job("1h"), status("2h", "Completed"), training("3h"), status("4h", "Completed")], ["impossible 4 train"]),
    ("starts without a user", [job("1h", user="unknown"), training("1h 1m"), status("9h", "Completed")], ["refused 2 train"]),
    ("starts just as the user leaves", [IN, job("1h"), cloud("2h", "user.signed-out", user="ana"), training("2h 30s"), status("9h", "Completed")], []),
    ("starts well after the user left", [IN, job("1h"), cloud("2h", "user.signed-out", user="ana"), training("2h 2m"), status("9h", "Completed")], ["refused 4 train"]),
    ("may run too long", [IN, job("1h", maxRuntimeInSeconds=29 * 86_400)], ["refused 2 train"]),
    ("signs out twice", [IN, OUT, cloud("4h", "user.signed-out", user="ana")], []),
    ("signs out when the session has ended", [IN, cloud("9h", "user.signed-out", user="ana")], ["refused 2 ana"]),
    ("signs out as it ends", [IN, cloud("8h 50s", "user.signed-out", user="ana")], []),
    ("sets a duration", [cloud("1h", "identity-center.background-duration", instance="acme", minutes=15)], []),
    ("sets one out of range", [cloud("1h", "identity-center.background-duration", instance="acme", minutes=14)], ["refused 1 acme"]),
    ("loses its background session too early", [*ON_BACKGROUND, cloud("2d", "background-session.expired", job="train"), status("2d 5m", "Failed")], ["early 5 train.background"]),
    ("loses it when due", [*ON_BACKGROUND, cloud("7d 1h 20s", "background-session.expired", job="train"), status("7d 1h 9m", "Failed")], []),
    ("has it taken away", [*ON_BACKGROUND, cloud("2d", "background-session.revoked", job="train"), status("2d 5m", "Failed")], []),
    ("has it taken away and goes on", [*ON_BACKGROUND, cloud("2d", "background-session.revoked", job="train"), LATER], ["missing - train"]),
    ("tells of a session nobody has", [*LIMITED, status("2h", "Completed"), cloud("3h", "background-session.expired", job="train")], ["unreadable 5"]),
    ("is first seen at work", [training("1h"), status("2d", "Completed")], []),
    ("is first seen at work, long after its start", [LIMITED_AT_WORK, status("1h 10m", "Stopped", "MaxRuntimeExceeded")], []),
    ("is first seen at work, and not stopped", [LIMITED_AT_WORK, LATER], ["missing - train"]),
    ("goes on too long, though it could be restarted", [*ON_BACKGROUND, WRITTEN, cloud("7d", "user.signed-in", user="ana"), training("7d 1h 20m"), status("7d 2h", "Completed"), LATER], ["overdue 7 train"]),
    ("is restarted", [*ON_BACKGROUND, WRITTEN, status("7d 1h 5m", "Failed"), cloud("8d", "user.signed-in", user="ana"), training("8d 1h"), status("8d 2h", "Completed"), LATER], []),
    ("is first seen at its end", [status("1h", "Failed")], []),
    ("is seen before it is submitted", [IN, training("59m 40s"), job("1h"), OUT, status("7d 1h 30m", "Failed"), LATER], ["late 5 train"]),
    ("keeps its session under one reading", [*ON_BACKGROUND, *OFF, status("6d", "Completed"), LATER], ["missing? - train"]),
    ("fails under either", [*ON_BACKGROUND, *OFF, status("4d 1h 10m", "Failed"), LATER], []),
    ("finishes though only its start was missed", [IN, job("1h"), status("2h", "Completed")], []),
]  # fmt: skip


@pytest.mark.parametrize(("log", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_rows(log: Log, expected: list[str]) -> None:
    """An audit finds what the document does not allow, once, and nothing else."""
    reports, _ = audited(log)

    assert [shown(report) for report in reports] == expected


def test_a_finding_says_what_was_allowed() -> None:
    """What was seen, the clause, the interval, and by how much."""
    (finding,), _ = audited([*ON_BACKGROUND, status("7d 1h 17m 4s", "Failed"), LATER])

    assert isinstance(finding, Finding)
    assert finding.says == "`failed` 17m 4s after its background became expired: `grace-over` allows 15m"
    assert finding.clauses == ("TIP-32", "TIP-44", "TIP-28")
    assert finding.latest is not None
    assert (finding.latest - (finding.earliest or 0), (finding.seen or 0) - finding.latest) == (
        15 * MINUTE,
        124_000_000,
    )


def test_a_refusal_says_why() -> None:
    """The rows that were asked, each with what its guard saw."""
    (finding,), _ = audited([job("1h", user="unknown"), training("1h 1m")])

    assert isinstance(finding, Finding)
    assert finding.clauses == ("INF-04",)
    assert "start-background: `session is signed-in` is false: session is signed-out" in finding.why
    assert "start-unsigned: refuses the event" in finding.why


def test_a_contested_finding_names_its_readings() -> None:
    """A violation that is none under another reading says under which; and there it is none."""
    log: Log = [*ON_BACKGROUND, *OFF, status("6d", "Completed"), LATER]
    (finding,), totals = audited(log)

    assert isinstance(finding, Finding)
    assert (finding.contested, totals.violations, totals.contested) == (("A-02=pin", "A-15=edge"), 0, 1)
    assert audited(log, under=plan(A_02="pin"))[0] == []
    assert audited(log, under=plan(A_15="edge"))[0] == []


# ---- the log itself

BROKEN: list[tuple[bytes, str]] = [
    (b"\xff{}", "byte 1 of the line (0xff) is not UTF-8"),
    (b"{", "it is not JSON: expecting property name enclosed in double quotes at column 2"),
    (b"[" * 100_000, "it is not JSON we can read: it nests too deep"),
    (b'{"a": ' + b"9" * 5000 + b"}", "it is not JSON we can read: a number is too long"),
    (b"17", "it is JSON, but no object"),
    (b"{}", "it has neither `specversion` (CloudEvents) nor `detail-type` (EventBridge)"),
    (b'{"specversion": "0.3"}', "it is a CloudEvent of another version than 1.0"),
    (b'{"specversion": "1.0"}', "it has no `source`"),
    (b'{"specversion": "1.0", "source": 1}', "its `source` is no text"),
    (b'{"specversion": "1.0", "source": "s", "id": "1", "type": "t", "time": "noon"}', "its `time` is no date and time"),
    (b'{"specversion": "1.0", "source": "s", "id": "1", "type": "t"}', "no rule knows the type `t`"),
    (b'{"specversion": "1.0", "source": "s", "id": "1", "type": "user.signed-in", "data": {"user": "a"}}', "it has no `time`"),
    (as_bytes([cloud("1h", "user.signed-in")]).strip(), "`/data/user`, the name of the instance, is no text"),
    (as_bytes([job("1h", maxRuntimeInSeconds="long")]).strip(), "`/data/maxRuntimeInSeconds` is not a whole number"),
    (as_bytes([status("1h", "Resting")]).strip(), "no rule fits this line of type `SageMaker Training Job State Change`"),
    (as_bytes([cloud("1h", "job.checkpoint-written", job="ghost") | {"time": "2026"}]).strip(), "its `time` is no date and time"),
    (b"x" * (LONGEST + 1), f"the line is longer than {LONGEST:,} bytes"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), BROKEN, ids=[reason[:40] for _, reason in BROKEN])
def test_unreadable_lines(line: bytes, reason: str) -> None:
    """A line that says nothing is reported with its number and why; the others count."""
    reports, totals = audited([IN, line, OUT])

    assert reports == [Unreadable(2, reason)]
    assert (totals.lines, totals.told, totals.unreadable) == (3, 2, 1)


def test_duplicates_and_disorder() -> None:
    """A line that is delivered again or a little late changes nothing; one that comes too late is told, and noted."""
    again, early = ON_BACKGROUND[2], cloud("2h 58m", "job.checkpoint-written", job="train")
    late = cloud("2h", "job.checkpoint-written", job="train")
    reports, totals = audited([*ON_BACKGROUND, again, early, again, late, status("7d 2h", "Failed"), LATER])

    assert [shown(report) for report in reports] == ["too-late 8", "late 9 train"]
    assert (totals.duplicates, totals.disordered, totals.late) == (2, 1, 1)
    assert isinstance(reports[1], Finding)
    assert reports[1].notes == ("what line 8 tells of `train` came too late to be used",)


def test_several_events_for_one_change() -> None:
    """A service may say the same under different ids."""
    twice = [status("2h", "Completed"), status("2h", "Completed") | {"id": "another"}, status("2h 9m", "Completed")]
    reports, totals = audited([IN, job("1h"), training("1h 1m"), *twice])

    assert (reports, totals.repeats, totals.duplicates) == ([], 2, 0)


def test_a_gap_is_counted() -> None:
    """Numbers that are missing where a source counts its lines; and what can only have happened between two lines."""
    numbered = [
        line | {"sequence": number} for line, number in zip([IN, job("1h"), OUT], ("7", "9", "12"), strict=True)
    ]
    reports, totals = audited([*numbered, status("4h", "Completed", name="train")])

    assert [shown(report) for report in reports] == ["refused 4 train"]
    assert totals.lost == 3


def test_a_clock_that_leaps() -> None:
    """One line with a time far ahead does not make all others late; several that agree are believed."""
    ahead = cloud("9000d", "user.signed-in", user="zoe")
    reports, totals = audited([*ON_BACKGROUND, ahead, status("7d 1h 5m", "Failed")])
    followed, _ = audited(
        [*ON_BACKGROUND, status("7d 1h 5m", "Failed"), ahead, cloud("9001d", "user.signed-out", user="zoe")]
    )

    assert [shown(report) for report in reports] == ["unreadable 5"]
    assert totals.late == 0
    assert [shown(report) for report in followed] == ["refused 7 zoe"]


@pytest.mark.parametrize("cut", [None, -20])
def test_compressed(cut: int | None) -> None:
    """A log may be compressed; what comes before its damaged end counts."""
    lines = as_bytes([*ON_BACKGROUND, *(cloud(f"{day}d", "user.signed-in", user=f"u{day}") for day in range(1, 5000))])
    audit = Audit(plan(), mapping(), io.BytesIO(gzip.compress(lines)[:cut]))
    reports = [report for report in audit if not isinstance(report, Finding)]

    assert len(reports) == (0 if cut is None else 1)
    assert audit.totals.told > 3_000


def test_without_tolerance_times_are_exact() -> None:
    """The tolerance is the mapping's."""
    exact = attrs.evolve(mapping(), tolerance=0)
    on_time, _ = audited([*LIMITED, status("2h 30s", "Stopped", "MaxRuntimeExceeded")], by=exact)
    off, _ = audited([*LIMITED, status("2h 31s", "Stopped", "MaxRuntimeExceeded")], by=exact)

    assert [on_time, [shown(report) for report in off]] == [[], ["late 4 train"]]
