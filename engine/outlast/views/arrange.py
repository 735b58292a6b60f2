"""The best of many layouts. Graphviz is asked in several ways, the answers are measured, and the best is kept.

Where a machine has more arrows than a page can carry, those that cross most are written in their boxes, as `stop → Stopped`:
nothing is left out, and what is drawn can be followed with the eye. The search is exhausted in a fixed order and never random.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import attrs

from outlast.values import frozen
from outlast.views.dot import Choice, LayoutFailed, place
from outlast.views.graph import Arrow, Graph, Row
from outlast.views.layout import Layout, Quality, quality, troubles

WIDEST = 772.0
"""What a page of documentation can show at full size, less the margins of the picture."""
WIDEST_WIRING = 872.0
"""Who signals whom may be a little wider: it is one row of machines under one of actors."""
MOST_CROSSINGS = 2
WORKERS = 3
PLENTY = 25
"""More crossings than this, and several arrows go at once."""


@frozen
class Hints:
    """What a search found: how to ask, and which arrows to write in their boxes. With them a layout needs no search."""

    choice: Choice = Choice()
    written: tuple[str, ...] = ()


@frozen(eq=False)
class Arranged:
    """A graph with its layout. `graph` has the arrows that are drawn as arrows, the rest listed in its boxes."""

    graph: Graph
    layout: Layout
    quality: Quality
    hints: Hints


ENDS = ((-1, 0), (0, 0), (1, -1), (-1, -1))
"""Which children stand for a composite that an arrow leaves or enters: see `Choice`."""
CHOICES = tuple(
    Choice(label_width=label, body_width=body, tail=tail, head=head, node_gap=gap, stretch=stretch)
    for (label, body, gap, stretch), (tail, head) in product(
        ((105, 210, 0.12, 1.0), (95, 170, 0.10, 1.0), (88, 150, 0.08, 1.0)), ENDS
    )
)
POLISHED = tuple(
    Choice(label_width=label, body_width=body, tail=tail, head=head, node_gap=gap)
    for (label, body, gap), (tail, head) in product(((84, 150, 0.08), (96, 165, 0.08), (92, 185, 0.10)), ENDS)
)
BATCH = 4
PATIENCE = 4
"""So many rounds without a better picture end the search."""
LIKELY = 2
"""So many ways of asking are kept after the first round."""
BAD_COST = 1500.0
"""A picture that is wider or has more crossings than is good is worse by so much than one that has not."""
RIVALS = 3
"""So many arrows are tried before one is given up."""
LISTED_COST = 150.0
"""An arrow that is not drawn is worth one and a half crossings."""


def arrange(graph: Graph, *, widest: float = WIDEST, patience: int = PATIENCE) -> Arranged:
    """Find a layout without overlaps, with few crossings, no wider than `widest`. Raises DotMissing, LayoutFailed.

    The search ends after `patience` rounds without a better picture; with 0, every arrow is drawn and no time is spent on crossings.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        search = _Search(graph, widest, pool)
        best, last = search.given_up(search.begin(), patience)
        if patience and not search.good(best):
            best = search.polished(best, last)
        return search.restored(best) if patience else best


