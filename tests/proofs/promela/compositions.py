"""Small random compositions with everything a model in ticks can say: nested states, guards over fields and refs, payloads, faults, children."""

from __future__ import annotations

from random import Random

from outlast.language import read_machine
from outlast.model import System as Source
from outlast.place import Word
from outlast.plan import Plan, compile_system
from outlast.run import Event, System
from tests.proofs.promela.ticks import Drawing

SECOND = 1_000_000
LEAVES = ("p", "q", "r", "s")


def plan_of(*texts: str) -> Plan:
    """The plan of a few machines."""
    machines = []
    for number, text in enumerate(texts):
        machine, problems = read_machine(text, f"machine-{number}.yaml")
        assert machine, text
        assert not problems, (problems, text)
        machines.append(machine)
    plan, wrong = compile_system(Source(Word("random"), machines=tuple(machines)))
    assert not wrong, (wrong, texts)
    return plan


EVERYTHING = (
    """
machine: shop
choice: first
fields:
  stock: {type: int, min: 0, max: 2, default: 1}
  colour: {enum: [red, blue], optional: true}
  pause: {type: duration, min: 1s, max: 3s, default: 2s}
refs: {clerk: {machine: clerk, optional: true}}
events: {open: {}, sell: {payload: {many: {type: int, min: 1, max: 2}, colour: {enum: [red, blue], optional: true}}}, shut: {}, count: {internal: true}}
effects: {sold: {payload: {left: {type: int, max: 0}}}}
states:
  closed: {}
  open:
    entry: [{raise: count}]
    exit: [{if: clerk is present, do: [{stop: clerk}]}]
    initial-transition: {to: quiet, do: [{set: {pause: 2s}}]}
    states:
      quiet: {}
      busy:
        entry: [{spawn: {clerk: {machine: clerk, with: {left: stock}, refs: {shop: self}}}}, {set: {stock: stock - 1}}]
  broken: {}
transitions:
  - {id: open, from: closed, event: open, to: open}
  - {id: outer, from: open, event: sell, to: broken}
  - {id: inner, from: quiet, event: sell, when: event.many <= stock + 1, to: busy, do: [{set: {colour: event.colour}}]}
  - {id: refused, from: quiet, event: sell, when: event.many == 2 and colour is absent, refuse: Too many.}
  - {id: restock, from: busy, event: sell, when: colour == event.colour, do: [{set: {stock: stock + event.many}}, {emit: {sold: {left: stock}}}, {set: {colour: blue}}]}
  - {id: ran-out, from: open, event: error.execution, when: self is busy, to: quiet, do: [{set: {pause: pause + 1s}}, {set: {stock: 2}}]}
  - {id: told, from: broken, event: error, to: closed}
  - {id: counted, from: open, event: count, when: stock == 0, to: broken, do: [{send: {event: hurry, to: clerk}}]}
  - {id: shut, from: open, event: shut, to: closed}
  - {id: nap, from: broken, after: pause, to: closed, do: [{set: {pause: 1s}}, {set: {colour: red}}]}
  - {id: clerk-done, from: busy, done: clerk, to: quiet}
  - {id: clerk-tired, from: busy, event: clerk.tired, when: clerk.left > 0, do: [{send: {event: hurry, to: clerk}}]}
""",
    """
machine: clerk
fields: {left: {type: int, min: 0, max: 2}}
refs: {shop: shop}
requires: [{id: some, that: left != 2, says: No.}]
events: {hurry: {}, rest: {}}
states: {fresh: {states: {one: {}, two: {}}, initial-transition: {to: two}}, tired: {}, home: {final: true}}
transitions:
  - {id: tires, from: two, within: 2s, to: tired}
  - {id: hurries, from: fresh, event: hurry, to: one}
  - {id: rests, from: one, event: rest, to: home}
  - {id: goes, from: tired, after: 1s, when: shop is busy and shop.stock < 2, to: home}
  - {id: hurries-home, from: tired, event: hurry, to: home}
""",
)
"""A shop that makes one clerk after the other: inner rows before outer ones, refusals, faults in the midst of a block."""


