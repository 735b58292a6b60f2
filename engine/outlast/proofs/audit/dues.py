"""What the model does by itself and the log should show: what set a timer, which changes are awaited, and until when."""

from __future__ import annotations

import heapq
from collections.abc import Iterator

from outlast.moments import format_duration
from outlast.plan import Plan, Transition
from outlast.proofs.audit.mapping import Mapping
from outlast.proofs.audit.moves import is_in
from outlast.run import Snapshot, Step
from outlast.values import frozen

UNTOLD = "it was first seen"


@frozen
class Cause:
    """What set a timer, or changed a state: when, in words, by which clauses."""

    at: int
    words: str
    clauses: tuple[str, ...] = ()


@frozen(eq=False)
class Due:
    """A change the log should show: from what to what, between which moments, by which row."""

    before: Snapshot
    after: Snapshot
    row: Transition | None
    cause: Cause
    earliest: int
    latest: int

    @property
    def clauses(self) -> tuple[str, ...]:
        """Those of what set it off, and of its row."""
        return tuple(dict.fromkeys((*self.cause.clauses, *(self.row.because if self.row else ()))))

    @property
    def allowed(self) -> str:
        """What the row says: `grace-over` allows 15m."""
        if self.row is None or self.row.delay is None:
            return "it follows at once"
        length = format_duration(self.latest - self.cause.at)
        return f"`{self.row.id}` {'allows' if self.row.kind == 'within' else 'comes'} {length}"

    def since(self, at: int) -> str:
        """How long after what, and what is allowed."""
        passed = at - self.cause.at
        when = f"{format_duration(passed)} after" if passed >= 0 else f"{format_duration(-passed)} before"
        exact = self.row is not None and self.row.kind == "after"
        return f"{when} {self.cause.words}: {self.allowed}{' after it' if exact else ''}"


class Dues:
    """Follows the steps of a system. `open` has, by instance, the change that is awaited."""

    def __init__(self, plan: Plan, mapping: Mapping) -> None:
        self.plan, self.mapping = plan, mapping
        self.open: dict[str, Due] = {}
        self._causes: dict[str, dict[str, Cause]] = {}
        """Instance -> row of a running timer -> what set it."""
        self._agenda: list[tuple[int, int, str, Due]] = []
        self._opened = 0
        self._shown: dict[str, tuple[frozenset[str], ...]] = {}
        """Machine -> sets of states that are told apart from outside."""
        for rule in mapping.rules:
            if rule.states:
                self._shown[rule.subject.name] = (*self._shown.get(rule.subject.name, ()), rule.states)
        self._visible: dict[tuple[str, tuple[str, ...], tuple[str, ...]], bool] = {}

    def follow(self, step: Step, *, told: bool) -> None:
        """One step; `told`: it is what a line says, so that no other line is awaited."""
        if not told and step.before.configuration and self._shows(step):
            self._await(step)
        after, id_ = step.after, step.instance
        if not after.timers:
            self._causes.pop(id_, None)
            return
        set_now = [timer for timer in after.timers if timer.armed == step.at and timer not in step.before.timers]
        if set_now:
            running = {timer.key for timer in after.timers}
            earlier = self._causes.get(id_, {})
            kept = {key: cause for key, cause in earlier.items() if key in running}
            self._causes[id_] = kept | dict.fromkeys((timer.key for timer in set_now), self._cause(step))

    def forget(self, id_: str) -> None:
        """Nothing more is awaited of an instance."""
        self._causes.pop(id_, None)
        self.open.pop(id_, None)

    def over(self, instant: int) -> Iterator[tuple[str, Due]]:
        """What was waited for until `instant` in vain."""
        while self._agenda and self._agenda[0][0] < instant:
            _, _, id_, due = heapq.heappop(self._agenda)
            yield from self._conclude(id_, due)

    def overdue(self, instant: int) -> Iterator[tuple[str, Due]]:
        """What should have come before `instant`, now that nothing comes any more."""
        for _, _, id_, due in sorted(self._agenda, key=lambda item: item[:2]):
            if due.latest + self.mapping.tolerance < instant:
                yield from self._conclude(id_, due)

    def exact(self, snapshot: Snapshot, key: str, after: Snapshot) -> Due:
        """What would be awaited once a running timer goes off."""
        timer = next(timer for timer in snapshot.timers if timer.key == key)
        row = self.plan.machines[snapshot.machine].arrows[key]
        cause = self._causes.get(snapshot.id, {}).get(key) or Cause(timer.armed, UNTOLD)
        return Due(snapshot, after, row, cause, timer.due, timer.due)

    def _conclude(self, id_: str, due: Due) -> Iterator[tuple[str, Due]]:
        if self.open.get(id_) is due:
            del self.open[id_]
            if due.after.machine in self.mapping.complete:
                yield id_, due

    def _shows(self, step: Step) -> bool:
        """Whether a log that is complete has a line about this step."""
        shown = self._shown.get(step.after.machine)
        if shown is None:
            return False
        key = (step.after.machine, step.before.configuration, step.after.configuration)
        if key not in self._visible:
            self._visible[key] = any(is_in(step.after, states) and not is_in(step.before, states) for states in shown)
        return self._visible[key]

    def _await(self, step: Step) -> None:
        row, earliest, cause = None, step.at, self._cause(step)
        if step.timer is not None:
            row = self.plan.machines[step.after.machine].arrows[step.timer]
            timer = next(timer for timer in step.before.timers if timer.key == step.timer)
            cause = self._causes.get(step.instance, {}).get(step.timer) or Cause(timer.armed, UNTOLD)
            earliest = timer.armed if row.kind == "within" else step.at
        due = self.open[step.instance] = Due(step.before, step.after, row, cause, earliest, step.at)
        self._opened += 1
        conclusion = due.latest + self.mapping.tolerance + self.mapping.wait
        heapq.heappush(self._agenda, (conclusion, self._opened, step.instance, due))

    def _cause(self, step: Step) -> Cause:
        if step.event is None:
            return Cause(step.at, UNTOLD, step.clauses)
        machine = self.plan.machines[step.after.machine]
        if step.timer is not None:
            return Cause(step.at, f"`{machine.arrows[step.timer].id}`", step.clauses)
        *chain, last = step.event.name.split(".")
        observed = bool(chain) and chain[0] in machine.refs
        return Cause(step.at, f"its {' '.join(chain)} became {last}" if observed else f"`{step.event}`", step.clauses)
