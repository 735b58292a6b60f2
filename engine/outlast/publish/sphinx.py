"""The Sphinx directive `outlast`.

In conf.py: `extensions = ["outlast.publish.sphinx"]`; in a page:

    .. outlast:: sagemaker job
       :clauses: clauses.html

    .. outlast:: tour
       :scenario: one-cup

HTML gets the picture inline, other builders its words.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.addnodes import only
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata, OptionSpec

import outlast
from outlast.errors import OutlastError
from outlast.publish.pieces import Wish, drawn


class OutlastDirective(SphinxDirective):
    """A system, one of its machines, or one of its stories."""

    required_arguments = 1
    optional_arguments = 1
    option_spec: ClassVar[OptionSpec] = {"scenario": directives.unchanged_required, "clauses": directives.uri}

    def run(self) -> list[nodes.Node]:
        """The picture for HTML, its words for everything else; a mistake is an error of the page, at its line."""
        system, *machine = self.arguments
        wish = Wish(system, machine[0] if machine else None, self.options.get("scenario"), self.options.get("clauses"))
        try:
            piece = drawn(wish, Path(self.env.srcdir))
        except OutlastError as error:
            return [self.state.document.reporter.error(f"outlast: {error}", line=self.lineno)]
        for file in piece.files:
            self.env.note_dependency(str(file.resolve()))
        words = only(expr="not html")
        words += nodes.paragraph(text=f"{piece.title}: {piece.words}")
        return [nodes.raw("", piece.figure(self.env.new_serialno("outlast") + 1), format="html"), words]


def setup(app: Sphinx) -> ExtensionMetadata:
    """What Sphinx calls."""
    app.add_directive("outlast", OutlastDirective)
    return {"version": outlast.__version__, "parallel_read_safe": True, "parallel_write_safe": True}
