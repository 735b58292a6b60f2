"""`outlast store`: a store looked after from a shell."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from outlast.loading import load
from tests.store.people import START, settled

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
