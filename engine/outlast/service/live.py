"""The explorer following a real instance: its journal as a story that the walker in the page tells again, and goes on telling as it grows.

Beside the instance stand those it has to do with: whom its refs lead to, whom those lead to, and who refers to it, up to a number.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import TypeAlias

from outlast import model
from outlast.errors import UnknownName
from outlast.plan import Plan
from outlast.service.pictures import Pictures
from outlast.store.interface import Backend, Reading
from outlast.store.records import Decision
from outlast.values import frozen
from outlast.views.explorer import explorer
from outlast.views.explorer.page import shortened
from outlast.views.explorer.program import source

JsonObject: TypeAlias = dict[str, object]
MOST = 30
"""Instances beside the one."""
LONGEST = 2_000
"""Decisions of each that are told again, the first ones."""
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


@frozen
class Page:
    """A page and what it may load."""

    text: str
    policy: str


def page(plan: Plan, stories: Mapping[str, model.Scenario], pictures: Pictures, instance: str | None) -> Page:
    """The explorer; with an instance, following it. Raises MisuseError where the walker cannot do what the plan says."""
    text = explorer(plan, [] if instance is not None else stories.values(), pictures.machines())
    found = _SCRIPT.search(text)
    assert found is not None
    script = found[1]
    if instance is not None:
        begin = shortened(source("begin.js"))
        assert begin in script
        script = script.replace(begin, shortened((files(__package__) / "follow.js").read_text("utf-8")))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    text = text.replace(found[0], f"<script>{script}</script>")
    return Page(_META.sub("", text, count=1), policy)


def story_of(plan: Plan, backend: Backend, instance: str) -> JsonObject:
    """What was said to an instance and those beside it, from the beginning, as a story: `steps`, and the `states` each is in now.

    Raises UnknownName.
    """
    with backend.reading() as reading:
        told = _beside(plan, reading, instance)
        gone = {row.id for row in reading.instances(told) if row.snapshot is None}
    steps = sorted((step for one in told.values() for step in one.steps), key=lambda step: step.order)
    begin = steps[0].at if steps else 0
    return {
        "name": "live",
        "title": f"Live: {instance}",
        "about": f"What really happened to {instance} and those it has to do with, told again here as it goes on.",
        "begin": begin,
        "given": [],
        "steps": [{"at": step.at - begin, **step.said} for step in steps],
        "latest": max((one.latest for one in told.values()), default=begin) - begin,
        "states": {name: list(one.states) for name, one in told.items() if name not in gone},
    }


@frozen
class _Step:
    at: int
    order: tuple[int, int, int]
    said: JsonObject


@frozen
class _Told:
    """What one instance adds to the story."""

    steps: tuple[_Step, ...]
    refs: frozenset[str]
    latest: int
    states: tuple[str, ...]


def _beside(plan: Plan, reading: Reading, instance: str) -> dict[str, _Told]:
    """The instance and up to `MOST` others: along refs first, since its decisions rest on those; then against them."""
    rows = reading.instances([instance])
    if not rows:
        raise UnknownName("instance", instance)
    found: dict[str, _Told] = {}
    _along(reading, found, instance)
    for machine in plan.machines.values():
        for ref in machine.refs.values():
            if ref.machine == rows[0].machine:
                for other in reading.referring([instance], (ref.name, machine.name))[:MOST]:
                    if len(found) <= MOST:
                        _along(reading, found, other.instance)
    return found


def _along(reading: Reading, found: dict[str, _Told], name: str) -> None:
    """Add an instance and whoever refs lead to."""
    waiting = [name]
    while waiting:
        here = waiting.pop()
        if here not in found:
            found[here] = told = _told(reading, here)
            waiting += sorted(told.refs)


def _told(reading: Reading, name: str) -> _Told:
    rows = reading.history(name, 0, LONGEST)
    steps: list[_Step] = []
    refs: set[str] = set()
    for row in rows:
        if row.cause == "start":
            first = reading.turn(row.turn)[0]
            parts = _made(first)
            if name not in parts:
                refs.add(first.instance)  # which led to its making, and will again
            else:
                refs |= {str(to) for to in _refs(parts[name]).values() if to is not None}
                order = (row.at, row.turn, _rank(parts, name))
                steps.append(_Step(row.at, order, {"new": _part(name, parts[name])}))
        elif row.cause == "event" and row.is_input:
            steps.append(_Step(row.at, (row.at, row.turn, 0), {"send": _said(row)}))
    return _Told(tuple(steps), frozenset(refs), rows[-1].at, rows[-1].states)


def _said(row: Decision) -> JsonObject:
    event = row.said["event"]
    said = {"instance": row.instance, "event": event["name"], "payload": event.get("payload", {})}
    return said | ({"by": event["by"]} if event.get("by") else {})


def _made(row: Decision) -> dict[str, JsonObject]:
    """The instances an input made, by name."""
    said = row.said
    return said.get("begun") or ({row.instance: said["made"]} if "made" in said else {})


def _refs(part: JsonObject) -> Mapping[str, object]:
    refs = part.get("refs")
    assert isinstance(refs, dict)
    return refs


def _rank(parts: Mapping[str, JsonObject], name: str, depth: int = 0) -> int:
    """How long a chain of refs leads on from an instance among those made with it: whoever is referred to comes first."""
    if depth > len(parts):
        return depth
    return max((1 + _rank(parts, str(to), depth + 1) for to in _refs(parts[name]).values() if to in parts), default=0)


def _part(name: str, part: JsonObject) -> JsonObject:
    refs = {ref: to for ref, to in _refs(part).items() if to is not None}
    state = {"state": part["state"]} if part.get("state") else {}
    return {"machine": part["machine"], "instance": name, **state, "fields": part["fields"], "refs": refs}
