"""What a check found, as JUnit XML: the form that build servers show as tests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from outlast.cli.render.outcomes import Outcome, relative, told
from outlast.errors import Problem
from outlast.place import place_of
from outlast.proofs.timed.verdicts import Trace, Verdict

# What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(outcomes: Sequence[Outcome]) -> str:
    """A suite for each system: a case for each machine and for the rest of the system, and one for each property."""
    suites = [[*_cases(outcome)] for outcome in outcomes]
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    for outcome, cases in zip(outcomes, suites, strict=True):
        failures, errors = (sum(f"<{kind} " in case for case in cases) for kind in ("failure", "error"))
        head = f'name={_quoted(_plain(outcome.name))} tests="{len(cases)}" failures="{failures}" errors="{errors}"'
        seconds = sum(verdict.statistics.seconds for verdict in outcome.verdicts)
        lines += [f'<testsuite {head} skipped="0" time="{seconds:.3f}">', *cases, "</testsuite>"]
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _cases(outcome: Outcome) -> Iterator[str]:
    rest = list(outcome.found.problems)
    for machine, file in _files(outcome):
        own = [problem for problem in rest if problem.place and problem.place.file == file]
        rest = [problem for problem in rest if problem not in own]
        yield _case(outcome, "lint", machine, file, 1, _judged(own))
    yield _case(outcome, "lint", "system", "", 0, _judged(rest))
    for verdict in outcome.verdicts:
        place, name = verdict.place, f"{verdict.id} ({verdict.composition})"
        at, line, seconds = place.file if place else "", place.line if place else 0, verdict.statistics.seconds
        yield _case(outcome, "property", name, at, line, _proved(verdict), seconds)


def _files(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """(machine, its file). A system that cannot be compiled has files only, as far as something is wrong in them."""
    if outcome.found.plan:
        for machine in outcome.found.plan.source.machines:
            place = place_of(machine.name)
            yield str(machine.name), place.file if place else ""
    else:
        files = dict.fromkeys(problem.place.file for problem in outcome.found.problems if problem.place)
        yield from ((Path(file).stem, file) for file in files)


def _case(
    outcome: Outcome, kind: str, name: str, file: str, line: int, body: Iterable[str], seconds: float = 0.0
) -> str:
    head = f"classname={_quoted(_plain(f'{outcome.name}.{kind}'))} name={_quoted(_plain(name))}"
    where = f" file={_quoted(_plain(str(relative(file))))}" + (f' line="{line}"' if line else "") if file else ""
    return "".join((f'<testcase {head}{where} time="{seconds:.3f}">', *body, "</testcase>"))


def _judged(problems: Sequence[Problem]) -> Iterator[str]:
    """Errors fail a case; warnings are only told."""
    errors = [problem for problem in problems if problem.severity == "error"]
    warnings = [problem for problem in problems if problem.severity == "warning"]
    if errors:
        message, kind = _plain(f"{errors[0].code}: {errors[0].text}"), _quoted(errors[0].code)
        text = "\n".join(map(Problem.pretty, errors))
        yield f"<failure type={kind} message={_quoted(message)}>{escape(_plain(text), quote=False)}</failure>"
    if warnings:
        yield f"<system-out>{escape(_plain(chr(10).join(map(Problem.pretty, warnings))), quote=False)}</system-out>"


def _proved(verdict: Verdict) -> Iterator[str]:
    """What is refuted fails; what is undetermined is an error: it is no pass, and nothing was shown to be wrong."""
    properties = {"outcome": verdict.outcome, "kind": verdict.kind, "says": verdict.says}
    pairs = [*properties.items(), *(("clause", clause) for clause in verdict.because)]
    shown = "".join(f'<property name="{name}" value={_quoted(_plain(value))}/>' for name, value in pairs if value)
    yield f"<properties>{shown}</properties>"
    if not verdict.ok:
        tag = "failure" if verdict.outcome == "refuted" else "error"
        text = escape(_plain("\n".join(_lines(verdict.trace)) if verdict.trace else verdict.reason), quote=False)
        yield f'<{tag} type="{verdict.outcome}" message={_quoted(_plain(verdict.reason))}>{text}</{tag}>'


def _lines(trace: Trace) -> Iterator[str]:
    yield trace.shown
    yield from map(told, trace.happenings)


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def _quoted(text: str) -> str:
    """As the value of an attribute, where a bare line end would be read as a blank."""
    return '"' + escape(text).replace("\n", "&#10;").replace("\t", "&#9;") + '"'
