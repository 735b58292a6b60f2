"""What is asked of every contender, so that all of them do the same work and are seen to have done it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import attrs

from tests.bench.machine import LOOP

Role = Literal["ours", "peer", "limit"]
NAMES = (
    "ours",
    "limits",
    "transitions_library",
    "automaton_library",
    "automat_library",
    "django_fsm",
    "hat_stc",
    "python_statemachine",
    "sismic_library",
    "xstate",
)


@attrs.frozen
class Contender:
    """One way to run the machine. What its functions take and give is its own affair."""

    name: str
    role: Role
    new: Callable[[], Any]
    """Makes an instance of the machine, at work in its first state."""
    run: Callable[[Any, int], object]
    """Sends it the loop of events so many times."""
    state: Callable[[Any], str]
    """Where it is."""
    count: Callable[[Any], int] | None
    """How often it has counted; None for what knows neither guards nor actions."""
    distribution: str = ""
    """Its name in the package index."""
    program: str = ""
    """What a program writes to import it."""
    load: Callable[[], object] | None = None
    """Makes the machine of a text, where the library reads one."""

    @property
    def version(self) -> str:
        """Of the library."""
        try:
            return version(self.distribution) if self.distribution else ""
        except PackageNotFoundError:
            return ""

    def prove(self, loops: int = 7) -> None:
        """Run a fresh instance and see that it is where it should be. Raises AssertionError."""
        instance = self.new()
        self.run(instance, loops)
        self.see(instance, loops)

    def see(self, instance: Any, loops: int) -> None:
        """Whether an instance has done so many loops. Raises AssertionError."""
        assert self.state(instance) == "queued", f"{self.name} ends in {self.state(instance)}"
        if self.count is not None:
            assert self.count(instance) == loops, f"{self.name} counted {self.count(instance)}, not {loops}"


def one_by_one(sender: Callable[[Any], Callable[[str], object]]) -> Callable[[Any, int], None]:
    """Runs the loop by calling what `sender` gives for an instance with each event's name."""

    def run(instance: Any, loops: int) -> None:
        send = sender(instance)
        for _ in range(loops):
            for event in LOOP:
                send(event)

    return run


def contenders(names: tuple[str, ...] = NAMES) -> tuple[list[Contender], list[str]]:
    """Everybody who is here, and the names of those whose library is not installed."""
    found, missing = list[Contender](), []
    for name in names:
        try:
            found += import_module(f"tests.bench.contenders.{name}").CONTENDERS
        except ModuleNotFoundError as error:
            if (error.name or "").startswith(("tests", "outlast")):
                raise
            missing.append(name.removesuffix("_library").replace("_", "-"))
    return found, missing
