"""`outlast store`: a store looked after from a shell."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from outlast.loading import load
from outlast.store.outbox import Retries
from outlast.store.records import OutgoingEffect
from tests.store.earlier import FIRST
from tests.store.people import START, opened, settled

Outlast = Callable[..., Result]


@pytest.fixture
def store(tmp_path: Path) -> str:
    """The URL of a store with a short past."""
    url = f"sqlite:///{tmp_path}/jobs.db"
    with settled(url, load("sagemaker")) as engine:
        engine.create("job", "train", domain="ds", session="ana", kind="training")
        engine.send("train", "start")
    return url


def test_a_store_that_is_whole(outlast: Outlast, store: str) -> None:
    """It is read, decided again, and its head told."""
    done = outlast("store", "verify", store)
    head = json.loads(outlast("store", "info", store, "--json").stdout)["head"]

    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].endswith("whole; decided again, all came out the same")
    assert done.stdout.splitlines()[1] == f"head {head}"
    assert outlast("store", "verify", store, "--holds", head).exit_code == 0


def test_a_store_that_is_not(outlast: Outlast, store: str) -> None:
    """Each finding is a line, and the exit code 1."""
    with sqlite3.connect(store.removeprefix("sqlite:///")) as connection:
        connection.execute("UPDATE journal SET at = at + 1 WHERE instance = 'train' AND version = 2")
    connection.close()
    done = outlast("store", "verify", store, "--holds", "1-ff")

    assert done.exit_code == 1
    assert "(train version 2): its hash does not fit: something in it was changed" in done.stdout
    assert "decision 1: it was there once" in done.stdout
    told = json.loads(outlast("store", "verify", store, "--json").stdout)
    assert (told["ok"], told["replayed"], [*told["findings"][0]]) == (False, False, ["where", "what"])


def test_what_is_in_a_store(outlast: Outlast, store: str) -> None:
    """Counts, the time, the next deadline."""
    done = outlast("store", "info", store)
    told = json.loads(outlast("store", "info", store, "--json").stdout)

    assert done.exit_code == 0
    assert "2024-10-04T08:00:00Z" in done.stdout
    assert (told["system"], told["latest"], told["counts"]["turns"]) == ("sagemaker", START, 6)


def test_a_copy_of_a_store(outlast: Outlast, store: str, tmp_path: Path) -> None:
    """It is as whole as the original, and never written over something."""
    copy = tmp_path / "copy.db"
    assert outlast("store", "backup", store, str(copy)).exit_code == 0
    assert outlast("store", "verify", f"sqlite:///{copy}").exit_code == 0
    again = outlast("store", "backup", store, str(copy))

    assert again.exit_code == 2
    assert f"`{copy}`isthere" in "".join(again.stderr.split())  # the line may be broken anywhere


def test_effects_that_were_given_up(outlast: Outlast, store: str) -> None:
    """They are listed with the reason, and revived by id or all together."""

    def fails(effect: OutgoingEffect) -> None:
        raise ConnectionError(f"nobody takes {effect.name}")

    assert outlast("store", "dead", store).stdout == "no effect is dead\n"
    with opened(store, load("sagemaker")) as engine:
        engine.deliver({"*": fails}, retries=Retries(attempts=1))
        (id_,) = [effect.id for effect in engine.effects("dead")]
    told = outlast("store", "dead", store)
    (data,) = json.loads(outlast("store", "dead", store, "--json").stdout)["dead"]
    wrong = outlast("store", "revive", store, id_, "99-0")
    left = outlast("store", "revive", store, "--all")

    assert [line.split() for line in told.stdout.splitlines()] == [
        [id_, "train", "credentials", "2024-10-04T00:00:00Z,", "tried", "1", "time"],
        ["ConnectionError:", "nobody", "takes", "credentials"],
    ]
    assert (data["id"], data["instance"], data["error"]) == (id_, "train", "ConnectionError: nobody takes credentials")
    assert (wrong.exit_code, wrong.stdout) == (1, "not dead: 99-0\n1 effect revived\n")
    assert (left.exit_code, left.stdout) == (0, "0 effects revived\n")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ((), "say which effects, by id, or --all: `outlast store dead` lists them"),
        (("1-0", "--all"), "say which effects, by id, or --all: `outlast store dead` lists them"),
        (("one",), "`one` is no id of an effect: they are like 1048576-0"),
    ],
)
def test_what_cannot_be_revived(outlast: Outlast, store: str, words: tuple[str, ...], text: str) -> None:
    """Is said in one line."""
    done = outlast("store", "revive", store, *words)

    assert (done.exit_code, done.stderr) == (2, f"outlast: {text}\n")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("sqlite:///nowhere.db", "outlast: nowhere.db: there is no such database"),
        ("jobs.db", "outlast: `jobs.db` is no store: write sqlite:///FILE or postgresql://USER@HOST/DATABASE"),
        ("sqlite:///README", "outlast: README: this is no SQLite database, or a damaged one"),
    ],
)
@pytest.mark.parametrize("command", ["verify", "info"])
def test_what_is_no_store(
    outlast: Outlast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, url: str, text: str
) -> None:
    """Is told in one line, and nothing is made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "README").write_text("This is a text. " * 100, "utf-8")
    done = outlast("store", command, url)

    assert (done.exit_code, done.stderr.strip()) == (2, text)
    assert [file.name for file in tmp_path.iterdir()] == ["README"]


