"""Drafts -> lines: in braces what fits on a line, aligned where its author aligned it, in block style what does not."""

from __future__ import annotations

import functools
import re

from outlast.language.drafts import Atom, Draft, Group, Item
from outlast.language.nodes import plain_kind
from outlast.values import frozen

WIDTH = 132
"""Lines are filled up to here."""

_INDICATORS = "-?:,[]{}#&*!|>'\"%@`"
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n"}


# ---- scalars


@functools.lru_cache(maxsize=1 << 14)
def quoted(text: str, *, flow: bool) -> str:
    """A text as YAML: plain if it can be, else in double quotes."""
    if is_plain(text, flow=flow):
        return text
    if ('"' in text or "\\" in text) and "\n" not in text:
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(_ESCAPES.get(char, char) for char in text) + '"'


def is_plain(text: str, *, flow: bool) -> bool:
    """Whether a text can stand without quotes and is still a text."""
    if not text or text != text.strip() or "\n" in text or plain_kind(text) != "text":
        return False
    if text[0] in _INDICATORS and not re.match(r"[-?:][A-Za-z0-9]", text):
        return False
    if text.startswith(("---", "...")) or ": " in text or " #" in text or text.endswith(":"):
        return False
    return not (flow and re.search(r"[,\[\]{}]|:[,\[\]{}]|^[?:]", text))


def _atom(atom: Atom, *, flow: bool) -> str:
    return atom.text if atom.bare else quoted(atom.text, flow=flow)


def _key(item: Item) -> str:
    return quoted(item.key, flow=True) + ":"


# ---- in braces


def in_flow(draft: Draft, cell: int = 0) -> str:
    """A draft on one line; the first cell of a mapping padded to `cell` characters."""
    if isinstance(draft, Atom):
        return _atom(draft, flow=True)
    cells = [_cell(item, in_flow(item.value)) for item in draft.items]
    if cell and draft.mapping and len(cells) > 1:
        cells[0:2] = [f"{cells[0] + ',':<{cell + 1}} {cells[1]}"]
    start, end = "{}" if draft.mapping else "[]"
    return start + ", ".join(cells) + end


def _cell(item: Item, value: str) -> str:
    return f"{_key(item)} {value}" if item.key else value


def can_flow(draft: Draft) -> bool:
    """Whether it can stand in braces at all: without comments, and without anything that is always a block."""
    if isinstance(draft, Atom):
        return True
    if draft.commented or (draft.layout == "block" and draft.items and not draft.flow):
        return False
    return all(can_flow(item.value) for item in draft.items)


def _wrapped(draft: Draft, column: int, reserve: int, cell: int = 0) -> list[str]:
    """In braces over several lines: the first to be written at `column`, `reserve` characters kept free behind the last."""
    text = in_flow(draft, cell)
    if isinstance(draft, Atom) or not draft.items or column + len(text) + reserve <= WIDTH:
        return [text]
    if any(item.breaks for item in draft.authored):
        lines = _rows(draft, draft.authored, column, reserve, cell, authored=True)
        if max(column + len(lines[0]), len(lines[-1]) + reserve, *map(len, lines[1:])) <= WIDTH:
            return lines
    return _rows(draft, draft.items, column, reserve, cell, authored=False)


def _rows(draft: Group, items: list[Item], column: int, reserve: int, cell: int, *, authored: bool) -> list[str]:
    """The entries in lines: broken where their author broke them, or else as many on each line as there is room for."""
    start, end = "{}" if draft.mapping else "[]"
    lines, margin, gap = [" " * column + start], " " * (column + 1), ""
    for number, item in enumerate(items):
        last = number + 1 == len(items)
        closing = 1 + reserve if last else 1
        head = f"{_key(item)} " if item.key else ""
        whole = head + in_flow(item.value)
        here = lines[-1] + gap
        if number and (item.breaks if authored else len(here) + len(whole) + closing > WIDTH):
            here = margin
            lines.append(here)
        inner = _wrapped(item.value, len(here) + len(head), closing)
        lines[-1] = here + head + inner[0]
        lines += inner[1:]
        lines[-1] += end if last else ","
        gap = " " * (1 + (max(0, cell - len(whole)) if number == 0 and draft.mapping else 0))
    return [lines[0][column:], *lines[1:]]


# ---- in blocks


@frozen
class Pads:
    """How far the values of a run of entries, and what follows their first cells, are moved to the right."""

    key: int = 0
    cell: int = 0


def block(group: Group, indent: int) -> list[str]:
    """A group one entry to a line, the entries at `indent`, with all its comments."""
    lines: list[str] = []
    for run in _runs(group, indent):
        pads = _pads(run, group, indent)
        for item in run:
            lines += _comment_lines(_hoisted(item), indent)
            lines += _entry(item, group, indent, pads)
    return [*lines, *_comment_lines(group.tail, indent)]


def _comment_lines(texts: list[str], indent: int) -> list[str]:
    return [" " * indent + text if text else "" for text in texts]


