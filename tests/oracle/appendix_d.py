"""A second interpreter of one machine, transcribed function by function from W3C SCXML, Appendix D.

It is slow and naive on purpose: sets are lists, every question walks the tree again, nothing is prepared. Functions,
variables and comments in quotation marks are the Recommendation's (1 September 2015); read it beside this file. What our
language adds or leaves open is marked `ours:`. It takes the plain data of a machine file (docs/language.md), shares no
code with the engine, and refuses with `Unsupported` what it does not know (timers, refs, spawn, payloads, guards as text).

One line is not followed unless asked for (`literal`): see `addAncestorStatesToEnter`.
"""

# ruff: noqa: N802, N803, N806  the names are the Recommendation's

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Machine = dict[str, Any]
"""What a YAML parser gives for a machine file."""


class Unsupported(ValueError):
    """The machine says something this interpreter was not written for."""


# What comes back ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Microstep:
    """One set of transitions taken together, in the order in which things happened.

    `event` is the event that enabled them, absent for eventless ones and for the initial entry (which has no transition
    ids either). `transitions` are in the order of the states that selected them; an id occurs twice when a row with
    several sources is taken from two of them. `preempted` holds (loser, winner) for every transition that was selected
    and then given up in a conflict.
    """

    event: str | None
    transitions: tuple[str, ...]
    exited: tuple[str, ...]
    entered: tuple[str, ...]
    preempted: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Trace:
    """One macrostep: what was said (nothing, for the initialisation), what happened, and how the machine then stands.

    `endless` marks a macrostep cut short by the limit of microsteps; no trace follows it. The `onexit` effects of a
    machine that is done stand at the end of `effects`, but `configuration` keeps the states it was done in.
    """

    event: str | None
    microsteps: tuple[Microstep, ...]
    effects: tuple[str, ...]
    configuration: tuple[str, ...]
    fields: dict[str, Any]
    done: bool
    endless: bool = False


def run(machine: Machine, events: Iterable[str], *, limit: int = 100, literal: bool = False) -> list[Trace]:
    """Start the machine, say the events to it one after the other, and return one trace for the start and one per event.

    Events said to a machine that is done change nothing, and get a trace that says so. A macrostep of more than `limit`
    microsteps ends the run with a trace marked `endless`. With `literal`, even the one place is followed to the letter
    where Appendix D can enter states that are active. Raises `Unsupported` for what is outside the subset.
    """
    said = list(events)
    interpreter = Interpreter(machine, limit, literal=literal)
    for event in said:
        interpreter.externalQueue.enqueue(event)
    try:
        interpreter.interpret()
    except Endless:
        interpreter.endTrace(endless=True)
        return interpreter.traces
    for event in said[len(interpreter.traces) - 1 :]:  # ours: a machine that is done hears nothing
        interpreter.beginTrace(event)
        interpreter.endTrace()
    return interpreter.traces


# Datatypes of Appendix D ----------------------------------------------------------------------------------------------


T = TypeVar("T")


class OrderedSet(Generic[T]):
    """The `OrderedSet` of Appendix D, as a list without duplicates."""

    def __init__(self, elements: Iterable[T] = ()) -> None:
        """Make a set of the elements, in their order."""
        self.elements: list[T] = []
        for e in elements:
            self.add(e)

    def __iter__(self) -> Iterator[T]:
        """Walk over a copy, so that the set may change meanwhile."""
        return iter(list(self.elements))

    def add(self, e: T) -> None:
        """'Adds e to the set if it is not already a member'."""
        if e not in self.elements:
            self.elements.append(e)

    def delete(self, e: T) -> None:
        """'Deletes e from the set'."""
        if e in self.elements:
            self.elements.remove(e)

    def union(self, s: OrderedSet[T]) -> None:
        """'Adds all members of s that are not already members of the set'."""
        for e in s:
            self.add(e)

    def isMember(self, e: T) -> bool:
        """'Is e a member of set?'."""
        return e in self.elements

    def some(self, f: Callable[[T], bool]) -> bool:
        """'Returns true if there is some element in the set that satisfies the predicate f'."""
        return any(f(e) for e in self.elements)

    def every(self, f: Callable[[T], bool]) -> bool:
        """'Returns true if every element in the set satisfies the predicate f'."""
        return all(f(e) for e in self.elements)

    def hasIntersection(self, s: OrderedSet[T]) -> bool:
        """'Returns true if this set and set s have at least one member in common'."""
        return self.some(s.isMember)

    def isEmpty(self) -> bool:
        """'Is the set empty?'."""
        return not self.elements

    def toList(self) -> list[T]:
        """'Converts the set to a list that reflects the order in which elements were originally added'."""
        return list(self.elements)


