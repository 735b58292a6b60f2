"""A graph as DOT, and where Graphviz would put things. Only positions are taken from it: the drawing is ours (`svg`).

What makes the pictures readable: every label is a node of its own in the middle of its arrow, so that labels cannot overlap
anything; edges run at right angles; an arrow towards an earlier state is written the other way round, so that the start stays on top.
A `.gv` carries its text too, and renders by itself.
"""

from __future__ import annotations

import html
import json
import shutil
import subprocess
import sysconfig
from collections.abc import Iterable, Iterator

import attrs
import graphviz

from outlast.errors import MisuseError
from outlast.values import frozen
from outlast.views.graph import Arrow, Box, Graph, Note
from outlast.views.layout import Layout, Line, Point, Rect, Route, clipped
from outlast.views.typeset import (
    FRAME_TOP,
    PADDING,
    SIZES,
    Block,
    Paragraph,
    Sized,
    Sizes,
    Span,
    listing,
    measure,
    notes_of,
    wrapped,
)

INSTALL = 'drawing SVG needs Graphviz: apt install graphviz, brew install graphviz, or pip install "outlast[graphviz]"'
SCRIPTS = sysconfig.get_path("scripts")
"""Where the programs of installed wheels are, whether or not that is on the PATH."""
PER_INCH = 72
ACROSS = 740.0
"""How wide text below a picture is set in a `.gv`."""


class LayoutFailed(MisuseError):
    """Graphviz gave up: its routing at right angles fails an assertion on some graphs."""


class DotMissing(MisuseError):
    """There is no `dot`. DOT, Mermaid and tables do without."""

    def __init__(self) -> None:
        super().__init__(INSTALL)


@frozen
class Choice:
    """One way to ask for a layout. `tail` and `head`: which child stands for a composite that an arrow leaves or enters."""

    label_width: float = 120.0
    body_width: float = 200.0
    tail: int = -1
    head: int = 0
    splines: str = "ortho"
    reverse: bool = True
    node_gap: float = 0.18
    rank_gap: float = 0.20
    stretch: float = 1.0
    """So many times wider may a tall box be set."""
    straight: int = 1
    """How much an arrow from a state to the next one in the file insists on being short."""


def dot_source(graph: Graph, sizes: Sizes, choice: Choice, *, texts: bool = True) -> str:
    """The DOT text. The same graph and choice always give the same bytes. All sizes are fixed: without `texts` the layout is the same."""
    return _Writer(graph, sizes, choice, texts=texts).written()


def sizes_of(graph: Graph, choice: Choice) -> Sizes:
    """The sizes of everything, as that choice asks."""
    return measure(graph, label_width=choice.label_width, body_width=choice.body_width, stretch=choice.stretch)


def program() -> str:
    """Graphviz, or else the port of it that the extra `graphviz` brings. Raises DotMissing."""
    found = shutil.which("dot") or shutil.which("graphviz-pure") or shutil.which("graphviz-pure", path=SCRIPTS)
    if found is None:
        raise DotMissing
    return found


def place(graph: Graph, choice: Choice) -> Layout:
    """Where `dot` puts everything. Raises DotMissing, LayoutFailed.

    One process for each graph: what `dot` does with a second one depends on what the first left in its memory.
    """
    sizes = sizes_of(graph, choice)
    source = dot_source(graph, sizes, choice, texts=False)
    done = subprocess.run([program(), "-Tjson0"], input=source.encode(), capture_output=True, check=False)
    if done.returncode:
        raise LayoutFailed(f"Graphviz could not lay out `{graph.name}`: {done.stderr.decode(errors='replace').strip()}")
    return _read(graph, sizes, json.loads(done.stdout))


# ---- writing


