"""The fenced block `outlast`, as an extension of Python-Markdown, which MkDocs uses.

In mkdocs.yml:

    markdown_extensions:
      - outlast.publish.markdown

and in a page, between fences that say `outlast`: `sagemaker job`, or `tour --scenario one-cup`.
"""

from __future__ import annotations

import html
import logging
import re
from pathlib import Path

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor

from outlast.errors import OutlastError
from outlast.publish.pieces import drawn, parsed

log = logging.getLogger("mkdocs.outlast")
"""Under MkDocs' own name, so that `mkdocs build --strict` fails when a picture does."""

_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})[ ]*outlast[ ]*\n(?P<wish>.*?)\n(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)


class OutlastBlocks(Preprocessor):
    """Puts a picture in the place of every block."""

    def __init__(self, md: Markdown, folder: Path) -> None:
        super().__init__(md)
        self.folder = folder
        self.drawn = 0

    def run(self, lines: list[str]) -> list[str]:
        """Replace the blocks of a page; a mistake is a warning, and is said in the page."""
        self.drawn = 0
        return _FENCE.sub(self.picture, "\n".join(lines)).split("\n")

    def picture(self, block: re.Match[str]) -> str:
        """One block as HTML, kept away from Markdown."""
        try:
            figure = drawn(parsed(block["wish"]), self.folder).figure(self.drawn + 1)
            self.drawn += 1
        except OutlastError as error:
            log.warning("outlast: %s", error)
            figure = f'<p class="outlast-error">{html.escape(str(error))}</p>'
        return "\n" + str(self.md.htmlStash.store(figure)) + "\n"


class OutlastExtension(Extension):
    """`folder`: from where systems are looked for; the working folder if left out."""

    def __init__(self, **settings: object) -> None:
        self.config = {"folder": [".", "from where systems are looked for"]}
        super().__init__(**settings)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802  # Markdown's name
        """What Python-Markdown calls; before its own fenced blocks, which would take ours for code."""
        md.preprocessors.register(OutlastBlocks(md, Path(self.getConfig("folder"))), "outlast", 30)


def makeExtension(**settings: object) -> OutlastExtension:  # noqa: N802  # Markdown's name
    """What Python-Markdown looks for."""
    return OutlastExtension(**settings)
