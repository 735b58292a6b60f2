"""Implementations in other languages: behind a pipe, one JSON object on a line, or behind HTTP, one in the body of a POST."""

from __future__ import annotations

import contextlib
import json
import queue
import shlex
import subprocess
import threading
import urllib.error
import urllib.request
from typing import Protocol

from outlast.errors import MisuseError, UnknownName
from outlast.proofs.conformance.protocol import (
    CAPABILITIES,
    VERSION,
    Broken,
    JsonObject,
    Observation,
    Unimplemented,
    count_of,
    observation_from_json,
    script,
)
from outlast.proofs.conformance.reading import FittedCase
from outlast.values import frozen

PATIENCE = 10.0
"""Seconds an answer may take."""


class Line(Protocol):
    """A way to a stranger: one text there, one back."""

    def ask(self, text: str) -> str:
        """The answer to `text`. Raises Broken."""

    def hang_up(self) -> None:
        """No more questions."""


class Pipe:
    """A program that answers each line on its standard input with one on its standard output."""

    def __init__(self, command: str, *, patience: float = PATIENCE) -> None:
        self.command, self.patience = command, patience
        try:
            self.process = subprocess.Popen(
                shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            )
        except (OSError, ValueError) as error:
            raise MisuseError(f"`{command}` cannot be run: {error}") from error
        self.answers: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.answers.put(line)
        self.answers.put("")

    def ask(self, text: str) -> str:
        """See `Line`."""
        assert self.process.stdin
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
            answer = self.answers.get(timeout=self.patience)
        except OSError as error:
            raise Broken(f"`{self.command}` does not listen any more") from error
        except queue.Empty as error:
            raise Broken(f"`{self.command}` does not answer within {self.patience:g} s") from error
        if not answer:
            raise Broken(f"`{self.command}` has ended")
        return answer

    def hang_up(self) -> None:
        """See `Line`."""
        assert self.process.stdin
        assert self.process.stdout
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(timeout=2)
        self.process.stdout.close()


@frozen
class Web:
    """A service at an address."""

    address: str
    patience: float = PATIENCE

    def ask(self, text: str) -> str:
        """See `Line`."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        request = urllib.request.Request(self.address, text.encode(), headers)  # noqa: S310  # http(s) only, see `runner_at`
        try:
            with urllib.request.urlopen(request, timeout=self.patience) as response:  # noqa: S310  # as above
                answer: bytes = response.read()
        except (OSError, ValueError) as error:
            raise Broken(f"{self.address} does not answer: {error}") from error
        return answer.decode("utf-8", errors="replace")

    def hang_up(self) -> None:
        """See `Line`."""


class Stranger:
    """An implementation we can only talk to. See `protocol` for what is said."""

    def __init__(self, line: Line, name: str) -> None:
        """Say `start`, and learn its name and what it can do. Raises Broken."""
        self.line, self.name, self.seq = line, name, 0
        try:
            hello = self.ask({"cmd": "start", "version": VERSION})
        except Broken:
            line.hang_up()
            raise
        about = hello.get("implementation")
        if isinstance(about, dict) and about.get("name"):
            self.name = str(about["name"])
        claimed = hello.get("capabilities", [])
        unknown = [str(item) for item in claimed if item not in CAPABILITIES]
        if unknown:
            line.hang_up()
            raise UnknownName(f"capability (of {self.name})", unknown[0], CAPABILITIES)
        self.capabilities = frozenset(map(str, claimed))

    def ask(self, message: JsonObject) -> JsonObject:
        """The answer to one command. Raises Broken."""
        self.seq += 1
        text = self.line.ask(json.dumps({**message, "seq": self.seq}))
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise Broken(f"the answer is not JSON: {text.strip()!r:.80}") from error
        if not isinstance(answer, dict) or answer.get("seq") != self.seq:
            raise Broken(f"the answer does not echo `seq` {self.seq}: {text.strip()!r:.80}")
        return answer

    def run(self, case: FittedCase, bounds: str | None) -> list[Observation]:
        """See `Runner`."""
        if bounds is not None and "bounds" not in self.capabilities:
            raise Unimplemented("needs `bounds`")
        answer = self.ask({"cmd": "run", "case": script(case, bounds)})
        if "unimplemented" in answer:
            raise Unimplemented(str(answer["unimplemented"]))
        if "error" in answer:
            raise Broken(str(answer["error"]))
        observations = answer.get("observations")
        if not isinstance(observations, list):
            raise Broken("the answer has no list of `observations`")
        count_of(observations, case)
        return [observation_from_json(item) for item in observations]

    def close(self) -> None:
        """Say `stop`."""
        with contextlib.suppress(Broken):
            self.ask({"cmd": "stop"})
        self.line.hang_up()


def stranger_at(where: str) -> Stranger:
    """The implementation at `cmd:PROGRAM ARGUMENTS` or at an address `http://…`. Raises MisuseError, Broken."""
    if where.startswith("cmd:"):
        return Stranger(Pipe(where.removeprefix("cmd:")), where)
    if where.startswith(("http://", "https://")):
        return Stranger(Web(where), where)
    raise MisuseError(f"`{where}` is no implementation: say `cmd:PROGRAM …` or `http://…`")
