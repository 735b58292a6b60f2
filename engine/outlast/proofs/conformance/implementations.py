"""Implementations by the word or address that asks for them. The library `transitions`, and what talks to strangers, are loaded only for those who ask."""

from __future__ import annotations

from importlib import import_module

from outlast.errors import UnknownName
from outlast.proofs.conformance.protocol import Runner
from outlast.proofs.conformance.runners import RestoreRunner, StepRunner, SystemRunner, Watch, unwatched


def runner_at(where: str, watch: Watch = unwatched) -> Runner:
    """The implementation that goes by a word or an address. Raises MisuseError, Broken."""
    runner: Runner
    match where:
        case "system":
            runner = SystemRunner(watch=watch)
        case "compiled":
            runner = SystemRunner(watch=watch, name="compiled", compiled=True)
        case "step":
            runner = StepRunner(watch=watch)
        case "restore":
            runner = RestoreRunner(watch=watch)
        case "transitions":
            runner = import_module("outlast.proofs.conformance.library").TransitionsRunner()
        case _ if ":" in where:
            runner = import_module("outlast.proofs.conformance.strangers").stranger_at(where)
        case _:
            raise UnknownName("implementation", where, ("system", "compiled", "step", "restore", "transitions"))
    return runner
