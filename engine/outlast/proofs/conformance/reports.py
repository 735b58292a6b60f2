"""Results as others read them: lines of JSON, JUnit, one page with a matrix of clauses and implementations, a badge."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from outlast.plan import Plan
from outlast.proofs.conformance.judging import STATUSES, Result, Status, by_clause

MARKS: Mapping[Status, str] = {
    "passed": "✓",
    "failed": "✗",
    "not-strict": "~",
    "contested": "?",
    "unimplemented": "-",
}
WORST: tuple[Status, ...] = ("failed", "not-strict", "contested", "unimplemented", "passed")


def counts(results: Iterable[Result]) -> dict[Status, int]:
    """How many of each status."""
    found: dict[Status, int] = dict.fromkeys(STATUSES, 0)
    for result in results:
        found[result.status] += 1
    return found


def result_to_json(result: Result) -> dict[str, object]:
    """One result as plain data; empty parts are left out."""
    case = result.case.case
    data: dict[str, object] = {
        "id": str(case.id),
        "runner": result.runner,
        "status": result.status,
        "level": case.level,
        "because": [str(clause) for clause in case.because],
        "title": case.title,
        "file": result.case.file,
        "line": case.place.line if case.place else None,
        "under": {str(name): str(reading) for name, reading in case.under},
        "differences": [
            {
                "at": difference.at,
                "about": difference.about,
                "wanted": difference.wanted,
                "seen": difference.seen,
                "line": difference.place.line if difference.place else None,
            }
            for difference in result.differences
        ],
        "reason": result.reason,
    }
    return {key: value for key, value in data.items() if value}


def jsonl(results: Iterable[Result]) -> str:
    """One result on a line."""
    return "".join(json.dumps(result_to_json(result)) + "\n" for result in results)


def junit(results: Sequence[Result]) -> str:
    """JUnit XML, with clauses and level as properties of each case."""
    count = counts(results)
    seconds = sum(result.seconds for result in results)
    numbers = f'tests="{len(results)}" failures="{count["failed"]}" skipped="{count["unimplemented"]}"'
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        "<testsuites>",
        f'<testsuite name="outlast" {numbers} errors="0" time="{seconds:.3f}">',
    ]
    for result in results:
        case = result.case.case
        line = case.place.line if case.place else 0
        head = f"name={_quoted(str(case.id))} classname={_quoted(result.runner)}"
        lines.append(
            f'<testcase {head} file={_quoted(result.case.file)} line="{line}" time="{result.seconds:.3f}"><properties>'
        )
        lines += [f'<property name="clause" value={_quoted(str(clause))}/>' for clause in case.because]
        lines.append(
            f'<property name="level" value="{case.level}"/><property name="status" value="{result.status}"/></properties>'
        )
        text = "\n".join(result.lines())
        if result.status == "failed":
            lines.append(f"<failure message={_quoted(_headline(result))}>{escape(text, quote=False)}</failure>")
        elif result.status == "unimplemented":
            lines.append(f"<skipped message={_quoted(result.reason)}/>")
        lines.append("</testcase>")
    return "\n".join([*lines, "</testsuite>", "</testsuites>"]) + "\n"


def _quoted(text: str) -> str:
    """As an attribute, in which XML would read a line end as a blank."""
    return '"' + escape(text).replace("\n", "&#10;") + '"'


def _headline(result: Result) -> str:
    return str(result.differences[0]) if result.differences else result.reason


def badge(results: Sequence[Result]) -> str:
    """An SVG badge: how many of the cases that could be judged hold."""
    count = counts(results)
    judged = len(results) - count["unimplemented"]
    says = f"{count['passed']} of {judged}" if judged else "nothing judged"
    colour = "#b42318" if count["failed"] else "#98690c" if count["passed"] < judged or not judged else "#2f7d32"
    left, right = 92, 14 + 7 * len(says)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="conformance: {says}">'
        f'<rect width="{left + right}" height="20" rx="3" fill="{colour}"/><path d="M3 0h{left - 3}v20H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="#444"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle">'
        f'<text x="{left / 2:g}" y="14">conformance</text><text x="{left + right / 2:g}" y="14">{says}</text></g></svg>\n'
    )


# ---- the matrix

_STYLE = """
:root { --ink: #1c2430; --quiet: #667085; --line: #d5dae1; --paper: #fff; --stripe: #f6f8fa;
  --good: #2f7d32; --bad: #b42318; --doubt: #98690c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e8ee; --quiet: #98a2b3; --line: #39424f; --paper: #14181f; --stripe: #1b212a;
  --good: #6cc070; --bad: #ff8a80; --doubt: #e0b04c; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } p, .quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--line); }
thead th { position: sticky; top: 0; background: var(--paper); }
tbody tr:nth-child(odd) { background: var(--stripe); }
td.cell, th.cell { text-align: center; white-space: nowrap; width: 6rem; }
.passed { color: var(--good); } .failed { color: var(--bad); font-weight: 600; }
.not-strict, .contested { color: var(--doubt); } .unimplemented { color: var(--quiet); }
details summary { cursor: pointer; } pre { white-space: pre-wrap; font-size: .85rem; background: var(--stripe); padding: .6rem; }
"""


def html(plan: Plan, results: Sequence[Result]) -> str:
    """One page: a row for each clause, a column for each implementation, and what failed below."""
    runners = list(dict.fromkeys(result.runner for result in results))
    of = {name: [result for result in results if result.runner == name] for name in runners}
    lines = {name: {line.clause: line for line in by_clause(plan, of[name])} for name in runners}
    title = f"Conformance: {plan.title or plan.name}"
    head = "".join(f'<th class="cell" scope="col">{escape(name)}</th>' for name in runners)
    rows = []
    for clause in plan.clauses.values():
        cells = "".join(_cell(lines[name][clause.id].counts, clause.reference) for name in runners)
        rows.append(
            f'<tr id="{escape(clause.id)}"><th scope="row">{escape(clause.id)}</th><td>{escape(clause.says)}</td>{cells}</tr>'
        )
    totals = "".join(f'<td class="cell">{_total(of[name])}</td>' for name in runners)
    failed = [result for result in results if result.status == "failed"]
    below = "".join(
        f"<details open><summary>{escape(str(result.case.case.id))} <span class=failed>in {escape(result.runner)}</span></summary>"
        f"<pre>{escape(chr(10).join(result.lines()))}</pre></details>"
        for result in failed
    )
    legend = ", ".join(f'<span class="{status}">{MARKS[status]}</span> {status}' for status in STATUSES)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n"
        f"<p>Each cell counts the cases that name the clause and hold, of those that were judged. {legend}.</p>\n"
        f'<table><thead><tr><th scope="col">clause</th><th scope="col">what the document says</th>{head}</tr></thead>\n'
        f"<tbody>\n{chr(10).join(rows)}\n</tbody>\n<tfoot><tr><th>all cases</th><td></td>{totals}</tr></tfoot></table>\n"
        + (f"<h2>What failed</h2>\n{below}\n" if failed else "")
        + "</body></html>\n"
    )


def _cell(count: Mapping[Status, int], excused: str) -> str:
    total = sum(count.values())
    if not total:
        why = f' title="{escape(excused, quote=True)}"' if excused else ""
        return f'<td class="cell unimplemented"{why}>{"n/a" if excused else "no case"}</td>'
    worst = next(status for status in WORST if count[status])
    if worst == "unimplemented" and count["passed"]:
        worst = "passed"
    judged = total - count["unimplemented"]
    shown = f"{MARKS[worst]} {count['passed']}/{judged}" if judged else MARKS["unimplemented"]
    spoken = ", ".join(f"{number} {status}" for status, number in count.items() if number)
    return f'<td class="cell {worst}" title="{spoken}">{shown}</td>'


def _total(results: Sequence[Result]) -> str:
    count = counts(results)
    return f"{count['passed']}/{len(results) - count['unimplemented']}"
