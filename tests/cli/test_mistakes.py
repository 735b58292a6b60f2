"""What is asked wrongly is answered in one clean message: no traceback, nothing on standard output, the right exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outlast.cli import finding
from tests.cli.conftest import Outlast

BAD = [  # words                                     code  fragment of the complaint
    ("lst", 2, "did you mean `list`?"),
    ("frobnicate", 2, "frobnicate"),
    ("run", 2, "SCENARIO"),
    ("run one-cup --wrong", 2, "--wrong"),
    ("run nothing-like-it", 2, "no bundled system has a scenario called `nothing-like-it`"),
    ("run one-cop", 2, "did you mean `one-cup`?"),
    ("run tour", 2, "`tour` is a system"),
    ("run one-cup --system tcp", 2, "no scenario of tcp is called `one-cup`"),
    ("run one-cup --system nowhere", 2, "no bundled system or path is called `nowhere`"),
    ("run missing.yaml", 2, "there is no file `missing.yaml`"),
    ("run {tmp}/folder/empty", 2, "is a folder, not a scenario"),
    ("run {tmp}/binary", 1, "not-utf-8"),
    ("run {tmp}/stray.yaml", 2, "say which with --system"),
    ("run {tmp}/stray.yaml --system tour", 1, "unknown-machine"),
    ("run {tmp}/broken.yaml --system tour", 1, "broken.yaml:"),
    ("run one-cup --reading A-02", 2, "ASSUMPTION=READING"),
    ("run one-cup --reading A-02=pin", 2, "no assumption is called `A-02`"),
    ("run the-wait-counts --reading A-08=never", 2, "no reading of A-08 is called `never`"),
    ("run the-wait-counts --reading A-08=counts --reading A-08=does-not-count", 2, "two readings"),
    ("run the-wait-counts --reading A-08=counts --every-reading", 2, "already takes every reading"),
    ("run one-cup --resolve soon", 2, "`latest`, `earliest` or `seed:N`"),
    ("run one-cup --resolve seed:x", 2, "`seed:x`"),
    ("check", 2, "SYSTEM"),
    ("check nowhere", 2, "no bundled system or path is called `nowhere`"),
    ("explain nowhere", 2, "no bundled system or path"),
    ("explain tour cofee-machine", 2, "did you mean `coffee-machine`?"),
    ("explain tour coffee-machine:reddy", 2, "did you mean `coffee-machine:ready`?"),
    ("explain sagemaker background-enabled", 2, "identity-center:background-enabled"),
    ("explain {tmp}/folder", 1, "missing-file"),
    ("list nowhere", 2, "no bundled system or path"),
    ("fmt", 2, "PATH"),
    ("fmt missing.yaml", 2, "missing.yaml"),
    ("fmt {tmp}/binary", 2, "is not UTF-8 text"),
    ("schema --check {tmp}/broken.yaml", 1, "is not the schema"),
    ("schema --check {tmp}/binary", 2, "is not UTF-8 text"),
    ("new Loud", 2, "`Loud` is no name"),
    ("new ../up", 2, "is no name"),
    ("new folder --into {tmp}", 2, "is already there"),
    ("completion csh", 2, "csh"),
]


@pytest.fixture(scope="module")
def mess(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that are of no use."""
    folder = tmp_path_factory.mktemp("mess")
    (folder / "folder" / "empty").mkdir(parents=True)
    (folder / "binary").write_bytes(b"\x7fELF\xd0\xff\x00")
    (folder / "stray.yaml").write_text("scenario: stray\ngiven:\n  spoon one: {}\n", "utf-8")
    (folder / "broken.yaml").write_text("scenario: [\n", "utf-8")
    return folder


@pytest.mark.parametrize(("words", "code", "fragment"), BAD, ids=[row[0] for row in BAD])
def test_complaint(outlast: Outlast, mess: Path, words: str, code: int, fragment: str) -> None:
    """The complaint goes to standard error and says what is wrong."""
    done = outlast(*words.format(tmp=mess).split(), columns=120)
    said = " ".join(done.stderr.split())

    assert (code, "") == (done.exit_code, done.stdout)
    assert fragment in said
    assert "Traceback" not in said


WRONG = [  # what a folder holds                                             code of the problem
    ({}, "missing-file"),
    ({"system.yaml": b"\xff\xfe\x00"}, "not-utf-8"),
    ({"system.yaml": b"system: s\nmachines: [m]\n"}, "missing-file"),
    (
        {
            "system.yaml": b"system: s\nmachines: [m]\n",
            "m.yaml": b"machine: m\nstates: {a: {}}\ntransitions:\n  - {id: t, from: b}\n",
        },
        "unknown-state",
    ),
]


@pytest.mark.parametrize(("files", "code"), WRONG, ids=["nothing", "binary", "no machine", "no state"])
def test_check_reports_problems(outlast: Outlast, tmp_path: Path, files: dict[str, bytes], code: str) -> None:
    """A check answers with the problems, in words and as data; its exit code is 1."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    words, data = outlast("check", str(tmp_path)), outlast("check", str(tmp_path), "--json")
    (system,) = json.loads(data.stdout)["systems"]

    assert (words.exit_code, data.exit_code, words.stderr, data.stderr) == (1, 1, "", "")
    assert f" {code}: " in " ".join(words.stdout.split())
    assert code in [problem["code"] for problem in system["problems"]]


def test_a_problem_shows_its_line(outlast: Outlast, tmp_path: Path) -> None:
    """Under a problem stands the line it is on, with a caret."""
    (tmp_path / "m.yaml").write_text("machine: m\nstates: {a: {}}\ntransitions:\n  - {id: t, from: b}\n", "utf-8")

    lines = outlast("check", str(tmp_path / "m.yaml")).stdout.splitlines()
    shown = next(number for number, line in enumerate(lines) if line.strip() == "- {id: t, from: b}")

    assert lines[shown].index("b}") == lines[shown + 1].index("^")


def test_words_of_strangers_command_nothing(outlast: Outlast, tmp_path: Path) -> None:
    """Control characters and marks that reorder a line do not reach the terminal, nor does anything work as markup."""
    text = 'machine: m\ntitle: "\\e[31mred \\u202e[bold]:smile:"\nstates: {a: {}}\n'
    (tmp_path / "m.yaml").write_text(text, "utf-8")

    shown = outlast("explain", str(tmp_path / "m.yaml"), "m").stdout

    assert "\ufffd[31mred \ufffd[bold]:smile:" in shown


def test_interruption(outlast: Outlast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends a command with 130, as in a shell."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(finding, "find_story", interrupted)

    assert outlast("run", "one-cup").exit_code == 130


def test_our_own_mistakes_show(outlast: Outlast, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody expected is a bug, and is not dressed up as the user's mistake."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(finding, "find_story", broken)

    with pytest.raises(ZeroDivisionError):
        outlast("run", "one-cup")