class Queue:
    """The `Queue` of Appendix D, of event names."""

    def __init__(self) -> None:
        """Make an empty queue."""
        self.names: list[str] = []

    def enqueue(self, e: str) -> None:
        """'Puts e last in the queue'."""
        self.names.append(e)

    def dequeue(self) -> str:
        """'Removes and returns first element in queue'."""
        return self.names.pop(0)

    def isEmpty(self) -> bool:
        """'Is the queue empty?'."""
        return not self.names


# The document ---------------------------------------------------------------------------------------------------------

Action = dict[str, Any]
Block = list[Action]
Value = int | str  # a bool is an int


@dataclass(eq=False, repr=False)
class State:
    """An element of the state tree; `kind` is the name of the SCXML element it stands for."""

    id: str
    kind: str  # scxml | state | parallel | final | history
    parent: State | None
    order: int  # its place in the document
    type: str = ""  # of a history: shallow | deep
    children: list[State] = field(default_factory=list)  # <state>, <parallel> and <final>, in document order
    history: list[State] = field(default_factory=list)
    onentry: Block = field(default_factory=list)
    onexit: Block = field(default_factory=list)
    transition: list[Transition] = field(default_factory=list)  # of a history: its default, alone
    initial: Transition | None = None


@dataclass(eq=False, repr=False)
class Transition:
    """A row from one source. `event` lists the descriptors, and is empty for an eventless transition."""

    id: str
    source: State
    event: list[str]
    cond: Any
    target: list[State]
    type: str  # internal | external
    content: Block


STATE_KEYS = {
    "states", "regions", "initial", "initial-transition", "final", "history", "to", "do", "entry", "exit",
    "done-data", "choice", "title", "about", "because", "role",
}  # fmt: skip
ROW_KEYS = {"id", "from", "event", "done", "when", "to", "internal", "do", "because", "about"}


class Document:
    """The state tree of a machine, built from its plain data; what `expandScxmlSource` would leave behind."""

    def __init__(self, machine: Machine) -> None:
        """Read the states, then what refers to them by name."""
        self.byName: dict[str, State] = {}
        self.root = State("", "scxml", None, 0)
        self.addChildren(self.root, machine["states"])
        self.root.initial = self.initialTransition(self.root, machine["states"], machine.get("initial-transition"))
        self.addDefaults(machine["states"])
        for row in machine.get("transitions") or []:
            self.addTransitions(row)

    def addChildren(self, parent: State, states: Machine) -> None:
        """Make the states below a parent, in document order."""
        for name, written in states.items():
            data = written or {}
            refuseUnknown(data, STATE_KEYS)
            state = State(name, kindOf(data), parent, len(self.byName) + 1, data.get("history", ""))
            state.onentry, state.onexit = data.get("entry") or [], data.get("exit") or []
            (parent.history if state.kind == "history" else parent.children).append(state)
            self.byName[name] = state
            self.addChildren(state, childrenOf(data))

    def addDefaults(self, states: Machine) -> None:
        """Give every composite its initial transition and every history its default one."""
        for name, written in states.items():
            data = written or {}
            state = self.byName[name]
            if isCompoundState(state):
                state.initial = self.initialTransition(state, data["states"], data.get("initial-transition"))
            if isHistoryState(state):
                state.transition = [self.pseudoTransition(state, data)]
            self.addDefaults(childrenOf(data))

    def initialTransition(self, state: State, children: Machine, written: Machine | None) -> Transition:
        """'If not specified, the default initial state is the first child state in document order' (3.3.1)."""
        if written is not None:
            return self.pseudoTransition(state, written)
        marked = [name for name, data in children.items() if data and data.get("initial")]
        return self.pseudoTransition(state, {"to": marked[0] if marked else state.children[0].id})

    def pseudoTransition(self, source: State, written: Machine) -> Transition:
        """Make the transition of an <initial> or <history> element."""
        return Transition("", source, [], None, self.named(written["to"]), "external", written.get("do") or [])

    def addTransitions(self, row: Machine) -> None:
        """Ours: a row with several sources is one transition in each of them."""
        refuseUnknown(row, ROW_KEYS)
        descriptors = asList(row.get("event")) + ["done.state." + name for name in asList(row.get("done"))]
        kind = "internal" if row.get("internal") else "external"
        for source in self.named(row["from"]):
            transition = Transition(
                row["id"], source, descriptors, row.get("when"), self.named(row.get("to")), kind, row.get("do") or []
            )
            source.transition.append(transition)

    def named(self, names: str | list[str] | None) -> list[State]:
        """Find states by name."""
        return [self.byName[name] for name in asList(names)]


