"""Random well-formed machines, as the plain data of a machine file, and events to say to them.

A tree of states is drawn first and numbered in document order (`s1`, `s2`, … and `h1` for history); every other choice is
made among what is legal in that tree. Everything is so frequent that a few hundred machines meet every feature and most
pairs of them: `python -m tests.oracle.features` counts.

What Hypothesis draws is one number, the seed of the machine: were it to draw every choice, it would spend its examples on
near copies and minutes on shrinking one. `tests.oracle.smaller` makes a counterexample small on the machine's own terms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, TypeVar

import yaml
from hypothesis import strategies as st

from tests.oracle.appendix_d import Action, Block, Machine

T = TypeVar("T")
Run = tuple[Machine, list[str]]
"""A machine and what is said to it."""

FIELDS: Machine = {
    "fuel": {"type": "int", "default": 4, "min": 0},  # burnt by most rows that could otherwise go on for ever
    "n": {"type": "int", "default": 0, "min": 0, "max": 2},
    "flag": {"type": "bool", "default": False},
    "mode": {"enum": ["red", "green", "blue"], "default": "red"},
}
FUEL_LEFT: Machine = {"fuel": {"at-least": 1}}
BURN_FUEL: Action = {"set": {"fuel": "fuel - 1"}}
PLAIN_EVENTS = ["a", "b", "c"]
DOTTED_EVENTS = ["a", "b", "c", "a.b"]
SEEDS = st.integers(0, 2**32 - 1)


def runs(size: int = 12, *, dotted: bool = True) -> st.SearchStrategy[Run]:
    """Draw a machine together with events to say to it."""
    return SEEDS.map(lambda seed: random_run(seed, size, dotted=dotted))


def machines(size: int = 12, *, dotted: bool = True) -> st.SearchStrategy[Machine]:
    """Draw a machine of at most `size` states, history not counted.

    `dotted` allows an event called `a.b` and the descriptors `done.state` and `error`, which only prefix matching
    explains. Overlapping guards are legal, since the machine says `choice: first`.
    """
    return runs(size, dotted=dotted).map(lambda run: run[0])


def events(machine: Machine) -> st.SearchStrategy[list[str]]:
    """Draw events from outside for a machine."""
    return st.lists(st.sampled_from(list(machine["events"])), max_size=12)


def random_run(seed: int, size: int = 12, *, dotted: bool = True) -> Run:
    """Give the machine and the events of a seed: what the strategies draw, and ten times quicker without them."""
    choices = Choices(seed)
    root = tree(choices, size)
    author = Author(choices, list(root.inside()), dotted=dotted)
    initial, default = author.initial(root)
    states = author.children(root, default)
    rows = choices.several(partial(author.row, ordinary=True), at_most=size + size // 2, again=93)
    special = choices.several(partial(author.row, ordinary=False), at_most=size // 2, again=80)
    special += [author.row(ordinary=False, done=node) for node in author.parallels if node.can_be_done]
    rows = special + rows if choices.chance(50) else rows + special
    said = {
        **initial,
        "states": states,
        "transitions": [named({"id": "?", **row}, f"t{n}") for n, row in enumerate(rows, 1)],
    }
    spoken = choices.several(lambda: choices.pick(author.events), at_most=12, again=95)
    return declared(said, author.events), spoken


def declared(said: Machine, events: Sequence[str]) -> Machine:
    """Put before states and rows the declarations they need, and of these events."""
    mentioned = set(words(said))
    machine = {
        "machine": "m",
        "choice": "first",
        "fields": {name: dict(data) for name, data in FIELDS.items() if name in mentioned},
        "events": {event: {} for event in events},
        "effects": {effect: {} for effect in emitted(said)},
        **said,
    }
    return {key: value for key, value in machine.items() if value}


def to_yaml(machine: Machine) -> str:
    """Print a machine as text in our language, its keys in their order."""
    return yaml.dump(machine, Dumper=_WithoutAliases, sort_keys=False, width=120)


class _WithoutAliases(yaml.SafeDumper):
    """Our language has no aliases: what occurs twice is written twice."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


class Choices:
    """The choices that follow from a seed."""

    def __init__(self, seed: int) -> None:
        """Take the seed."""
        self.random = Random(seed)

    def pick(self, options: Sequence[T]) -> T:
        """One of the options; what stands there several times comes more often."""
        return self.random.choice(options)

    def chance(self, percent: int) -> bool:
        """Yes, so often."""
        return self.random.randrange(100) < percent

    def several(self, make: Callable[[], T], *, at_most: int, again: int) -> list[T]:
        """A list that goes on with the chance `again`."""
        made: list[T] = []
        while len(made) < at_most and self.chance(again):
            made.append(make())
        return made

    def subset(self, options: Sequence[T], at_least: int) -> list[T]:
        """Some of the options, in any order."""
        left = list(options)
        chosen: list[T] = []
        while left and (len(chosen) < at_least or self.chance(30)):
            chosen.append(left.pop(self.random.randrange(len(left))))
        return chosen


