"""The file: one, small, the same every time, with nothing in it that leads outside or that an author's words could break."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as ET

import attrs
import pytest

import outlast
from outlast.views.explorer import explorer
from outlast.views.explorer.page import shortened
from outlast.views.explorer.pictures import slim
from tests.conftest import ROOT
from tests.run.worlds import bundled_plans
from tests.views.drawn import SVG, Drawn

LARGEST = 150 * 1024


def page_of(system: str) -> str:
    """The explorer with the pictures of the gallery, where there are any."""
    plan, home = bundled_plans()[system], ROOT / "diagrams" / system
    pictures = {name: (home / f"{name}.svg").read_text("utf-8") for name in plan.machines if home.is_dir()}
    return explorer(plan, outlast.scenarios(system).values(), pictures)


class Parts(HTMLParser):
    """Elements with their attributes, and the text of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Note a script."""
        if self.cdata_elem == "script":
            self.scripts.append(data)


def test_it_is_small() -> None:
    """With all pictures and stories."""
    assert len(page_of("sagemaker").encode()) <= LARGEST


@pytest.mark.parametrize("system", ["sagemaker", "tcp", "tour"])
def test_it_is_one_file_that_asks_for_nothing(system: str) -> None:
    """No address, no other file; its policy allows its own script by hash and nothing else; and it is the same every time."""
    text = page_of(system)
    parts = Parts(text)
    (policy,) = [given["content"] for tag, given in parts.tags if given.get("http-equiv")]
    data, script = parts.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert text == page_of(system)
    assert policy == f"default-src 'none';style-src 'unsafe-inline';script-src 'sha256-{digest}'"
    assert not {tag for tag, _ in parts.tags} & {"link", "img", "iframe", "base", "object"}
    assert not [given for _, given in parts.tags if {"src", "href"} & given.keys()]
    assert re.findall(r"https?://[^\s\"']+", script) == ["http://www.w3.org/2000/svg"]
    assert set(json.loads(data)) == {"tables", "stories", "parts", "roles"}
    assert "{{" not in text.replace(script, "").replace(data, "")


def test_an_authors_words_stay_words() -> None:
    """Whatever a title or a clause says, there are two scripts, and the page says it."""
    nasty = "</script><script>alert(1)</script><!-- {{data}} &amp;"
    plan = bundled_plans()["tour"]
    clauses = {"CM-1": attrs.evolve(plan.clauses["CM-1"], says=nasty)}
    parts = Parts(explorer(attrs.evolve(plan, title=nasty, clauses=clauses)))

    assert [tag for tag, _ in parts.tags].count("script") == 2
    assert json.loads(parts.scripts[0])["tables"]["title"] == nasty


def said(root: ET.Element) -> list[str]:
    """The texts of a picture, in order, but for the names of rows."""
    texts = (text for text in root.iter(f"{SVG}text") if text.get("class") != "id")
    spans = ([span.text for span in text if span.get("class") != "id"] or [text.text] for text in texts)
    return [found for parts in spans if (found := "".join(part or "" for part in parts).strip())]


@pytest.mark.parametrize("picture", sorted((ROOT / "diagrams").glob("*/*.svg")), ids=lambda path: path.stem)
def test_a_picture_keeps_what_it_shows(picture: Path) -> None:
    """States, rows and words are those of the picture, but for what the page writes itself; only title, legend and style are gone."""
    text = picture.read_text("utf-8")
    whole, less = Drawn.read(text), Drawn.read(slim(text).replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1))
    drawing = next(part for part in whole.root if part.get("transform"))

    assert said(drawing) == said(less.root)
    assert whole.named("data-state") == less.named("data-state")
    assert whole.named("data-row") == less.named("data-row")
    assert len(slim(text)) < 0.62 * len(text)
    assert less.width <= whole.width


@pytest.mark.parametrize(
    "text", ["", "not a picture", "<svg/>", "<html><body/></html>", '<!DOCTYPE a [<!ENTITY b "c">]><svg>&b;</svg>']
)
def test_what_is_no_picture_is_left_out(text: str) -> None:
    """The machine is then shown as a list."""
    assert slim(text) == ""


SCRIPTS = [  # as written, as shipped
    ("// a comment\n  const a = 1; // one\n", "const a=1;\n"),
    ("f('a  =  b', `c  ${d}  e`)\n", "f('a  =  b',`c  ${d}  e`)\n"),
    ("if (a) {\n  b();\n}\nc();\n", "if(a){b();}\nc();"),
    ("const a = [\n  1,\n  2,\n];\n", "const a=[1,2,];"),
]


@pytest.mark.parametrize(("written", "shipped"), SCRIPTS)
def test_scripts_are_shortened(written: str, shipped: str) -> None:
    """Blanks that mean nothing go; texts stay as they are."""
    assert shipped == shortened(written)
