"""The gallery of a system as a page, and its pictures, each drawn when first asked for."""

from __future__ import annotations

import base64
import hashlib
import html
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from outlast import model
from outlast.plan import Plan
from outlast.run import run_scenario
from outlast.service.problems import Refused
from outlast.store.records import View
from outlast.views.dot import DotMissing, LayoutFailed
from outlast.views.gallery import graphs, remembered
from outlast.views.lanes import lanes
from outlast.views.svg import svg
from outlast.views.timeline import timeline

STYLE = (
    ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem}"
    "img{max-width:100%;height:auto}h2{margin-top:2.5rem}a{color:light-dark(#0b57d0,#8ab4f8)}nav a{margin-right:1.2em}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.15em 1.2em .15em 0;vertical-align:top}"
)
POLICY = (
    "default-src 'none'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""What the page may load: its own style and pictures."""
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""An SVG has its style inside."""


class Pictures:
    """Pictures by name; what was drawn is kept. `folder` is a gallery whose layouts are used where they fit."""

    def __init__(self, plan: Plan, stories: Mapping[str, model.Scenario], folder: Path) -> None:
        self.plan, self.stories = plan, stories
        self.home = folder / plan.name
        self._graphs = {graph.name: graph for graph in graphs(plan)}
        self._drawn: dict[str, str] = {}
        self._lock = threading.Lock()

    def machine(self, name: str) -> str:
        """The SVG of a machine, or of `wiring`. Takes a while the first time. Raises Refused."""
        if name not in self._graphs:
            raise Refused("not-found", f"there is no picture called `{name}`")
        return self._kept(f"machine {name}", lambda: self._picture(name))

    def story(self, name: str) -> str:
        """The SVG of a scenario, as a timeline. Raises Refused."""
        if name not in self.stories:
            raise Refused("not-found", f"there is no story called `{name}`")
        return self._kept(
            f"story {name}", lambda: timeline(lanes(run_scenario(self.plan, self.stories[name])), clauses=None)
        )

    def machines(self) -> dict[str, str]:
        """Every machine's picture that can be drawn."""
        found = {}
        for name in self.plan.machines:
            try:
                found[name] = self.machine(name)
            except Refused:
                continue
        return found

    def _picture(self, name: str) -> str:
        try:
            return svg(remembered(self._graphs[name], self.home), clauses=None)
        except (DotMissing, LayoutFailed) as error:
            raise Refused("not-found", f"it cannot be drawn here: {error}") from error

    def _kept(self, name: str, draw: Callable[[], str]) -> str:
        with self._lock:
            if name not in self._drawn:
                self._drawn[name] = draw()
            return self._drawn[name]

    def page(self, instances: Sequence[View], *, more: bool) -> str:
        """The first page: what is served, in words and pictures, and some instances; whether there are `more`."""
        plan, said = self.plan, html.escape
        parts = [f"<h1>{said(plan.title or plan.name)}</h1>", f"<p>{said(plan.about.strip())}</p>"]
        parts.append(
            '<nav><a href="explorer">Explorer</a><a href="openapi.json">OpenAPI document</a><a href="v1/instances">Instances</a>'
            '<a href="v1/deadlines">Deadlines</a><a href="metrics">Metrics</a></nav>'
        )
        if instances:
            parts.append(f'<h2 id="instances">Instances</h2>\n<table>{"".join(map(_row, instances))}</table>')
        if more:
            parts.append(f'<p>The first {len(instances)} of them; <a href="v1/instances">all</a>.</p>')
        for graph in self._graphs.values():
            parts.append(f'<h2 id="{said(graph.name)}">{said(graph.title)}</h2>')
            machine = plan.machines.get(graph.name)
            if machine is not None and machine.about:
                parts.append(f"<p>{said(machine.about.strip())}</p>")
            parts.append(f'<img src="pictures/{said(graph.name)}.svg" alt="{said(graph.title)}: state diagram">')
            if machine is not None and (events := [event for event in machine.events.values() if not event.internal]):
                rows = "".join(
                    f"<tr><th><code>{said(event.name)}</code></th><td>{said(', '.join(event.by))}</td><td>{said(event.about)}</td></tr>"
                    for event in events
                )
                parts.append(f"<table>{rows}</table>")
        if self.stories:
            parts.append("<h2>Stories</h2>")
        for name, story in self.stories.items():
            parts.append(f'<p><a href="stories/{said(name)}.svg">{said(story.title or name)}</a></p>')
        body = "\n".join(parts)
        return (
            f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{said(plan.title or plan.name)}</title>\n'
            f'<meta name="viewport" content="width=device-width,initial-scale=1">\n<link rel="icon" href="data:,">\n<style>{STYLE}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n'
        )


def _row(view: View) -> str:
    """An instance: where it leads to be followed, what it is, where it stands."""
    machine, said = view.machine, html.escape
    titles = [state.title or state.name for state in machine.states if state.name in machine.innermost(view.states)]
    return (
        f'<tr><td><a href="explorer?instance={quote(view.id, safe="")}">{said(view.id)}</a></td>'
        f"<td>{said(machine.title or machine.name)}</td><td>{said(' + '.join(titles))}</td></tr>"
    )
