"""CSV and Markdown tables -> the nodes a YAML suite would give, each knowing its place in the table.

A row is a case of one step; rows of one id with increasing `at` are a longer one. What the whole suite says stands above: in a CSV
file in lines that begin with `#`, in a Markdown file between two lines `---`, both in YAML.
"""

from __future__ import annotations

import re

import attrs

from outlast.language.nodes import Mapping, Node, Scalar, Sequence, Void, compose
from outlast.language.source import Source
from outlast.place import Place
from outlast.values import frozen

CASE_COLUMNS = ("id", "title", "because", "level", "under", "constants", "bounds", "tolerance")
STEP_COLUMNS = ("at", "send", "new", "happen", "by", "refused")
THEN_COLUMNS = ("then effects", "then absent")
LISTS = ("because", "then effects", "then absent")
"""Columns whose cells may be words with spaces between them."""
_TEXTS = ("title",)


@frozen
class Cell:
    """The text of a cell without its quotes and spaces, and where it begins."""

    text: str
    place: Place


@frozen
class Row:
    """Cells by column, in order; empty ones are left out."""

    cells: dict[str, Cell]
    place: Place


def suite_of_csv(source: Source) -> Node | None:
    """The root of a suite written as CSV; problems are added to `source`."""
    head: list[tuple[int, str]] = []
    lines: list[tuple[int, str]] = []
    for number, line in enumerate(source.lines):
        if line.startswith("#") and not lines:
            head.append((number, " " + line[1:]))
        elif line.strip():
            lines.append((number, line))
    rows = [(number, _csv_cells(source, number, line)) for number, line in lines]
    return _suite(source, head, _rows(source, rows))


def suite_of_markdown(source: Source) -> Node | None:
    """The root of a suite written as Markdown with tables; problems are added to `source`."""
    fences = [number for number, line in enumerate(source.lines) if line.rstrip() == "---"][:2]
    if len(fences) < 2 or fences[0] != 0:
        source.report(
            "missing-key", "a suite begins with its name between two lines `---`", source.place(0, 0), "`suite: NAME`"
        )
        return None
    head = [(number, source.lines[number]) for number in range(1, fences[1])]
    rows: list[Row] = []
    table: list[tuple[int, list[Cell]]] = []
    for number in range(fences[1] + 1, len(source.lines) + 1):
        line = source.line(number + 1)
        if line.lstrip().startswith("|"):
            table.append((number, _markdown_cells(source, number, line)))
        elif table:
            ruler = [cell.text for cell in table[1][1]] if len(table) > 1 else []
            if ruler and all(re.fullmatch(r":?-+:?", text) for text in ruler) and table[0][1][0].text == "id":
                rows += _rows(source, [table[0], *table[2:]])
            table = []
    return _suite(source, head, rows)


# ---- cells


def _csv_cells(source: Source, number: int, line: str) -> list[Cell]:
    """RFC 4180, on one line."""
    cells: list[Cell] = []
    at = 0
    while at <= len(line):
        quoted = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=,|$)').match(line, at)
        if quoted:
            text, start = quoted[1].replace('""', '"'), quoted.start(1)
        else:
            quoted = re.compile(r"[^,]*").match(line, at)
            assert quoted
            text, start = quoted[0], at
            if '"' in text:
                source.report(
                    "bad-cell",
                    "this cell is not closed, or something follows its quote",
                    source.place(number, at),
                    'a quote inside quotes is written `""`',
                )
        cells.append(_cell(source, number, text, start))
        at = quoted.end() + 1
    return cells


def _markdown_cells(source: Source, number: int, line: str) -> list[Cell]:
    begin = line.index("|") + 1
    line = line.rstrip().removesuffix("|")
    cells, at = [], begin
    for part in re.split(r"(?<!\\)\|", line[begin:]):
        cells.append(_cell(source, number, part.replace("\\|", "|"), at))
        at += len(part) + 1
    return cells


def _cell(source: Source, number: int, text: str, at: int) -> Cell:
    at += len(text) - len(text.lstrip())
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "`":
        text, at = text[1:-1], at + 1
    return Cell(text, source.place(number, at))


