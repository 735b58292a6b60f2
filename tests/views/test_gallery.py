"""The folder of pictures and tables: what is in it, when it is stale, and what is left without Graphviz."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from outlast import catalog, loading
from outlast.cli import main
from outlast.plan import Plan
from outlast.run import run_scenario
from outlast.views import draw, machine_graph, stale
from outlast.views.gallery import pages, timelines
from outlast.views.mermaid import overview, sequence
from outlast.views.table import cell, markdown
from tests.conftest import ROOT

TOUR = loading.load("tour")


@pytest.mark.parametrize("system", catalog.bundled())
def test_the_committed_gallery_is_fresh(system: str) -> None:
    """What is in diagrams/ says what the specifications say."""
    if not (ROOT / "engine").is_dir():
        pytest.skip("away from the checkout")

    assert stale(loading.load(system), ROOT / "diagrams", loading.scenarios(system)) == ()


@pytest.mark.needs("dot")
def test_what_is_fresh_is_left_alone(tmp_path: Path) -> None:
    """Drawing twice writes once; a touched file is noticed and written anew."""
    first = draw(TOUR, tmp_path)
    names = {path.name for path in first.written}

    assert names == {"README.md", "clauses.md", "coffee-machine.gv", "coffee-machine.svg", "explorer.html"}
    assert stale(TOUR, tmp_path) == ()
    assert draw(TOUR, tmp_path).written == ()
    page = tmp_path / "tour" / "README.md"
    page.write_text("nothing", "utf-8")
    (tmp_path / "tour" / "old.svg").write_text("", "utf-8")
    assert [path.name for path in stale(TOUR, tmp_path)] == ["README.md", "old.svg"]
    assert draw(TOUR, tmp_path).written == (page,)


def test_the_page_of_stories(tmp_path: Path) -> None:
    """Every scenario with its timeline; a touched one and one that belongs to nothing are noticed."""
    plan, stories = loading.load("tcp"), loading.scenarios("tcp")
    written = {f"stories/{name}.svg" for name in stories}
    home = tmp_path / "tcp"
    for name, text in {**pages(plan, stories), **timelines(plan, stories)}.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, "utf-8")
    old = {path.relative_to(home).as_posix() for path in stale(plan, tmp_path, stories)}
    links = re.findall(r"\]\((stories/[\w-]+\.svg)\)\]", (home / "stories.md").read_text("utf-8"))

    assert {name for name in old if "wiring" not in name} == {
        "explorer.html",
        *(f"{name}.{kind}" for name in plan.machines for kind in ("gv", "svg")),
    }
    assert set(links) == written
    (home / "stories" / "abort.svg").write_text("", "utf-8")
    (home / "stories" / "forgotten.svg").write_text("", "utf-8")
    now = {path.relative_to(home).as_posix() for path in stale(plan, tmp_path, stories)}
    assert now - old == {"stories/abort.svg", "stories/forgotten.svg"}


@pytest.mark.needs("dot")
def test_a_changed_machine_makes_its_picture_stale(tmp_path: Path) -> None:
    """A picture is stale when what it shows has changed, and only then."""
    copy = tmp_path / "tour"
    shutil.copytree(catalog.bundled()["tour"], copy)
    draw(loading.load(copy), tmp_path / "out")
    file = copy / "coffee-machine.yaml"
    file.write_text(file.read_text("utf-8").replace("after: 15m", "after: 16m"), "utf-8")

    found = [path.name for path in stale(loading.load(copy), tmp_path / "out")]

    assert found == ["README.md", "coffee-machine.gv", "coffee-machine.svg", "explorer.html"]


def test_without_graphviz(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables and DOT are written all the same, and one line says what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("outlast.views.dot.SCRIPTS", str(tmp_path))
    result = CliRunner().invoke(main, ["draw", "tour", "-o", str(tmp_path / "out")])

    assert result.exit_code == 1
    assert "1 picture left out: drawing SVG needs Graphviz: apt install graphviz" in " ".join(result.stderr.split())
    assert {path.name for path in (tmp_path / "out" / "tour").iterdir()} == {
        "README.md",
        "clauses.md",
        "coffee-machine.gv",
        "explorer.html",
        "stories",
        "stories.md",
    }


def test_the_check_of_the_command_line(tmp_path: Path) -> None:
    """`--check` lists what is stale, writes nothing and exits 1."""
    result = CliRunner().invoke(main, ["draw", "--check", "tour", "-o", str(tmp_path)])

    assert result.exit_code == 1
    assert "coffee-machine.svg" in result.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.needs("dot")
@pytest.mark.parametrize("system", catalog.bundled())
def test_the_dot_renders_by_itself(system: str) -> None:
    """Graphviz alone makes a picture of a committed `.gv`."""
    if not (ROOT / "diagrams").is_dir():
        pytest.skip("away from the checkout")
    for source in sorted((ROOT / "diagrams" / system).glob("*.gv")):
        done = subprocess.run(["dot", "-Tsvg", str(source)], capture_output=True, check=True)
        assert b"<svg" in done.stdout


@pytest.mark.parametrize("system", catalog.bundled())
def test_every_clause_is_on_the_pages(system: str) -> None:
    """And every link to a clause or a rule leads somewhere."""
    plan = loading.load(system)
    found = pages(plan)
    anchors = {(name, anchor) for name, text in found.items() for anchor in re.findall(r'<a id="([^"]+)">', text)}
    links = {link for text in found.values() for link in re.findall(r"\]\((\w+\.md)#([^)]+)\)", text)}

    assert {anchor for name, anchor in anchors if name == "clauses.md"} == set(plan.clauses)
    assert links <= anchors


def test_tables_hold_their_text() -> None:
    """What means something to Markdown is only text inside a cell."""
    assert cell("a | b_c <d>") == "a \\| b\\_c &lt;d&gt;"
    assert markdown(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"


def test_the_overview_in_mermaid() -> None:
    """States, nesting, regions and triggers; inner ends are lifted to where Mermaid can draw them."""
    text = overview(machine_graph(TOUR, "coffee-machine"))

    assert text.startswith("stateDiagram-v2\n")
    assert 'state "making" as s_making' in text
    assert "s_off --> s_on: switch" in text
    assert "s_tank_out --> s_on: return-tank" in text
    assert text.count("--\n") == 1
    assert text.count("{") == text.count("}") == 2


def test_a_story_in_mermaid() -> None:
    """Who said what to whom and when, and where that led."""
    plan: Plan = loading.load("sagemaker")
    scenario = loading.scenarios("sagemaker")["the-job-outlives-its-user"]
    lines = sequence(run_scenario(plan, scenario)).splitlines()

    assert lines[0] == "sequenceDiagram"
    assert any("->>s_train: " in line and line.endswith(" start") for line in lines)
    assert any(line.startswith("    Note over s_train") for line in lines)