# The tree -------------------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Node:
    """A state being drawn."""

    kind: str = "atomic"  # or composite, parallel, final, shallow, deep
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)
    name: str = ""

    @property
    def is_history(self) -> bool:
        """Whether it is a history pseudo-state."""
        return self.kind in {"shallow", "deep"}

    @property
    def child_states(self) -> list[Node]:
        """The children that are states."""
        return [child for child in self.children if not child.is_history]

    @property
    def can_be_done(self) -> bool:
        """Whether a done event of it may ever be raised."""
        if self.kind == "composite":
            return any(child.kind == "final" for child in self.children)
        return self.kind == "parallel" and all(region.can_be_done for region in self.child_states)

    def inside(self) -> Iterator[Node]:
        """Its descendants in document order."""
        for child in self.children:
            yield child
            yield from child.inside()

    def above(self) -> Iterator[Node]:
        """Its ancestors, the nearest first."""
        if self.parent is not None:
            yield self.parent
            yield from self.parent.above()


def tree(choices: Choices, size: int) -> Node:
    """Draw the states of a machine, with their kinds and names."""
    root = Node("composite")
    childless = [root]  # composite and parallel states still to be filled: with two children at least
    left = size
    while childless:
        node = childless.pop(choices.pick([0, 0, -1]))
        spare = left - 2 * len(childless)
        node.children = [Node(parent=node) for _ in range(min(choices.pick([2, 2, 3]), spare))]
        left -= len(node.children)
        for child in node.children:
            if left - 2 * len(childless) >= 2:
                child.kind = choices.pick(kinds(child))
            if child.kind != "atomic":
                childless.append(child)
    for node in [root, *root.inside()]:
        add_final(choices, node)
    for node in list(root.inside()):
        if node.children:
            add_histories(choices, node)
    everything = list(root.inside())
    for letter, nodes in (
        ("s", [node for node in everything if not node.is_history]),
        ("h", [node for node in everything if node.is_history]),
    ):
        for number, node in enumerate(nodes, 1):
            node.name = f"{letter}{number}"
    return root


def kinds(child: Node) -> list[str]:
    """What a child may be, while there is room: a parallel state at the top and composites in it, as a rule."""
    depth = len(list(child.above()))
    assert child.parent is not None
    if depth == 1:
        last = child is child.parent.children[-1]
        return ["atomic", *(["atomic"] * 2 if last else []), "composite", "parallel", "parallel"]
    if depth > 4:
        return ["atomic"]
    if child.parent.kind == "parallel":
        return ["atomic", *["composite"] * 6, "parallel"]
    return ["atomic", "atomic", "composite", "parallel", "parallel"]


def add_final(choices: Choices, node: Node) -> None:
    """Perhaps make a leaf of a composite final: as a rule not the one entered first, and seldom at the top."""
    leaves = [child for child in node.children if child.kind == "atomic"]
    if node.kind != "composite" or not leaves:
        return
    leaf = leaves[0] if choices.chance(10) else leaves[-1]
    if leaf is node.children[0] and (node.parent is None or not choices.chance(15)):
        return
    if choices.chance(75 if node.parent else 60):
        leaf.kind = "final"


def add_histories(choices: Choices, node: Node) -> None:
    """Perhaps give a composite or parallel state a history or two, anywhere among its children."""
    for kind in choices.pick([[], [], [], ["shallow"], ["deep"], ["deep", "shallow"]]):
        node.children.insert(choices.pick(range(len(node.children) + 1)), Node(kind, node))


# What is said about the states ----------------------------------------------------------------------------------------