def kindOf(data: Machine) -> str:
    """Say which SCXML element a state of ours stands for."""
    if data.get("final"):
        return "final"
    if "history" in data:
        return "history"
    return "parallel" if "regions" in data else "state"


def childrenOf(data: Machine) -> Machine:
    """Give the states written inside a state."""
    return data.get("states") or data.get("regions") or {}


def asList(written: str | list[str] | None) -> list[str]:
    """Read a name, a list of names or nothing as a list."""
    if written is None:
        return []
    return [written] if isinstance(written, str) else list(written)


def refuseUnknown(data: Machine, known: set[str]) -> None:
    """Raise `Unsupported` for a key this interpreter does not know."""
    if unknown := set(data) - known:
        raise Unsupported(f"not in this interpreter's subset: {sorted(unknown)}")


# "Predicates" and orders of Appendix D --------------------------------------------------------------------------------


def isFinalState(s: State) -> bool:
    """Say whether it is a <final>."""
    return s.kind == "final"


def isHistoryState(s: State) -> bool:
    """Say whether it is a <history>."""
    return s.kind == "history"


def isParallelState(s: State) -> bool:
    """Say whether it is a <parallel>."""
    return s.kind == "parallel"


def isCompoundState(s: State) -> bool:
    """Say whether it is a <state> with children."""
    return s.kind == "state" and bool(getChildStates(s))


def isAtomicState(s: State) -> bool:
    """Say whether it is a <final>, or a <state> without children."""
    return s.kind == "final" or (s.kind == "state" and not getChildStates(s))


def isScxmlElement(s: State | None) -> bool:
    """Say whether it is the <scxml> element itself."""
    return s is not None and s.kind == "scxml"


def isCompoundStateOrScxmlElement(s: State) -> bool:
    """Say whether it is one of the elements that can be a domain."""
    return isCompoundState(s) or isScxmlElement(s)


def documentOrder(s: State) -> int:
    """'The order in which [the elements] occurred in the original document'."""
    return s.order


def entryOrder(s: State) -> int:
    """'Ancestors precede descendants, with document order being used to break ties': which is document order."""
    return documentOrder(s)


def exitOrder(s: State) -> int:
    """'Descendants precede ancestors, with reverse document order being used to break ties'."""
    return -documentOrder(s)


def getProperAncestors(state1: State, state2: State | None) -> list[State]:
    """'All ancestors of state1, in ancestry order', up to but not including state2.

    'If state2 is state1`s parent, or equal to state1, or a descendant of state1, this returns the empty set.'
    """
    ancestors: list[State] = []
    if state2 is not None and (state1 is state2 or isDescendant(state2, state1)):
        return ancestors
    ancestor = state1.parent
    while ancestor is not None and ancestor is not state2:
        ancestors.append(ancestor)
        ancestor = ancestor.parent
    return ancestors


