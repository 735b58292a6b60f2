"""A story as lanes, and their picture, measured from the SVG itself."""

from __future__ import annotations

from functools import cache
from itertools import combinations, pairwise
from math import log2

import pytest

from outlast import catalog, loading
from outlast.moments import MINUTE, format_duration, parse_duration
from outlast.run import Run, run_scenario
from outlast.views.lanes import Lanes, lanes
from outlast.views.metrics import text_width
from outlast.views.timeline import TRUE_SCALE, gap_width, tick_length, timeline
from tests.views.drawn import SVG, Drawn

STORIES = [(system, story) for system in catalog.bundled() for story in loading.scenarios(system)]


@cache
def told(system: str, story: str) -> Run:
    """A bundled story, told once."""
    return run_scenario(loading.load(system), loading.scenarios(system)[story])


@cache
def shown(system: str, story: str) -> Lanes:
    """What its timeline shows."""
    return lanes(told(system, story))


@cache
def picture(system: str, story: str) -> Drawn:
    """Its timeline."""
    return Drawn.read(timeline(shown(system, story), clauses="clauses.md"))


@pytest.mark.parametrize(("system", "story"), STORIES)
def test_no_words_on_words(system: str, story: str) -> None:
    """In no bundled story does one label or sign cover another, or leave the picture."""
    drawn = picture(system, story)
    height = float(drawn.root.attrib["height"])
    covered = [
        (one, two)
        for one, two in combinations(drawn.labels, 2)
        if one[0] + 0.5 < two[2] and two[0] + 0.5 < one[2] and one[1] + 0.5 < two[3] and two[1] + 0.5 < one[3]
    ]

    assert covered == []
    assert [box for box in drawn.labels if box[0] < 0 or box[1] < 0 or box[2] > drawn.width or box[3] > height] == []


@pytest.mark.parametrize(("system", "story"), STORIES)
def test_the_strip_begins_behind_its_words(system: str, story: str) -> None:
    """However short the names of the lanes are."""
    drawn = picture(system, story)
    words = next(text for text in drawn.root.iter(f"{SVG}text") if "".join(text.itertext()) == TRUE_SCALE)
    begins = min(
        float(part.attrib["x"]) for part in drawn.root.iter() if "life" in part.attrib.get("class", "").split()
    )

    assert begins > float(words.attrib["x"]) + text_width(TRUE_SCALE, 10)


@pytest.mark.parametrize(("system", "story"), STORIES)
def test_everything_is_told(system: str, story: str) -> None:
    """Every instance has a lane, every gap its true length, every rule taken and every clause a place in the list."""
    drawn, run = picture(system, story), told(system, story)
    steps = [moment.step for moment in run.moments]
    gaps = {format_duration(two - one) for one, two in pairwise(shown(system, story).instants)}

    assert [lane.name for lane in shown(system, story).lanes] == list(dict.fromkeys(step.instance for step in steps))
    assert [gap for gap in gaps if gap.replace(" ", "") not in drawn.words] == []
    rows = {row for rows in drawn.named("data-row") for row in rows.split()}
    assert {row for step in steps if step.cause != "start" for row in step.taken} <= rows
    linked = {link.attrib["href"] for link in drawn.root.iter(f"{SVG}a")}
    first = {f"clauses.md#{step.clauses[0]}" for step in steps if step.clauses and step.cause != "start"}
    assert first <= linked


@pytest.mark.parametrize(("system", "story"), STORIES)
def test_bars_are_what_happened(system: str, story: str) -> None:
    """At every instant of a life the bar says the states the instance was in when that instant was over."""
    run = told(system, story)
    for lane in shown(system, story).lanes:
        steps = [
            moment.step for moment in run.moments if moment.step.instance == lane.name and moment.step.cause != "stop"
        ]
        machine = run.plan.machines[lane.machine]
        assert all(one.end == two.start for one, two in pairwise(lane.bars))
        for bar in lane.bars:
            before = [step for step in steps if step.at <= bar.start]
            assert bar.states == machine.innermost(before[-1].after.configuration)