class Author:
    """Draws whatever refers to the states of one tree: targets, guards, actions, rows."""

    def __init__(self, choices: Choices, nodes: list[Node], *, dotted: bool) -> None:
        """Take the states in document order."""
        self.choices = choices
        self.nodes = nodes
        self.dotted = dotted
        self.events = DOTTED_EVENTS if dotted else PLAIN_EVENTS
        self.states = [node for node in nodes if not node.is_history]
        self.sources = [node for node in self.states if node.kind != "final"]
        self.in_regions = [node for node in self.sources if any(above.kind == "parallel" for above in node.above())]
        self.parallels = [node for node in nodes if node.kind == "parallel"]
        self.can_be_done = [node.name for node in nodes if node.can_be_done]

    def children(self, node: Node, default: str) -> Machine:
        """Draw what the children of a state say."""
        return {child.name: self.state(child, default=child.name == default) for child in node.children}

    def state(self, node: Node, *, default: bool) -> Machine:
        """Draw what a state says; `default` is whether its parent's choice fell on it."""
        if node.is_history:
            assert node.parent is not None
            to = self.targets(node.parent.inside(), history=False)
            return {"history": node.kind, "to": to, **self.block("do", node.name)}
        data: Machine = {"initial": True} if default else {}
        if node.kind == "final":
            data["final"] = True
        data |= self.block("entry", "in-" + node.name, plain=70)
        data |= self.block("exit", "out-" + node.name, plain=80)
        if not node.children:
            return data
        key, chosen = "regions", ""
        if node.kind == "composite":
            initial, chosen = self.initial(node)
            key, data = "states", data | initial
        return data | {key: self.children(node, chosen)}

    def initial(self, node: Node) -> tuple[Machine, str]:
        """Draw what a composite enters by default: the first child, an initial transition, or the child named."""
        how = self.choices.pick(["first"] * 4 + ["marked"] * 2 + ["transition"] * 3)
        if how == "marked":
            return {}, self.choices.pick(node.child_states).name
        if how == "transition":
            block = self.block("do", f"start-{node.name}" if node.name else "start")
            return {"initial-transition": {"to": self.targets(node.inside()), **block}}, ""
        return {}, ""

    def targets(self, among: Iterator[Node] | list[Node], *, history: bool = True) -> str | list[str]:
        """Draw a legal target: one state, or states in different regions of one parallel state (3.11)."""
        allowed = [node for node in among if history or not node.is_history]
        parallels = [node for node in self.parallels if set(node.child_states) <= set(allowed)]
        if parallels and self.choices.chance(30):
            parallel = self.choices.pick(parallels)
            if parallel.can_be_done and self.choices.chance(50):
                return [
                    self.target([node for node in region.inside() if node.kind == "final"])
                    for region in parallel.child_states
                ]
            regions = self.choices.subset(parallel.child_states, 2)
            return [self.target([node for node in (region, *region.inside()) if node in allowed]) for region in regions]
        return self.target(allowed)

    def target(self, allowed: list[Node]) -> str:
        """Draw one target; history and final states are rarer in the tree than they deserve."""
        special = [node for node in allowed if node.is_history or node.kind == "final"]
        return self.choices.pick(allowed + special * 2).name

    # Rows -------------------------------------------------------------------------------------------------------------

    def row(self, *, ordinary: bool, done: Node | None = None) -> Machine:
        """Draw a row without its id: with an ordinary event, or with anything else a row may wait for."""
        trigger: Machine
        if done is not None:
            trigger = {"done": done.name}
        elif ordinary:
            trigger = {"event": self.choices.pick(["a", "a", "b", *self.events])}
        else:
            trigger = self.trigger()
        likely = [node for node in self.states if node.name == trigger.get("done")]  # what is done waits for it itself
        source = self.choices.pick(self.sources + self.in_regions + likely * len(self.sources))
        when: Machine = {"when": self.guard()} if self.choices.chance(25 if ordinary else 40) else {}
        reach = self.reach(source)
        several = "internal" not in reach and len(self.sources) > 1 and self.choices.chance(15)
        sources = [node.name for node in self.choices.subset(self.sources, 2)] if several else source.name
        block = self.block("do", "?")
        if not ordinary and self.choices.chance(75 if trigger else 95):
            when = {"when": FUEL_LEFT | when.get("when", {})}
            block = {"do": [BURN_FUEL, *block.get("do", [])]}
        return {"from": sources, **trigger, **when, **reach, **block}

    def trigger(self) -> Machine:
        """Draw what a row waits for, other than one plain event; nothing makes it eventless."""
        ways = ["eventless", "eventless", "any", "platform", "list"] + ["done"] * (4 if self.can_be_done else 0)
        match self.choices.pick(ways):
            case "any":
                return {"event": "*"}
            case "platform":
                return {"event": self.choices.pick(["error.execution", *(["done.state", "error"] * self.dotted)])}
            case "list":
                return {"event": self.choices.subset([*self.events, "error.execution"], 2)}
            case "done":
                return {"done": self.choices.pick(self.can_be_done)}
        return {}

    def reach(self, source: Node) -> Machine:
        """Draw where a row goes: near its source, anywhere, nowhere, or inside its source with or without leaving it."""
        ways = ["near", "near", "near", "anywhere", "anywhere", "anywhere", "nowhere"]
        if source.children:
            ways += ["inside"]
        if source.kind == "composite":
            ways += ["internal"] * 3
        match self.choices.pick(ways):
            case "near":
                assert source.parent is not None
                return {"to": self.targets(source.parent.inside())}
            case "anywhere":
                return {"to": self.targets(self.nodes)}
            case "inside":
                return {"to": self.targets(source.inside())}
            case "internal":
                return {"to": self.targets(source.inside()), "internal": True}
        return {}

    # Guards and actions -----------------------------------------------------------------------------------------------

    def guard(self) -> Machine:
        """Draw a guard in its structured form."""
        match self.choices.pick(["leaf"] * 5 + ["not", "all", "any"]):
            case "not":
                return {"not": self.leaf()}
            case "all":
                return {"all": [self.leaf(), self.leaf()]}
            case "any":
                return {"any": [self.leaf(), self.leaf()]}
        return self.leaf()

    def leaf(self) -> Machine:
        """Draw a guard over one thing."""
        words = FIELDS["mode"]["enum"]
        match self.choices.pick(["self", "self", "flag", "n", "at-least", "below", "mode", "modes"]):
            case "self":
                return {"self": self.choices.pick(self.states).name}
            case "flag":
                return {"flag": self.choices.pick([False, True])}
            case "n":
                return {"n": self.choices.pick([0, 1, 2])}
            case "at-least":
                return {"n": {"at-least": self.choices.pick([0, 1, 2])}}
            case "below":
                return {"n": {"below": self.choices.pick([3, 2, 1])}}
            case "mode":
                return {"mode": self.choices.pick(words)}
        return {"mode": self.choices.subset(words, 2)[:2]}

    def block(self, key: str, label: str, *, plain: int = 40) -> Machine:
        """Draw a block of actions under its key, or nothing.

        It emits its label, so that the order of blocks shows; `plain` is how often (of 100) that is all it does.
        """
        emit = {"emit": label}
        if not self.choices.chance(80):
            return {}
        if not self.choices.chance(100 - plain):
            return {key: [emit]}
        action = self.action(label)
        return {key: [action, emit] if self.choices.chance(50) else [emit, action]}

    def action(self, label: str) -> Action:
        """Draw an action that changes how the machine goes on."""
        match self.choices.pick(["set", "set", "set", "set", "if", "if", "raise"]):
            case "raise":
                raised: Action = {"raise": self.choices.pick(self.events)}
                return {"if": FUEL_LEFT, "do": [BURN_FUEL, raised]} if self.choices.chance(70) else raised
            case "if":
                chosen: Action = {"if": self.guard(), "do": self.branch(label + "-then")}
                return chosen | {"else": self.branch(label + "-else")} if self.choices.chance(50) else chosen
        return {"set": self.assignment()}

    def branch(self, label: str) -> Block:
        """Draw what an `if` leads to."""
        return self.choices.pick([[{"emit": label}], [{"set": self.assignment()}, {"emit": label}]])

    def assignment(self) -> Machine:
        """Draw what a `set` assigns; the last ones are, or may be, out of range."""
        return self.choices.pick(
            [
                {"flag": True},
                {"flag": False},
                {"mode": "green"},
                {"mode": "blue"},
                {"n": 2},
                {"n": "n + 1"},
                {"n": "n + 1"},
                {"n": "n - 1"},
                {"mode": "red", "n": "n + 2", "flag": True},
                {"n": 3},
            ]
        )


# Reading plain data ---------------------------------------------------------------------------------------------------


def named(data: Any, label: str) -> Any:
    """Put a row's id in place of the `?` it was drawn with."""
    if isinstance(data, dict):
        return {key: named(value, label) for key, value in data.items()}
    if isinstance(data, list):
        return [named(each, label) for each in data]
    return label + data.removeprefix("?") if isinstance(data, str) and data.startswith("?") else data


def emitted(data: Any) -> list[str]:
    """Say which effects occur, in order."""
    if isinstance(data, dict):
        here = [data["emit"]] if "emit" in data else []
        return list(dict.fromkeys(here + [effect for value in data.values() for effect in emitted(value)]))
    if isinstance(data, list):
        return list(dict.fromkeys(effect for each in data for effect in emitted(each)))
    return []


def words(data: Any) -> Iterator[str]:
    """Say every word that occurs, as a key or inside a text."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield key
            yield from words(value)
    elif isinstance(data, list):
        for each in data:
            yield from words(each)
    elif isinstance(data, str):
        yield from data.split()
