"""Random models for round trips: everything a specification can say, and texts that are hard to write."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TypeVar

from outlast import model
from outlast.expr import BOOL, DURATION, INT, STRING, Expr, tree
from outlast.place import Word

T = TypeVar("T")

NAMES = [
    Word(name) for name in ("a", "b-c", "TIP-31", "yes", "on", "x_1", "null-ish", "e", "n", "a-name-of-some-length")
]
CLAUSES = [Word("C-1"), Word("C-2.1"), Word("RFC-3.10.7.4-18")]
EXPRS: list[Expr] = [
    tree.Literal(3, INT),
    tree.Literal(-3, INT),
    tree.Literal(value=True, type=BOOL),
    tree.Literal(900_000_000, DURATION),
    tree.Literal('it\'s, "so": #1', STRING),
    tree.Name(("a",)),
    tree.Is(tree.Name(("a", "b")), (tree.Name(("c",)), tree.Name(("d",)))),
    tree.Any((tree.Name(("a",)), tree.Not(tree.Present(tree.Name(("b",)))))),
    tree.Among(tree.Name(("a",)), (tree.Literal(1, INT), tree.Literal(2, INT))),
    tree.Compare(">=", tree.Name(("a",)), tree.Arithmetic("+", tree.Name(("b",)), tree.Literal(-1, INT))),
    tree.All(tuple(tree.Name((f"a-rather-long-name-{number}",)) for number in range(9))),
]
WORDS = [
    "Note:",
    "a",
    "long",
    "word,",
    "#1",
    "it's",
    '"so"',
    "{x}",
    "[y]",
    "-",
    "- z",
    "x\\y",
    "é",
    "…",
    "null",
    "\n",
    " ",
    "?",
    "*",
]


class Models:
    """Makes models out of one random number generator."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def chance(self, share: float = 0.4) -> bool:
        """True so often."""
        return self.random.random() < share

    def some(self, make: Callable[[], T], most: int = 3, least: int = 0) -> tuple[T, ...]:
        """A few of them."""
        return tuple(make() for _ in range(self.random.randint(least, most)))

    def name(self) -> Word:
        """A name."""
        return self.random.choice(NAMES)

    def names(self, least: int = 0, most: int = 3) -> tuple[Word, ...]:
        """A few different names."""
        return tuple(self.random.sample(NAMES, self.random.randint(least, most)))

    def text(self) -> str:
        """A text, which may be long, or empty."""
        length = self.random.choice([0, 0, 1, 3, 6, 40])
        words = self.random.choices(WORDS, k=length)
        return " ".join(words).strip()

    def sure(self) -> str:
        """A text that is not empty."""
        return self.text() or "x"

    def expr(self) -> Expr:
        """An expression."""
        return self.random.choice(EXPRS)

    def clauses(self) -> model.Clauses:
        """A few clauses."""
        return tuple(self.random.sample(CLAUSES, self.random.choice([0, 1, 1, 3])))

    def values(self, least: int = 0) -> model.Assignments:
        """A few values."""
        return tuple((name, self.expr()) for name in self.names(least))

    def action(self, depth: int = 0) -> model.Action:
        """Any action."""
        kinds: list[Callable[[], model.Action]] = [
            lambda: model.Assign(self.values(1)),
            lambda: model.Emit(self.name(), self.values()),
            lambda: model.Raise(self.name(), self.values()),
            lambda: model.Send(
                self.name(),
                self.name() if self.chance() else None,
                tree.Name(("delay",)) if self.chance() else None,
                self.values(),
                self.name() if self.chance() else None,
            ),
            lambda: model.Cancel(self.name()),
            lambda: model.Stop(self.name()),
            self.spawn,
            lambda: model.If(self.expr(), self.block(depth + 1), self.block(depth + 1)),
        ]
        return self.random.choice(kinds[: 7 if depth > 1 else 8])()

    def spawn(self) -> model.Spawn:
        """A child."""
        refs = tuple((name, self.name()) for name in self.names(0, 1))
        return model.Spawn(self.name(), self.name(), self.values(), refs)

    def block(self, depth: int = 0) -> model.Block:
        """A list of actions."""
        return self.some(lambda: self.action(depth))

    def blocks(self) -> tuple[model.Block, ...]:
        """Several lists of actions, none of them empty."""
        return tuple(block for block in self.some(self.block, 2) if block)

    def field(self, name: Word) -> model.Field:
        """A declaration."""
        words = self.names(1) if self.chance() else ()
        return model.Field(
            name,
            "enum" if words else self.random.choice(["bool", "int", "string"]),
            words,
            self.expr() if self.chance() else None,
            self.chance(),
            self.expr() if self.chance() else None,
            about=self.text(),
            because=self.clauses(),
        )

    def fields(self) -> tuple[model.Field, ...]:
        """A few declarations."""
        return tuple(self.field(name) for name in self.names())

    def entry(self) -> model.Entry:
        """Where something begins."""
        return model.Entry(self.names(1), self.block())

    def state(self, name: Word, depth: int = 0) -> model.State:
        """A state and what is below it."""
        kinds: list[model.StateKind] = [
            "atomic",
            "atomic",
            "final",
            "shallow-history",
            "deep-history",
            "composite",
            "parallel",
        ]
        kind = self.random.choice(kinds[: 5 if depth > 2 else 7])
        base = model.State(name, kind, title=self.text(), about=self.text(), because=self.clauses())
        if kind.endswith("history"):
            return model.State(name, kind, default=self.entry(), title=base.title)
        deep = kind in ("composite", "parallel")
        return model.State(
            name,
            kind,
            tuple(self.state(child, depth + 1) for child in self.names(1)) if deep else (),
            self.chance(),
            self.entry() if kind == "composite" and self.chance() else None,
            self.blocks(),
            self.blocks(),
            tuple({spawn.ref: spawn for spawn in self.some(self.spawn, 2)}.values()) if kind != "final" else (),
            self.values() if kind == "final" else (),
            self.chance(0.2),
            base.title,
            base.about,
            "live" if self.chance() else None,
            base.because,
        )

    def transition(self) -> model.Transition:
        """A row."""
        triggers: list[model.Trigger] = [
            None,
            model.OnEvent((Word("*"),)),
            model.OnEvent((Word("a"), Word("b.c.*"))),
            model.After(tree.Literal(30_000_000, DURATION)),
            model.Within(tree.Name(("grace",))),
            model.OnDone(self.name()),
        ]
        trigger = self.random.choice(triggers)
        refuse = self.sure() if isinstance(trigger, model.OnEvent) and self.chance() else ""
        return model.Transition(
            self.name(),
            self.names(1),
            trigger,
            self.expr() if self.chance() else None,
            () if refuse else self.names(),
            self.chance(0.1),
            () if refuse else self.block(),
            refuse,
            self.clauses(),
            self.text(),
        )

    def machine(self) -> model.Machine:
        """A machine."""
        return model.Machine(
            self.name(),
            self.text(),
            self.text(),
            self.fields(),
            tuple(model.Ref(name, self.name(), self.chance(), self.text()) for name in self.names()),
            tuple(
                model.Event(name, self.fields(), self.names(), self.chance(), self.text(), self.clauses())
                for name in self.names()
            ),
            tuple(model.Effect(name, self.fields(), self.text(), self.clauses()) for name in self.names()),
            tuple(model.Guard(name, self.expr(), self.text(), self.clauses()) for name in self.names()),
            self.some(lambda: model.Requirement(self.name(), self.expr(), self.sure(), self.clauses())),
            tuple(self.state(name) for name in self.names(1)),
            self.entry() if self.chance() else None,
            self.some(self.transition, 5),
            self.chance(0.2),
            tuple((name, self.name()) for name in self.names()) if self.chance(0.2) else (),
        )

    def clause_list(self) -> tuple[model.Clause, ...]:
        """The clauses of a system."""
        return self.some(
            lambda: model.Clause(
                self.random.choice(CLAUSES),
                self.sure(),
                self.text(),
                self.random.choice([None, 12]),
                self.text(),
                self.text(),
            ),
            least=1,
        )

    def constant(self, name: Word) -> model.Constant:
        """A named value."""
        return model.Constant(name, self.expr(), self.text(), self.clauses())

    def assumption(self, name: Word) -> model.Assumption:
        """An open question."""
        readings = tuple((reading, self.sure()) for reading in self.names(2))
        return model.Assumption(name, self.sure(), readings, self.name(), self.text(), self.clauses())

    def composition(self, name: Word) -> model.Composition:
        """A few instances."""
        given = tuple(
            model.Given(self.name(), one, self.name() if self.chance() else None, self.values())
            for one in self.names(1)
        )
        only = self.some(self.said) if self.chance() else None
        also = self.some(self.said) if only is None else ()
        return model.Composition(name, given, only, also, self.values(), self.text())

    def said(self) -> model.Said:
        """An event to somebody."""
        return model.Said(self.name(), self.name(), self.name(), self.values())

    def property(self) -> model.Property:
        """What must hold."""
        kinds: list[model.PropertyKind] = [
            "never",
            "always",
            "never-longer-than",
            "leads-to",
            "reachable",
            "can-always",
        ]
        kind = self.random.choice(kinds)
        return model.Property(
            self.name(),
            self.name(),
            kind,
            self.expr(),
            self.expr() if kind == "leads-to" else None,
            self.expr() if kind == "always" and self.chance() else None,
            tree.Literal(30_000_000, DURATION) if kind in ("never-longer-than", "leads-to") else None,
            self.sure(),
            self.names(),
            self.clauses(),
        )

    def system(self) -> model.System:
        """A system."""
        document = model.Document(self.sure(), self.text(), self.text()) if self.chance() else None
        machines = {machine.name: machine for machine in self.some(self.machine, 3, 1)}
        return model.System(
            self.name(),
            self.text(),
            self.text(),
            document,
            tuple(machines.values()),
            self.clause_list() if self.chance() else (),
            tuple(model.Actor(name, self.text()) for name in self.names()),
            tuple(self.constant(name) for name in self.names()),
            tuple(self.assumption(name) for name in self.names()),
            tuple(self.composition(name) for name in self.names()),
            self.some(self.property),
        )
