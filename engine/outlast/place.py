"""Where a word was written: `Place` (file, line, column) and `Word`, a string that remembers its place."""

from __future__ import annotations

from typing import Self

import attrs


@attrs.frozen(order=True)
class Place:
    """A position in a text. Lines and columns count from 1, columns in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def shifted(self, columns: int) -> Place:
        """The place `columns` characters further right on the same line."""
        return attrs.evolve(self, column=self.column + columns)


class Word(str):
    """A string out of a specification. Equal to the plain string; `place` says where it stands, if anywhere."""

    __slots__ = ("place",)
    place: Place | None

    def __new__(cls, text: str, place: Place | None = None) -> Self:
        """The string `text`, written at `place`."""
        word = super().__new__(cls, text)
        word.place = place
        return word

    def __reduce__(self) -> tuple[type[Word], tuple[str, Place | None]]:
        return Word, (str(self), self.place)


def place_of(word: str) -> Place | None:
    """Where `word` was written, or None for a plain string."""
    return word.place if isinstance(word, Word) else None
