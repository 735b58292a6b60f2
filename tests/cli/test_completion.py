"""What a shell is offered to complete."""

from __future__ import annotations

import pytest
from click.shell_completion import ShellComplete

from outlast.cli import main

ROWS = [  # words so far                          the word begun     what is offered
    ([], "exp", {"explain", "export"}),
    (["check"], "sa", {"sagemaker"}),
    (["check", "tour"], "tc", {"tcp"}),
    (["run"], "the-job", {"the-job-outlives-its-user"}),
    (["run", "--system", "tour"], "", {"one-cup", "tank-lifted-out"}),
    (["run", "--system", "nowhere"], "one", {"one"}),
    (["run"], "./sto", {"./sto"}),
    (["run", "one-cup"], "--every", {"--every-reading"}),
    (["explain"], "to", {"tour"}),
    (["explain", "tour"], "CM-", {f"CM-{number}" for number in range(1, 7)}),
    (["explain", "nowhere"], "x", set[str]()),
    (["completion"], "f", {"fish"}),
]


@pytest.mark.parametrize(("words", "begun", "offered"), ROWS)
def test_completion(words: list[str], begun: str, offered: set[str]) -> None:
    """Commands, options, systems, scenarios and the names in a system are offered."""
    shell = ShellComplete(main, {}, "outlast", "_OUTLAST_COMPLETE")

    assert offered == {item.value for item in shell.get_completions(words, begun)}
