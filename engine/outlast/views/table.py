"""Tables in Markdown: what each event does in each state (empty cells are the holes), and every row with its clauses in words."""

from __future__ import annotations

from collections.abc import Iterable

from outlast.plan import Machine, Plan, State
from outlast.views.graph import Graph, Row, deed


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table; what is special to Markdown in a cell is escaped by `cell`."""
    header = list(header)
    lines = [header, ["---"] * len(header), *map(list, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def cell(text: str) -> str:
    """Text that stays text inside a cell."""
    for letter in "\\|*_`[]<>":
        text = text.replace(letter, {"<": "&lt;", ">": "&gt;"}.get(letter, "\\" + letter))
    return " ".join(text.split())


def code(text: str) -> str:
    """Text as code inside a cell."""
    return f"`{text.replace('|', chr(92) + '|').replace('`', chr(39))}`" if text else ""


def titled(state: State) -> str:
    """What people call a state."""
    return state.title or state.name


def matrix(machine: Machine, graph: Graph) -> str:
    """Triggers by states: where each leads. A row of a composite state shows in all of its states."""
    leaves = [state for state in machine.states if state.is_leaf]
    shown = {row.id: row for row in graph.rows if row.id}
    cells: dict[str, dict[int, list[str]]] = {}
    for row in machine.transitions:
        drawn = shown[row.id]
        goal = " and ".join(titled(machine.states[target]) for target in row.targets) or (
            "refused" if row.refuse else "stays"
        )
        text = cell(goal) + (f" *\\[{cell(drawn.guard)}\\]*" if drawn.guard else "")
        source = machine.states[row.source]
        for trigger in drawn.triggers:
            for leaf in leaves:
                if leaf is source or source.holds(leaf.index):
                    cells.setdefault(trigger, {}).setdefault(leaf.index, []).append(text)
    lines = (
        [code(trigger), *("<br>".join(found.get(leaf.index, ["·"])) for leaf in leaves)]
        for trigger, found in cells.items()
    )
    return markdown(["", *(cell(titled(leaf)) for leaf in leaves)], lines)


def transition_list(plan: Plan, machine: Machine, graph: Graph, *, clauses: str = "") -> str:
    """Every row once: from, trigger, guard, to, actions, and the clauses it rests on."""
    shown: dict[str, Row] = {row.id: row for row in graph.rows if row.id}
    sources: dict[str, list[str]] = {}
    for row in machine.transitions:
        sources.setdefault(row.id, []).append(titled(machine.states[row.source]))
    lines = []
    for name, froms in sources.items():
        drawn = shown[name]
        row = next(each for each in machine.transitions if each.id == name)
        goal = " and ".join(titled(machine.states[target]) for target in row.targets)
        does = "; ".join(deed(action, payload=True) for action in row.actions)
        because = "<br>".join(clause_link(plan, clause, clauses) for clause in row.because)
        goal = cell(goal) or (f"refused: {cell(row.refuse)}" if row.refuse else "stays")
        triggers = "<br>".join(map(code, drawn.triggers))
        lines.append(
            [
                f'<a id="{machine.name}-{name}"></a>{code(name)}',
                cell(", ".join(froms)),
                triggers,
                code(drawn.guard),
                goal,
                code(does),
                because,
            ]
        )
    return markdown(["rule", "from", "on", "when", "to", "does", "because"], lines)


def state_list(plan: Plan, machine: Machine, *, clauses: str = "") -> str:
    """Every state with what it is."""
    lines = []
    for state in machine.states:
        depth = "&nbsp;" * 4 * len(state.ancestors)
        does = [f"entry: {deed(action, payload=True)}" for block in state.entry for action in block]
        does += [f"exit: {deed(action, payload=True)}" for block in state.exit for action in block]
        does += [f"child: {deed(spawn, payload=True)}" for spawn in state.spawns]
        because = "<br>".join(clause_link(plan, clause, clauses) for clause in state.because)
        kind = "" if state.kind == "atomic" else state.kind
        lines.append(
            [
                f"{depth}**{cell(titled(state))}**",
                code(state.name),
                kind,
                cell(state.about),
                "<br>".join(map(code, does)),
                because,
            ]
        )
    return markdown(["state", "name", "kind", "what it is", "does", "because"], lines)


def clause_link(plan: Plan, clause: str, page: str) -> str:
    """A clause with its words, its id leading to the page of clauses."""
    words = plan.clauses[clause].says if clause in plan.clauses else ""
    return f"[{clause}]({page}#{clause})" + (f" {cell(words)}" if words else "")
