"""The best of many layouts. Graphviz is asked in several ways, the answers are measured, and the best is kept.

Where a machine has more arrows than a page can carry, those that cross most are written in their boxes, as `stop → Stopped`:
nothing is left out, and what is drawn can be followed with the eye. Where a picture would be several pages high, what is written in
its boxes moves below it. The search is exhausted in a fixed order and never random.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import attrs

from outlast.values import frozen
from outlast.views.apart import parted
from outlast.views.dot import Choice, LayoutFailed, place
from outlast.views.graph import Arrow, Graph, Row
from outlast.views.layout import Layout, Quality, quality, troubles

WIDEST = 772.0
"""What a page of documentation can show at full size, less the margins of the picture."""
WIDEST_WIRING = 872.0
"""Who signals whom may be a little wider: it is one row of machines under one of actors."""
HIGHEST = 3.0
"""A picture that would be so many times as high as it may be wide is a picture with text below it."""
MOST_CROSSINGS = 2
WORKERS = 3
PLENTY = 25
"""More crossings than this, and several arrows go at once."""


@frozen
class Hints:
    """What a search found: how to ask, and which arrows to write in their boxes. With them a layout needs no search."""

    choice: Choice = Choice()
    written: tuple[str, ...] = ()
    apart: bool = False
    """Whether what is written in boxes stands below the picture."""


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
PATIENCE = 6
"""So many rounds without a better picture end the search."""
LIKELY = 2
"""So many ways of asking are kept after the first round."""
BAD_COST = 1500.0
"""A picture that is wider or has more crossings than is good is worse by so much than one that has not."""
EXCHANGED = 2
"""So many arrows may be given up for one that is drawn again."""
RIVALS = 3
"""So many arrows are tried before one is given up."""
LISTED_COST = 150.0
"""An arrow that is not drawn is worth one and a half crossings."""
KEPT = 4
"""So much trouble an arrow may be in before it is given up and a box is cut off by that."""
AT_THE_EDGE = 4
"""So much trouble it is to run along the border of a picture that is too wide."""
CUT_OFF_COST = 200.0
"""And so much more where it leaves a box without a way in, or without a way out."""


def arrange(graph: Graph, *, widest: float = WIDEST, patience: int = PATIENCE, start: Hints | None = None) -> Arranged:
    """Find a layout without overlaps, with few crossings, no wider than `widest`. Raises DotMissing, LayoutFailed.

    The search ends after `patience` rounds without a better picture; with 0, every arrow is drawn and no time is spent on crossings.
    `start` is what was good for a picture much like it: where that serves, with other widths, it is taken.
    """
    with ThreadPoolExecutor(WORKERS) as pool:
        search = _Search(graph, widest, pool)
        if start and (found := search.alike(start)):
            return found
        best, last = search.given_up(search.begin(), patience)
        if patience and not search.good(best):
            best = search.polished(best, last)
            if not search.good(best):
                best, _ = search.given_up(best, patience, stuck=True)
        return search.restored(search.exchanged(best)) if patience else best


@attrs.define(eq=False)
class _Search:
    graph: Graph
    widest: float
    pool: ThreadPoolExecutor
    apart: bool = False
    likely: tuple[Choice, ...] = ()

    def cost(self, arranged: Arranged) -> float:
        harm = 0 if self.good(arranged) else BAD_COST
        lost = LISTED_COST * len(arranged.hints.written) + CUT_OFF_COST * cut_off(self.graph, arranged.hints.written)
        return arranged.quality.cost(self.widest) + lost + harm

    def attempts(self, hints: list[Hints]) -> list[Arranged]:
        """A layout for each, where Graphviz finds one."""
        graphs = {each.written: reduced(self.graph, each) for each in hints}
        tried = self.pool.map(lambda each: _attempt(graphs[each.written], each), hints)
        return [each for each in tried if each]

    def good(self, arranged: Arranged) -> bool:
        return is_good(arranged.quality, self.widest)

    def alike(self, start: Hints) -> Arranged | None:
        """What `start` leads to with one width or another, if that is good."""
        asked = [start, *(attrs.evolve(start, choice=choice) for choice in (*POLISHED, *CHOICES))]
        return min(filter(self.good, self.attempts(asked)), key=self.cost, default=None)

    def begin(self) -> Arranged:
        """The best layout with every arrow drawn; what asked for it and its likes will be asked again."""
        tried: list[Arranged] = []
        for splines in ("ortho", "polyline"):  # at right angles if that can be done at all
            for first in range(0, len(CHOICES), BATCH):
                choices = [attrs.evolve(choice, splines=splines) for choice in CHOICES[first : first + BATCH]]
                found = self.attempts([Hints(choice, (), self.apart) for choice in choices])
                if not self.apart and found and min(each.layout.height for each in found) > HIGHEST * self.widest:
                    self.apart = True
                    return self.begin()
                tried += found
                if any(map(self.good, tried)) or (first and _hopeless(tried)):
                    break
            if tried:
                break
        if not tried:
            raise LayoutFailed(f"Graphviz finds no layout for `{self.graph.name}`")
        tried.sort(key=self.cost)
        self.likely = tuple(each.hints.choice for each in tried[:LIKELY])
        return tried[0]

    def given_up(self, best: Arranged, patience: int, *, stuck: bool = False) -> tuple[Arranged, Arranged]:
        """One arrow after the other written in its box, until the picture is good or that has not helped for a while: the best, the last."""
        found, rounds = best, 0
        while not self.good(found) and rounds < patience and (worst := self.worst(found)):
            found = self.without(found, worst, stuck=stuck)
            rounds = 0 if self.cost(found) < self.cost(best) else rounds + 1
            best = min(best, found, key=self.cost)
        return best, found

    def worst(self, found: Arranged) -> tuple[str, ...]:
        """The arrows to give up next: those in most trouble, late those without which a box is cut off."""
        trouble = troubles(found.graph, found.layout)
        candidates = _candidates(found.graph)
        outer = self.outermost(found)
        for arrow in candidates:
            cut = cut_off(self.graph, (*found.hints.written, arrow.name))
            trouble[arrow.name] += AT_THE_EDGE * (arrow.name in outer) - KEPT * cut
        ranked = sorted(candidates, key=lambda arrow: (-trouble[arrow.name], -_span(found, arrow)))
        return tuple(arrow.name for arrow in ranked)

    def outermost(self, found: Arranged) -> tuple[str, ...]:
        """The arrows along the borders of a picture that is too wide."""
        if found.quality.width <= self.widest:
            return ()
        return tuple(arrow.name for arrow in _candidates(found.graph) if _outermost(found, arrow))

    def without(self, found: Arranged, worst: tuple[str, ...], *, stuck: bool) -> Arranged:
        """With one arrow less: the one whose absence helps most. Several at once where there is much to do.

        Where one has not helped, perhaps all at the borders do: two that run there side by side hold the width together.
        """
        written = found.hints.written
        if found.quality.crossings > PLENTY:
            fewer = [(*written, *worst[: max(1, min(found.quality.crossings, len(self.graph.arrows)) // 6)])]
        else:
            fewer = [(*written, name) for name in worst[:RIVALS]]
            if stuck and (outer := self.outermost(found)):
                tried = self.attempts([Hints(choice, (*written, *outer), self.apart) for choice in self.likely])
                if narrow := [each for each in tried if each.quality.width <= self.widest]:
                    return min(narrow, key=self.cost)
        tried = self.attempts([Hints(choice, names, self.apart) for names in fewer for choice in self.likely])
        return (
            min(tried, key=self.cost)
            if tried
            else attrs.evolve(found, hints=attrs.evolve(found.hints, written=fewer[0]))
        )

    def polished(self, best: Arranged, last: Arranged) -> Arranged:
        """The same arrows at other widths and with other ends: those of the best, and of the one with the fewest."""
        written = dict.fromkeys((best.hints.written, last.hints.written))
        tried = self.attempts([Hints(choice, names, self.apart) for names in written for choice in POLISHED])
        tried.sort(key=self.cost)
        self.likely = (*self.likely[:1], *(each.hints.choice for each in tried[:LIKELY]))
        return min([best, *tried[:1]], key=self.cost)

    def exchanged(self, found: Arranged) -> Arranged:
        """With other arrows written in place of those without which a box is cut off, where that is better."""
        for name in found.hints.written:
            rest = tuple(each for each in found.hints.written if each != name)
            if cut_off(self.graph, rest) == cut_off(self.graph, found.hints.written):
                continue
            tried = self.attempts([attrs.evolve(found.hints, written=rest)])
            for _ in range(EXCHANGED):
                if not tried or self.good(back := min(tried, key=self.cost)):
                    break
                worst = [each for each in self.worst(back) if each != name][:RIVALS]
                fewer = [(*back.hints.written, each) for each in worst]
                tried = self.attempts([attrs.evolve(found.hints, written=written) for written in fewer])
            found = min([found, *tried], key=self.cost)
        return found

    def restored(self, found: Arranged) -> Arranged:
        """With every arrow drawn again that does no harm."""
        names = list(found.hints.written)
        while names:
            fewer = [tuple(each for each in found.hints.written if each != name) for name in names]
            tried = {
                each.hints.written: each
                for each in self.attempts([attrs.evolve(found.hints, written=written) for written in fewer])
            }
            cost = self.cost(found)
            harmless = [at for at, each in enumerate(fewer) if each in tried and self.cost(tried[each]) < cost]
            if not harmless:
                break
            found, names = tried[fewer[harmless[0]]], names[harmless[0] + 1 :]
        return found


def _attempt(graph: Graph, hints: Hints) -> Arranged | None:
    try:
        layout = place(graph, hints.choice)
    except LayoutFailed:
        return None
    return Arranged(graph, layout, quality(graph, layout), hints)


def arranged(graph: Graph, hints: Hints) -> Arranged | None:
    """The layout that a search found earlier, or None where Graphviz fails. Raises DotMissing."""
    return _attempt(reduced(graph, hints), hints)


def is_good(found: Quality, widest: float = WIDEST) -> bool:
    """Whether a picture needs no more searching."""
    sound = not (found.overlaps or found.covered or found.merged)
    return sound and found.crossings <= MOST_CROSSINGS and found.width <= widest and found.height <= HIGHEST * widest


def cut_off(graph: Graph, written: tuple[str, ...]) -> int:
    """How many ways into or out of a box are gone, each the last one, with these arrows written."""
    drawn = [arrow for arrow in graph.arrows if arrow.name not in written]
    return len(_ends(graph.arrows)) - len(_ends(drawn))


def _ends(arrows: Iterable[Arrow]) -> set[tuple[str, bool]]:
    """The boxes something leaves or enters."""
    return {
        (name, out) for arrow in arrows for out in (True, False) for name in (arrow.sources if out else arrow.targets)
    }


def _hopeless(tried: Iterable[Arranged]) -> bool:
    """Whether no way of asking will make it good with every arrow drawn."""
    return min((each.quality.crossings for each in tried), default=0) > PLENTY


def _candidates(graph: Graph) -> list[Arrow]:
    """What may be written in a box instead."""
    return [arrow for arrow in graph.arrows if arrow.rows and not graph.box(arrow.sources[0]).is_dot]


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


def reduced(graph: Graph, hints: Hints) -> Graph:
    """The graph as a picture with these hints shows it: some arrows written in boxes, or all of that below the picture."""
    found = listed(graph, hints.written)
    return parted(found) if hints.apart else found


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
