"""What values look like in a notebook: `outlast.show(value)`, or every value by itself after `%load_ext outlast`.

Plans and machines are pictures, stories are timelines, systems and instances are tables, a step and an explanation say why. Each also
has a plain text, which is all there is on a terminal. Without Graphviz the pictures of machines are left out, and a line says so.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from typing import Protocol, TypeAlias

from outlast.errors import MisuseError, UnknownName
from outlast.expr import show as shown_value
from outlast.moments import format_duration
from outlast.plan import Machine, Plan
from outlast.run import Explanation, Instance, Run, Step, System, explain
from outlast.values import frozen
from outlast.views.arrange import WIDEST, WIDEST_WIRING, arrange
from outlast.views.dot import DotMissing
from outlast.views.graph import Graph, machine_graph, wiring_graph
from outlast.views.lanes import lanes
from outlast.views.svg import Mark, Marks, renamed, svg
from outlast.views.timeline import timeline

Bundle: TypeAlias = dict[str, str]
"""MIME type -> text."""
Showable: TypeAlias = Plan | Run | System | Instance | Step | Explanation


@frozen(eq=False)
class Shown:
    """A value ready to be displayed: `bundle` has its forms by MIME type, and `text/plain` is always among them."""

    bundle: Bundle

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> Bundle:  # noqa: ARG002  # IPython's signature
        return dict(self.bundle)

    def __str__(self) -> str:
        return self.bundle["text/plain"]

    __repr__ = __str__


def show(value: Showable, machine: str | None = None) -> Shown:
    """A value as a notebook displays it; of a plan, one machine only. Raises UnknownName, MisuseError for what has no display."""
    if isinstance(value, Plan):
        return Shown(_plan(value, machine))
    for kind, bundle in _BUNDLES.items():
        if isinstance(value, kind):
            return Shown(bundle(value))
    raise MisuseError(
        f"a {type(value).__name__} has no display: show a plan, run, system, instance, step or explanation"
    )


class _Formatter(Protocol):
    def for_type(self, kind: type, function: Callable[..., Bundle]) -> object: ...


class _DisplayFormatter(Protocol):
    @property
    def mimebundle_formatter(self) -> _Formatter: ...


class Shell(Protocol):
    """As much of IPython as is needed."""

    @property
    def display_formatter(self) -> _DisplayFormatter:
        """What decides how values are displayed."""


def load_ipython_extension(shell: Shell) -> None:
    """`%load_ext outlast`: from now on values display themselves."""
    formatter = shell.display_formatter.mimebundle_formatter
    for kind, bundle in {Plan: _plan, **_BUNDLES}.items():
        formatter.for_type(kind, _displaying(bundle))


def _displaying(bundle: Callable[..., Bundle]) -> Callable[..., Bundle]:
    def display(value: object, include: object = None, exclude: object = None) -> Bundle:  # noqa: ARG001  # IPython's signature
        return bundle(value)

    return display


# ---- one function for each kind of value


def _plan(plan: Plan, machine: str | None = None) -> Bundle:
    if machine is not None and machine not in plan.machines:
        raise UnknownName("machine", machine, plan.machines)
    names = [machine] if machine else list(plan.machines)
    wiring = wiring_graph(plan)
    graphs = [wiring] if machine is None and wiring.arrows else [machine_graph(plan, name) for name in names]
    lines = [f"{plan.name}: {plan.title}" if plan.title else plan.name]
    for name in names:
        found = plan.machines[name]
        rows = len({row.id for row in found.transitions})
        lines.append(f"  {name}: {len(found.states)} states, {rows} rules")
    return _bundle(lines, "".join(_picture(graph) for graph in graphs))


def _run(run: Run) -> Bundle:
    story = lanes(run)
    verdicts = [f"  {verdict.about}: {verdict.seen} ({verdict.status})" for verdict in run.verdicts]
    return _bundle([story.title, *verdicts], _numbered(timeline(story)))


def _system(system: System) -> Bundle:
    rows = [_row_of(instance) for instance in system.instances]
    head = f"{system.plan.name} at {format_duration(system.now)}"
    lines = [
        head,
        *(f"  {name}: {machine} in {state}{f', {due}' if due else ''}" for name, machine, state, due in rows),
    ]
    return _bundle(lines, _heading(head) + _table(("instance", "machine", "state", "timers"), rows))


def _instance(instance: Instance) -> Bundle:
    name, machine, state, due = _row_of(instance)
    fields = {name: shown_value(value, instance.machine.fields[name].type) for name, value in instance.fields.items()}
    bound = {ref: other or "nobody" for ref, other in instance.refs.items()}
    facts = {"state": state, "timers": due or "none", **fields, **bound}
    head = f"{name}: {machine}"
    marks = Marks(boxes=dict.fromkeys(instance.states, Mark("hot")), rest=Mark("cold"))
    picture = _picture(machine_graph(instance.system.plan, machine), marks)
    lines = [head, *(f"  {fact}: {value}" for fact, value in facts.items())]
    return _bundle(lines, _heading(head) + _table((), facts.items()) + picture)


def _step(step: Step) -> Bundle:
    machine = step.plan.machines[step.after.machine]
    before, after = (_innermost(machine, each.configuration) for each in (step.before, step.after))
    outcome = (
        f"refused: {step.refusal}"
        if step.refusal
        else f"{before or 'begins'} → {after}"
        if before != after
        else f"stays in {after}"
    )
    what = step.event.name if step.event else step.timer or step.cause
    head = f"{step.instance}: {what}, {outcome}"
    facts = {
        "rules": ", ".join(step.taken),
        "clauses": ", ".join(step.clauses),
        "effects": ", ".join(map(str, step.effects)),
        "timers": ", ".join(_due(machine, timer.key, timer.latest - step.at) for timer in step.deadlines),
    }
    facts = {name: value for name, value in facts.items() if value}
    why = _explanation(explain(step)) if step.event else {"text/html": ""}
    lines = [head, *(f"  {name}: {value}" for name, value in facts.items())]
    return _bundle(lines, _heading(head) + _table((), facts.items()) + why["text/html"])


def _explanation(why: Explanation) -> Bundle:
    rows = [(each.id, str(each).partition(": ")[2], ", ".join(each.because)) for each in why.candidates]
    head = f"{why.event} at {why.instance}: " + ("accepted" if why.accepted else f"refused: {why.refusal}")
    offers = "" if why.accepted else _heading(f"accepted now: {', '.join(map(str, why.offers)) or 'nothing'}")
    return _bundle(str(why).splitlines(), _heading(head) + _table(("rule", "why", "clauses"), rows) + offers)


_BUNDLES: Mapping[type, Callable[..., Bundle]] = {
    Run: _run,
    System: _system,
    Instance: _instance,
    Step: _step,
    Explanation: _explanation,
}


# ---- pieces

_NUMBERS = count(1)


def _row_of(instance: Instance) -> tuple[str, str, str, str]:
    now = instance.system.now
    due = ", ".join(_due(instance.machine, timer.key, timer.latest - now) for timer in instance.deadlines)
    return instance.id, instance.machine.name, instance.state, due


def _due(machine: Machine, key: str, left: int) -> str:
    return f"{machine.arrows[key].id} in {format_duration(left)}"


def _innermost(machine: Machine, configuration: tuple[str, ...]) -> str:
    return " + ".join(machine.innermost(configuration))


def _picture(graph: Graph, marks: Marks | None = None) -> str:
    try:
        found = arrange(graph, widest=WIDEST_WIRING if graph.name == "wiring" else WIDEST)
        return _numbered(svg(found, marks=marks, clauses=None))
    except DotMissing as missing:
        return f"<p><em>{html.escape(str(missing))}</em></p>"


def _numbered(picture: str) -> str:
    """The next picture of the notebook, which is one page: no id of it stands in another."""
    return renamed(picture, f"picture-{next(_NUMBERS)}-")


def _bundle(lines: Iterable[str], page: str) -> Bundle:
    return {"text/plain": "\n".join(lines), "text/html": page}


def _heading(text: str) -> str:
    return f"<p><strong>{html.escape(text)}</strong></p>"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{html.escape(word)}</th>" for word in header)
    body = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>" if body else ""
