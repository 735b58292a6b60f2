"""Mermaid, for READMEs: a reduced overview of a machine, and a story as a sequence diagram. Reduced, so that nothing in it is wrong.

Mermaid has no history states and no arrows between the insides of two composites; an arrow is drawn between the outermost boxes
that do not hold both ends, which is true, if less exact. The whole is in the SVG and in the tables.
"""

from __future__ import annotations

from collections.abc import Iterator

from outlast.moments import format_duration
from outlast.run import Run
from outlast.views.graph import Graph


def overview(graph: Graph) -> str:
    """A `stateDiagram-v2`: states, their nesting, and the triggers that lead from one to another."""
    return "\n".join(["stateDiagram-v2", *_inside(graph, "", "    ")]) + "\n"


def _inside(graph: Graph, parent: str, indent: str) -> Iterator[str]:
    children = [box for box in graph.boxes if box.parent == parent]
    regions = [box for box in children if box.kind == "region"]
    for box in children:
        if box.kind == "start" or box in regions:
            continue
        title = {"shallow-history": "H", "deep-history": "H*"}.get(box.kind, box.title)
        yield f'{indent}state "{_quoted(title)}" as {_id(box.name)}'
        if box.contains and any(other.parent == box.name for other in graph.boxes):
            yield f"{indent}state {_id(box.name)} {{"
            yield from _inside(graph, box.name, indent + "    ")
            yield f"{indent}}}"
    for index, region in enumerate(regions):
        if index:
            yield f"{indent}--"
        yield from _inside(graph, region.name, indent)
    for (source, target), triggers in _arrows(graph, parent).items():
        label = f": {_quoted(', '.join(triggers))}" if triggers else ""
        yield f"{indent}{source} --> {target}{label}"
    for box in children:
        if box.kind == "final":
            yield f"{indent}{_id(box.name)} --> [*]"


def _arrows(graph: Graph, parent: str) -> dict[tuple[str, str], list[str]]:
    """The arrows whose two ends, lifted, are both children of `parent`."""
    kinds = {box.name: box.kind for box in graph.boxes}
    found: dict[tuple[str, str], list[str]] = {}
    for arrow in graph.arrows:
        for source in arrow.sources:
            for target in arrow.targets:
                one, two = (source, *graph.around(source)), (target, *graph.around(target))
                home = next((name for name in one if name in two), "")
                if home != parent:
                    continue
                ends = (_below(one, home), _below(two, home))
                if "region" in (kinds[ends[0]], kinds[ends[1]]):
                    continue  # from one region into another: Mermaid has no way to say it
                begin = "[*]" if kinds[ends[0]] == "start" else _id(ends[0])
                said = found.setdefault((begin, _id(ends[1])), [])
                said += [word for row in arrow.rows for word in row.triggers if word not in said]
    return found


def _below(chain: tuple[str, ...], home: str) -> str:
    """The one of a chain of boxes, innermost first, that stands directly in `home`."""
    return chain[chain.index(home) - 1] if home else chain[-1]


def sequence(run: Run) -> str:
    """A `sequenceDiagram` of a story: what is said to whom, what is observed, and what becomes of everybody."""
    lines = ["sequenceDiagram"]
    seen = dict.fromkeys(moment.step.instance for moment in run.moments)
    outside = any(moment.said and moment.step.event for moment in run.moments)
    if outside:
        lines.append("    actor outside as outside")
    lines += [f"    participant {_id(name)} as {_quoted(name)}" for name in seen]
    for moment in run.moments:
        step, name = moment.step, _id(moment.step.instance)
        machine = run.plan.machines[step.after.machine]
        when = format_duration(moment.at)
        if step.cause == "event" and step.event:
            sender = step.event.sender
            source = _id(sender) if sender in seen else "outside"
            if source == "outside" and not outside:
                continue
            if not (step.microsteps or step.refusal):
                continue
            lines.append(
                f"    {source}->>{name}: {when} {_quoted(step.event.name)}" + (" (refused)" if step.refusal else "")
            )
        elif step.cause == "timer" and step.timer:
            lines.append(f"    Note over {name}: {when} {_quoted(machine.arrows[step.timer].trigger)}")
        entered = [state for state in step.entered if state in machine.numbers and machine.state(state).is_leaf]
        if entered:
            lines.append(
                f"    Note over {name}: {_quoted(' and '.join(machine.state(state).title or state for state in entered))}"
            )
    return "\n".join(lines) + "\n"


def _id(name: str) -> str:
    return "s_" + "".join(letter if letter.isalnum() else "_" for letter in name)


def _quoted(text: str) -> str:
    """Text that Mermaid takes as text."""
    return (
        text.replace('"', "'")
        .replace(":", "#colon;")
        .replace(";", "#59;")
        .replace("#colon#59;", "#colon;")
        .replace("\n", " ")
    )
