"""Model -> text and text -> text: nothing is lost, nothing changes its meaning, and a careful author's layout stays."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outlast import model
from outlast.catalog import specs, templates
from outlast.errors import MisuseError, SpecError
from outlast.expr import tree
from outlast.language import is_scenario, read_clauses, read_machine, read_scenario, read_system
from outlast.language.layout import WIDTH, is_plain, quoted
from outlast.language.nodes import Mapping, Scalar, comments, compose
from outlast.language.source import from_text
from outlast.language.writer import format_text, write_clauses, write_machine, write_scenario, write_system
from outlast.place import Word
from tests.language.models import Models

TEMPLATE = templates()
FOLDERS = [*specs().iterdir(), TEMPLATE]
FILES = sorted(path for folder in FOLDERS for path in (*folder.glob("*.yaml"), *folder.glob("scenarios/*.yaml")))
SYSTEMS = sorted({path.parent for path in FILES if path.name == "system.yaml"})
SCENARIOS = [path for path in FILES if path.parent.name == "scenarios"]


def said(text: str) -> list[str]:
    """The comments of a text."""
    source = from_text(text, "f")
    return sorted(comment.text for comment in comments(source, compose(source)))


def name(path: Path) -> str:
    """A path as the name of a test."""
    return f"{path.parent.name}-{path.stem}"


# ---- shipped specifications


@pytest.mark.parametrize("path", FILES, ids=name)
def test_shipped_files_are_in_canonical_form(path: Path) -> None:
    """What ships is what `outlast fmt` would write, and no line of it is too long."""
    text = path.read_text("utf-8")

    assert text == format_text(text, str(path))
    assert max(map(len, text.splitlines())) <= WIDTH


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.name)
def test_systems_come_back(tmp_path: Path, path: Path) -> None:
    """A system written from its model reads as the same system, and is in canonical form."""
    system, _ = read_system(path)
    assert system
    for file, text in write_system(system).items():
        (tmp_path / file).write_text(text, "utf-8")
        assert text == format_text(text, file)

    assert read_system(tmp_path) == (system, [])


@pytest.mark.parametrize("path", SCENARIOS, ids=name)
def test_scenarios_come_back(path: Path) -> None:
    """A scenario written from its model reads as the same scenario, and is in canonical form."""
    scenario, _ = read_scenario(path)
    assert scenario
    text = write_scenario(scenario)

    assert is_scenario(path)
    assert (scenario, []) == read_scenario(text, "s.yaml")
    assert text == format_text(text)


# ---- layout

BEFORE_AND_AFTER = [
    ("keys have an order", "states: {a: {}}\nmachine: m\n", "machine: m\n\nstates: {a: {}}\n"),
    (
        "rows stand in braces",
        "machine: m\nstates: {a: {}}\ntransitions:\n- to: a\n  from: a\n  id: t\n",
        "machine: m\n\nstates: {a: {}}\n\ntransitions:\n  - {id: t, from: a, to: a}\n",
    ),
    (
        "an aligned column stays aligned",
        "machine: m\nstates: {a: {}}\ntransitions:\n  - {id: longer, from: a}\n  - {id: t,  from: a}\n",
        "machine: m\n\nstates: {a: {}}\n\ntransitions:\n  - {id: longer, from: a}\n  - {id: t,      from: a}\n",
    ),
    (
        "and others are left alone",
        "machine: m\nstates: {a: {}}\ntransitions:\n  - {id: longer, from: a}\n  - {id: t, from: a}\n",
        "machine: m\n\nstates: {a: {}}\n\ntransitions:\n  - {id: longer, from: a}\n  - {id: t, from: a}\n",
    ),
    (
        "names of a table, too",
        "machine: m\nevents:\n  x:   {}\n  longer: {}\n\n  y: {}\nstates: {a: {}}\n",
        "machine: m\n\nevents:\n  x:      {}\n  longer: {}\n\n  y: {}\n\nstates: {a: {}}\n",
    ),
    (
        "quotes where they are needed",
        "machine: 'm'\ntitle: 'a: b'\nabout: \"a, b\"\nstates: {a: {title: 'c, d', about: \"true\"}}\n",
        'machine: m\ntitle: "a: b"\nabout: a, b\n\nstates: {a: {title: "c, d", about: "true"}}\n',
    ),
    (
        "one blank line at most",
        "\n\nmachine: m\n\n\n\ntitle: t\n\nstates:\n\n\n  a: {}\n\n\n  b: {}\n\n\n",
        "machine: m\n\ntitle: t\n\nstates:\n\n  a: {}\n\n  b: {}\n",
    ),
    (
        "a comment inside a row opens it",
        "machine: m\nstates: {a: {}}\ntransitions:\n  - {id: t,  # one\n     to: a,\n     # two\n     from: a}  # three\n",
        "machine: m\n\nstates: {a: {}}\n\ntransitions:\n  # three\n  - id: t    # one\n    # two\n    from: a\n    to: a\n",
    ),
    (
        "comments go with what they speak of",
        "# head\nstates:  # the states\n  # about a\n  a: {}  # a itself\n  # after the last\n# about the name\nmachine: m  # m\n# end\n",
        "# head\n# about the name\nmachine: m  # m\n\nstates:  # the states\n  # about a\n  a: {}  # a itself\n  # after the last\n# end\n",
    ),
    (
        "a long text is folded",
        f"machine: m\nabout: {'word ' * 40}\nstates: {{a: {{}}}}\n",
        f"machine: m\nabout: >-\n  {('word ' * 26).strip()}\n  {('word ' * 14).strip()}\n\nstates: {{a: {{}}}}\n",
    ),
    (
        "a long row is broken",
        f"machine: m\nstates: {{a: {{}}}}\ntransitions:\n  - {{id: t, from: a, event: [{', '.join(f'event-number-{n}' for n in range(9))}], to: a}}\n",
        (
            "machine: m\n\nstates: {a: {}}\n\ntransitions:\n  - {id: t, from: a,\n     event: [event-number-0, event-number-1, "
            "event-number-2, event-number-3, event-number-4, event-number-5, event-number-6,\n"
            "             event-number-7, event-number-8], to: a}\n"
        ),
    ),
    (
        "a row stays broken where its author broke it",
        f"machine: m\nstates: {{a: {{}}}}\ntransitions:\n  - {{id: t, from: a, because: C-1,\n   about: {'word' * 20},\n   to: a, when: {'x' * 30}}}\n",
        f"machine: m\n\nstates: {{a: {{}}}}\n\ntransitions:\n  - {{id: t, from: a, because: C-1,\n     about: {'word' * 20},\n     to: a, when: {'x' * 30}}}\n",
    ),
    ("the marks of a document go", "---\nmachine: m\nstates: {a: {}}\n...\n", "machine: m\n\nstates: {a: {}}\n"),
    (
        "a scenario keeps its lines together",
        "scenario: s\nsteps:\n- {m one: go, at: 5s}\nexpect:\n- effects: []\n  m one: a\n  at: 5s\n",
        "scenario: s\nsteps:\n  - {at: 5s, m one: go}\nexpect:\n  - {at: 5s, m one: a, effects: []}\n",
    ),
    (
        "clauses that are long open up",
        f"- {{id: C-1, says: Short.}}\n- {{id: C-2, says: {'Long ' * 26}.}}\n",
        f"- {{id: C-1, says: Short.}}\n- id: C-2\n  says: >-\n    {('Long ' * 25).strip()}\n    Long .\n",
    ),
]


@pytest.mark.parametrize(
    ("before", "after"), [row[1:] for row in BEFORE_AND_AFTER], ids=[row[0] for row in BEFORE_AND_AFTER]
)
def test_layout(before: str, after: str) -> None:
    """Each rule of the canonical form."""
    assert after == format_text(before)
    assert after == format_text(after)


def test_a_broken_text_is_not_formatted() -> None:
    """What cannot be read is not touched; the problems say why."""
    with pytest.raises(SpecError) as caught:
        format_text("machine: m\nstats: {a: {}}\n", "m.yaml")

    assert [str(problem.place) for problem in caught.value.problems] == ["m.yaml:2:1"]


# ---- scalars


@given(st.text(max_size=12) | st.text(alphabet="ab:-[]{},'\"#&*!|>%@` ~\\?.0\n", max_size=8), st.booleans())
def test_any_text_can_be_quoted(text: str, flow: bool) -> None:
    """What is written reads back as the same text, in braces and out of them."""
    written = quoted(text, flow=flow)
    source = from_text(f"{{a: {written}, b: c}}" if flow else f"a: {written}\nb: c\n", "f")
    node = compose(source)
    if source.problems:  # characters that no specification may hold
        assert not text.isprintable()
        return
    assert isinstance(node, Mapping)
    value = node.pairs[0][1]

    assert isinstance(value, Scalar)
    assert (value.text, value.kind) == (text, "text")
    assert is_plain(text, flow=flow) == value.plain


# ---- random models

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_machine_comes_back(seed: int) -> None:
    """Whatever a machine holds, its text reads as the same machine and is in canonical form."""
    machine = Models(seed).machine()
    text = write_machine(machine)
    found, problems = read_machine(text, "m.yaml")

    assert problems == []
    assert machine == found
    assert text == format_text(text)


@pytest.mark.parametrize("seed", SEEDS)
def test_any_clauses_come_back(seed: int) -> None:
    """Whatever clauses say, their text reads as the same clauses."""
    clauses = Models(seed).clause_list()
    text = write_clauses(clauses)

    assert (clauses, []) == read_clauses(text, "c.yaml")
    assert text == format_text(text)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_comment_is_ever_lost(seed: int) -> None:
    """Comments put anywhere into a text are all there afterwards, and the second time nothing moves."""
    random = Random(seed)
    lines = write_machine(Models(seed).machine()).split("\n")
    folded = _folded(lines)
    commented = []
    for number, line in enumerate(lines):
        if number not in folded and random.random() < 0.1:
            commented.append(" " * random.randrange(8) + f"# above {number}")
        if number not in folded and random.random() < 0.1:
            commented.append("")
        behind = number not in folded and line.strip() and random.random() < 0.1
        commented.append(line + (f"  # behind {number}" if behind else ""))
    text = "\n".join(commented)
    once = format_text(text)

    assert said(text) == said(once)
    assert once == format_text(once)


def _folded(lines: list[str]) -> set[int]:
    """The lines of folded texts and of texts in quotes over several lines."""
    found: set[int] = set()
    indent = None
    for number, line in enumerate(lines):
        depth = len(line) - len(line.lstrip())
        if indent is not None and (depth > indent or not line.strip()):
            found.add(number)
            continue
        indent = depth + (2 if line.lstrip().startswith("- ") else 0) if line.endswith(">-") else None
    return found


UNSAYABLE = [
    model.Machine(Word("m"), fields=(model.Field(Word("f"), "any"),)),
    model.Machine(Word("m"), guards=(model.Guard(Word("g"), tree.Field("f", 0, tree.INT)),)),
]


@pytest.mark.parametrize("machine", UNSAYABLE)
def test_what_no_author_can_say_is_not_written(machine: model.Machine) -> None:
    """A machine translated from another language may hold more than a specification can."""
    with pytest.raises(MisuseError, match="cannot be said"):
        write_machine(machine)
