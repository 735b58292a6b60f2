"""Loading: from a name or a path to a plan, which stays the same object while its files hold the same bytes, and no longer."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from outlast import Plan, SpecError, UnknownName, catalog, load, under
from outlast.loading import check, find

GOOD = "machine: door\nevents: {push: {}}\nstates: {shut: {}, ajar: {}}\ntransitions:\n  - {id: open, from: shut, event: push, to: ajar}\n"
BAD = GOOD.replace("to: ajar", "to: ajra")
SYSTEM = "system: house\nmachines: [door]\nclauses: clauses.yaml\n"
CLAUSES = "- {id: H-1, says: A door can be pushed.}\n"


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A system of three files."""
    for name, text in (("system", SYSTEM), ("door", GOOD), ("clauses", CLAUSES)):
        (tmp_path / f"{name}.yaml").write_text(text)
    return tmp_path


def rewrite(file: Path, text: str) -> None:
    """Write a file anew so that neither its size nor its time tells."""
    before = file.stat()
    assert len(text) == before.st_size
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def codes(path: Path) -> list[str]:
    """What `load` complains of, with places."""
    with pytest.raises(SpecError) as caught:
        load(path)
    return [f"{problem.place} {problem.code}" for problem in caught.value.problems]


def test_unchanged_files_are_compiled_once(house: Path) -> None:
    """The same plan comes back; under another reading it is another."""
    assert load(house) is load(str(house)) is check(house).plan
    assert load(catalog.specs() / "sagemaker") is load("sagemaker") is load("sagemaker", {"A-02": "switch"})
    assert load("sagemaker", {"A-02": "pin"}).readings == under(load("sagemaker"), {"A-02": "pin"}).readings
    assert load("sagemaker").readings["A-02"] == "switch"


CHANGES = [  # file, what is changed in it to something of the same length
    ("door", "ajar", "open"),
    ("clauses", "pushed", "closed"),
    ("system", "house", "hotel"),
]


@pytest.mark.parametrize(("name", "old", "new"), CHANGES)
def test_a_change_of_any_file_is_seen(house: Path, name: str, old: str, new: str) -> None:
    """Also within one tick of the file system's clock, and without a change of size; and changing it back."""
    file, before = house / f"{name}.yaml", load(house)
    text = file.read_text()
    rewrite(file, text.replace(old, new))
    changed = load(house)
    rewrite(file, text)

    assert changed.hash != before.hash
    assert load(house).hash == before.hash


def test_problems_are_reported_every_time(house: Path) -> None:
    """What is not sound is not remembered, and forgets nothing: the problems have their places, and the old plan comes back whole."""
    before = load(house)
    (house / "door.yaml").write_text(BAD)

    assert codes(house) == codes(house) == [f"{house}/door.yaml:5:45 unknown-state"]

    (house / "door.yaml").write_text(GOOD)

    assert load(house) is before


def test_files_that_are_gone_are_missed(house: Path) -> None:
    """A file of a system that was there when it was loaded is a problem when it is not, and a system without a folder is unknown."""
    load(house)
    (house / "clauses.yaml").unlink()

    assert codes(house) == [f"{house}/system.yaml:3:10 missing-file"]

    (house / "clauses.yaml").mkdir()

    assert codes(house) == [f"{house}/system.yaml:3:10 missing-file"]

    shutil.rmtree(house)
    with pytest.raises(UnknownName):
        load(house)


def test_places_are_those_of_the_path_that_was_asked_for(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two paths to one file are two plans, each with its own words for the place."""
    monkeypatch.chdir(house)

    def where(plan: Plan) -> str:
        place = plan.machines["door"].transitions[0].place
        assert place
        return place.file

    assert where(load("door.yaml")) == "door.yaml"
    assert where(load(house / "door.yaml")) == str(house / "door.yaml")


def test_a_relative_path_is_looked_up_where_we_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words in another folder are another file."""
    hashes = set()
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.yaml").write_text(GOOD.replace("ajar", name))
        monkeypatch.chdir(tmp_path / name)
        hashes.add(load("m.yaml").hash)

    assert len(hashes) == 2


def test_names_of_bundled_systems_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder `tour` here is meant by `./tour` only; and no part of a bundled system is meant by a path that leads nowhere."""
    (tmp_path / "tour").mkdir()
    monkeypatch.chdir(tmp_path)

    assert find("tour") == catalog.specs() / "tour"
    assert find("./tour") == Path("tour")
    for text in ("tours", "sagemaker/scenarios"):
        with pytest.raises(UnknownName):
            find(text)
