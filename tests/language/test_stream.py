"""A whole system as one text, in the language or as values: nothing is lost on the way there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outlast import model
from outlast.bridge.scxml import load_scxml
from outlast.catalog import bundled
from outlast.errors import MisuseError, SpecError
from outlast.language import read_stream, read_system
from outlast.language.values import KINDS, read_values, write_values
from outlast.language.writer import write_stream, write_system
from outlast.loading import load, load_text
from outlast.place import Word
from outlast.plan import compile_system
from outlast.plan.fingerprint import fingerprint, said
from tests.language.models import Models
from tests.oracle.machines import SEEDS, random_run, to_yaml
from tests.run.worlds import plan_of

TOUR = write_stream(load("tour").source)


@pytest.mark.parametrize("name", bundled())
def test_bundled_systems_come_back(name: str) -> None:
    """Every plan keeps its hash, whichever way its text was made."""
    plan = load(name)

    assert plan.hash == load_text(write_stream(plan.source)).hash
    assert plan.source == read_values(write_values(plan.source))


@settings(max_examples=25)
@given(st.integers(0, 2**32))
def test_everything_an_author_can_say_comes_back(seed: int) -> None:
    """As text and as values: the same system, and so the same hash."""
    system = Models(seed).system()
    read = read_stream(write_stream(system), "text")

    assert (read.system, read.problems) == (system, [])
    assert said(system) == said(read.system) == said(read_values(write_values(system)))


@settings(max_examples=25)
@given(SEEDS)
def test_machines_that_run_come_back(seed: int) -> None:
    """A plan made of the text is the plan it was made of."""
    plan = plan_of(to_yaml(random_run(seed)[0]))

    assert plan.hash == load_text.__wrapped__(write_stream(plan.source), "text").hash


def test_the_text_is_the_files(tmp_path: Path) -> None:
    """The documents of the stream are the files of the folder, in the order in which they are read."""
    system = load("sagemaker").source
    files = write_system(system)
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")

    assert write_stream(system).split("---\n") == [*files.values()]
    assert read_system(tmp_path) == (system, [])


def test_names_of_files_do_not_matter() -> None:
    """In a stream a machine may be called `system` or `clauses`."""
    machines = tuple(model.Machine(Word(name), states=(model.State(Word("a")),)) for name in ("system", "clauses"))
    system = model.System(Word("s"), machines=machines, clauses=(model.Clause(Word("C-1"), "It is so."),))

    assert system == read_stream(write_stream(system), "text").system


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "text/system.yaml:1:1: empty-file: there is nothing in this file"),
        (TOUR.split("---\n")[0], "text/system.yaml:1:1: missing-file: 2 documents should follow, there are 0"),
        (TOUR + "---\nmachine: m\n", "text/system.yaml:1:1: missing-file: 2 documents should follow, there are 3"),
        (TOUR.replace("to: ready", "to: reedy", 1), "text/"),
        (TOUR.replace("states:", "stated:", 1), "text/"),
    ],
)
def test_texts_that_are_none(text: str, problem: str) -> None:
    """Whatever is wrong is a problem in its place."""
    with pytest.raises(SpecError) as error:
        load_text(text)

    assert str(error.value.problems[0]).startswith(problem)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "this is no system"),
        ("{}", "this is no system: 'is'"),
        ('{"is":"model.Machine","of":{"name":"m"}}', "this is no system"),
        ('{"is":"os.system","of":{"command":"x"}}', "this is no system: 'os.system'"),
        ('{"is":"model.System","of":{"nick":"m"}}', "this is no system: .*nick"),
        ('{"is":"model.System","of":3}', "this is no system"),
        (f"{'[' * 9_999}{']' * 9_999}", "this is no system"),
    ],
)
def test_values_that_are_none(text: str, problem: str) -> None:
    """Nothing is made but values of the model."""
    with pytest.raises(ValueError, match=problem):
        read_values(text)


def test_translations_come_back(tmp_path: Path) -> None:
    """What only another language can say is carried by values."""
    file = tmp_path / "caller.scxml"
    file.write_text(
        """<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="ecmascript" initial="a">
        <datamodel><data id="x"/></datamodel>
        <state id="a"><onentry><send event="e" targetexpr="'#_internal'"/></onentry>
        <invoke type="scxml" autoforward="true"><content><scxml version="1.0"><final id="f"/></scxml></content></invoke>
        <transition event="*" target="b"/></state><final id="b"/></scxml>""",
        "utf-8",
    )
    plan = load_scxml(file)

    assert plan.source == read_values(write_values(plan.source))
    with pytest.raises(MisuseError, match="cannot be said in a specification"):
        write_stream(plan.source)


def test_every_class_of_the_model_can_be_carried() -> None:
    """A class that is added needs no code here."""
    assert {"model.System", "model.If", "model.Within", "expr.Literal", "expr.Known"} <= {*KINDS}
    assert "model.Place" not in KINDS


def test_plans_made_by_a_program() -> None:
    """Plain strings in place of words, and texts no author could type."""
    machine = model.Machine(Word("m"), about="a\tb\0\u2028", states=(model.State(Word("a")),))
    plan, problems = compile_system(model.System(Word("s"), machines=(machine,)))

    assert not problems
    assert fingerprint(read_values(write_values(plan.source))) == plan.hash