def _rows(source: Source, lines: list[tuple[int, list[Cell]]]) -> list[Row]:
    if not lines:
        return []
    (_, header), *body = lines
    columns = [" ".join(cell.text.split()) for cell in header]
    known = (*CASE_COLUMNS, *STEP_COLUMNS, *THEN_COLUMNS)
    for name, cell in zip(columns, header, strict=True):
        instance = re.fullmatch(r"(given|then) \S+ \S+", name)
        if name not in known and not instance:
            hint = source.suggest(name, known) or "`given MACHINE NAME` and `then MACHINE NAME` name an instance"
            source.report("unknown-column", f"there is no column `{name}`", cell.place, hint)
        elif columns.count(name) > 1 and cell is not header[columns.index(name)]:
            source.report("duplicate-column", f"the column `{name}` stands here twice", cell.place)
    rows = []
    for number, cells in body:
        if len(cells) != len(columns):
            place = cells[-1].place if len(cells) > len(columns) else source.place(number, 0)
            source.report("uneven-row", f"this row has {len(cells)} cells, the table has {len(columns)} columns", place)
            continue
        rows.append(
            Row({name: cell for name, cell in zip(columns, cells, strict=True) if cell.text}, source.place(number, 0))
        )
    return rows


# ---- rows -> nodes


def _suite(source: Source, head: list[tuple[int, str]], rows: list[Row]) -> Node | None:
    if not head:
        source.report("missing-key", "a suite begins with its name", source.place(0, 0), "`# suite: NAME`")
        return None
    lines = [""] * (head[-1][0] + 1)
    for number, text in head:
        lines[number] = text
    root = _composed(source, "\n".join(lines))
    if source.problems:
        return None
    if not isinstance(root, Mapping):
        source.report("missing-key", "a suite begins with its name", source.place(0, 0), "`suite: NAME`")
        return None
    cases: dict[str, list[Row]] = {}
    for row in rows:
        if "id" not in row.cells:
            source.report("missing-key", "a row needs an `id`", row.place)
        else:
            cases.setdefault(row.cells["id"].text, []).append(row)
    if not cases and source.problems:
        return None
    place = rows[0].place if rows else root.place
    found = Sequence(tuple(_case(source, several) for several in cases.values()), place)
    pairs = [pair for pair in root.pairs if pair[0].text != "cases"]
    return attrs.evolve(root, pairs=(*pairs, (_word("cases", place), found)))


def _case(source: Source, rows: list[Row]) -> Mapping:
    first = rows[0]
    pairs = [
        (_word(name, cell.place), _node(source, name, cell))
        for name, cell in first.cells.items()
        if name in CASE_COLUMNS
    ]
    given = [
        (_word(name.removeprefix("given "), cell.place), _state_or_more(source, name, cell))
        for name, cell in first.cells.items()
        if name.startswith("given ")
    ]
    if given:
        pairs.append((_word("given", first.place), Mapping(tuple(given), first.place)))
    for row in rows[1:]:
        for name, cell in row.cells.items():
            of_case = name in CASE_COLUMNS[1:] or name.startswith("given ")
            if of_case and (name not in first.cells or first.cells[name].text != cell.text):
                source.report(
                    "repeated-cell", f"`{name}` belongs to the first row of `{row.cells['id'].text}`", cell.place
                )
    steps = Sequence(tuple(_step(source, row) for row in rows), first.place)
    return Mapping((*pairs, (_word("steps", first.place), steps)), first.place)


def _step(source: Source, row: Row) -> Mapping:
    pairs = [
        (_word(name, cell.place), _node(source, name, cell)) for name, cell in row.cells.items() if name in STEP_COLUMNS
    ]
    then = [
        (_word(name.removeprefix("then "), cell.place), _node(source, name, cell))
        for name, cell in row.cells.items()
        if name.startswith("then ")
    ]
    if then:
        pairs.append((_word("then", then[0][0].place), Mapping(tuple(then), then[0][0].place)))
    return Mapping(tuple(pairs), row.place)


def _node(source: Source, column: str, cell: Cell) -> Node:
    """What a cell says."""
    if column in LISTS and not cell.text.startswith("["):
        words = [] if cell.text == "none" else re.split(r"[ ,]+", cell.text)
        return Sequence(tuple(_word(word, cell.place.shifted(cell.text.index(word))) for word in words), cell.place)
    if column in _TEXTS or column == "id":
        return Scalar(cell.text, False, cell.place, (0, 0), "")
    padded = "\n" * (cell.place.line - 1) + " " * (cell.place.column - 1) + cell.text
    return _composed(source, padded) or Void(cell.place)


def _state_or_more(source: Source, column: str, cell: Cell) -> Node:
    """A given instance: a mapping, or short for one the state it starts in."""
    node = _node(source, column, cell)
    return node if isinstance(node, Mapping) else Mapping(((_word("state", cell.place), node),), cell.place)


def _word(text: str, place: Place) -> Scalar:
    return Scalar(text, True, place, (0, 0), text)


def _composed(source: Source, text: str) -> Node | None:
    """YAML out of a table; its problems are reported where they stand in the whole file."""
    inner = Source(source.file, text)
    root = compose(inner)
    for problem in inner.problems:
        assert problem.place
        source.report(problem.code, problem.text, problem.place, problem.hint)
    return root
