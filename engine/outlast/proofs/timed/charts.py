"""A trace in forms for other readers: a case of a conformance table, and a message chart (Mermaid)."""

from __future__ import annotations

from collections.abc import Iterator

from outlast import model
from outlast.expr import render, show
from outlast.language.writer import write_scenario
from outlast.moments import format_duration
from outlast.plan import Plan
from outlast.proofs.timed.verdicts import Happening, Trace, Verdict


def case_table(plan: Plan, verdict: Verdict) -> str:
    """A suite of one case, which the system as it is passes: what happens in the run, and where everybody is at its end."""
    trace = verdict.trace
    assert trace is not None
    story = trace.scenario
    lines = [
        f"suite: {verdict.id}",
        f"title: {_quoted(verdict.says)}",
        f"system: {plan.name}",
        *_section(write_scenario(story), "constants"),
        *_section(write_scenario(story), "given"),
        "cases:",
        f"  - id: {verdict.id}-1",
        f"    title: {_quoted(trace.shown)}",
        f"    because: [{', '.join(verdict.because) or 'NONE'}]",
        "    steps:",
    ]
    for step in story.steps:
        at = format_duration(step.at)
        if isinstance(step, model.Happen):
            lines.append(f"      - {{at: {at}, happen: {{{step.machine} {step.name}: {step.row}}}}}")
        elif isinstance(step, model.Say):
            by = f", by: {step.by}" if step.by else ""
            refused = ", refused: true" if step.refused else ""
            lines.append(f"      - {{at: {at}, send: {{{step.machine} {step.name}: {_event(step)}}}{by}{refused}}}")
    seen = ", ".join(f"{one.machine} {one.name}: {_states(one)}" for one in story.expect)
    lines.append(f"      - {{at: {format_duration(trace.duration)}, then: {{{seen}}}}}")
    return "\n".join(lines) + "\n"


def _event(step: model.Say) -> str:
    if not step.payload:
        return str(step.event)
    return f"{{{step.event}: {{{', '.join(f'{name}: {render(value)}' for name, value in step.payload)}}}}}"


def _states(expected: model.Expectation) -> str:
    return expected.states[0] if len(expected.states) == 1 else f"{{state: [{', '.join(expected.states)}]}}"


def _section(text: str, key: str) -> Iterator[str]:
    """The lines of one section of a file."""
    inside = False
    for line in text.splitlines():
        inside = line.startswith(f"{key}:") or (inside and line.startswith(" "))
        if inside:
            yield line


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def message_chart(plan: Plan, trace: Trace) -> str:
    """Who says what to whom, and what that changes, as a Mermaid sequence diagram."""
    names: dict[str, str] = {}
    lines: list[str] = []
    for item in trace.happenings:
        for id_, machine in ((item.instance, item.machine), *((one.instance, one.machine) for one in item.changes)):
            if id_ not in names:
                names[id_] = f"i{len(names)}"
                lines.append(f"    participant {names[id_]} as {machine} {id_}")
    actors = dict.fromkeys(_speaker(item) for item in trace.happenings)
    aliases = {actor: f"a{number}" for number, actor in enumerate(actors)}
    lines = [*(f"    actor {alias} as {actor}" for actor, alias in aliases.items()), *lines]
    for item in trace.happenings:
        arrow = "->>" if item.refusal is None else "-x"
        lines.append(f"    {aliases[_speaker(item)]}{arrow}{names[item.instance]}: {_message(plan, item)}")
        for change in item.changes:
            words = f"{change.before or 'made'} → {change.after or 'gone'}"
            if change.before == change.after:
                words = ", ".join(f"{field}: {before} → {after}" for field, before, after in change.fields)
            lines.append(f"    Note over {names[change.instance]}: {words}")
    return "\n".join(["sequenceDiagram", *lines, f"    %% {trace.shown}"]) + "\n"


def _speaker(item: Happening) -> str:
    """Who brings it about: an actor, or time."""
    return "time" if item.cause != "event" else item.by or "outside"


def _message(plan: Plan, item: Happening) -> str:
    declared = plan.machines[item.machine].events.get(item.name)
    values = [f"{name} {show(value, declared.payload[name].type)}" for name, value in item.payload] if declared else []
    return f"{format_duration(item.at)} {item.name}" + (f" ({', '.join(values)})" if values else "")
