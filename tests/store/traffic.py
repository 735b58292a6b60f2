"""A system in which everything meets.

A lamp that everybody watches and that changes by itself, drivers who send to the car they sit in, now and later, cars that are connected by
being towed, and children that end by themselves.
"""

from __future__ import annotations

from outlast.plan import Plan
from tests.run.worlds import plan_of

LAMP = """
machine: lamp
fields:
  count: {type: int, default: 0}
events: {reset: {}, hold: {}}
effects: {turned: {payload: {count: int}}}
states: {red: {}, green: {}, held: {}}
transitions:
  - {id: go, from: red, after: 10m, to: green, do: [{set: {count: count + 1}}, {emit: {turned: {count: count}}}]}
  - {id: halt, from: green, after: 7m, to: red}
  - {id: hold, from: [red, green], event: hold, to: held}
  - {id: release, from: held, after: 25m, to: red}
  - {id: reset, from: [red, green, held], event: reset, to: red, do: [{set: {count: 0}}]}
"""
CAR = """
machine: car
fields:
  fuel: {type: int, default: 5, min: 0, max: 9}
refs:
  lamp: {machine: lamp}
  towed: {machine: car, optional: true}
  trip: {machine: trip, optional: true}
events: {drive: {}, brake: {}, pull: {}}
effects: {moved: {payload: {fuel: int}}, empty: {}}
states: {parked: {}, waiting: {}, driving: {}, dry: {}}
transitions:
  - {id: start, from: parked, event: drive, when: lamp is green and fuel > 0, to: driving, do: [{spawn: {trip: trip}}]}
  - {id: wait, from: parked, event: drive, when: lamp is not green and fuel > 0, to: waiting}
  - {id: none, from: parked, event: drive, when: fuel == 0, refuse: There is no fuel.}
  - {id: green, from: waiting, event: lamp.green, to: driving, do: [{spawn: {trip: trip}}, {emit: {moved: {fuel: fuel}}}]}
  - {id: red, from: driving, event: lamp.red, when: lamp.count > 2, to: waiting, do: [{if: trip is present, do: [{stop: trip}]}]}
  - {id: arrive, from: driving, done: trip, to: parked, do: [{set: {fuel: fuel - 1}}]}
  - {id: brake, from: driving, event: brake, to: parked, do: [{if: trip is present, do: [{stop: trip}]}]}
  - {id: tow, from: [driving, waiting], event: pull, when: towed is present,
     do: [{send: {event: drive, to: towed}}, {send: {event: brake, to: towed, after: 3m}}]}
  - {id: tired, from: waiting, after: 20m, to: parked}
"""
TRIP = """
machine: trip
states: {under-way: {}, over: {final: true}}
transitions:
  - {id: end, from: under-way, after: 6m, to: over}
"""
DRIVER = """
machine: driver
refs: {car: {machine: car}}
events: {go: {}, calm: {}}
effects: {sighed: {}}
states: {awake: {}, asleep: {}}
transitions:
  - {id: go, from: awake, event: go, do: [{send: {event: drive, to: car, after: 2m, id: soon}}]}
  - {id: calm, from: awake, event: calm, do: [{cancel: soon}, {send: {event: brake, to: car}}]}
  - {id: sleep, from: awake, after: 90m, to: asleep}
  - {id: wake, from: asleep, event: car.driving, to: awake, do: [{emit: sighed}]}
"""


def traffic() -> Plan:
    """The plan."""
    return plan_of(LAMP, CAR, TRIP, DRIVER)
