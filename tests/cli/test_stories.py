"""Stories that do not hold, and systems made by `outlast new`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Outlast


@pytest.fixture
def fresh(outlast: Outlast, tmp_path: Path) -> Path:
    """A system just begun."""
    assert outlast("new", "leave-request", "--into", str(tmp_path)).exit_code == 0
    return tmp_path / "leave-request"


def test_a_new_system_is_sound(outlast: Outlast, fresh: Path) -> None:
    """What `new` makes passes every command it suggests, is in canonical form, and has no trace of the template."""
    story = str(fresh / "scenarios" / "first-story.yaml")
    commands = [["check", str(fresh)], ["run", story], ["explain", str(fresh)], ["fmt", "--check", str(fresh)]]
    files = [file for file in fresh.rglob("*") if file.is_file()]

    assert [outlast(*words).exit_code for words in commands] == [0] * 4
    assert "no problems" in outlast("check", str(fresh)).stdout
    assert [file for file in files if "NAME" in file.name or "NAME" in file.read_text("utf-8")] == []
    assert (fresh / "leave-request.yaml").is_file()


def test_new_overwrites_nothing(outlast: Outlast, fresh: Path) -> None:
    """A second `new` of the same name is refused and changes nothing."""
    (fresh / "system.yaml").write_text("mine\n", "utf-8")

    done = outlast("new", "leave-request", "--into", str(fresh.parent))

    assert (done.exit_code, (fresh / "system.yaml").read_text("utf-8")) == (2, "mine\n")


def test_a_failed_expectation(outlast: Outlast, fresh: Path) -> None:
    """It is shown with what was wanted, what was seen, and where it is written; the exit code is 1."""
    story = fresh / "scenarios" / "first-story.yaml"
    story.write_text(story.read_text("utf-8").replace("reminders: 1}", "reminders: 3}"), "utf-8")

    done = outlast("run", str(story), columns=120)

    assert done.exit_code == 1
    assert "reminded, reminders 3" in done.stdout
    assert "seen: reminded, reminders 1" in done.stdout
    assert "first-story.yaml:" in "".join(done.stdout.split())
    assert done.stdout.endswith("6 expectations: 5 held, 1 failed\n")


def test_a_contested_expectation_is_no_failure(outlast: Outlast) -> None:
    """What only another reading contradicts is reported, and the run is still good."""
    done = outlast("run", "the-wait-counts", "--reading", "A-08=does-not-count")

    assert done.exit_code == 0
    assert "read as A-08=does-not-count" in done.stdout
    assert "12 held, 3 contested: promised under the default readings only" in done.stdout


def test_fmt(outlast: Outlast, fresh: Path) -> None:
    """`--check` finds what is not in canonical form and leaves it; without it, it is put right."""
    file = fresh / "leave-request.yaml"
    canonical = file.read_text("utf-8")
    file.write_text(canonical.replace("event: submit, to: open", "to: open,   event: submit"), "utf-8")

    checked = outlast("fmt", "--check", str(fresh))
    written = outlast("fmt", str(fresh))

    assert (checked.exit_code, written.exit_code) == (1, 0)
    assert canonical == file.read_text("utf-8")


def test_fmt_leaves_what_has_problems(outlast: Outlast, fresh: Path) -> None:
    """A file that cannot be read is reported and left alone; the others are written."""
    file = fresh / "leave-request.yaml"
    file.write_text("machine: x\nsurprise: 1\n", "utf-8")

    done = outlast("fmt", str(fresh))

    assert (done.exit_code, file.read_text("utf-8")) == (1, "machine: x\nsurprise: 1\n")
    assert "unknown-key" in done.stderr


def test_schema_check(outlast: Outlast, tmp_path: Path) -> None:
    """The schema that is printed is the one that is accepted."""
    (tmp_path / "schema.json").write_text(outlast("schema").stdout, "utf-8")

    assert outlast("schema", "--check", str(tmp_path / "schema.json")).exit_code == 0
