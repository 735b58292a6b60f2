"""Outlast: a finite-state-machine rules engine.

Machines are written in YAML and compiled once into a plan; one plan drives everything. The chapters, each using only earlier ones:

    place, errors, moments    where things stand, what can go wrong, durations
    expr                      guards and values
    model                     what an author wrote
    language                  text <-> model
    plan                      names resolved, order fixed: tables
    run                       step, system, explanations, stories
    store                     the same, durable: in a database
    views, bridge, proofs     pictures; other libraries; what can be shown of a plan
    cli                       the command line

Public names are loaded when first used, so `import outlast` costs next to nothing.
"""

from importlib import import_module

__version__ = "0.1.0"

TYPE_CHECKING = False  # true to type checkers, by its name; importing it from `typing` would cost more than all of this
if TYPE_CHECKING:  # for them the names below; at run time `__getattr__` finds them
    from outlast.errors import ClockSkewError as ClockSkewError
    from outlast.errors import IdempotencyError as IdempotencyError
    from outlast.errors import InstanceExists as InstanceExists
    from outlast.errors import InstanceGone as InstanceGone
    from outlast.errors import LimitExceeded as LimitExceeded
    from outlast.errors import MissingExtra as MissingExtra
    from outlast.errors import MisuseError as MisuseError
    from outlast.errors import OutdatedError as OutdatedError
    from outlast.errors import OutlastError as OutlastError
    from outlast.errors import Problem as Problem
    from outlast.errors import RefusedInstance as RefusedInstance
    from outlast.errors import SnapshotError as SnapshotError
    from outlast.errors import SpecError as SpecError
    from outlast.errors import StoreError as StoreError
    from outlast.errors import UnknownName as UnknownName
    from outlast.loading import Checked as Checked
    from outlast.loading import check as check
    from outlast.loading import load as load
    from outlast.loading import load_scenario as load_scenario
    from outlast.loading import scenarios as scenarios
    from outlast.plan import Plan as Plan
    from outlast.plan import under as under
    from outlast.run import Event as Event
    from outlast.run import Explanation as Explanation
    from outlast.run import Instance as Instance
    from outlast.run import Run as Run
    from outlast.run import Snapshot as Snapshot
    from outlast.run import Step as Step
    from outlast.run import System as System
    from outlast.run import SystemSnapshot as SystemSnapshot
    from outlast.run import Terms as Terms
    from outlast.run import every_reading as every_reading
    from outlast.run import explain as explain
    from outlast.run import run_scenario as run_scenario
    from outlast.run import step as step
    from outlast.run.fast.automaton import Automaton as Automaton
    from outlast.run.fast.automaton import Compiled as Compiled
    from outlast.run.fast.automaton import TimedAutomaton as TimedAutomaton
    from outlast.run.fast.automaton import compile as compile  # noqa: A004  # as in `re.compile`
    from outlast.store.aio import AsyncEngine as AsyncEngine
    from outlast.store.engine import Engine as Engine
    from outlast.store.records import Decision as Decision
    from outlast.store.records import OutgoingEffect as OutgoingEffect
    from outlast.store.records import Receipt as Receipt
    from outlast.store.records import Said as Said
    from outlast.views.notebook import Shown as Shown
    from outlast.views.notebook import load_ipython_extension as load_ipython_extension
    from outlast.views.notebook import show as show

_HOMES = {
    "outlast.errors": (
        "ClockSkewError IdempotencyError InstanceExists InstanceGone LimitExceeded MissingExtra MisuseError OutdatedError OutlastError"
        " Problem RefusedInstance SnapshotError SpecError StoreError UnknownName"
    ),
    "outlast.loading": "Checked check load load_scenario scenarios",
    "outlast.plan": "Plan under",
    "outlast.run": (
        "Event Explanation Instance Run Snapshot Step System SystemSnapshot Terms every_reading explain run_scenario step"
    ),
    "outlast.run.fast.automaton": "Automaton Compiled TimedAutomaton compile",
    "outlast.store.aio": "AsyncEngine",
    "outlast.store.engine": "Engine",
    "outlast.store.records": "Decision OutgoingEffect Receipt Said",
    "outlast.views.notebook": "Shown load_ipython_extension show",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604  # names, computed


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module `outlast` has no attribute `{name}`")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
