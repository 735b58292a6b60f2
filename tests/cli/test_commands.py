"""What each command answers: exit code, fragments, and never a line longer than the terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from outlast import __version__, catalog
from outlast.cli.app import COMMANDS
from outlast.cli.finding import story_files
from tests.cli.conftest import Outlast

DOCS = Path(__file__).parents[2] / "docs" / "command-line.md"
STORIES = [story for system in catalog.bundled() for story in story_files(system)]

GOOD = [  # words                                            fragments of what is printed
    ("--version", [f"outlast {__version__}"]),
    ("--help", ["Tell a story", "Exit codes"]),
    ("list", ["sagemaker", "6 machines", "tour", "outlast list SYSTEM"]),
    ("list tour", ["coffee-machine", "one-cup", "The last cup"]),
    ("check tour", ["tour", "1 machine, 2 scenarios", "6/6 CM (all cited)", "no problems"]),
    (
        "check sagemaker tour",
        ["46/46 TIP (", "INF (all cited)", "no problems in 2 systems"],
    ),
    (
        "run one-cup",
        ["The last cup", "grinding + heating → ground + heating", "timer after 15s", "pending", "all held"],
    ),
    ("run one-cup", ["refused: There are no beans.", "`beans > 0` is false: beans is 0", "accepted"]),
    ("run the-job-outlives-its-user", ["outlives-user", "TIP-01  A BS keeps living", "sign-out by user", "all held"]),
    ("run the-wait-counts --reading A-08=does-not-count", ["read as A-08=does-not-count", "contested", "seen: "]),
    (
        "run the-wait-counts --every-reading",
        ["Under other readings", "A-02=pin", "nothing differs", "3 expectations contested"],
    ),
    ("run one-cup --every-reading", ["declares no other readings"]),
    ("run one-cup --system tour --resolve earliest", ["resolved as earliest"]),
    ("explain tour", ["coffee-machine", "6/6 CM", "one-cup", "outlast explain tour NAME"]),
    (
        "explain tour coffee-machine",
        ["Fields", "int from 0 to 10; 2 unless given", "deep history", "done.state.making: making → pouring"],
    ),
    ("explain tour on", ["coffee-machine:on  state", "Leads here", "Leads away", "Stays here"]),
    ("explain tour CM-4", ["clause of tour", "No cup is begun without beans", "Cited by", "coffee-machine:no-beans"]),
    (
        "explain tour coffee-machine:serve",
        ["after 15s: pouring → ready", "do emit coffee-ready", "coffee-machine.yaml:"],
    ),
    ("explain tour coffee-machine.beans", ["field of tour", "CM-4"]),
    ("explain tour lift-tank", ["event of tour", "transition of tour"]),
    ("explain sagemaker A-08", ["does-not-count", "(the default)", "asked by"]),
    ("explain sagemaker start-background", ["when binds-background", "Where", "domain.effective", "Because"]),
    ("explain sagemaker grace", ["constant of sagemaker", "15m", "TIP-28"]),
    ("explain sagemaker administrator", ["actor of sagemaker", "may send"]),
    ("explain sagemaker job:job-failed", ["effect of sagemaker", "cause"]),
    ("completion bash", ["_OUTLAST_COMPLETE=bash_complete"]),
    ("completion zsh", ["#compdef outlast"]),
    ("completion fish", ["complete --no-files --command outlast"]),
]


@pytest.mark.parametrize(("words", "fragments"), GOOD, ids=[words for words, _ in GOOD])
def test_answers(outlast: Outlast, words: str, fragments: list[str]) -> None:
    """A sound question is answered on standard output, with exit code 0 and no complaint."""
    done = outlast(*words.split())

    assert (done.exit_code, done.stderr) == (0, "")
    assert [fragment for fragment in fragments if fragment not in done.stdout] == []


@pytest.mark.parametrize("columns", [100, 72])
@pytest.mark.parametrize("words", [words for words, _ in GOOD if not words.startswith(("completion", "--help"))])
def test_no_line_is_too_long(outlast: Outlast, words: str, columns: int) -> None:
    """Nothing is wider than the terminal, and no line ends in blanks."""
    lines = outlast(*words.split(), columns=columns).stdout.splitlines()

    assert [line for line in lines if len(line) > columns or line != line.rstrip()] == []


@pytest.mark.parametrize("story", STORIES)
def test_every_bundled_story_is_told(outlast: Outlast, story: str) -> None:
    """Every scenario that comes with the package can be told, fits the page, and holds."""
    done = outlast("run", story)

    assert (done.exit_code, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_a_clause_is_said_once(outlast: Outlast) -> None:
    """The words of a clause stand where a story first cites it; after that its id is enough."""
    told = outlast("run", "one-cup").stdout

    assert (told.count("A press on the button makes one cup"), told.count("CM-2") > 1) == (1, True)


def test_what_nobody_ever_hears_is_not_told(outlast: Outlast) -> None:
    """An event from inside for which the machine has no row is left out of the timeline."""
    assert "done.invoke" not in outlast("run", "the-background-session-runs-out").stdout


def test_every_command_is_documented(outlast: Outlast) -> None:
    """docs/command-line.md has a section for each command and names each of its options."""
    text = DOCS.read_text("utf-8")
    options = {
        word.rstrip(",:")
        for command in COMMANDS
        for word in outlast(command, "--help").stdout.split("Options:")[1].split()
        if word.startswith("--") and word != "--help"
    }

    assert [command for command in COMMANDS if f"\n## outlast {command}\n" not in text] == []
    assert sorted(option for option in options if option not in text) == []


def test_colour_only_on_a_terminal(outlast: Outlast) -> None:
    """Into a file or pipe go plain characters."""
    assert "\x1b" not in outlast("run", "one-cup").stdout


@pytest.mark.parametrize("words", [["run", "calls-at-the-wrong-time"], ["run", "calls-at-the-wrong-time", "--json"]])
def test_a_reader_that_leaves_is_no_error(words: list[str]) -> None:
    """`outlast … | head` ends quietly."""
    with subprocess.Popen(
        [sys.executable, "-m", "outlast", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdout
        assert running.stderr
        running.stdout.close()

        assert running.stderr.read() == b""
    assert running.returncode == 141


def test_a_terminal_without_arrows_gets_an_answer() -> None:
    """In a terminal that knows ASCII only, what it cannot show becomes a question mark."""
    done = subprocess.run(
        [sys.executable, "-m", "outlast", "run", "one-cup"],
        env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        check=True,
    )

    assert b"off ? ready" in done.stdout


def test_the_version_is_quick() -> None:
    """What needs no specification does not wait for the reader of specifications."""
    program = (
        "import sys; from outlast.cli import main; print('yaml' in sys.modules, 'outlast.language' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]
