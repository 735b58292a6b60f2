"""What must stay consistent together.

Theory of operation
===================

An event at one instance can be decided alone only if nothing that is still to happen before it could have made a difference. So
instances are kept in *groups*: a group has one clock, one order, and at most one transaction at a time.

A ref *binds* if its owner can act on what it leads to: send it an event, make it, stop it. Instances connected by binding refs are one
group: a user's session and the jobs that may ask it to renew. Through any other ref an instance only *reads*: looks at fields and
states, and observes. What is read by others so is in the *commons*: settings, say. A transaction in a group reads the commons, and many
do so at the same time; one in the commons has the store for itself, since everybody may observe what it does.

Which machines are in the commons follows from the plan alone. A machine that sends to addresses it computes could reach anybody: then
everything is in the commons.
"""

from __future__ import annotations

from collections.abc import Iterator

from outlast.plan import Plan, tables


def commons(plan: Plan) -> frozenset[str]:
    """The machines whose instances are read by others that cannot act on them, and those bound to such."""
    binding = set(_binding(plan))
    if any(
        isinstance(action, tables.Send) and action.address
        for machine in plan.machines.values()
        for action in machine.actions
    ):
        return frozenset(plan.machines)
    links = [
        (machine.name, ref.name, ref.machine) for machine in plan.machines.values() for ref in machine.refs.values()
    ]
    shared = {target for owner, name, target in links if (owner, name) not in binding}
    bound = [(owner, target) for owner, name, target in links if (owner, name) in binding]
    while more := {one for pair in bound if shared & {*pair} for one in pair} - shared:
        shared |= more
    return frozenset(shared)


def _binding(plan: Plan) -> Iterator[tuple[str, str]]:
    """(machine, ref) for every ref that somebody acts through; of a chain of refs, every link."""
    for machine in plan.machines.values():
        for action in machine.actions:
            match action:
                case tables.Send(slot=int(slot)):
                    owner = machine
                    for name in machine.slots[slot]:
                        yield owner.name, name
                        owner = plan.machines[owner.refs[name].machine]
                case tables.Spawn(ref=ref, machine=child):
                    yield machine.name, ref
                    yield child, "parent"
                case tables.Stop(ref=ref):
                    yield machine.name, ref
