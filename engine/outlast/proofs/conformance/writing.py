"""A suite as text: made from the model, or an author's own in canonical form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from outlast import model
from outlast.expr import render, tree
from outlast.language.grammar import RECORDS
from outlast.language.shapes import Use
from outlast.language.writer import format_as
from outlast.moments import format_duration
from outlast.proofs.conformance.cases import Case, CaseStep, Claim, Suite, Then
from outlast.proofs.conformance.grammar import CASE_RECORDS
from outlast.proofs.conformance.reading import read_suite

Data: TypeAlias = dict[str, Any]  # what `json` can write


def format_suite(text: str, file: str = "") -> str:
    """The same suite, written in YAML, in canonical form; comments stay. Raises SpecError if the text has problems."""
    return format_as(text, file, Use("suite"), read_suite, {**RECORDS, **CASE_RECORDS})


def write_suite(suite: Suite) -> str:
    """The text of a suite in YAML; it reads back as the same suite. Every case has what it is given, and its `bounds` if they differ."""
    bounds = {case.bounds for case in suite.cases}
    common = bounds.pop() if len(bounds) == 1 else None
    head = {"suite": suite.name, "title": suite.title, "about": suite.about, "system": suite.system, "bounds": common}
    lines = [f"{key}: {_flow(value)}" for key, value in head.items() if value]
    lines.append("cases:")
    for case in suite.cases:
        lines += _case(case, "" if common else case.bounds or "")
    return format_suite("\n".join(lines) + "\n")


def _case(case: Case, bounds: str) -> Iterator[str]:
    yield f"  - id: {_flow(case.id)}"
    if case.title:
        yield f"    title: {_flow(case.title)}"
    yield f"    because: {_flow(list(case.because))}"
    if case.level and case.level != "must":
        yield f"    level: {case.level}"
    if case.under:
        yield f"    under: {_flow(dict(case.under))}"
    if case.constants:
        yield f"    constants: {_flow(_values(case.constants))}"
    if bounds:
        yield f"    bounds: {bounds}"
    if case.tolerance is not None:
        yield f"    tolerance: {format_duration(case.tolerance)}"
    if case.given:
        yield "    given:"
        for one in case.given:
            yield f"      {one.machine} {one.name}: {_flow(_given(one))}"
    yield "    steps:"
    for step in case.steps:
        yield f"      - {_flow(_step(step))}"


def _step(step: CaseStep) -> Data:
    found: Data = {"at": format_duration(step.at)}
    match step.cue:
        case model.Say() as say:
            found["send"] = {f"{say.machine} {say.name}": _said(say.event, say.payload)}
            found |= {"by": say.by} if say.by else {}
        case model.Make(given=given):
            found["new"] = {f"{given.machine} {given.name}": _given(given)}
        case model.Happen() as happen:
            found["happen"] = {f"{happen.machine} {happen.name}": happen.row}
        case None:
            pass
    found |= {"refused": True} if step.refused else {}
    return found | ({"then": _then(step.then)} if step.then != Then() else {})


def _then(then: Then) -> Data:
    found: Data = {f"{claim.machine} {claim.name}": _claim(claim) for claim in then.claims}
    if then.effects is not None:
        found["effects"] = [_said(name, payload) for name, payload in then.effects]
    return found | ({"absent": list(then.gone)} if then.gone else {})


def _claim(claim: Claim) -> object:
    found: Data = {"state": _one_or_many(claim.states)} if claim.states else {}
    found |= {"either": list(claim.either)} if claim.either else {}
    found |= {"not": list(claim.outside)} if claim.outside else {}
    found |= _values(claim.values)
    if claim.deadlines:
        found["deadlines"] = {name: format_duration(at) for name, at in claim.deadlines}
    found |= {"unarmed": _one_or_many(claim.unarmed)} if claim.unarmed else {}
    found |= {"absent": _one_or_many(claim.absent)} if claim.absent else {}
    if claim.within:
        found["within"] = [format_duration(at) for at in claim.within]
    if claim.why:
        why = {"transition": claim.why.transition, "clause": claim.why.clause}
        found["why"] = {key: word for key, word in why.items() if word}
    return str(claim.states[0]) if set(found) == {"state"} and len(claim.states) == 1 else found


def _one_or_many(words: Iterable[str]) -> object:
    words = list(words)
    return words[0] if len(words) == 1 else words


def _given(given: model.Given) -> Data:
    return ({"state": given.state} if given.state else {}) | _values(given.values)


def _said(name: str, payload: model.Assignments) -> object:
    return {name: _values(payload)} if payload else name


def _values(values: model.Assignments) -> Data:
    found: Data = {}
    for name, expr in values:
        plain = isinstance(expr, tree.Literal) and expr.name is None and isinstance(expr.value, int)
        number = plain and (isinstance(expr.value, bool) or expr.type == tree.INT)  # type: ignore[union-attr]  # a literal
        found[str(name)] = expr.value if number else render(expr)  # type: ignore[union-attr]  # a literal
    return found


def _flow(value: object) -> str:
    """As JSON, which is YAML; the canonical form takes away what quotes are not needed."""
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_flow(key)}: {_flow(item)}" for key, item in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(_flow, value)) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)
