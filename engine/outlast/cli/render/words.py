"""Small pieces of output: names, clauses, values and actions in words."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from outlast.expr import STRING, Type, Value, show
from outlast.plan import Coverage, Plan, clause_coverage, tables
from outlast.run.snapshot import Snapshot


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 state`, `2 states`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def heading(text: str) -> Text:
    """A heading inside an answer."""
    return Text(text, style="title")


def indented(renderable: RenderableType, by: int = 2) -> Padding:
    """The same, further to the right."""
    return Padding(renderable, (0, 0, 0, by))


def columns(*, widths: Sequence[int | None] = (), gap: int = 2) -> Table:
    """A grid without lines. A column of width None takes as much as it can use."""
    grid = Table.grid(padding=(0, gap, 0, 0), pad_edge=False)
    for width in widths:
        grid.add_column(width=width, overflow="fold")
    return grid


def pairs(rows: Iterable[tuple[str, RenderableType]], *, width: int | None = None) -> Table:
    """Names on the left, what they mean on the right."""
    grid = columns(widths=(width, None))
    for name, meaning in rows:
        grid.add_row(Text(name, style="quiet"), meaning)
    return grid


def joined(separator: str, parts: Iterable[Text]) -> Text:
    """The parts with a quiet separator between them, which does not colour them."""
    return Text.assemble((separator, "quiet")).join(parts)


def clause_lines(
    plan: Plan, ids: Sequence[str], *, width: int | None = None, known: Container[str] = ()
) -> RenderableType:
    """Each clause on a line of its own, with its words; those whose words the reader knows already, in one line."""
    grid = columns(widths=(width, None))
    for id_ in ids:
        if id_ not in known:
            clause = plan.clauses.get(id_)
            grid.add_row(Text(id_, style="clause", no_wrap=True), Text(clause.says if clause else "", style="quiet"))
    again = [id_ for id_ in ids if id_ in known]
    if again:
        return Group(grid, cited(again)) if grid.rows else cited(again)
    return grid if grid.rows else Text("no clause", style="quiet")


def cited(ids: Iterable[str]) -> Text:
    """The ids of clauses in a row."""
    return joined(", ", (Text(id_, style="clause") for id_ in ids))


def coverage_text(plan: Plan) -> str:
    """How the clauses are accounted for: `46/46 TIP (45 cited, 1 with a reason), 26/26 INF (all cited)`."""
    return ", ".join(map(_covered, clause_coverage(plan)))


def _covered(space: Coverage) -> str:
    done = len(space.cited) + len(space.referenced)
    reasons = f", {len(space.referenced)} with a reason" if space.referenced else ""
    how = "all cited" if len(space.cited) == space.total else f"{len(space.cited)} cited{reasons}"
    return f"{done}/{space.total} {space.namespace} ({how})"


def state_of(plan: Plan, snapshot: Snapshot) -> str:
    """The innermost active states in words."""
    return " + ".join(plan.machines[snapshot.machine].innermost(snapshot.configuration))


def payload_text(payload: Iterable[tuple[str, Value]], fields: Mapping[str, tables.Field]) -> str:
    """`{duration: 1h}`, or nothing."""
    parts = [f"{name}: {show(value, _type(fields, name))}" for name, value in payload]
    return f"{{{', '.join(parts)}}}" if parts else ""


def _type(fields: Mapping[str, tables.Field], name: str) -> Type:
    return fields[name].type if name in fields else STRING


def field_text(field: tables.Field) -> str:
    """A declaration in words: `duration from 15m to 90d, 7d unless given`."""
    words = [", ".join(field.type.words) if field.type.kind == "enum" else str(field.type)]
    if field.bounds != str(field.type):
        words[0] += f" {field.bounds}"
    if field.has_default:
        words.append(f"{show(field.default, field.type)} unless given")
    elif field.optional:
        words.append("may be absent")
    return "; ".join(words)


def block_text(block: tables.Block) -> str:
    """Actions in words, in order."""
    return "; ".join(map(action_text, block))


def action_text(action: tables.Action) -> str:
    """One action in words."""
    match action:
        case tables.Assign(field=field, value=value):
            return f"set {field.name} to {value}"
        case tables.Emit(effect=effect, payload=payload):
            return f"emit {effect}{_with(payload)}"
        case tables.Raise(event=event, payload=payload):
            return f"raise {event}{_with(payload)}"
        case tables.Send(event=event, to=to, after=after, payload=payload):
            return f"send {event}{_with(payload)} to {to}" + (f" after {after}" if after else "")
        case tables.Cancel(id=id_):
            return f"cancel {id_}"
        case tables.Spawn(ref=ref, machine=machine, fields=fields):
            return f"spawn {machine} as {ref}{_with(fields)}"
        case tables.Stop(ref=ref):
            return f"stop {ref}"
        case tables.If(condition=condition, then=then, otherwise=otherwise):
            other = f" else ({block_text(otherwise)})" if otherwise else ""
            return f"if {condition}: ({block_text(then)}){other}"


def _with(payload: tables.Payload) -> str:
    return f" {{{', '.join(f'{name}: {value}' for name, value in payload)}}}" if payload else ""
