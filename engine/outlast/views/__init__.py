"""Pictures and tables, generated from the plan.

metrics    how wide text is
graph      from a plan to what a picture shows, in a fixed order
typeset    lines of text and sizes
layout     where everything stands, and how good that is
dot        DOT, and positions from Graphviz
arrange    the best of many layouts
theme, svg     our own drawing, light and dark in one file
path, heat, changes     marks on the picture of a machine: a story's way, numbers, a difference
lanes, timeline     a story: what a timeline shows, and its picture
mermaid, table     for READMEs
notebook   what values look like in a notebook
explorer   a system in one HTML file, to be played with
gallery    a folder of all of it, and whether it is fresh
"""

from outlast.views.arrange import Arranged, Hints, arrange
from outlast.views.dot import DotMissing, LayoutFailed
from outlast.views.gallery import Drawn, draw, stale
from outlast.views.graph import Graph, machine_graph, wiring_graph
from outlast.views.svg import Mark, Marks, svg

__all__ = [
    "Arranged",
    "DotMissing",
    "Drawn",
    "Graph",
    "Hints",
    "LayoutFailed",
    "Mark",
    "Marks",
    "arrange",
    "draw",
    "machine_graph",
    "stale",
    "svg",
    "wiring_graph",
]
