"""`outlast migrate`: a store moved to the next version of a specification from a shell."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from outlast.loading import load
from outlast.store.engine import Engine
from tests.store.test_migration import LAMP, MERGED

Outlast = Callable[..., Result]


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str, str]:
    """The first version, one without a rule, one with it, and the URL of a store under the first."""
    texts = {
        "old": LAMP,
        "bare": MERGED,
        "new": MERGED.replace("transitions:", "moved: {low: lit, high: lit}\ntransitions:"),
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    url = f"sqlite:///{tmp_path}/lamps.db"
    with Engine.open(url, load(tmp_path / "old.yaml")) as engine:
        for name in ("one", "two", "three"):
            engine.create("lamp", name)
        engine.send("two", "light")
    old, bare, new = (str(tmp_path / f"{name}.yaml") for name in texts)
    return old, bare, new, url


def test_what_would_become_of_everybody(outlast: Outlast, files: tuple[str, str, str, str]) -> None:
    """A row for each place, with the rule that is missing; without a store every state."""
    old, bare, new, url = files
    done = outlast("migrate", old, bare, "--store", url)
    alone = outlast("migrate", old, bare)

    assert done.exit_code == 1
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "2 lamp dark → dark mapped",
        "1 lamp low needs rule `low` is gone: say under `moved` of `lamp` where it goes",
        "2 instances mapped, 1 instance without a rule",
        "a store is moved as a whole: make room for them in the new version, or let this store come to its",
        "end under the present one and begin another",
    ]
    assert alone.stdout.splitlines()[-1] == "2 states mapped, 2 states without a rule"
    assert outlast("migrate", old, new).exit_code == 0


def test_there_and_back(outlast: Outlast, files: tuple[str, str, str, str]) -> None:
    """Moved, put back, moved again; the store is whole each time."""
    old, bare, new, url = files
    refused = outlast("migrate", "--apply", old, bare, "--store", url)
    moved = json.loads(outlast("migrate", "--apply", old, new, "--store", url, "--json").stdout)

    assert refused.exit_code == 1
    assert moved["applied"]
    assert [course["notes"] for course in moved["courses"]] == [[], ["timer `grow` ends"]]
    assert outlast("store", "verify", url, "--system", new).exit_code == 0
    assert outlast("migrate", "--undo", old, new, "--store", url).stdout == "3 instances put back\n"
    assert outlast("store", "verify", url, "--system", old).exit_code == 0
    assert (
        outlast("migrate", "--apply", old, new, "--store", url).stdout.splitlines()[-1] == "moved: 3 instances mapped"
    )


def test_what_makes_no_sense(outlast: Outlast, files: tuple[str, str, str, str]) -> None:
    """One line says what."""
    old, _, new, url = files
    none = outlast("migrate", "--apply", old, new)
    early = outlast("migrate", "--undo", new, old, "--store", url)
    wrong = outlast("migrate", new, old, "--store", url)
    rows = [
        (none, "--apply needs a store: say its URL in place of OLD"),
        (early, "something has happened since the store was moved"),
        (wrong, "the store is not under this version of `lamp`"),
        (outlast("migrate", "--undo", url), "something has happened since the store was moved"),
        (outlast("migrate", url), "say NEW, the version to move to"),
        (outlast("migrate", old), "say NEW, the version to move to"),
        (outlast("migrate", url, new, "--store", url), "two stores: --store is for where OLD is a specification"),
        (outlast("migrate", url, old, "--apply"), "both versions are the same"),
        (outlast("migrate", "sqlite:///nowhere.db", old), "nowhere.db: there is no such database"),
    ]

    for done, text in rows:
        assert (done.exit_code, text in " ".join(done.stderr.split())) == (2, True), text


def test_the_store_knows_where_it_comes_from(outlast: Outlast, files: tuple[str, str, str, str]) -> None:
    """Nobody needs the old version: neither to move the store, nor to put it back, nor to verify it."""
    old, bare, new, url = files
    for file in (old, bare):
        Path(file).unlink()
    planned = outlast("migrate", url, new)
    moved = outlast("migrate", url, new, "--apply")

    assert (planned.exit_code, planned.stdout.splitlines()[-1]) == (0, "3 instances mapped")
    assert moved.stdout.splitlines()[-1] == "moved: 3 instances mapped"
    assert outlast("migrate", url, "--undo").stdout == "3 instances put back\n"
    assert outlast("migrate", url, new, "--apply").exit_code == 0
    Path(new).unlink()
    assert (
        outlast("store", "verify", url).stdout.splitlines()[0].endswith("whole; decided again, all came out the same")
    )
