"""The commands of the page about the service, run as they stand there: what they print is what the page says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from outlast.service.problems import CODES
from outlast.service.routes import rows
from tests.service.test_serving import PATIENCE, running

PAGE = Path(__file__).parents[2] / "docs" / "service.md"
BLOCK = re.compile(
    r"^```sh\n(?P<command>.*?)^```\n(?:\n```(?:json|text)\n(?P<answer>.*?)^```\n)?", re.MULTILINE | re.DOTALL
)
ADDRESS = re.compile(r"(http://)?(localhost|127\.0\.0\.1):8000")

if not PAGE.exists():
    pytest.skip("the documentation is not beside these tests", allow_module_level=True)


@attrs.frozen
class Example:
    """A command, and what the page says that it prints: `…` is anything, and lines may be broken anywhere."""

    command: str
    answer: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """What the answer must match, blanks aside."""
        return re.compile(".*".join(map(re.escape, squeezed(self.answer).split("…"))), re.DOTALL)


def squeezed(text: str) -> str:
    """The text without blanks."""
    return re.sub(r"\s+", "", text)


def examples() -> list[Example]:
    """Those of the page, in order."""
    return [Example(found["command"], found["answer"] or "") for found in BLOCK.finditer(PAGE.read_text("utf-8"))]


def printed(command: str, address: str, enough: re.Pattern[str]) -> str:
    """What a command prints. One that would go on for ever is ended when it has printed enough."""
    outlast = f'outlast() {{ {sys.executable} -m outlast "$@"; }}; '
    bash = shutil.which("bash")
    assert bash
    with subprocess.Popen(
        [bash, "-c", outlast + ADDRESS.sub(address, command)], stdout=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stdout
        text = ""
        for line in process.stdout:
            text += line.decode()
            if "stream" in command and enough.fullmatch(squeezed(text)):
                subprocess.run([bash, "-c", f"kill -- -{process.pid}"], check=True)
                return text
        assert process.wait(PATIENCE) == 0
        return text


@pytest.mark.needs("curl")
def test_the_page_tells_what_is_printed(tmp_path: Path) -> None:
    """Each command in turn, since each goes on where the one before it was."""
    told = [example for example in examples() if "curl" in example.command]
    with running("--store", f"sqlite:///{tmp_path}/jobs.db") as (_, address):
        for example in told:
            answer = printed(example.command, address, example.pattern)
            assert example.pattern.fullmatch(squeezed(answer)), answer

    assert [example.command for example in told if not example.answer] == []
    assert len(told) > 5


def test_every_case_over_http() -> None:
    """The conformance table of the document, each case through a store and HTTP, as the page says."""
    (example,) = [example for example in examples() if "curl" not in example.command]
    with running("--store", "sqlite://", "--conformance", "--rate", "0") as (_, address):
        answer = printed(example.command, address, example.pattern)

    assert example.pattern.fullmatch(squeezed(answer)), answer
    assert "246 passed of 246" in answer


def test_the_page_names_everything() -> None:
    """Every path and every code."""
    text = PAGE.read_text("utf-8")
    paths = {
        part.partition("?")[0]
        for found in re.findall(r"`([^`]*)`", text)
        for part in found.split()
        if part.startswith("/")
    }

    assert {row.path for row in rows()} - paths == set()
    assert {code for code in CODES if f"`{code}`" not in text} == set()