def shop() -> tuple[System, list[tuple[str, Event]]]:
    """The shop, and all that may be said to it and to its clerk."""
    system = System(plan_of(*EVERYTHING), terms=Drawing())
    system.add("shop", "x")
    said = [("x", Event(name)) for name in ("open", "shut")] + [("x.clerk", Event(name)) for name in ("rest", "hurry")]
    said += [
        ("x", Event("sell", (("many", 1), ("colour", "red")))),
        ("x", Event("sell", (("many", 2), ("colour", None)))),
    ]
    return system, said


def random_composition(seed: int) -> tuple[System, list[tuple[str, Event]]]:
    """Two instances of machines that know each other, with children and grandchildren, and what may be said to them."""
    author = Author(Random(seed))
    plan = plan_of(author.boss(), author.worker(), author.child("boss"), author.child("worker"), author.grandchild())
    system = System(plan, terms=Drawing(microsteps=40, cascade=60))
    system.begin({"b": ("boss", {"limit": 2 * SECOND, "worker": "w"}, None), "w": ("worker", {"boss": "b"}, None)})
    said = [(id_, Event("go")) for id_ in ("b", "w", "b.kid", "w.kid")]
    said += [("b", Event("give", (("x", 1), ("word", "one")))), ("w", Event("give", (("x", 2), ("word", None))))]
    return system, [item for item in said if author.random.random() < 0.8]


class Author:
    """Writes machines."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def pick(self, *options: str) -> str:
        """One of them."""
        return self.random.choice(options)

    def some(self, chance: float, text: str) -> str:
        """The text, or nothing."""
        return text if self.random.random() < chance else ""

    # ---- machines

    def boss(self) -> str:
        """It knows a worker."""
        guards = [
            "worker is p",
            "worker is inner",
            "worker.n < 2",
            "n > 0",
            "self is inner",
            "kid is present",
            "kid is p",
            "kid.word is absent",
        ]
        events = ["worker.q", "worker.inner", "worker.r", "worker.kid.q", "kid.q", "kid.kid.p"]
        return self.machine("boss", "  worker: worker\n", guards, events, sends="worker", limit=True)

    def worker(self) -> str:
        """It knows a boss."""
        guards = ["boss is not r", "boss.n == n", "n != 1", "boss.kid is present", "kid.n > 0", "not (kid is p)"]
        events = ["boss.p", "boss.s", "boss.kid.p", "kid.r"]
        return self.machine("worker", "  boss: boss\n", guards, events, sends="boss", limit=False)

    def machine(self, name: str, refs: str, guards: list[str], events: list[str], *, sends: str, limit: bool) -> str:
        """A machine with a composite, fields, payloads and children."""
        rows = "\n".join(
            f"  - {{{self.row(number, guards, events, sends, limit=limit)}}}"
            for number in range(self.random.randint(5, 9))
        )
        final = self.some(0.4, "  end: {final: true}\n")
        spawn = self.some(0.3, ", spawn: {kid: {machine: child-of-" + name + ", with: {n: n}}}")
        return f"""
machine: {name}
choice: first
fields:
  n: {{type: int, min: 0, max: 2, default: 0}}
  word: {{enum: [one, two], optional: true}}
{"  limit: {type: duration, min: 1s, max: 4s}" if limit else ""}
refs:
{refs}  kid: {{machine: child-of-{name}, optional: true}}
events:
  go: {{}}
  give: {{payload: {{x: {{type: int, min: 0, max: 3}}, word: {{enum: [one, two], optional: true}}}}}}
  hop: {{internal: true, payload: {{x: int}}}}
effects: {{noise: {{payload: {{x: {{type: int, max: 1}}}}}}}}
states:
  p: {{{self.block("entry", sends)}}}
  inner:
    states:
      q: {{{self.block("exit", sends)}}}
      r: {{{self.block("entry", sends)}{spawn}}}
    initial-transition: {{to: {self.pick("q", "r")}{self.some(0.5, ", do: [{set: {n: 1}}]")}}}
  s: {{{self.block("entry", sends)}}}
{final}transitions:
  - {{id: begin, from: p, event: go, to: {self.pick("inner", "r")}}}
{rows}
  - {{id: last, from: s, event: go, to: {self.pick("p", "end") if final else "p"}, when: n < 2}}
