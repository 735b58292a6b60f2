"""What a notebook shows: a plain text and a page for every kind of value."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs
import pytest

import outlast
from outlast.errors import MisuseError, UnknownName
from outlast.plan import Plan
from outlast.views.notebook import Bundle

TOUR = outlast.load("tour")


def kitchen() -> outlast.System:
    """A coffee machine that has been switched on."""
    system = outlast.System(TOUR)
    system.send(system.add("coffee-machine", "kitchen", beans=0), "switch")
    return system


ROWS: list[tuple[str, Callable[[], object], list[str], list[str]]] = [
    # what         made by                                       in the plain text                       in the page
    ("plan", lambda: TOUR, ["tour: ", "coffee-machine: 1"], ["<svg", 'data-state="pouring"']),
    ("system", kitchen, ["tour at 0s", "kitchen: coffee-machine in ready, doze-off in 15m"], ["<td>doze-off in 15m</td>"]),
    ("instance", lambda: kitchen()["kitchen"], ["state: ready", "beans: 0"], ["<td>beans</td><td>0</td>", 'class="box hot"']),
    ("step", lambda: kitchen().send("kitchen", "press"), ["kitchen: press, refused: There are no beans."], ["no-beans", "`beans &gt; 0` is false"]),
    ("explanation", lambda: kitchen().explain("kitchen", "press"), ["make: `beans > 0` is false: beans is 0"], ["accepted now: switch"]),
    ("run", lambda: outlast.run_scenario(TOUR, outlast.scenarios("tour")["one-cup"]), ["The last cup", "(held)"], ["The last cup: timeline"]),
]  # fmt: skip


@pytest.mark.needs("dot")
@pytest.mark.parametrize(("kind", "made", "plain", "page"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_shown(kind: str, made: Callable[[], outlast.System], plain: list[str], page: list[str]) -> None:
    """Both forms say what matters; the value displays itself the same way."""
    value = made()
    bundle = outlast.show(value)._repr_mimebundle_()
    shell = Shell()
    outlast.load_ipython_extension(shell)

    assert bundle.keys() == {"text/plain", "text/html"}
    assert [words for words in plain if words not in bundle["text/plain"]] == []
    assert [words for words in page if words not in bundle["text/html"]] == []
    assert str(outlast.show(value)) == bundle["text/plain"]
    assert shell.displayed(value).keys() == bundle.keys(), kind


@attrs.define
class Shell:
    """As much of IPython as the extension needs."""

    known: dict[type, Callable[..., Bundle]] = attrs.field(factory=dict)

    @property
    def display_formatter(self) -> Shell:
        """The shell stands for all of its parts."""
        return self

    mimebundle_formatter = display_formatter

    def for_type(self, kind: type, function: Callable[..., Bundle]) -> None:
        """As IPython's formatter does."""
        self.known[kind] = function

    def displayed(self, value: object) -> Bundle:
        """What IPython would call."""
        kind = next(kind for kind in type(value).__mro__ if kind in self.known)
        return self.known[kind](value, include=None, exclude=None)


def test_one_machine_of_a_plan() -> None:
    """By its name; an unknown one is refused, and so is what has no display."""
    assert "session" in str(outlast.show(outlast.load("sagemaker"), "interactive-session"))
    with pytest.raises(UnknownName, match="no machine is called `tea-machine`"):
        outlast.show(TOUR, "tea-machine")
    with pytest.raises(MisuseError, match="a dict has no display"):
        outlast.show({})  # type: ignore[arg-type]  # what a caller without types may do


@pytest.mark.needs("dot")
def test_pictures_of_one_notebook_share_no_id() -> None:
    """A machine shown twice is on one page twice."""
    pages = [outlast.show(TOUR)._repr_mimebundle_()["text/html"] for _ in range(2)]
    one, two = (set(re.findall(r' id="([^"]+)"', page)) for page in pages)

    assert one
    assert one.isdisjoint(two)
    assert set(" ".join(re.findall(r'labelledby="([^"]+)"', pages[1])).split()) <= two


def test_without_graphviz(monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts and tables are there, and in place of the picture what to install."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("outlast.views.dot.SCRIPTS", "")
    plan: Plan = TOUR
    bundle = outlast.show(plan)._repr_mimebundle_()

    assert "drawing SVG needs Graphviz" in bundle["text/html"]
    assert "coffee-machine" in bundle["text/plain"]