def test_the_end_of_a_deadline() -> None:
    """Fired, cancelled or still open: as the engine had it."""
    found = {
        (lane.name, limit.row): (format_duration(limit.start), format_duration(limit.end), limit.ending)
        for lane in shown("sagemaker", "the-background-session-runs-out").lanes
        for limit in lane.deadlines
    }

    assert found["ana", "expire"] == ("0s", "1h", "cancelled")
    assert found["train.background", "expire"] == ("0s", "7d", "fired")
    assert found["train", "grace-over"] == ("7d", "7d 15m", "fired")
    assert found["train", "max-runtime"] == ("0s", "7d 15m", "cancelled")
    still = [limit for lane in shown("sagemaker", "the-job-outlives-its-user").lanes for limit in lane.deadlines]
    assert {"cancelled"} <= {limit.ending for limit in still}


def test_who_signals_whom() -> None:
    """From the one that was observed or spoke to the one that heeded it, from when it was sent to when it was heard."""
    story = shown("tcp", "three-way-handshake")
    names = [lane.name for lane in story.lanes]
    found = [
        f"{names[signal.source]} > {names[signal.target]} {signal.event} {signal.start // 1000}-{signal.end // 1000}"
        for signal in story.signals
    ]

    assert found == [
        "server > b passive-open 0-0",
        "client > a active-open 0-0",
        "a > b segment-syn 0-50",
        "b > a segment-syn-ack 50-100",
        "a > client connection.established 100-100",
        "a > b segment-ack 100-150",
        "b > server connection.established 150-150",
    ]


@pytest.mark.parametrize(("system", "story"), STORIES)
def test_numbers_count(system: str, story: str) -> None:
    """What is said or due is numbered from 1; a signal belongs to the number before it."""
    marks = shown(system, story).marks
    numbers = [mark.number for mark in marks if mark.number]

    assert numbers == list(range(1, len(numbers) + 1))
    assert {mark.kind for mark in marks if not mark.number} <= {"signal"}
    assert "signal" not in {mark.kind for mark in marks if mark.number}


def test_the_axis_is_squeezed_by_one_rule() -> None:
    """Every gap of a picture is its rule times one factor."""
    story = shown("sagemaker", "the-background-session-runs-out")
    drawn = picture("sagemaker", "the-background-session-runs-out")
    ticks = [path.attrib["d"] for path in drawn.root.iter(f"{SVG}path") if path.attrib.get("class") == "tick"]
    places = [float(tick[1:].split(",")[0]) for tick in ticks][: len(story.instants)]
    factors = [
        (right - left) / gap_width(two - one)
        for (one, two), (left, right) in zip(pairwise(story.instants), pairwise(places), strict=True)
    ]

    assert factors == pytest.approx([factors[0]] * len(factors), abs=0.01)
    assert gap_width(90 * MINUTE) == 34 + 7 * log2(10)


@pytest.mark.parametrize(
    ("end", "length"),
    [("8d", "1d"), ("5m", "30s"), ("150ms", "20ms"), ("30d", "7d"), ("3h", "30m"), ("10000d", "10000d")],
)
def test_the_ticks_of_the_strip(end: str, length: str) -> None:
    """Round, and not more than ten."""
    assert format_duration(tick_length(parse_duration(end))) == length


def test_a_timeline_speaks_to_a_screen_reader() -> None:
    """It is an image with a title, and the story is told in its description."""
    root = picture("tour", "one-cup").root
    said = {item.attrib.get("id"): item.text or "" for item in root}
    title, description = (said[id_] for id_ in root.attrib["aria-labelledby"].split())

    assert root.attrib["role"] == "img"
    assert title == "The last cup: timeline"
    assert "45s kitchen: after 15s, → ready" in description
    assert "1m kitchen: press, refused: There are no beans." in description


def test_signs_differ_in_shape() -> None:
    """What is said, refused and due can be told apart without colour."""
    drawn = picture("tour", "one-cup")
    groups = [item for item in drawn.root.iter(f"{SVG}g") if item.attrib.get("class", "").startswith("sign")]
    shapes = {group.attrib["class"]: group.findall(f"{SVG}rect")[0].attrib["rx"] for group in groups}

    assert shapes["sign due"] != shapes["sign said"]
    assert ".fsm .refused>rect{fill:var(--bg);stroke:var(--failure);stroke-width:1.6;stroke-dasharray:3 2}" in "".join(
        style.text or "" for style in drawn.root.iter(f"{SVG}style")
    )
