"""The difference of two versions of a machine as one graph: what is there now, and in its place, ghosted, what is gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from outlast.errors import UnknownName
from outlast.plan.difference import Difference
from outlast.views.graph import Arrow, Graph, Row, machine_graph
from outlast.views.svg import SIGNS, Mark, MarkKind, Marks

LEGEND: tuple[tuple[MarkKind, str], ...] = (("added", "new"), ("removed", "gone"), ("changed", "changed"))
BEFORE = " (before)"
"""Behind the name of a row that leads elsewhere now, where it led before."""
_SHOWN = ("event", "after", "within", "done", "when", "do", "refuse")
"""The parts of a row whose old words are written under the new ones."""
_MOVED = ("from", "to")


def changed_machines(found: Difference) -> tuple[str, ...]:
    """The machines of either plan in which something differs, in the order of the new one."""
    touched = {change.machine or change.name for change in found.changes if change.machine or change.kind == "machine"}
    touched |= {each.machine for each in found.affected if each.machine}
    return tuple(name for name in dict.fromkeys((*found.new.machines, *found.old.machines)) if name in touched)


def changes_graph(found: Difference, machine: str) -> tuple[Graph, Marks]:
    """Both versions of a machine in one graph, and what to mark in it. Raises UnknownName."""
    if machine not in found.new.machines and machine not in found.old.machines:
        raise UnknownName("machine", machine, dict.fromkeys((*found.new.machines, *found.old.machines)))
    graphs = [machine_graph(plan, machine) for plan in (found.old, found.new) if machine in plan.machines]
    merging = _Merging(found, machine, graphs[0], graphs[-1])
    return merging.graph(), merging.marks()


class _Merging:
    def __init__(self, found: Difference, machine: str, old: Graph, new: Graph) -> None:
        self.old, self.new = old, new
        self.states = found.of("state", machine)
        self.rows = dict(found.of("transition", machine))
        self.whole = found.of("machine").get(machine)
        self.affected = {
            each.name: each.through for each in found.affected if (each.kind, each.machine) == ("transition", machine)
        }

    def graph(self) -> Graph:
        boxes = [attrs.evolve(box, rows=tuple(self.after(box.rows))) for box in self.new.boxes]
        names = [box.name for box in boxes]
        arrows = {arrow.name: attrs.evolve(arrow, rows=tuple(self.after(arrow.rows))) for arrow in self.new.arrows}
        if self.old is not self.new:
            for index, box in enumerate(self.old.boxes):
                rows = tuple(self.before(box.rows, self.new_rows(box.name)))
                if box.name in names:
                    at = names.index(box.name)
                    boxes[at] = attrs.evolve(boxes[at], rows=boxes[at].rows + rows)
                else:
                    at = names.index(self.old.boxes[index - 1].name) + 1 if index else 0
                    boxes.insert(at, attrs.evolve(box, rows=rows))
                    names.insert(at, box.name)
            for arrow in self.old.arrows:
                self.keep(arrow, arrows)
        subtitle = f"{self.new.subtitle} · what has changed"
        return attrs.evolve(
            self.new,
            subtitle=subtitle,
            boxes=tuple(boxes),
            arrows=tuple(arrows.values()),
            says={**self.old.says, **self.new.says},
        )

    def new_rows(self, box: str) -> tuple[Row, ...]:
        return next((each.rows for each in self.new.boxes if each.name == box), ())

    def keep(self, arrow: Arrow, arrows: dict[str, Arrow]) -> None:
        """What an arrow carried that is gone from it."""
        there = next((each.rows for each in self.new.arrows if each.name == arrow.name), None)
        rows = tuple(self.before(arrow.rows, there or ()))
        if there is not None:
            arrows[arrow.name] = attrs.evolve(arrows[arrow.name], rows=arrows[arrow.name].rows + rows)
        elif rows or not arrow.rows:
            arrows[arrow.name] = attrs.evolve(arrow, rows=rows)

    def after(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Rows as they are, with the words they have lost."""
        for row in rows:
            change = self.rows.get(row.id)
            lost = (
                [_said(part.name, part.old) for part in change.parts if part.name in _SHOWN and part.old]
                if change
                else []
            )
            if change and change.fate == "changed":
                yield attrs.evolve(row, was=tuple(lost))
            else:
                yield row

    def before(self, rows: Iterable[Row], now: Iterable[Row]) -> Iterator[Row]:
        """The rows that stood here and do not any more: gone, or leading elsewhere."""
        here = {row.id for row in now}
        for row in rows:
            if row.id and row.id not in here:
                gone = row.id in self.rows and self.rows[row.id].fate == "removed"
                yield row if gone else attrs.evolve(row, id=row.id + BEFORE)

    # ---- marks

    def marks(self) -> Marks:
        fate = self.whole.fate if self.whole and self.whole.fate != "changed" else None
        boxes = {name: _mark(change.fate) for name, change in self.states.items()}
        rows = {name: _mark(change.fate) for name, change in self.rows.items()}
        rows |= {name: _mark("changed") for name in self.affected}
        rows |= {name + BEFORE: _mark("removed") for name in self.rows}
        return Marks(rows, boxes, _mark(fate) if fate else Mark(), LEGEND)


def _mark(fate: MarkKind) -> Mark:
    return Mark(fate, SIGNS[fate])


def _said(part: str, words: str) -> str:
    """The old words of a part, in the signs of a picture."""
    if part == "when":
        return f"[{words}]"
    return f"/ {words}" if part == "do" else f"{part} {words}" if part in ("after", "within") else words