""".replace("{, ", "{")

    def row(self, number: int, guards: list[str], events: list[str], sends: str, *, limit: bool) -> str:
        """A transition."""
        source = self.pick("p", "q", "r", "s", "inner", "[p, q]")
        time = self.pick("1s", "2s", "3s", *(["limit"] if limit else []))
        trigger = self.pick(
            "event: go",
            "event: give",
            "event: hop",
            f"after: {time}",
            f"after: {time}",
            f"within: {time}",
            "event: error",
            *(f"event: {event}" for event in events),
            *(f"event: {event}" for event in events),
            "done: kid",
            "",
        )
        guard = self.pick("", "", *guards)
        if trigger == "event: give":
            guard = self.pick(guard, "event.x > n", "event.word == word", "event.word is present")
        if not trigger:
            guard = self.pick("n == 2", "word is two")
        asked = f", when: {guard}" if guard else ""
        if self.random.random() < 0.05 and trigger.startswith("event"):
            return f"id: t{number}, from: {source}, {trigger}{asked}, refuse: No."
        to = self.some(0.85, f", to: {self.pick('p', 'q', 'r', 's', 'inner')}") or (", to: s" if not trigger else "")
        do = self.some(0.5, f", do: [{self.actions(sends, payload=trigger == 'event: give')}]")
        return f"id: t{number}, from: {source}, {trigger}{asked}{to}{do}".replace(", ,", ",")

    def block(self, key: str, sends: str) -> str:
        """Entry or exit actions, or none."""
        return self.some(0.45, f"{key}: [{self.actions(sends)}]")

    def actions(self, sends: str, *, payload: bool = False) -> str:
        """One or two."""
        return ", ".join(self.action(sends, payload=payload) for _ in range(self.random.randint(1, 2)))

    def action(self, sends: str, *, payload: bool = False) -> str:
        """One."""
        spawn = (
            "{spawn: {kid: {machine: child-of-"
            + ("worker" if sends == "boss" else "boss")
            + ", with: {n: "
            + self.pick("n", "1", "n + 1")
            + "}}}}"
        )
        options = [
            "{set: {n: n + 1}}", "{set: {n: 0}}", "{set: {word: one}}", "{emit: {noise: {x: n}}}", "{raise: {hop: {x: n}}}",
            "{stop: kid}", spawn, spawn, f"{{send: {{event: give, to: {sends}, with: {{x: n, word: word}}}}}}",
            f"{{send: {{event: go, to: {sends}}}}}", "{if: kid is present, do: [{send: {event: go, to: kid}}], else: [{set: {n: 1}}]}",
            "{send: {event: go, to: kid}}",
        ]  # fmt: skip
        if payload:
            options += ["{set: {n: event.x}}", "{set: {word: event.word}}"] * 2
        return self.random.choice(options)

    def child(self, parent: str) -> str:
        """What one of them makes."""
        kind = self.pick("after", "within")
        return f"""
machine: child-of-{parent}
choice: first
fields: {{n: {{type: int, min: 0, max: 2}}, word: {{enum: [one, two], optional: true}}}}
refs: {{parent: {parent}, kid: {{machine: grandchild, optional: true}}}}
events: {{go: {{}}}}
requires: [{{id: small, that: n < 2, says: No.}}]
states: {{p: {{}}, q: {{{self.some(0.6, "spawn: {kid: grandchild}")}}}, r: {{final: {self.pick("true", "false")}}}}}
transitions:
  - {{id: grow, from: p, {kind}: {self.pick("1s", "2s")}, to: q}}
  - {{id: go, from: p, event: go, to: {self.pick("q", "r")}, when: {self.pick("n == 0", "kid is absent", "parent.n > 0", "parent is p")}}}
  - {{id: again, from: q, event: go, to: {self.pick("p", "r")}}}
  - {{id: heard, from: q, event: kid.q, to: r}}
""".replace(", r: {final: false}", ", r: {}")

    def grandchild(self) -> str:
        """What a child makes."""
        return """
machine: grandchild
states: {p: {}, q: {final: true}}
transitions: [{id: end, from: p, after: 1s, to: q}]
"""
