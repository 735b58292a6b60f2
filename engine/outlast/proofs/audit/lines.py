"""A stream of bytes -> numbered lines, whatever they hold: compressed or not, as long as they like, ending in the middle."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

import attrs

from outlast.values import frozen

LONGEST = 1 << 20
"""No line is read that is longer, in bytes."""
_GZIP = b"\x1f\x8b"


@frozen
class Unreadable:
    """A line that says nothing we can use, and why. Also a line whose instance nobody knows how to take up."""

    line: int
    reason: str


@attrs.define(eq=False)
class Counting:
    """A stream that tells how many of its bytes are taken: for a bar, also when what is read is compressed."""

    inner: BinaryIO
    taken: Callable[[int], None]

    def read(self, size: int = -1) -> bytes:
        """As the stream's own."""
        data = self.inner.read(size)
        self.taken(len(data))
        return data


def numbered(stream: Counting) -> Iterator[tuple[int, bytes] | Unreadable]:
    """The lines of a stream, from 1, without their ends. Blank ones are counted, not given."""
    number, rest, skipping = 0, b"", False
    try:
        for chunk in _chunks(stream):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                number += 1
                if skipping or len(line) > LONGEST:
                    skipping = False
                    yield _too_long(number)
                elif line.strip():
                    yield number, line
            if len(rest) > LONGEST:
                skipping, rest = True, b""
    except (EOFError, OSError, zlib.error) as error:
        if not isinstance(error, EOFError | gzip.BadGzipFile | zlib.error):
            raise
        yield Unreadable(number + 1, f"the compressed data is damaged or ends early: {error}".rstrip(": "))
        return
    if skipping:
        yield _too_long(number + 1)
    elif rest.strip():
        yield number + 1, rest


def _too_long(number: int) -> Unreadable:
    return Unreadable(number, f"the line is longer than {LONGEST:,} bytes")


def _chunks(stream: Counting) -> Iterator[bytes]:
    """Pieces of what the stream holds, unpacked if it begins as gzip does."""
    head = stream.read(2)
    if head != _GZIP:
        yield head
        while chunk := stream.read(1 << 16):
            yield chunk
        return
    with gzip.GzipFile(fileobj=cast(BinaryIO, _Replayed(head, stream))) as unpacked:
        while chunk := unpacked.read(1 << 16):
            yield chunk


@attrs.define(eq=False)
class _Replayed:
    """A stream whose first bytes were read already."""

    head: bytes
    stream: Counting

    def read(self, size: int = -1) -> bytes:
        if self.head:
            head, self.head = self.head, b""
            return head
        return self.stream.read(size)
