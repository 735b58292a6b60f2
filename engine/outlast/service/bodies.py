"""From bytes to data: JSON under limits, without what surprises (duplicate keys, NaN, fractions, numbers beyond 64 bits, broken Unicode)."""

from __future__ import annotations

import json
import re
from typing import NoReturn, TypeAlias

from outlast.expr import Value
from outlast.service.problems import Refused

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

_PARTS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|([\[{])|([\]}])', re.DOTALL)
_UNUSABLE = re.compile("[\x00\ud800-\udfff]")
GREATEST = 2**63 - 1


def parse(body: bytes, depth: int) -> Json:
    """The data in a body. Raises Refused."""
    _check_depth(body, depth)
    try:
        text = body.decode("utf-8")
        data: Json = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_float=_fraction, parse_int=_whole
        )
    except UnicodeDecodeError as error:
        raise Refused("bad-json", f"byte {error.start + 1} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise Refused(
            "bad-json", f"this is no JSON: {error.msg.lower()} at line {error.lineno}, column {error.colno}"
        ) from error
    except RecursionError as error:
        raise Refused("bad-json", f"it nests deeper than {depth}") from error
    _check_text(data)
    return data


def _check_depth(body: bytes, most: int) -> None:
    """Count brackets outside texts, before anything is made of them."""
    depth = 0
    for found in _PARTS.finditer(body):
        if found[1]:
            depth += 1
            if depth > most:
                raise Refused("bad-json", f"it nests deeper than {most}")
        elif found[2]:
            depth -= 1


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Refused("bad-json", f"`{twice:.60}` stands twice in one object")
    return made


def _constant(word: str) -> NoReturn:
    raise Refused("bad-json", f"`{word}` is no JSON")


def _fraction(text: str) -> NoReturn:
    raise Refused("bad-json", f"`{text:.40}`: numbers are whole here, without fraction or exponent")


def _whole(text: str) -> int:
    if len(text) > 20 or abs(int(text)) > GREATEST:
        raise Refused("bad-json", f"`{text[:20]}…` is a number of more than 64 bits")
    return int(text)


def _check_text(data: Json) -> None:
    match data:
        case str():
            if found := _UNUSABLE.search(data):
                raise Refused("bad-json", f"a text holds U+{ord(found[0]):04X}, which is no character")
        case dict():
            for name, value in data.items():
                _check_text(name)
                _check_text(value)
        case list():
            for value in data:
                _check_text(value)


class Members:
    """An object whose members are taken one by one; what is left in the end is too much. Every method raises Refused."""

    def __init__(self, data: Json, path: str = "") -> None:
        self.path = path
        if not isinstance(data, dict):
            self._complain("", "an object is wanted")
        self.left = dict(data)

    def _complain(self, name: str, what: str) -> NoReturn:
        path = f"{self.path}/{name.replace('~', '~0').replace('/', '~1')}" if name else self.path
        about = f"`{name[:60]}`: " if name else ""
        raise Refused("bad-request", f"{about}{what}", path=path)

    def text(self, name: str, most: int = 500) -> str:
        """A text that must be there, not empty and printable."""
        value = self.word(name, most)
        if value is None:
            self._complain(name, "it is missing")
        return value

    def word(self, name: str, most: int = 500) -> str | None:
        """A text that may be left out."""
        value = self.left.pop(name, None)
        if value is None:
            return None
        if not isinstance(value, str) or not value or len(value) > most or not value.isprintable():
            self._complain(name, f"a text of 1 to {most} printable characters is wanted")
        return value

    def number(self, name: str) -> int | None:
        """A number that may be left out; none of them is negative."""
        value = self.left.pop(name, None)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            self._complain(name, "a whole number that is not negative is wanted")
        assert value is None or isinstance(value, int)
        return value

    def values(self, name: str) -> dict[str, Value]:
        """An object of plain values; empty if it is left out."""
        data = self.left.pop(name, None)
        return {} if data is None else plain(data, f"{self.path}/{name}")

    def items(self, name: str, most: int) -> list[Json]:
        """A list that must be there, not empty."""
        data = self.left.pop(name, None)
        if not isinstance(data, list) or not 1 <= len(data) <= most:
            self._complain(name, f"a list of 1 to {most:,} entries is wanted")
        return data

    def end(self) -> None:
        """Nothing else may be there."""
        for name in self.left:
            self._complain(name, "nothing of that name is known here")


def plain(data: Json, path: str) -> dict[str, Value]:
    """An object of texts, whole numbers, true, false and null. Raises Refused."""
    if not isinstance(data, dict):
        raise Refused("bad-request", "an object of plain values is wanted", path=path)
    found: dict[str, Value] = {}
    for name, value in data.items():
        if isinstance(value, dict | list):
            raise Refused("bad-request", f"`{name[:60]}`: a text, a whole number, true, false or null", path=path)
        found[name] = value
    return found
