"""Small random systems with equal instances: two or three clients of a hub, perhaps with followers, and a stranger that stands anywhere."""

from __future__ import annotations

from random import Random

import attrs

from outlast.language import read_machine, read_system_file
from outlast.plan import Plan, compile_system

CLAIMS = (
    "of: client, never: self is three and hub is up",
    "of: client, always: self is not three or hub is down",
    "of: client, from: self is one, never: self is three",
    "of: client, from: self is two, upon: hub is up, never: self is two",
    "of: client, upon: hub is up, never: self is one",
    "of: client, while: self is two, never-longer-than: {time}",
    "of: client, while: hub is up and self is not one, never-longer-than: {time}",
    "of: client, from: self is three, leads-to: self is one, within: {time}",
    "of: client, reachable: self is three and hub is down",
    "of: client, from: self is two, reachable: self is one and hub is up",
    "of: client, can-always: self is one",
    "of: client, from: self is two, can-always: hub is up and self is three",
    "of: hub, never: self is down",
    "of: hub, while: self is up, never-longer-than: {time}",
    "of: hub, can-always: self is up",
    "of: stranger, never: self is two and hub is up",
)


def equal_system(seed: int) -> Plan:
    """A system called `e<seed>` with one composition `all`, and properties."""
    random = Random(seed)
    count, followed = random.choice([2, 2, 2, 3]), random.random() < 0.3
    careless = random.random() < 0.3  # may speak to the hub whenever something happens
    sources = [_hub(random), _client(random, careless=careless), _kid(random), _stranger(random)]
    given = [f"client c{number}: {{hub: h}}" for number in range(count)]
    if followed:
        sources.append(_follower(random))
        given += [f"follower f{number}: {{client: c{number}}}" for number in range(count)]
    given.insert(random.choice([0, 0, len(given), random.randrange(len(given))]), "stranger s: {hub: h}")
    given.insert(0, "hub h: {}")
    claims = "\n".join(
        f"  - {{id: p{number}, says: So., {claim.format(time=f'{random.randint(0, 5)}us')}}}"
        for number, claim in enumerate(random.sample(CLAIMS, 8))
    )
    machines = "hub, client, kid, stranger" + (", follower" if followed else "")
    file, problems = read_system_file(
        f"system: e{seed}\nmachines: [{machines}]\nactors: {{outside: {{}}}}\n"
        f"compositions:\n  all:\n    given: {{{', '.join(given)}}}\nproperties:\n{claims}\n"
    )
    assert file is not None, problems
    found = []
    for source in sources:
        machine, problems = read_machine(source)
        assert machine is not None, (problems, source)
        found.append(machine)
    plan, unresolved = compile_system(attrs.evolve(file.system, machines=tuple(found)))
    assert not unresolved, (unresolved, sources)
    return plan


def _time(random: Random) -> str:
    return f"{random.choice([0, 1, 1, 2, 3])}us"


def _rows(
    random: Random, most: int, states: tuple[str, ...], triggers: list[str], guards: list[str], actions: list[str]
) -> str:
    rows = []
    for number in range(random.randint((most + 1) // 2, most)):
        parts = [f"id: r{number}", f"from: {random.choice(states)}", random.choice(triggers)]
        if random.random() < 0.3:
            parts.append(f"when: {random.choice(guards)}")
        if random.random() < 0.85:
            parts.append(f"to: {random.choice(states)}")
        if random.random() < 0.4:
            parts.append(f"do: [{{{random.choice(actions)}}}]")
        rows.append(f"  - {{{', '.join(parts)}}}")
    return "\n".join(rows)


def _hub(random: Random) -> str:
    states = ("up", "down")
    triggers = [
        "event: a",
        "event: join",
        "event: join",
        f"after: {_time(random)}",
        f"within: {_time(random)}",
        "event: c",
    ]
    actions = [f"send: {{event: c, after: {_time(random)}}}", "raise: c"]
    return f"""
machine: hub
choice: first
events: {{a: {{by: outside}}, join: {{internal: true}}, c: {{internal: true}}}}
states: {{up: {{}}, down: {{}}}}
transitions:
{_rows(random, 4, states, triggers, ["self is up"], actions)}
"""


def _client(random: Random, *, careless: bool) -> str:
    states = ("one", "two", "three")
    triggers = [
        f"after: {_time(random)}",
        f"after: {_time(random)}",
        f"within: {_time(random)}",
        "event: hub.up",
        "event: hub.down",
        "event: go",
        "event: c",
        "event: kid.late",
    ]
    actions = [
        f"send: {{event: c, after: {_time(random)}, id: x}}",
        "cancel: x",
        "spawn: {kid: kid}",
        "spawn: {kid: kid}",
    ]
    actions += ["send: {event: join, to: hub}"] * 2 if careless else []
    spoken = ", do: [{send: {event: join, to: hub}}]" if random.random() < 0.7 else ""
    rows = _rows(random, 7, states, triggers, ["self is two", "hub is up", "kid is early"], actions)
    return f"""
machine: client
choice: first
refs: {{hub: hub, kid: {{machine: kid, optional: true}}}}
events: {{go: {{by: outside}}, call: {{by: outside}}, c: {{internal: true}}}}
states: {{one: {{}}, two: {{}}, three: {{}}}}
transitions:
  - {{id: call, from: {random.choice(states)}, event: call, to: {random.choice(states)}{spoken}}}
{rows}
"""


def _kid(random: Random) -> str:
    return f"""
machine: kid
states: {{early: {{}}, late: {{}}}}
transitions: [{{id: grow, from: early, {random.choice(["after", "within"])}: {random.choice([1, 2])}us, to: late}}]
"""


def _stranger(random: Random) -> str:
    triggers = ["event: hub.up", "event: hub.down", f"after: {_time(random)}"]
    actions = ["send: {event: join, to: hub}", "spawn: {kid: kid}"]
    return f"""
machine: stranger
choice: first
refs: {{hub: hub, kid: {{machine: kid, optional: true}}}}
states: {{one: {{}}, two: {{}}}}
transitions:
{_rows(random, 2, ("one", "two"), triggers, ["hub is up"], actions)}
"""


def _follower(random: Random) -> str:
    triggers = ["event: client.two", "event: client.three", f"after: {_time(random)}"]
    return f"""
machine: follower
choice: first
refs: {{client: client}}
events: {{c: {{internal: true}}}}
states: {{one: {{}}, two: {{}}}}
transitions:
{_rows(random, 3, ("one", "two"), triggers, ["client is two"], [f"send: {{event: c, after: {_time(random)}}}"])}
"""