def isDescendant(state1: State, state2: State) -> bool:
    """'Returns `true` if state1 is a descendant of state2 (a child, or a child of a child, ...)'."""
    parent = state1.parent
    while parent is not None:
        if parent is state2:
            return True
        parent = parent.parent
    return False


def getChildStates(state1: State) -> list[State]:
    """'A list containing all <state>, <final>, and <parallel> children of state1'."""
    return state1.children


def findLCCA(stateList: list[State]) -> State:
    """'The Least Common Compound Ancestor'."""
    head, tail = stateList[0], stateList[1:]
    for anc in filter(isCompoundStateOrScxmlElement, getProperAncestors(head, None)):
        if all(isDescendant(s, anc) for s in tail):
            return anc
    raise AssertionError("there is guaranteed to be such an element since the <scxml> wrapper is a common ancestor")


def nameMatch(descriptors: list[str], name: str) -> bool:
    """Match an event name as 3.12.1 says: token by token, by prefix.

    "An event descriptor matches an event name if its string of tokens is an exact match or a prefix of the set of tokens
    in the event's name." `*` matches everything; `foo`, `foo.` and `foo.*` mean the same.
    """
    for descriptor in descriptors:
        if descriptor == "*":
            return True
        tokens = descriptor.removesuffix(".*").removesuffix(".").split(".")
        if name.split(".")[: len(tokens)] == tokens:
            return True
    return False


# The algorithm --------------------------------------------------------------------------------------------------------


class Endless(Exception):
    """A macrostep went over the limit of microsteps."""


class ExecutionError(Exception):
    """An action could not be carried out; the rest of its block is left out (4.9)."""