class _Writer:
    def __init__(self, graph: Graph, sizes: Sizes, choice: Choice, *, texts: bool) -> None:
        self.graph, self.sizes, self.choice, self.texts = graph, sizes, choice, texts
        self.order = {box.name: index for index, box in enumerate(graph.boxes)}
        self.inside: dict[str, list[Box]] = {}
        for box in graph.boxes:
            self.inside.setdefault(box.parent, []).append(box)
        self.labels: dict[str, list[Arrow]] = {}
        for arrow in graph.arrows:
            if arrow.rows:
                self.labels.setdefault(self.home(arrow), []).append(arrow)

    def written(self) -> str:
        gap = {"nodesep": f"{self.choice.node_gap}", "ranksep": f"{self.choice.rank_gap}"}
        top = graphviz.Digraph(
            self.graph.name,
            comment=self.graph.title,
            graph_attr={
                "rankdir": "TB", "splines": self.choice.splines, "compound": "true", "newrank": "false", "remincross": "true",
                "mclimit": "3", "nslimit": "20", "searchsize": "200", "outputorder": "edgesfirst", "fontname": "Helvetica", **gap,
            },
            node_attr={"shape": "box", "fixedsize": "true", "margin": "0", "fontname": "Helvetica", "label": ""},
            edge_attr={"arrowsize": "0.8"},
        )  # fmt: skip
        if self.texts and self.graph.below:
            top.attr(label=_below(self.graph.below), labelloc="b", labeljust="l")
        self.fill(top, "")
        for arrow in self.graph.arrows:
            self.edges(top, arrow)
        for one, two in self.graph.above:
            ends = (self.stand_in(one, self.choice.tail), self.stand_in(two, self.choice.head))
            if ends[0] != ends[1]:
                top.edge(*ends, style="invis", minlen="1")
        source: str = top.source
        return source

    def fill(self, into: graphviz.Digraph, parent: str) -> None:
        """The boxes and labels that stand in `parent`."""
        for box in self.inside.get(parent, []):
            sized = self.sizes.boxes[box.name]
            if not (box.contains and self.inside.get(box.name)):
                self.node(into, box.name, sized, box)
                continue
            style = {"style": "rounded,dashed" if box.kind == "region" else "rounded", "color": "#808c99"}
            if self.graph.below:
                style["labelloc"] = "t"  # or that of the whole would count
            with into.subgraph(name=f"cluster_{box.name}") as cluster:
                cluster.attr(
                    label=_html(attrs.evolve(sized, body=Block()), fixed=True, texts=self.texts),
                    labeljust="l",
                    margin="16",
                    **style,
                )
                if notes := self.sizes.labels.get(notes_of(box.name)):
                    self.node(cluster, notes_of(box.name), notes, None)
                    cluster.edge(notes_of(box.name), self.below_notes(box.name), style="invis")
                self.fill(cluster, box.name)
        for arrow in self.labels.get(parent, []):
            self.node(into, arrow.name, self.sizes.labels[arrow.name], None)

    def node(self, into: graphviz.Digraph, name: str, sized: Sized, box: Box | None) -> None:
        look = {"shape": "plaintext"} if box is None else {"style": "rounded"}
        if box and box.is_dot:
            look = {"shape": "circle"} | ({"style": "filled", "fillcolor": "black"} if box.kind == "start" else {})
        if box and box.kind == "final":
            look = {"style": "rounded", "peripheries": "1", "penwidth": "2"}
        sign = {"shallow-history": "H", "deep-history": "H*"}.get(box.kind if box else "")
        label = (sign or _html(sized, fixed=False)) if self.texts else ""
        into.node(name, label, width=_inches(sized.width), height=_inches(sized.height), **look)

    def home(self, arrow: Arrow) -> str:
        """The innermost box that holds both ends of an arrow."""
        chains = [self.graph.around(name) for name in (*arrow.sources, *arrow.targets)]
        return next((name for name in chains[0] if all(name in chain for chain in chains)), "")

    def stand_in(self, name: str, which: int) -> str:
        """The node that stands for a box: itself, or one of the leaves of a composite."""
        within = [box for box in self.inside.get(name, []) if box.kind != "start"]
        leaves = [leaf for box in within for leaf in self.leaves(box)]
        if not leaves:
            return name
        return leaves[which if which < 1 else len(leaves) // 2]

    def below_notes(self, name: str) -> str:
        """What stands right under the notes of a composite: its first child, or the notes of that."""
        first = next((box for box in self.inside.get(name, []) if box.kind != "start"), None)
        if first is None:
            return name
        notes = notes_of(first.name)
        return notes if notes in self.sizes.labels else self.stand_in(first.name, 0)

    def leaves(self, box: Box) -> Iterator[str]:
        children = [child for child in self.inside.get(box.name, []) if child.kind != "start"]
        if not children:
            yield box.name
        for child in children:
            yield from self.leaves(child)

    def edges(self, into: graphviz.Digraph, arrow: Arrow) -> None:
        """From every source to the label, from the label to every target; from each to each where there is no label."""
        style = {"style": "dashed"} if arrow.timed else {}
        before = min(self.order[name] for name in arrow.targets)
        forward = not self.choice.reverse or any(self.order[name] < before for name in arrow.sources)
        tails = [(name, self.stand_in(name, self.choice.tail)) for name in arrow.sources]
        heads = [(name, self.stand_in(name, self.choice.head)) for name in arrow.targets]
        if not arrow.rows:
            for _, tail in tails:
                for index, (name, head) in enumerate(heads):
                    into.edge(tail, head, id=f"{arrow.name} straight {index}", **self.cut("lhead", name, head))
            return
        for index, (name, tail) in enumerate(tails):
            identity = f"{arrow.name} from {index}"
            if forward and (not self.choice.reverse or self.order[name] < before):
                weight = {"weight": f"{self.choice.straight}"} if self.order[name] + 1 == before else {}
                into.edge(
                    tail, arrow.name, id=identity, arrowhead="none", **self.cut("ltail", name, tail), **style, **weight
                )
            else:
                into.edge(arrow.name, tail, id=identity, arrowhead="none", **self.cut("lhead", name, tail), **style)
        for index, (name, head) in enumerate(heads):
            identity = f"{arrow.name} to {index}"
            if forward:
                into.edge(arrow.name, head, id=identity, **self.cut("lhead", name, head), **style)
            else:
                into.edge(head, arrow.name, id=identity, dir="back", **self.cut("ltail", name, head), **style)

    def cut(self, end: str, name: str, node: str) -> dict[str, str]:
        return {end: f"cluster_{name}"} if name != node else {}


def _inches(pixels: float) -> str:
    return f"{pixels / PER_INCH:.4f}"


def _html(sized: Sized, *, fixed: bool, texts: bool = True) -> str:
    """The text as an HTML label; `fixed` gives it our size, where nothing else does."""
    lines = [_html_line(line) for line in (*sized.head.lines, *sized.body.lines)]
    size = (
        f' FIXEDSIZE="TRUE" WIDTH="{sized.head.width + 8:.0f}" HEIGHT="{max(sized.head.height, 16):.0f}"'
        if fixed
        else ""
    )
    if not lines:
        return ""
    text = '<BR ALIGN="LEFT"/>'.join(lines) + '<BR ALIGN="LEFT"/>' if texts else ""
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="0" CELLSPACING="0"{size}><TR><TD ALIGN="LEFT">{text}</TD></TR></TABLE>>'


def _below(notes: Iterable[Note]) -> str:
    """What a crowded picture tells below itself, as the label of the whole."""
    told = (
        Block((Paragraph(tuple(wrapped(note.title, "event", ACROSS))), *listing(note.rows, ACROSS))) for note in notes
    )
    lines = (_html_line(line) for block in told for line in block.lines)
    return "<" + "".join(line + '<BR ALIGN="LEFT"/>' for line in lines) + ">"


def _html_line(line: tuple[Span, ...]) -> str:
    return "".join(_html_span(span) for span in line)


def _html_span(span: Span) -> str:
    text = html.escape(span.text, quote=False) if span.style != "clock" else "&#9719; "
    look = {"name": ("<B>", "</B>"), "head": ("<B>", "</B>"), "event": ("<B>", "</B>"), "guard": ("<I>", "</I>")}
    before, after = look.get(span.style, ("", ""))
    face = ' FACE="Courier"' if span.style == "id" else ""
    return f'<FONT POINT-SIZE="{SIZES[span.style]:g}"{face}>{before}{text}{after}</FONT>'


# ---- reading


def _read(graph: Graph, sizes: Sizes, data: dict[str, object]) -> Layout:
    """Positions out of `dot -Tjson0`, with the origin at the top left."""
    _, _, width, height = _numbers(str(data["bb"]))
    names: dict[int, str] = {}
    places: dict[str, Rect] = {}
    objects, edges = data.get("objects", []), data.get("edges", [])
    assert isinstance(objects, list)
    assert isinstance(edges, list)
    for item in objects:
        name = str(item["name"])
        names[item["_gvid"]] = name
        if name.startswith("cluster_") and "bb" in item:
            left, bottom, right, top = _numbers(item["bb"])
            places[name.removeprefix("cluster_")] = Rect(left, height - top, right, height - bottom)
        elif "pos" in item:
            x, y = _numbers(item["pos"])
            half, tall = float(item["width"]) * PER_INCH / 2, float(item["height"]) * PER_INCH / 2
            places[name] = Rect(x - half, height - y - tall, x + half, height - y + tall)
    arrows = {arrow.name: arrow for arrow in graph.arrows}
    routes: dict[str, list[Route]] = {arrow.name: [] for arrow in graph.arrows}
    for item in edges:
        if "pos" not in item or "id" not in item:
            continue
        name, way, index = str(item["id"]).rsplit(" ", 2)
        arrow, points = arrows[name], _polyline(str(item["pos"]), height)
        begins = names[item["tail"]]
        if way == "from":
            end = arrow.sources[int(index)]
            if begins == name:
                points = points[::-1]
            routes[name].append(Route(clipped(points, places[end]), end, "", ends=False))
        elif way == "to":
            end = arrow.targets[int(index)]
            if begins != name:
                points = points[::-1]
            routes[name].append(Route(clipped(points[::-1], places[end])[::-1], "", end))
        else:
            end = arrow.targets[int(index)]
            source_name = arrow.sources[0]
            routes[name].append(Route(clipped(points[::-1], places[end])[::-1], source_name, end))
    boxes = {box.name: places[box.name] for box in graph.boxes}
    labels = {name: places[name] for name in sizes.labels}
    for box in graph.boxes:
        if box.contains:
            frame, head = places[box.name], sizes.boxes[box.name].head
            left, top = frame.left + PADDING, frame.top + FRAME_TOP
            labels[f"title of {box.name}"] = Rect(left, top, left + head.width, top + head.height)
    return Layout(width, height, boxes, labels, {name: tuple(found) for name, found in routes.items()}, sizes)


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in text.split(","))


def _polyline(text: str, height: float) -> Line:
    """The corners of an edge. Its curves are straight (`ortho`, `polyline`, `line`), so control points say nothing."""
    first, last, curve = list[Point](), list[Point](), list[Point]()
    for word in text.split():
        if word[0] in "es":
            x, y = _numbers(word[2:])
            (last if word[0] == "e" else first).append((x, height - y))
        else:
            x, y = _numbers(word)
            curve.append((x, height - y))
    corners = [*first, curve[0], *curve[3::3], *last]
    kept: list[Point] = []
    for point in corners:
        if kept and abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) < 0.05:
            continue
        if len(kept) > 1 and _between(kept[-2], kept[-1], point):
            kept.pop()
        kept.append(point)
    return tuple(kept)


def _between(one: Point, two: Point, three: Point) -> bool:
    """Whether the middle one is no corner."""
    return abs((two[0] - one[0]) * (three[1] - one[1]) - (two[1] - one[1]) * (three[0] - one[0])) < 0.5
