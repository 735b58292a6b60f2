"""Pages built for real, warnings as errors: the picture is in them, with its words and its links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from outlast.errors import MisuseError
from outlast.publish.pieces import Wish, parsed

RST = """
Page
====

.. outlast:: sagemaker background-session
   :clauses: clauses.html

.. outlast:: tour
   :scenario: one-cup

.. outlast:: sagemaker background-session
   :clauses: clauses.html
"""
MARKDOWN = """# Page

```outlast
sagemaker background-session --clauses clauses.html
```

Text between.

~~~ outlast
tour --scenario one-cup
~~~

```outlast
sagemaker background-session --clauses clauses.html
```

```python
"outlast"
```
"""


def build(tool: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a tool as a module of this Python; skip where it is not installed, fail where tools are required."""
    if find_spec(tool) is None:
        (pytest.fail if os.environ.get("OUTLAST_TOOLS_REQUIRED") else pytest.skip)(f"not installed: {tool}")
    return subprocess.run([sys.executable, "-m", tool, *words], capture_output=True, text=True, check=False)


def sphinx(folder: Path, page: str, builder: str) -> subprocess.CompletedProcess[str]:
    """Build one page with Sphinx, stopping at warnings."""
    (folder / "conf.py").write_text('extensions = ["outlast.publish.sphinx"]\n', "utf-8")
    (folder / "index.rst").write_text(page, "utf-8")
    return build("sphinx", "-W", "-q", "-E", "-b", builder, str(folder), str(folder / builder))


def mkdocs(folder: Path, page: str) -> subprocess.CompletedProcess[str]:
    """Build one page with MkDocs, strictly."""
    (folder / "docs").mkdir()
    (folder / "docs" / "index.md").write_text(page, "utf-8")
    (folder / "mkdocs.yml").write_text(
        "site_name: x\nmarkdown_extensions: [fenced_code, outlast.publish.markdown]\n", "utf-8"
    )
    return build("mkdocs", "build", "--strict", "-f", str(folder / "mkdocs.yml"), "-d", str(folder / "html"))


def shows_the_pictures(page: str) -> bool:
    """Whether a machine, a story and the machine again are in a page, with titles, words and the links that were asked for.

    No two of them have an id in common.
    """
    labelled = re.findall(r'<svg [^>]*role="img" aria-labelledby="([\w-]+) ([\w-]+)"', page)
    said = [f'<title id="{title}">' in page and f'<desc id="{words}">' in page for title, words in labelled]
    links = re.findall(r'<a href="([^"#]*)#TIP-\d+"', page)
    ids = re.findall(r' id="([^"]+)"', "".join(re.findall(r"<svg .*?</svg>", page, re.DOTALL)))
    unique = len(ids) == len(set(ids)) and "background-session-state-active" in ids
    return unique and said == [True] * 3 and set(links) == {"clauses.html"} and "The last cup: timeline" in page


@pytest.mark.needs("dot")
def test_a_page_of_sphinx(tmp_path: Path) -> None:
    """The picture inline in HTML, its words in everything else."""
    html = sphinx(tmp_path, RST, "html")
    text = sphinx(tmp_path, RST, "text")

    assert (html.returncode, html.stderr) == (0, "")
    assert (text.returncode, text.stderr) == (0, "")
    assert shows_the_pictures((tmp_path / "html" / "index.html").read_text("utf-8"))
    told = " ".join((tmp_path / "text" / "index.txt").read_text("utf-8").split())
    assert "3 boxes: Active, Expired, Revoked." in told
    assert "svg" not in told


def test_a_mistake_in_a_page_of_sphinx(tmp_path: Path) -> None:
    """Stands at its line, and stops a build that takes warnings seriously."""
    done = sphinx(tmp_path, "Page\n====\n\n.. outlast:: sagemaker jop\n", "html")

    assert done.returncode != 0
    assert "index.rst:4:" in done.stderr
    assert "outlast: no machine of sagemaker is called `jop` (did you mean `job`?)" in done.stderr


@pytest.mark.needs("dot")
def test_a_page_of_mkdocs(tmp_path: Path) -> None:
    """The pictures inline; other blocks stay code."""
    done = mkdocs(tmp_path, MARKDOWN)
    page = (tmp_path / "html" / "index.html").read_text("utf-8")

    assert done.returncode == 0, done.stderr
    assert shows_the_pictures(page)
    assert "Text between." in page
    assert re.search(r"<code[^>]*>(&quot;|\")outlast", page)


def test_a_mistake_in_a_page_of_mkdocs(tmp_path: Path) -> None:
    """Is a warning, which stops a strict build, and is said in the page."""
    done = mkdocs(tmp_path, "```outlast\ntour --scenario two-cups\n```\n")

    assert done.returncode == 1
    assert "no scenario of tour is called `two-cups`" in done.stderr


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("tour", Wish("tour")),
        ("  sagemaker job \n", Wish("sagemaker", "job")),
        ('"my specs/door" --clauses c.html', Wish("my specs/door", clauses="c.html")),
        ("tour --scenario one-cup", Wish("tour", scenario="one-cup")),
    ],
)
def test_a_wish(text: str, wish: Wish) -> None:
    """As it is written in a page."""
    assert wish == parsed(text)


@pytest.mark.parametrize("text", ["", "a b c", "tour --scenari x", 'tour "', "tour --scenario"])
def test_what_is_no_wish(text: str) -> None:
    """Is refused with how to write one."""
    with pytest.raises(MisuseError, match="`"):
        parsed(text)
