"""The text of a file before YAML sees it: read within limits, decoded, free of characters that deceive; and what is wrong with it."""

from __future__ import annotations

import bisect
import codecs
import errno
import hashlib
import re
import stat
from pathlib import Path

import attrs

from outlast.errors import Problem, did_you_mean, listed
from outlast.place import Place

LARGEST = 1 << 20
"""No file may be longer, in bytes."""
MOST_PROBLEMS = 100
"""A file is not read on after so many: what follows would be the same again."""

_DECEIVING = re.compile(
    "[\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ufff9-\\uffff\\ud800-\\udfff]"
)


@attrs.define
class Source:
    """One text, its lines, and the problems found in it so far."""

    file: str
    text: str
    problems: list[Problem] = attrs.field(factory=list)
    digest: bytes = b""
    """SHA-256 of the bytes of the file; empty if there was none to be read."""
    lines: list[str] = attrs.field(init=False, repr=False)
    _starts: list[int] = attrs.field(init=False, repr=False)
    _extra: int = attrs.field(init=False, default=0)

    def __attrs_post_init__(self) -> None:
        self.lines = self.text.split("\n")
        self._starts = [0]
        for line in self.lines[:-1]:
            self._starts.append(self._starts[-1] + len(line) + 1)

    @property
    def full(self) -> bool:
        """Whether there are so many problems that another would not be kept."""
        return len(self.problems) >= MOST_PROBLEMS

    def report(self, code: str, text: str, place: Place, hint: str | None = None) -> None:
        """Keep a problem, with its source line."""
        if self.full:
            if not self._extra:
                self.problems.append(
                    Problem("too-many-problems", f"more than {MOST_PROBLEMS} problems, the rest is left out", place)
                )
            self._extra += 1
            return
        self.problems.append(Problem(code, text, place, hint, excerpt=self.line(place.line)))

    def suggest(self, name: str, known: list[str] | tuple[str, ...], *, listing: bool = True) -> str | None:
        """A hint for a word that is none of `known`: the closest of them, or else all."""
        if self.full or len(name) > 80:
            return None
        return did_you_mean(name, known) or (f"known: {listed(known, 12)}" if listing and known else None)

    def line(self, number: int) -> str:
        """The line of that number, counted from 1; empty beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def place(self, line: int, column: int) -> Place:
        """A place in this text, from a line and column counted from 0."""
        return Place(self.file, line + 1, column + 1)

    def index(self, line: int, column: int) -> int:
        """How many characters stand before a line and column counted from 0."""
        return self._starts[line] + column if line < len(self._starts) else len(self.text)

    def place_at(self, index: int) -> Place:
        """The place of the character at `index`."""
        line = bisect.bisect_right(self._starts, index) - 1
        return self.place(line, index - self._starts[line])


def from_bytes(data: bytes, file: str) -> Source:
    """The source of these bytes; empty, with a problem, if they are too many or not UTF-8."""
    source = _from_bytes(data, file)
    source.digest = hashlib.sha256(data).digest()
    return source


def _from_bytes(data: bytes, file: str) -> Source:
    if len(data) > LARGEST:
        return too_large(file, len(data))
    mark = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
    try:
        return from_text(data[mark:].decode(), file)
    except UnicodeDecodeError as error:
        wrong = mark + error.start
        before = data[mark:wrong].decode()
        line = before.count("\n")
        column = len(before) - before.rfind("\n") - 1
        source = Source(file, before + "�")
        source.report(
            "not-utf-8",
            f"byte {wrong + 1} of the file (0x{data[wrong]:02x}) is not UTF-8",
            source.place(line, column),
            "save the file as UTF-8",
        )
        return source


def from_text(text: str, file: str) -> Source:
    """The source of a text; with a problem if it is too long or holds tabs or characters that deceive."""
    if len(text) > LARGEST:
        return too_large(file, len(text))
    source = Source(file, text.removeprefix("\ufeff").replace("\r\n", "\n"))
    tabs = [(number, line.index("\t")) for number, line in enumerate(source.lines) if "\t" in line]
    if tabs:
        others = (
            f"; {len(tabs) - 1} more lines have tabs" if len(tabs) > 2 else "; another line has one" if tabs[1:] else ""
        )
        source.report("tab", "a tab has no fixed width", source.place(*tabs[0]), f"use spaces{others}")
    if match := _DECEIVING.search(source.text):
        source.report(
            "control-character",
            f"U+{ord(match[0]):04X} cannot be seen and does not belong in a specification",
            source.place_at(match.start()),
        )
    return source


def from_file(path: Path) -> Source:
    """The source of a file, whose size is looked at before it is read. Raises OSError if it cannot be read."""
    size = _size(path)
    return from_bytes(_start(path), str(path)) if size <= LARGEST else too_large(str(path), size)


def digest(path: Path) -> bytes:
    """The `digest` that the source of a file would have now. Raises OSError if it cannot be read."""
    return hashlib.sha256(_start(path)).digest() if _size(path) <= LARGEST else b""


def _size(path: Path) -> int:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    return status.st_size


def _start(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(LARGEST + 1)


def too_large(file: str, size: int) -> Source:
    """An empty source with the problem that the real one has `size` bytes."""
    source = Source(file, "")
    source.report("too-large", f"the file has {size:,} bytes, at most {LARGEST:,} are read", source.place(0, 0))
    return source