@attrs.define(eq=False)
class _Search:
    graph: Graph
    widest: float
    pool: ThreadPoolExecutor

    likely: tuple[Choice, ...] = ()

    def cost(self, arranged: Arranged) -> float:
        harm = 0 if self.good(arranged) else BAD_COST
        return arranged.quality.cost(self.widest) + LISTED_COST * len(arranged.hints.written) + harm

    def attempts(self, hints: list[Hints]) -> list[Arranged]:
        graphs = {each.written: listed(self.graph, each.written) for each in hints}
        tried = self.pool.map(lambda each: _attempt(graphs[each.written], each), hints)
        return [each for each in tried if each]

    def good(self, arranged: Arranged) -> bool:
        return is_good(arranged.quality, self.widest)

    def begin(self) -> Arranged:
        """The best layout with every arrow drawn; what asked for it and its likes will be asked again."""
        tried: list[Arranged] = []
        for splines in ("ortho", "polyline"):  # at right angles if that can be done at all
            for first in range(0, len(CHOICES), BATCH):
                choices = [attrs.evolve(choice, splines=splines) for choice in CHOICES[first : first + BATCH]]
                tried += self.attempts([Hints(choice, ()) for choice in choices])
                if any(map(self.good, tried)):
                    break
            if tried:
                break
        if not tried:
            raise LayoutFailed(f"Graphviz finds no layout for `{self.graph.name}`")
        tried.sort(key=self.cost)
        self.likely = tuple(each.hints.choice for each in tried[:LIKELY])
        return tried[0]

    def given_up(self, best: Arranged, patience: int) -> tuple[Arranged, Arranged]:
        """One arrow after the other written in its box, until the picture is good or that has not helped for a while: the best, the last."""
        found, rounds = best, 0
        while not self.good(found) and rounds < patience and (worst := _worst(found, self.widest)):
            found = self.without(found, worst)
            rounds = 0 if self.cost(found) < self.cost(best) else rounds + 1
            best = min(best, found, key=self.cost)
        return best, found

    def without(self, found: Arranged, worst: tuple[str, ...]) -> Arranged:
        """With one arrow less: the one whose absence helps most. Several at once where there is much to do."""
        written = found.hints.written
        if found.quality.crossings > PLENTY:
            fewer = [(*written, *worst[: max(1, min(found.quality.crossings, len(self.graph.arrows)) // 6)])]
        else:
            fewer = [(*written, name) for name in worst[:RIVALS]]
        tried = self.attempts([Hints(choice, names) for names in fewer for choice in self.likely])
        return (
            min(tried, key=self.cost)
            if tried
            else attrs.evolve(found, hints=attrs.evolve(found.hints, written=fewer[0]))
        )

    def polished(self, best: Arranged, last: Arranged) -> Arranged:
        """The same arrows at other widths and with other ends: those of the best, and of the one with the fewest."""
        written = dict.fromkeys((best.hints.written, last.hints.written))
        tried = self.attempts([Hints(choice, names) for names in written for choice in POLISHED])
        return min([best, *tried], key=self.cost)

    def restored(self, found: Arranged) -> Arranged:
        """With every arrow drawn again that does no harm."""
        for name in found.hints.written:
            written = tuple(each for each in found.hints.written if each != name)
            found = min([found, *self.attempts([Hints(found.hints.choice, written)])], key=self.cost)
        return found


def _attempt(graph: Graph, hints: Hints) -> Arranged | None:
    try:
        layout = place(graph, hints.choice)
    except LayoutFailed:
        return None
    return Arranged(graph, layout, quality(graph, layout), hints)


def arranged(graph: Graph, hints: Hints) -> Arranged | None:
    """The layout that a search found earlier, or None where Graphviz fails. Raises DotMissing."""
    return _attempt(listed(graph, hints.written), hints)


def is_good(found: Quality, widest: float = WIDEST) -> bool:
    """Whether a picture needs no more searching."""
    sound = not (found.overlaps or found.covered or found.merged)
    return sound and found.crossings <= MOST_CROSSINGS and found.width <= widest


def _worst(found: Arranged, widest: float) -> tuple[str, ...]:
    """The arrows to give up next."""
    trouble = troubles(found.graph, found.layout)
    candidates = [arrow for arrow in found.graph.arrows if arrow.rows and not found.graph.box(arrow.sources[0]).is_dot]
    wide = found.quality.width > widest
    edge = {arrow.name: 4 * wide * _outermost(found, arrow) for arrow in candidates}
    ranked = sorted(candidates, key=lambda arrow: (-trouble[arrow.name] - edge[arrow.name], -_span(found, arrow)))
    return tuple(arrow.name for arrow in ranked)


def _outermost(found: Arranged, arrow: Arrow) -> bool:
    """Whether an arrow runs along the left or right border of the picture."""
    across = [x for route in found.layout.routes[arrow.name] for x, _ in route.points]
    if arrow.name in found.layout.labels:
        across += [found.layout.labels[arrow.name].left, found.layout.labels[arrow.name].right]
    return min(across) < 40 or max(across) > found.layout.width - 40


def _span(found: Arranged, arrow: Arrow) -> float:
    """How far an arrow reaches."""
    points = [point for route in found.layout.routes[arrow.name] for point in route.points]
    return max(x for x, _ in points) - min(x for x, _ in points) + max(y for _, y in points) - min(y for _, y in points)


def listed(graph: Graph, names: tuple[str, ...]) -> Graph:
    """The graph with these arrows written in the boxes they leave."""
    titles = {box.name: box.title for box in graph.boxes}
    more: dict[str, list[Row]] = {}
    for arrow in graph.arrows:
        if arrow.name in names:
            leads = "→ " + " and ".join(titles[name] for name in arrow.targets)
            rows = [attrs.evolve(row, leads=leads + (f" ({row.leads})" if row.leads else "")) for row in arrow.rows]
            for source in arrow.sources:
                more.setdefault(source, []).extend(rows)
    boxes = tuple(attrs.evolve(box, rows=(*box.rows, *more.get(box.name, ()))) for box in graph.boxes)
    drawn = tuple(arrow for arrow in graph.arrows if arrow.name not in names)
    return attrs.evolve(graph, boxes=boxes, arrows=drawn, above=_above(graph, names, drawn))


def _above(graph: Graph, names: tuple[str, ...], drawn: tuple[Arrow, ...]) -> tuple[tuple[str, str], ...]:
    """For every arrow that is not drawn, the box that should still stand above the other; not where an arrow says so."""
    order = {box.name: index for index, box in enumerate(graph.boxes)}
    said = {frozenset((source, target)) for arrow in drawn for source in arrow.sources for target in arrow.targets}
    pairs = (
        (source, target) if order[source] < order[target] else (target, source)
        for arrow in graph.arrows
        if arrow.name in names
        for source in arrow.sources
        for target in arrow.targets
        if frozenset((source, target)) not in said
    )
    return tuple(dict.fromkeys(pairs))
