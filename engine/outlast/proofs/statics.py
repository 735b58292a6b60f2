"""Questions about guards: answered by trying out where that comes to an end, otherwise by a solver, if one is installed.

Lint asks whether guards can hold at once (`plan.overlap.example`). Trying out is exact and needs nothing, but it gives up where a state
compares many things at once or weighs numbers unevenly. `Decider` puts what is then left open to Z3, which comes with the extra `check`
and is only loaded when a question needs it.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import attrs

from outlast.expr import Expr
from outlast.plan.linear import Undecided
from outlast.plan.overlap import Decide, Moment, example

Question = tuple[str, int | None, tuple[tuple[str, object], ...], tuple[Expr, ...], tuple[Expr, ...]]


def solver() -> Decide | None:
    """The function of `proofs.solver`, or None where Z3 is not installed."""
    if find_spec("z3") is None:
        return None
    found: Decide = importlib.import_module("outlast.proofs.solver").example
    return found


@attrs.define(eq=False)
class Decider:
    """Answers like `plan.overlap.example`, and remembers what stayed open."""

    solver: Callable[[], Decide | None] = solver
    unanswered: set[Question] = attrs.field(factory=set)

    def __call__(self, moment: Moment, holding: Sequence[Expr], failing: Sequence[Expr] = ()) -> str | None:
        """See `plan.overlap.example`. Raises Undecided."""
        try:
            return example(moment, holding, failing)
        except Undecided:
            try:
                if (second := self.solver()) is not None:
                    return second(moment, holding, failing)
            except Undecided:
                pass
            payload = tuple(moment.payload.items())
            self.unanswered.add(
                (
                    moment.machine.name,
                    moment.active,
                    payload,
                    tuple(holding),
                    tuple(failing),
                )
            )
            raise

    @property
    def remark(self) -> str | None:
        """One line about what stayed open, or None if nothing did."""
        count = len(self.unanswered)
        if not count:
            return None
        left = f"{count} question{'s' if count > 1 else ''} about guards left open"
        if self.solver() is None:
            return f"{left}: pip install 'outlast[check]' brings a solver for them"
        return f"{left}: too hard to decide here"
