"""What became of a table of cases, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from outlast.cli.shapes import Data
from outlast.plan import Plan
from outlast.proofs.conformance.judging import Result, by_clause
from outlast.proofs.conformance.reports import MARKS, counts, result_to_json
from outlast.proofs.coverage import Coverage

_STYLES = {"passed": "good", "failed": "bad", "not-strict": "doubt", "contested": "doubt", "unimplemented": "quiet"}


def summary(
    plan: Plan, results: Sequence[Result], coverage: Coverage | None, *, whole: bool
) -> Iterator[RenderableType]:
    """Failures, clauses, coverage, and a line for each implementation. `whole`: gaps are worth telling."""
    for result in results:
        if result.status not in ("passed", "unimplemented"):
            yield failure(result)
            yield Text()
    yield clauses(plan, results)
    yield Text()
    if whole:
        yield from gaps(plan, results, coverage)
    for runner in dict.fromkeys(result.runner for result in results):
        yield total(runner, [result for result in results if result.runner == runner])


def failure(result: Result) -> Text:
    """One case that does not hold, with its clauses and every difference."""
    head, *rest = result.lines()
    text = Text(f"{MARKS[result.status]} {head}", style=_STYLES[result.status])
    for line in rest:
        text.append(
            f"\n  {line}",
            style="quiet" if ": " in line and line.lstrip().split(":")[0] in result.case.plan.clauses else "default",
        )
    return text


def clauses(plan: Plan, results: Sequence[Result]) -> Table:
    """A row for each clause: how its cases did, over all implementations."""
    rows: list[tuple[Text, Text, Text]] = []
    for line in by_clause(plan, results):
        count = line.counts
        if not any(count.values()) and not line.excused:
            shown = Text("no case", style="doubt")
        elif line.excused:
            shown = Text("n/a", style="quiet")
        else:
            shown = Text(" ").join(
                Text(f"{number} {MARKS[status]}", style=_STYLES[status]) for status, number in count.items() if number
            )
        rows.append((Text(line.clause, style="clause"), shown, Text(line.excused or line.says, style="quiet")))
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    for column in (0, 1):
        table.add_column(width=max((len(row[column]) for row in rows), default=1), no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        table.add_row(*row)
    return table


def gaps(plan: Plan, results: Sequence[Result], coverage: Coverage | None) -> Iterator[Text]:
    """What of the document and of the rows no case shows."""
    lines = by_clause(plan, results)
    behaving = [line for line in lines if not line.excused]
    bare = [line.clause for line in behaving if not line.covered]
    yield _share("clauses", len(behaving) - len(bare), len(behaving), bare)
    if coverage is not None:
        rows, missing = coverage.rows, coverage.not_taken
        yield _share("rows", len(rows) - len(missing), len(rows), list(missing))
        possible, unseen = coverage.possible, coverage.not_seen
        yield _share("guard outcomes", len(possible) - len(unseen), len(possible), [str(item) for item in unseen])


def _share(what: str, covered: int, total: int, missing: list[str]) -> Text:
    text = Text(f"{covered} of {total} {what} covered", style="good" if covered == total else "doubt")
    for item in missing:
        text.append(f"\n  {item}", style="doubt")
    return text


def total(runner: str, results: Sequence[Result]) -> Text:
    """One line: an implementation and how many cases of each status."""
    count = counts(results)
    text = Text(f"{runner}: ", style="name")
    parts = [Text(f"{number} {status}", style=_STYLES[status]) for status, number in count.items() if number]
    return text.append_text(Text(", ").join(parts)).append(f" of {len(results)}", style="quiet")


def data(results: Sequence[Result]) -> Data:
    """What became of every case, as data: the form of `outlast test --json`."""
    runners = dict.fromkeys(result.runner for result in results)
    return {
        "ok": all(result.ok for result in results),
        "implementations": [
            {"implementation": runner, **counts([result for result in results if result.runner == runner])}
            for runner in runners
        ],
        "results": [result_to_json(result) for result in results],
    }
