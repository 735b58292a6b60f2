"""Deliberate faults in the interpreter, each with the case that notices it.

A row says what is wrong, in which function, and the words that are changed there. The function's source is changed, compiled again and put in
its place; then the named case must fail. A row whose words are no longer in the source fails too: the table is kept in step.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from outlast.errors import OutlastError
from outlast.run.fast import places
from outlast.run.fast.expressions import Sight
from outlast.run.fast.forms import Together
from outlast.run.fast.unfolding import Unfolding
from outlast.run.macrostep import Macrostep, _Entries
from outlast.run.population import Population
from outlast.run.system import System
from outlast.run.watch import Watchers
from tests.run.cases import CASES


@attrs.frozen
class Fault:
    """`old` becomes `new` in `owner.function`, and `case` notices."""

    what: str
    owner: type
    function: str
    old: str
    new: str
    case: str

    def broken(self) -> Callable[..., Any]:
        """The function with the fault."""
        original = getattr(self.owner, self.function)
        if isinstance(original, property):
            original = original.fget
        source = textwrap.dedent(inspect.getsource(original))
        assert source.count(self.old) == 1, f"`{self.old}` stands {source.count(self.old)} times in {self.function}"
        found: dict[str, Any] = {}
        module = sys.modules[self.owner.__module__]
        code = compile("from __future__ import annotations\n" + source.replace(self.old, self.new), "fault", "exec")
        exec(code, vars(module), found)  # noqa: S102  # our own source, with one word changed
        return found[self.function]  # type: ignore[no-any-return]


TABLE = [
    Fault(
        "rows in conflict are all taken",
        Macrostep,
        "without_conflicts",
        "if all(",
        "if True or all(",
        "conflicts-between-regions",
    ),
    Fault(
        "the later of two rows in conflict wins",
        Macrostep,
        "without_conflicts",
        "holds(row.source)",
        "holds(other.source) or True",
        "conflicts-between-regions",
    ),
    Fault(
        "an inner row does not preempt an outer one",
        Macrostep,
        "without_conflicts",
        "if all(self.states[other.source].holds(row.source) for other in rivals)",
        "if not rivals",
        "nested-conflicts",
    ),
    Fault(
        "outer states are asked first",
        Macrostep,
        "select",
        "(index, *self.states[index].ancestors)",
        "(*reversed(self.states[index].ancestors), index)",
        "inner-before-outer",
    ),
    Fault(
        "the last enabled row of a state is taken",
        Macrostep,
        "first_enabled",
        "for row in rows",
        "for row in reversed(list(rows))",
        "rows-of-one-state",
    ),
    Fault("guards are not asked", Macrostep, "is_enabled", "row.guard is None or", "True or", "inner-before-outer"),
    Fault(
        "states are exited in document order",
        Macrostep,
        "exit_states",
        "reverse=True",
        "reverse=False",
        "entry-and-exit-order",
    ),
    Fault(
        "states are entered the other way round",
        Macrostep,
        "enter",
        "for index in sorted(entries.states):",
        "for index in sorted(entries.states, reverse=True):",
        "entry-and-exit-order",
    ),
    Fault(
        "an initial transition acts before its state is entered",
        Macrostep,
        "enter",
        "for block in state.entry:",
        "for block in (*([state.default.actions] if state.default else []), *state.entry):",
        "entry-and-exit-order",
    ),
    Fault(
        "a state stays active while its parent is exited",
        Macrostep,
        "exit_states",
        "self.names.discard(self.states[index].name)",
        "pass",
        "actions-of-an-exit-see-what-is-still-active",
    ),
    Fault("every row is external", Macrostep, "domain", "row.internal and", "False and", "internal-and-external"),
    Fault("every row is internal", Macrostep, "domain", "row.internal and", "", "internal-and-external"),
    Fault(
        "a row without target exits its source",
        Macrostep,
        "exit_set",
        "return set()",
        "return {row.source}",
        "internal-and-external",
    ),
    Fault(
        "deep history remembers children only",
        Macrostep,
        "remember",
        'history.kind == "deep-history"',
        "False",
        "history-depth",
    ),
    Fault(
        "shallow history remembers leaves",
        Macrostep,
        "remember",
        'history.kind == "deep-history"',
        "True",
        "history-depth",
    ),
    Fault("history forgets", Macrostep, "remember", "tuple(sorted(kept))", "()", "history-depth"),
    Fault(
        "history is not kept at all",
        Macrostep,
        "exit_states",
        "for number in self.states[index].histories",
        "for number in ()",
        "history-depth",
    ),
    Fault(
        "a history without memory does nothing",
        _Entries,
        "descend",
        "if not remembered:",
        "if remembered:",
        "history-default",
    ),
    Fault(
        "a composite state is never done",
        Macrostep,
        "reached",
        'self.internal.append(Event(f"done.state.{parent.name}", payload))',
        "pass",
        "done-of-composite-and-parallel",
    ),
    Fault(
        "a parallel state is done with its first region",
        Macrostep,
        "reached",
        "if all(self.is_done",
        "if any(self.is_done",
        "done-of-composite-and-parallel",
    ),
    Fault(
        "a parallel state is never done",
        Macrostep,
        "reached",
        "if all(self.is_done",
        "if not all(self.is_done",
        "done-of-composite-and-parallel",
    ),
    Fault(
        "what was raised is heard before eventless rows",
        Macrostep,
        "run_to_completion",
        "selected = self.select(None)",
        "selected = [] if self.internal else self.select(None)",
        "eventless-then-internal-then-external",
    ),
    Fault(
        "what was raised last is heard first",
        Macrostep,
        "run_to_completion",
        "self.internal.popleft()",
        "self.internal.pop()",
        "eventless-then-internal-then-external",
    ),
    Fault(
        "the internal queue is forgotten after one event",
        Macrostep,
        "run_to_completion",
        "self.internal.popleft()",
        "self.internal.popleft(); self.internal.clear()",
        "eventless-then-internal-then-external",
    ),
    Fault(
        "a failed action does not end its block",
        Macrostep,
        "admitted",
        'raise _Fault("error.execution", objection)',
        'self.fail(_Fault("error.execution", objection)); return self.values[field.index]',
        "the-rest-of-a-block-is-left-out",
    ),
    Fault(
        "a failed action is not told",
        Macrostep,
        "fail",
        "self.internal.append",
        "(lambda _: None)",
        "the-rest-of-a-block-is-left-out",
    ),
    Fault(
        "timers stay armed when their state is left",
        Macrostep,
        "leave",
        "self.timers.pop(self.machine.transitions[number].key, None)",
        "pass",
        "a-timer-ends-with-its-state",
    ),
    Fault(
        "a timer goes on when its state is entered again",
        Macrostep,
        "arm",
        "self.timers[row.key] = ",
        "self.timers[row.key] = next((old for old in self.before.timers if old.key == row.key), None) or ",
        "re-arming-on-re-entry",
    ),
    Fault(
        "a timer whose guard is false stays",
        Macrostep,
        "fire",
        "del self.timers[key]",
        "self.timers[key] = attrs.evolve(self.timers[key], due=self.now + 1)",
        "a-timer-whose-guard-is-false-is-spent",
    ),
    Fault(
        "timers at one instant come in the order of states",
        Population,
        "pending",
        "arrows[timer.key].index",
        "-arrows[timer.key].index",
        "timers-at-one-instant",
    ),
    Fault(
        "delayed sends come before timers",
        Population,
        "pending",
        "order, True, item.turn",
        "order, False, -item.turn",
        "timers-at-one-instant",
    ),
    Fault(
        "delayed sends of one instant come in the reverse order",
        Macrostep,
        "send",
        "self.turn, to, event",
        "-self.turn, to, event",
        "timers-at-one-instant",
    ),
    Fault(
        "instances at one instant come by what they do, not by who was made first",
        Population,
        "book",
        "self.order[id_], id_",
        "-self.order[id_], id_",
        "timers-of-two-instances-at-one-instant",
    ),
    Fault(
        "what is said comes before what is due",
        System,
        "_happenings",
        "due.at <= until",
        "due.at < until",
        "timers-before-what-is-said",
    ),
    Fault("nothing is cancelled", Macrostep, "carry_out", "item.event.send_id != id_", "True", "cancelling"),
    Fault("everything is cancelled", Macrostep, "carry_out", "item.event.send_id != id_", "False", "cancelling"),
    Fault(
        "timers are not restored",
        System,
        "restore",
        "system._population.put(instance)",
        "system._population.put(attrs.evolve(instance, timers=()))",
        "restoring-in-the-middle-of-a-timer",
    ),
    Fault(
        "delayed sends are not restored",
        System,
        "restore",
        "system._population.put(instance)",
        "system._population.put(attrs.evolve(instance, delayed=()))",
        "restoring-in-the-middle-of-a-timer",
    ),
    Fault(
        "history is not restored",
        System,
        "restore",
        "system._population.put(instance)",
        "system._population.put(attrs.evolve(instance, history=()))",
        "restoring-history",
    ),
    Fault(
        "observers hear before receivers",
        System,
        "_apply",
        "self._queue.extend(self._observations(done))",
        "self._queue.extendleft(self._observations(done))",
        "sends-then-observations",
    ),
    Fault(
        "the last of the queue is served first",
        System,
        "_drain",
        "self._queue.popleft()",
        "self._queue.pop()",
        "sends-then-observations",
    ),
    Fault(
        "a child outlives its state",
        Macrostep,
        "leave",
        "self.unbind(spawn.ref)",
        "pass",
        "a-child-ends-with-its-state",
    ),
    Fault(
        "a stopped child is heard",
        System,
        "_apply",
        'done.cause != "stop" or not _is_parent(item.to, done.after)',
        "True",
        "a-child-ends-with-its-state",
    ),
    Fault(
        "a state that was left makes its child",
        Macrostep,
        "leave",
        "self.to_spawn.remove(state.index)",
        "pass",
        "only-states-that-stay-have-children",
    ),
    Fault(
        "a child is not reported done",
        System,
        "_apply",
        "if self._listens(parent, event):",
        "if False:",
        "a-child-that-is-done-is-reported-last",
    ),
    Fault("nothing is forwarded", Macrostep, "before_hearing", "and spawn.forward", "and False", "forwarding"),
    Fault("everything is forwarded", Macrostep, "before_hearing", "and spawn.forward", "", "forwarding"),
    Fault("nothing is finalized", Macrostep, "before_hearing", "and spawn.finalize", "and False", "finalizing"),
]


COMPILED = [
    Fault("guards are not asked", Unfolding, "holds", "row.guard is None or", "True or", "inner-before-outer"),
    Fault(
        "outer states are asked first",
        Unfolding,
        "first_enabled",
        "(leaf, *self.states[leaf].ancestors)",
        "(*reversed(self.states[leaf].ancestors), leaf)",
        "inner-before-outer",
    ),
    Fault(
        "rows in conflict are all taken",
        Unfolding,
        "select",
        "self.shape.without_conflicts(",
        "(",
        "conflicts-between-regions",
    ),
    Fault(
        "states are exited in document order",
        Unfolding,
        "microstep",
        "reverse=True",
        "reverse=False",
        "entry-and-exit-order",
    ),
    Fault(
        "a state stays active while its parent is exited",
        Unfolding,
        "inactive",
        "course.active.discard(index)",
        "pass",
        "actions-of-an-exit-see-what-is-still-active",
    ),
    Fault(
        "history is not kept",
        Unfolding,
        "microstep",
        "for number in self.states[index].histories",
        "for number in ()",
        "history-depth",
    ),
    Fault(
        "what was raised last is heard first",
        Unfolding,
        "settle",
        "popleft()",
        "pop()",
        "eventless-then-internal-then-external",
    ),
    Fault(
        "what was raised is heard before eventless rows",
        Unfolding,
        "settle",
        "self.select(course, None)",
        "[] if course.internal else self.select(course, None)",
        "eventless-then-internal-then-external",
    ),
    Fault(
        "a field takes any value",
        Unfolding,
        "admit",
        'tests.append(f"{code} > ',
        'str(f"{code} > ',
        "the-rest-of-a-block-is-left-out",
    ),
    Fault(
        "a composite state is never done",
        Unfolding,
        "reached",
        'course.internal.append((f"done.state.{parent.name}", payload))',
        "pass",
        "done-of-composite-and-parallel",
    ),
    Fault(
        "timers stay armed when their state is left",
        Unfolding,
        "leave",
        "course.dropped.add(key)",
        "pass",
        "a-timer-ends-with-its-state",
    ),
    Fault(
        "a timer whose guard is false stays",
        Unfolding,
        "begin",
        "course.dropped.add(row.key)",
        "pass",
        "a-timer-whose-guard-is-false-is-spent",
    ),
    Fault("nothing is cancelled", Unfolding, "act", "item.event.send_id != ", "True or ", "cancelling"),
    Fault(
        "delayed sends come in the reverse order",
        Unfolding,
        "send",
        "0), turn, {to}",
        "0), -turn, {to}",
        "timers-at-one-instant",
    ),
    Fault(
        "a child outlives its state",
        Unfolding,
        "leave",
        "self.unbind(course, spawn.ref)",
        "pass",
        "a-child-ends-with-its-state",
    ),
    Fault("nobody hears of what is observed", Together, "end", "in self.observed", "in ()", "observing"),
    Fault("what is sent stays behind", Together, "end", "if course.sent:", "if False:", "sends-then-observations"),
    Fault(
        "who watches watchers hears in the wrong order",
        System,
        "_settled",
        "further += self._hearing(watcher, done)",
        "further = self._hearing(watcher, done) + further",
        "those-who-watch-watchers",
    ),
    Fault(
        "nobody hears of what watchers do",
        System,
        "_settled",
        "telling = further",
        "telling = ()",
        "those-who-watch-watchers",
    ),
    Fault(
        "what was done in vain is not taken back",
        System,
        "_withdrawn",
        "(*reversed(caused), first)",
        "(first,)",
        "watchers-that-do-more",
    ),
    Fault(
        "timers of watchers are forgotten",
        System,
        "_settled",
        "book(watcher, ",
        "booked.get(watcher, ",
        "timers-of-watchers",
    ),
    Fault("a sooner timer is forgotten", Population, "book", "item.due < entry[0]", "False", "timers-that-come-sooner"),
    Fault(
        "what is put off comes too early",
        Population,
        "next_due",
        "soonest == at",
        "True",
        "timers-that-are-put-off",
    ),
    Fault(
        "who watches from afar is not asked anew",
        Watchers,
        "_forget",
        "if self._far:",
        "if False:",
        "who-begins-to-watch",
    ),
    Fault(
        "those who are gone are still told",
        Watchers,
        "_forget",
        "self.known.pop(target, None)",
        "pass",
        "who-does-not-watch-any-more",
    ),
    Fault(
        "what has no type is not looked at",
        Sight,
        "arithmetic",
        'f"(whole({one}) {expr.op} whole({two}))"',
        'f"({one} + {two})"',
        "arithmetic-without-types",
    ),
    Fault(
        "`and` is `or`",
        Sight,
        "joined",
        'decisive = word == "or"',
        'decisive = (word := "or" if word == "and" else "and") == "or"',
        "guards-of-two-parts",
    ),
]
"""Faults of what is compiled."""


@pytest.mark.parametrize("fault", TABLE, ids=lambda fault: fault.what)
def test_the_case_notices(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case holds, and no longer holds with the fault; nothing is compiled, which would hide it."""
    monkeypatch.setattr(places, "PATIENCE", sys.maxsize)
    _breaks(fault, monkeypatch)


@pytest.mark.parametrize("fault", COMPILED, ids=lambda fault: fault.what)
def test_the_case_notices_what_is_compiled(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same where everything is compiled at once."""
    monkeypatch.setattr(places, "PATIENCE", 0)
    _breaks(fault, monkeypatch)


def _breaks(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    CASES[fault.case]()
    is_class = isinstance(inspect.getattr_static(fault.owner, fault.function), classmethod)
    broken = fault.broken()
    monkeypatch.setattr(fault.owner, fault.function, broken if not is_class else classmethod(broken))

    with pytest.raises((AssertionError, OutlastError, LookupError, ValueError)):
        CASES[fault.case]()


def test_the_table_is_large_enough() -> None:
    """Many kinds of faults, and no fault twice."""
    assert len({fault.what for fault in TABLE}) == len(TABLE) >= 40
