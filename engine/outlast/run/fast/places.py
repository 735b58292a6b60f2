"""Places: where an instance of a machine can be (configuration, history, whether it is done), each with its compiled functions."""

from __future__ import annotations

import linecache
import weakref
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, TypeAlias

from outlast.plan import Machine, Plan
from outlast.run.fast.forms import NAMES, Together
from outlast.run.fast.packed import Packed, Taken, Whereabouts, rest_of
from outlast.run.fast.unfolding import Unfolding
from outlast.run.snapshot import Event, Snapshot

PATIENCE = 16
"""How often an event is interpreted at a place before it is compiled."""
MOST = 5_000
"""Places of one machine. Histories can remember more than is worth compiling."""

_NUMBERS = count()

Function: TypeAlias = Callable[..., Taken | None]
History: TypeAlias = tuple[tuple[str, tuple[str, ...]], ...]


def compiled(unfolding: Unfolding, parameters: str, defaults: dict[str, Any]) -> Callable[..., Any] | None:
    """The function of an unfolding; None where it has no branch."""
    body = unfolding.unfold()
    if body is None:
        return None
    what = unfolding.event if unfolding.timer is None else unfolding.timer
    title = " ".join([unfolding.machine.name, *unfolding.place.configuration, what or "start"])
    return defined(parameters, body, {**unfolding.constants, **defaults}, title)


def defined(parameters: str, body: str, globals_: dict[str, Any], title: str) -> Callable[..., Any]:
    """The function of these lines. A traceback shows them, under `title`.

    `exec` is safe here: the source is written by this chapter from the resolved tree of an expression, whose nodes are of a fixed
    set; the names in it are ours and numbered; of what authors write, it holds ints and the `repr` of strings only, and everything else it refers
    to is an object among its globals.
    """
    text = f"def run({parameters}):\n{body}\n"
    file = f"<outlast {title}, {next(_NUMBERS)}>"
    found = {**NAMES, **globals_}
    exec(compile(text, file, "exec"), found)  # noqa: S102  # see above
    function: Callable[..., Any] = found["run"]
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    weakref.finalize(function, linecache.cache.pop, file, None)
    return function


class Place(Whereabouts):
    """Where an instance can be, and what to call for what happens to it there."""

    __slots__ = ("begins", "fired", "heard", "places", "said")

    def __init__(self, places: Places, name: str, configuration: tuple[str, ...], history: History, done: bool) -> None:
        super().__init__(name, configuration, history, done)
        self.places = places
        self.heard: dict[str, Function] = {}
        """Event -> function."""
        self.fired: dict[str, Function] = {}
        """Key of a timer's row -> function."""
        events = places.plan.machines[name].events.values()
        self.said: dict[str, Function] = {
            event.name: self.hears(event.name) for event in events if not (event.internal or event.payload)
        }
        """Events from outside that need no look at a payload."""
        self.begins: Function = _Cold(self, None, None)
        """What to call for an instance that enters its first state."""

    def hears(self, event: str) -> Function:
        """What to call for an event."""
        if event not in self.heard:
            self.heard[event] = _Cold(self, event, None)
        return self.heard[event]

    def fires(self, key: str) -> Function:
        """What to call for a timer."""
        if key not in self.fired:
            self.fired[key] = _Cold(self, None, key)
        return self.fired[key]


class _Cold:
    """Stands in for a function until it has been called often enough to be worth compiling."""

    __slots__ = ("calls", "event", "place", "timer")

    def __init__(self, place: Place, event: str | None, timer: str | None) -> None:
        self.place, self.event, self.timer, self.calls = place, event, timer, 0

    def __call__(self, *given: Any) -> Taken | None:
        self.calls += 1
        if self.calls <= self.place.places.patience:
            return None
        function = self.place.places.compiled(self.place, self.event, self.timer)
        if self.timer is not None:
            self.place.fired[self.timer] = function
        elif self.event is None:
            self.place.begins = function
        else:
            self.place.heard[self.event] = function
            if self.event in self.place.said:
                self.place.said[self.event] = function
        return function(*given)


def interpreted(*_: Any) -> None:
    """What is called where nothing can be unfolded: it leaves every step to the interpreter."""


class Places:
    """Every place of the machines of one plan that was reached so far."""

    def __init__(self, plan: Plan, patience: int) -> None:
        self.plan, self.patience = plan, patience
        self.found: dict[str, dict[tuple[Any, ...], Place]] = {name: {} for name in plan.machines}
        self.observed = frozenset(_observed(plan))

    @classmethod
    def of(cls, plan: Plan, *, at_once: bool = False) -> Places:
        """The places of a plan, kept with it for all its systems. `at_once`: nothing is interpreted that can be compiled."""
        patience = 0 if at_once else PATIENCE
        key = f"places {patience}"
        places = plan.kept.get(key)
        if not isinstance(places, cls):
            places = plan.kept[key] = cls(plan, patience)
        return places

    def pack(self, snapshot: Snapshot) -> Packed:
        """A Snapshot as compiled functions take it."""
        if isinstance(snapshot, Packed):
            return snapshot
        packed = Packed()  # type: ignore[call-arg]  # see `_open`
        packed.place = self.at(snapshot.machine, snapshot.configuration, snapshot.history, snapshot.done)
        packed.values, packed.timers = snapshot.values, snapshot.timers  # type: ignore[misc]  # being made
        packed.rest = rest_of(snapshot)
        return packed

    def at(self, machine: str, configuration: tuple[str, ...], history: History, done: bool) -> Place:
        """The place of a configuration and history."""
        known, key = self.found[machine], (configuration, history, done)
        place = known.get(key)
        if place is None:
            place = Place(self, machine, configuration, history, done)
            if len(known) < MOST:
                known[key] = place
        return place

    def compiled(self, place: Place, event: str | None, timer: str | None) -> Function:
        """The function for an event or timer at a place; for neither, the one that begins."""
        machine = self.plan.machines[place.machine_name]
        if place.done or len(self.found[machine.name]) >= MOST:
            return interpreted
        form = Together(lambda *where: self.at(machine.name, *where), self.observed)
        unfolding = Unfolding(self.plan, machine, place, form, event=event, timer=timer)
        said = Event(event) if event is not None else None
        return compiled(unfolding, "system, was, event=SAID", {"SAID": said}) or interpreted


def _observed(plan: Plan) -> Iterator[tuple[str, str]]:
    """(machine, state) for every state that some machine observes."""
    for machine in plan.machines.values():
        for chain, state in machine.watches:
            there: Machine = machine
            for ref in chain:
                there = plan.machines[there.refs[ref].machine]
            yield there.name, state