def test_another_specification(outlast: Outlast, store: str) -> None:
    """A store is not decided again under a system it was not written under."""
    done = outlast("store", "verify", store, "--system", "tour")

    assert (done.exit_code, done.stderr) == (2, "outlast: the store was written under another version of `tour`\n")


def test_the_specifications_of_a_store(outlast: Outlast, store: str) -> None:
    """Each with since when, and how much was done under it."""
    done = outlast("store", "info", store)
    (told,) = json.loads(outlast("store", "info", store, "--json").stdout)["specifications"]
    plan = load("sagemaker")

    assert (
        f"versions   {plan.hash[:12]}  since 2024-10-04T00:00:00Z  7 decisions  6 instances  at present" in done.stdout
    )
    assert (told["hash"], told["readings"], told["kept"]) == (plan.hash, dict(plan.readings), True)


def test_a_specification_is_written_out(outlast: Outlast, store: str, tmp_path: Path) -> None:
    """The present one, or the one a hash begins with; what is written is that specification."""
    plan = load("sagemaker")
    shown = outlast("store", "spec", store)
    named = outlast("store", "spec", store, plan.hash[:5])
    written = outlast("store", "spec", store, "-o", str(tmp_path / "found"))

    assert shown.stdout == named.stdout
    assert shown.stdout.startswith("system: sagemaker\n")
    assert len(written.stdout.splitlines()) == len([*(tmp_path / "found").iterdir()]) == 8
    assert load(tmp_path / "found").hash == plan.hash


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("x",), "no specification of the store begins with `x`: it has "),
        (("-o", "one.yaml"), "the system is more than one machine: `one.yaml` must be a folder"),
        (("-o", "."), "`.` is there already: say a new file or folder"),
    ],
)
def test_what_cannot_be_written_out(
    outlast: Outlast, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], text: str
) -> None:
    """Is said in one line, and nothing is written."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    done = outlast("store", "spec", store, *words)

    assert (done.exit_code, " ".join(done.stderr.split()).startswith(f"outlast: {text}")) == (2, True)
    assert [*(tmp_path / "empty").iterdir()] == []


def test_a_machine_is_written_out(outlast: Outlast, tmp_path: Path) -> None:
    """A single machine may be one file."""
    (tmp_path / "m.yaml").write_text("machine: m\nstates: {a: {}}\n", "utf-8")
    plan = load(tmp_path / "m.yaml")
    url = f"sqlite:///{tmp_path}/m.db"
    opened(url, plan).close()
    done = outlast("store", "spec", url, "-o", str(tmp_path / "n.yaml"))

    assert done.exit_code == 0
    assert load(tmp_path / "n.yaml").hash == plan.hash


def test_a_store_that_lacks_a_text(outlast: Outlast, tmp_path: Path) -> None:
    """It is verified as far as it can be, all of it with what somebody still has, and moved from there."""
    url = f"sqlite:///{tmp_path}/lamps.db"
    FIRST.put(url)
    for name, text in zip(("one", "two"), FIRST.versions, strict=True):
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    one, two = (str(tmp_path / f"{name}.yaml") for name in ("one", "two"))
    bare, half = outlast("store", "verify", url), outlast("store", "verify", url, "--system", two)
    whole = outlast("store", "verify", url, "--system", one, "--system", two)
    refused = outlast("migrate", url, one)

    assert [done.exit_code for done in (bare, half, whole, refused)] == [0, 0, 0, 2]
    assert bare.stdout.splitlines()[:2] == [
        "11 decisions under a version the store has no text of: say --system",
        "11 decisions, 3 instances, 3 effects: whole; none decided again",
    ]
    assert half.stdout.splitlines()[1].endswith("whole; 5 of them decided again")
    assert whole.stdout.splitlines()[0].endswith("whole; decided again, all came out the same")
    assert "no text" in outlast("store", "info", url).stdout
    assert "the store has no text of specification eb2f67381d56" in refused.stderr
    assert outlast("migrate", two, one, "--store", url).exit_code == 0