def _hoisted(item: Item) -> list[str]:
    """What stands above an entry: above a `-`, also what stands above the first key behind it."""
    value = item.value
    if item.key or not isinstance(value, Group) or not value.items or _style(item, 2) != "block":
        return item.before
    after = [item.after] if item.after else []
    item.after = ""
    first = value.items[0]
    above, first.before = first.before, []
    return [*item.before, *after, *[line for line in above if line]]


def _entry(item: Item, group: Group, indent: int, pads: Pads) -> list[str]:
    """The lines of one entry."""
    head = " " * indent + (_key(item) if group.mapping else "-")
    head = head.ljust(pads.key)
    style = _style(item, len(head) + 1)
    if isinstance(item.value, Atom):
        if style == "line":
            return _commented([f"{head} {_atom(item.value, flow=False)}"], item, -1)
        texts = item.value.lines
        if max(map(len, texts), default=WIDTH) > WIDTH - indent - 2:
            texts = _filled(item.value.text, WIDTH - indent - 2)
        lines = [" " * (indent + 2) + line for line in texts]
        return _commented([f"{head} >-", *lines], item, 0)
    if style != "block":
        lines = _wrapped(item.value, len(head) + 1, 0, pads.cell)
        if style == "line":
            lines = [in_flow(item.value, pads.cell)]
        return _commented([f"{head} {lines[0]}", *lines[1:]], item, -1)
    inner = block(item.value, indent + 2)
    if group.mapping:
        return _commented([head, *inner], item, 0)
    return [head + " " + inner[0].lstrip(), *inner[1:]]


def _commented(lines: list[str], item: Item, number: int) -> list[str]:
    """The lines with the entry's comment behind one of them, in the column where it was if that is free."""
    if item.after:
        lines[number] = lines[number].ljust(item.after_column - 1)
        lines[number] += item.after if lines[number].endswith(" ") else "  " + item.after
    return lines


def _style(item: Item, column: int) -> str:
    """How the value of an entry is written that begins at `column`: on one `line`, as a `wrap`ped row, or as a `block`."""
    value = item.value
    if isinstance(value, Atom):
        fits = column + len(_atom(value, flow=False)) <= WIDTH
        return "line" if fits or not value.prose or not _folds(value.text) else "block"
    if not value.items and not value.tail:
        return "line"
    if not can_flow(value) or value.layout == "block":
        return "block"
    if value.layout in ("free", "entry") and not value.flow:
        return "block"
    if column + len(in_flow(value)) <= WIDTH:
        return "line"
    return "wrap" if value.layout == "row" and value.flow else "block"


def _folds(text: str) -> bool:
    """Whether a text comes back unchanged when it is folded at its spaces."""
    return "\n" not in text and "  " not in text and " " in text


def _filled(text: str, width: int) -> tuple[str, ...]:
    """The words of a text in lines of at most `width` characters, where words allow it."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return tuple(lines)


# ---- alignment


def _runs(group: Group, indent: int) -> list[list[Item]]:
    """Entries that follow each other without a comment, a blank line or a block between them."""
    runs: list[list[Item]] = []
    alone = True
    for item in group.items:
        column = indent + (len(_key(item)) + 1 if group.mapping else 2)
        is_block = _style(item, column) == "block"
        if runs and not alone and not is_block and not item.before:
            runs[-1].append(item)
        else:
            runs.append([item])
        alone = is_block
    return runs


def _pads(run: list[Item], group: Group, indent: int) -> Pads:
    """How a run is aligned: as its author wished, unless a line would then be too long."""
    if len(run) < 2 or (group.mapping and not group.pads_keys):
        return Pads()
    key = 0
    if group.pads_keys and any(item.padded for item in run):
        key = indent + max(len(_key(item)) for item in run)
    values = [item.value for item in run]
    rows = [value for value in values if isinstance(value, Group) and len(value.items) > 1 and value.mapping]
    aligned = any(row.aligned for row in rows) and len({row.items[0].key for row in rows}) == 1
    lengths = sorted(len(_first(row)) for row in rows) if aligned else []
    cells = sorted({*lengths[len(lengths) * 4 // 5 :]}, reverse=True)  # a few rows may stick out
    choices = [*(Pads(key, width) for width in cells), Pads(key), *(Pads(0, width) for width in cells)]
    return next((pads for pads in choices if _fit(run, group, indent, pads)), Pads())


def _first(row: Group) -> str:
    """The first cell of a row."""
    return _cell(row.items[0], in_flow(row.items[0].value))


def _fit(run: list[Item], group: Group, indent: int, pads: Pads) -> bool:
    """Whether whatever stands on one line still does when it is aligned."""
    for item in run:
        head = indent + (len(_key(item)) if group.mapping else 1)
        text = _atom(item.value, flow=False) if isinstance(item.value, Atom) else in_flow(item.value)
        padded = text if isinstance(item.value, Atom) else in_flow(item.value, pads.cell)
        if head + 1 + len(text) <= WIDTH < max(head, pads.key) + 1 + len(padded):
            return False
    return True