class Interpreter:
    """The global variables of Appendix D, and its procedures as methods, in its order."""

    def __init__(self, machine: Machine, limit: int, *, literal: bool) -> None:
        """Take the machine; `interpret` makes it run."""
        self.doc = Document(machine)
        self.declared: Machine = machine.get("fields") or {}
        self.externalQueue = Queue()
        self.literal = literal
        # ours: the record of the run
        self.limit = limit
        self.traces: list[Trace] = []
        self.finalConfiguration: list[State] = []
        self.preempted: list[tuple[str, str]] = []
        self.beginTrace(None)

    def interpret(self) -> None:
        """Procedure `interpret`: "initialises the interpreter", enters the initial configuration, starts the loop."""
        self.configuration: OrderedSet[State] = OrderedSet()
        self.internalQueue = Queue()
        self.historyValue: dict[str, list[State]] = {}
        self.datamodel: dict[str, Any] = {name: data["default"] for name, data in self.declared.items()}
        self.running = True
        initial = self.doc.root.initial
        assert initial is not None
        # ours: the machine's initial transition may have content, which an `initial` attribute of <scxml> cannot; it
        # runs where that of a composite state's does: before the states it leads to are entered
        self.executeContent(initial.content)
        entered = self.enterStates([initial])
        self.microsteps.append(Microstep(None, (), (), tuple(entered)))
        self.mainEventLoop()

    def mainEventLoop(self) -> None:
        """Procedure `mainEventLoop`, without invocations; instead of blocking for ever it returns."""
        while self.running:
            macrostepDone = False
            # "Here we handle eventless transitions and transitions triggered by internal events until macrostep is
            # complete"
            while self.running and not macrostepDone:
                event: str | None = None
                enabledTransitions = self.selectEventlessTransitions()
                if enabledTransitions.isEmpty():
                    if self.internalQueue.isEmpty():
                        macrostepDone = True
                    else:
                        event = self.internalQueue.dequeue()
                        enabledTransitions = self.selectTransitions(event)
                if not enabledTransitions.isEmpty():
                    self.microstep(enabledTransitions.toList(), event)
            # "we're in a final state, and we break out of the loop" or
            if not self.running:
                break
            # "we've completed a macrostep, so we start a new macrostep by waiting for an external event"
            self.endTrace()
            if self.externalQueue.isEmpty():
                return
            externalEvent = self.externalQueue.dequeue()
            self.beginTrace(externalEvent)
            enabledTransitions = self.selectTransitions(externalEvent)
            if not enabledTransitions.isEmpty():
                self.microstep(enabledTransitions.toList(), externalEvent)
        # "If we get here, we have reached a top-level final state"
        self.exitInterpreter()
        self.endTrace()

    def exitInterpreter(self) -> None:
        """Procedure `exitInterpreter`: "exit the current SCXML process by exiting all active states"."""
        self.finalConfiguration = self.configuration.toList()  # ours: kept for reading
        statesToExit = sorted(self.configuration.toList(), key=exitOrder)
        for s in statesToExit:
            self.executeContent(s.onexit)
            self.configuration.delete(s)

    def selectEventlessTransitions(self) -> OrderedSet[Transition]:
        """Function `selectEventlessTransitions`: "enabled ... transitions that do not require an event trigger"."""
        enabledTransitions: OrderedSet[Transition] = OrderedSet()
        atomicStates = sorted(filter(isAtomicState, self.configuration.toList()), key=documentOrder)
        for state in atomicStates:
            for t in self.transitionsInAncestryOrder(state):
                if not t.event and self.conditionMatch(t.cond):
                    enabledTransitions.add(t)
                    break  # "break loop"
        return self.removeConflictingTransitions(enabledTransitions)

    def selectTransitions(self, event: str) -> OrderedSet[Transition]:
        """Function `selectTransitions`: "the transitions that are enabled by this event"."""
        enabledTransitions: OrderedSet[Transition] = OrderedSet()
        atomicStates = sorted(filter(isAtomicState, self.configuration.toList()), key=documentOrder)
        for state in atomicStates:
            for t in self.transitionsInAncestryOrder(state):
                if t.event and nameMatch(t.event, event) and self.conditionMatch(t.cond):
                    enabledTransitions.add(t)
                    break  # "break loop"
        return self.removeConflictingTransitions(enabledTransitions)

    def transitionsInAncestryOrder(self, state: State) -> Iterator[Transition]:
        """`for s in [state].append(getProperAncestors(state, null)): for t in s.transition.sort(documentOrder)`."""
        for s in [state, *getProperAncestors(state, None)]:
            yield from s.transition

    def removeConflictingTransitions(self, enabledTransitions: OrderedSet[Transition]) -> OrderedSet[Transition]:
        """Function `removeConflictingTransitions`: "produce a conflict-free list of filteredTransitions"."""
        self.preempted = []
        filteredTransitions: OrderedSet[Transition] = OrderedSet()
        # "toList sorts the transitions in the order of the states that selected them"
        for t1 in enabledTransitions.toList():
            t1Preempted = False
            transitionsToRemove: OrderedSet[Transition] = OrderedSet()
            for t2 in filteredTransitions.toList():
                if self.computeExitSet([t1]).hasIntersection(self.computeExitSet([t2])):
                    if isDescendant(t1.source, t2.source):
                        transitionsToRemove.add(t2)
                    else:
                        t1Preempted = True
                        self.preempted.append((t1.id, t2.id))
                        break
            if not t1Preempted:
                for t3 in transitionsToRemove.toList():
                    filteredTransitions.delete(t3)
                    self.preempted.append((t3.id, t1.id))
                filteredTransitions.add(t1)
        return filteredTransitions

    def microstep(self, enabledTransitions: list[Transition], event: str | None) -> None:
        """Procedure `microstep`: "process a single set of transitions"."""
        if len(self.microsteps) >= self.limit:  # ours
            raise Endless
        preempted = tuple(self.preempted)
        exited = self.exitStates(enabledTransitions)
        self.executeTransitionContent(enabledTransitions)
        entered = self.enterStates(enabledTransitions)
        taken = tuple(t.id for t in enabledTransitions)
        self.microsteps.append(Microstep(event, taken, tuple(exited), tuple(entered), preempted))

    def exitStates(self, enabledTransitions: list[Transition]) -> list[str]:
        """Procedure `exitStates`; returns the names for the record."""
        statesToExit = sorted(self.computeExitSet(enabledTransitions), key=exitOrder)
        for s in statesToExit:
            for h in s.history:
                if h.type == "deep":
                    value = [s0 for s0 in self.configuration.toList() if isAtomicState(s0) and isDescendant(s0, s)]
                else:
                    value = [s0 for s0 in self.configuration.toList() if s0.parent is s]
                self.historyValue[h.id] = value
        for s in statesToExit:
            self.executeContent(s.onexit)
            self.configuration.delete(s)
        return [s.id for s in statesToExit]

    def computeExitSet(self, transitions: list[Transition]) -> OrderedSet[State]:
        """Function `computeExitSet`: "all states in the configuration that are descendants of the domain"."""
        statesToExit: OrderedSet[State] = OrderedSet()
        for t in transitions:
            if t.target:
                domain = self.getTransitionDomain(t)
                assert domain is not None
                for s in self.configuration:
                    if isDescendant(s, domain):
                        statesToExit.add(s)
        return statesToExit

    def executeTransitionContent(self, enabledTransitions: list[Transition]) -> None:
        """Procedure `executeTransitionContent`."""
        for t in enabledTransitions:
            self.executeContent(t.content)

    def enterStates(self, enabledTransitions: list[Transition]) -> list[str]:
        """Procedure `enterStates`; returns the names for the record."""
        statesToEnter: OrderedSet[State] = OrderedSet()
        statesForDefaultEntry: OrderedSet[State] = OrderedSet()
        # "initialize the temporary table for default content in history states"
        defaultHistoryContent: dict[str, Block] = {}
        self.computeEntrySet(enabledTransitions, statesToEnter, statesForDefaultEntry, defaultHistoryContent)
        ordered = sorted(statesToEnter, key=entryOrder)
        for s in ordered:
            self.configuration.add(s)
            self.executeContent(s.onentry)
            if statesForDefaultEntry.isMember(s):
                assert s.initial is not None
                self.executeContent(s.initial.content)
            if s.id in defaultHistoryContent:
                self.executeContent(defaultHistoryContent[s.id])
            if isFinalState(s):
                if isScxmlElement(s.parent):
                    self.running = False
                else:
                    parent = s.parent
                    assert parent is not None
                    grandparent = parent.parent
                    assert grandparent is not None
                    self.internalQueue.enqueue("done.state." + parent.id)
                    if isParallelState(grandparent) and all(map(self.isInFinalState, getChildStates(grandparent))):
                        self.internalQueue.enqueue("done.state." + grandparent.id)
        return [s.id for s in ordered]

    def computeEntrySet(
        self,
        transitions: list[Transition],
        statesToEnter: OrderedSet[State],
        statesForDefaultEntry: OrderedSet[State],
        defaultHistoryContent: dict[str, Block],
    ) -> None:
        """Procedure `computeEntrySet`: "the complete set of states that will be entered"."""
        for t in transitions:
            for s in t.target:
                self.addDescendantStatesToEnter(s, statesToEnter, statesForDefaultEntry, defaultHistoryContent)
            ancestor = self.getTransitionDomain(t)
            for s in self.getEffectiveTargetStates(t):
                self.addAncestorStatesToEnter(s, ancestor, statesToEnter, statesForDefaultEntry, defaultHistoryContent)

    def addDescendantStatesToEnter(
        self,
        state: State,
        statesToEnter: OrderedSet[State],
        statesForDefaultEntry: OrderedSet[State],
        defaultHistoryContent: dict[str, Block],
    ) -> None:
        """Procedure `addDescendantStatesToEnter`: 'state' and any descendants entered with it."""
        rest = (statesToEnter, statesForDefaultEntry, defaultHistoryContent)
        if isHistoryState(state):
            assert state.parent is not None
            if self.historyValue.get(state.id):
                for s in self.historyValue[state.id]:
                    self.addDescendantStatesToEnter(s, *rest)
                for s in self.historyValue[state.id]:
                    self.addAncestorStatesToEnter(s, state.parent, *rest)
            else:
                [transition] = state.transition
                defaultHistoryContent[state.parent.id] = transition.content
                for s in transition.target:
                    self.addDescendantStatesToEnter(s, *rest)
                for s in transition.target:
                    self.addAncestorStatesToEnter(s, state.parent, *rest)
        else:
            statesToEnter.add(state)
            if isCompoundState(state):
                assert state.initial is not None
                statesForDefaultEntry.add(state)
                for s in state.initial.target:
                    self.addDescendantStatesToEnter(s, *rest)
                for s in state.initial.target:
                    self.addAncestorStatesToEnter(s, state, *rest)
            elif isParallelState(state):
                self.addRegions(state, *rest)

    def addAncestorStatesToEnter(
        self,
        state: State,
        ancestor: State | None,
        statesToEnter: OrderedSet[State],
        statesForDefaultEntry: OrderedSet[State],
        defaultHistoryContent: dict[str, Block],
    ) -> None:
        """Procedure `addAncestorStatesToEnter`: "any ancestors of 'state' up to, but not including, 'ancestor'".

        Ours: unless they are active. That can only happen where a history is the target of a transition inside its parent:
        'ancestor' is then the parent, but what was exited may lie deeper. To the letter, composites that were not exited
        would be entered again, and the other regions of a parallel state a second time by default, which gives a region two
        active children. "Ancestors outside of the domain of the transition will not have been exited", says
        `computeEntrySet`, and 3.13 has in the entry set only what is "not currently active" or in the exit set.
        """
        for anc in getProperAncestors(state, ancestor):
            if self.configuration.isMember(anc) and not self.literal:
                continue
            statesToEnter.add(anc)
            if isParallelState(anc):
                self.addRegions(anc, statesToEnter, statesForDefaultEntry, defaultHistoryContent)

    def addRegions(
        self,
        parallel: State,
        statesToEnter: OrderedSet[State],
        statesForDefaultEntry: OrderedSet[State],
        defaultHistoryContent: dict[str, Block],
    ) -> None:
        """Enter the regions "that don't already have a descendant on statesToEnter" (the loop both procedures have)."""
        for child in getChildStates(parallel):
            if not any(isDescendant(s, child) for s in statesToEnter):
                self.addDescendantStatesToEnter(child, statesToEnter, statesForDefaultEntry, defaultHistoryContent)

    def isInFinalState(self, s: State) -> bool:
        """Procedure `isInFinalState`."""
        if isCompoundState(s):
            return any(isFinalState(c) and self.configuration.isMember(c) for c in getChildStates(s))
        if isParallelState(s):
            return all(map(self.isInFinalState, getChildStates(s)))
        return False

    def getTransitionDomain(self, t: Transition) -> State | None:
        """Function `getTransitionDomain`: all states exited or entered by `t` are descendants of it."""
        tstates = self.getEffectiveTargetStates(t)
        if isScxmlElement(t.source):  # the text leaves the domain of the initial transition open: it has no LCCA
            return t.source
        if tstates.isEmpty():
            return None
        if t.type == "internal" and isCompoundState(t.source) and tstates.every(lambda s: isDescendant(s, t.source)):
            return t.source
        return findLCCA([t.source, *tstates])

    def getEffectiveTargetStates(self, transition: Transition) -> OrderedSet[State]:
        """Function `getEffectiveTargetStates`: the targets, "dereferencing any history states"."""
        targets: OrderedSet[State] = OrderedSet()
        for s in transition.target:
            if isHistoryState(s):
                if self.historyValue.get(s.id):
                    targets.union(OrderedSet(self.historyValue[s.id]))
                else:
                    targets.union(self.getEffectiveTargetStates(s.transition[0]))
            else:
                targets.add(s)
        return targets

    # What Appendix D leaves to the datamodel and the platform: `executeContent`, `conditionMatch` ---------------------

    def executeContent(self, block: Block) -> None:
        """Execute a block; when one of its elements causes an error, the remaining ones are left out (4.9)."""
        try:
            self.executeActions(block)
        except ExecutionError:
            self.internalQueue.enqueue("error.execution")

    def executeActions(self, actions: list[Action]) -> None:
        """Do one action after the other."""
        for action in actions:
            match action:
                case {"set": dict(values), **rest} if not rest:
                    for name, written in values.items():
                        self.assign(name, self.value(written))
                case {"emit": str(effect), **rest} if not rest:
                    self.effects.append(effect)
                case {"raise": str(event), **rest} if not rest:
                    self.internalQueue.enqueue(event)
                case {"if": guard, **branches} if set(branches) <= {"do", "else"}:
                    self.executeActions(branches.get("do" if self.conditionMatch(guard) else "else") or [])
                case _:
                    raise Unsupported(f"not in this interpreter's subset: {action}")

    def assign(self, name: str, value: Value) -> None:
        """Give a field a value, unless it is out of its declared range."""
        data = self.declared[name]
        if "enum" in data and value not in data["enum"]:
            raise Unsupported(f"{value!r} is no word of {name!r}")
        if "min" in data and value < data["min"]:
            raise ExecutionError
        if "max" in data and value > data["max"]:
            raise ExecutionError
        self.datamodel[name] = value

    def value(self, written: Value) -> Value:
        """Evaluate what `set` may say: an integer, a bool, a word of an enum, `NAME + INT` or `NAME - INT`."""
        if not isinstance(written, str):
            return written
        if sum_ := re.fullmatch(r"([\w-]+) ([+-]) (\d+)", written):
            name, sign, number = sum_.groups()
            read: int = self.datamodel[name]
            return read + int(number) if sign == "+" else read - int(number)
        return written

    def conditionMatch(self, cond: Any) -> bool:
        """Evaluate a guard in its structured form; no guard is always true."""
        if cond is None:
            return True
        if isinstance(cond, list):
            return all(self.conditionMatch(each) for each in cond)
        if not isinstance(cond, dict):
            raise Unsupported(f"a guard as text: {cond!r}")
        return all(self.holds(key, wanted) for key, wanted in cond.items())

    def holds(self, key: str, wanted: Any) -> bool:
        """Evaluate one line of a guard."""
        if key == "all":
            return all(self.conditionMatch(each) for each in wanted)
        if key == "any":
            return any(self.conditionMatch(each) for each in wanted)
        if key == "not":
            return not self.conditionMatch(wanted)
        if key == "self":  # In() of 5.9.1
            return any(self.configuration.isMember(s) for s in self.doc.named(wanted))
        if key not in self.datamodel:
            raise Unsupported(f"not in this interpreter's subset: {key!r} in a guard")
        return matches(self.datamodel[key], wanted)

    # The record of the run --------------------------------------------------------------------------------------------

    def beginTrace(self, event: str | None) -> None:
        """Start to write down a macrostep."""
        self.event = event
        self.microsteps: list[Microstep] = []
        self.effects: list[str] = []

    def endTrace(self, *, endless: bool = False) -> None:
        """Write down how the macrostep ended."""
        active = self.configuration.toList() if self.running else self.finalConfiguration
        trace = Trace(
            event=self.event,
            microsteps=tuple(self.microsteps),
            effects=tuple(self.effects),
            configuration=tuple(s.id for s in sorted(active, key=documentOrder)),
            fields=dict(self.datamodel),
            done=not self.running,
            endless=endless,
        )
        self.traces.append(trace)


def matches(actual: Any, wanted: Any) -> bool:
    """Compare a field with what a guard wants of it."""
    if isinstance(wanted, list):
        return any(matches(actual, each) for each in wanted)
    if not isinstance(wanted, dict):
        return bool(actual == wanted)
    refuseUnknown(wanted, {"at-least", "at-most", "above", "below", "not"})
    return (
        ("at-least" not in wanted or actual >= wanted["at-least"])
        and ("at-most" not in wanted or actual <= wanted["at-most"])
        and ("above" not in wanted or actual > wanted["above"])
        and ("below" not in wanted or actual < wanted["below"])
        and ("not" not in wanted or not matches(actual, wanted["not"]))
    )
