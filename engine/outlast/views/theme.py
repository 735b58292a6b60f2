"""Colours, glyphs and the style sheet of every picture. A role has a colour and a glyph, so colour never speaks alone."""

from __future__ import annotations

from outlast import model

ROLES: dict[model.Role, str] = {
    "live": "under way",
    "danger": "at risk",
    "failure": "ended badly",
    "recover": "can go on",
    "success": "ended well",
    "neutral": "at rest",
}
"""Role -> what the legend calls it."""

GLYPHS: dict[model.Role, str] = {
    "live": "M-3.2,-3.8 L4,0 L-3.2,3.8Z",
    "danger": "M0,-4.4 L4.6,3.8 L-4.6,3.8Z",
    "failure": "M-3.4,-3.4 L3.4,3.4 M3.4,-3.4 L-3.4,3.4",
    "recover": "M3.6,-1.6 A4,4 0 1 0 4,1.2 M4.6,-4.4 L3.7,-1.4 L0.8,-2.2",
    "success": "M-4,0.2 L-1.2,3.2 L4.2,-3.2",
    "neutral": "M-3.4,-3.4 H3.4 V3.4 H-3.4Z",
}
FILLED = ("live", "danger", "neutral")

# The colours of roles were searched: their smallest distance in Lab over normal sight and three kinds of colour blindness is the
# largest found (29.7 light, 25.8 dark).
THEMES = {
    "light": {
        "bg": "#ffffff", "ink": "#1b2229", "mut": "#4f5963", "line": "#59636e", "soft": "#f5f7f9", "rule": "#d6dbe0",
        "hot": "#0065a8",
        "live": "#0d3c73", "live-f": "#e6f1fa", "danger": "#c28800", "danger-f": "#fdf1d3", "failure": "#740606", "failure-f": "#fbe6e4",
        "recover": "#ab4eda", "recover-f": "#f4e9fb", "success": "#00a35f", "success-f": "#def3ea", "neutral": "#808c99",
        "neutral-f": "#eceff2",
    },
    "dark": {
        "bg": "#12171d", "ink": "#e8ecf0", "mut": "#a9b4bf", "line": "#8b97a3", "soft": "#1a2129", "rule": "#38424d",
        "hot": "#6db7f2",
        "live": "#3487f4", "live-f": "#10293d", "danger": "#face2e", "danger-f": "#33280c", "failure": "#ff5938", "failure-f": "#3a1c0f",
        "recover": "#cf6eb8", "recover-f": "#361a2b", "success": "#35e98f", "success-f": "#0e2f24", "neutral": "#cbd1d7",
        "neutral-f": "#232b33",
    },
}  # fmt: skip
TEXT_ON = {
    "ink": ("bg", "soft", "*-f"),
    "mut": ("bg", "soft", "*-f"),
    "hot": ("bg",),
}
"""Which colours are used for text, and on what."""

_BASE = """
.fsm{font-family:"Helvetica Neue",Helvetica,Arial,"Liberation Sans",sans-serif}
.fsm .bg{fill:var(--bg)} .fsm text{fill:var(--ink)} .fsm .mut{fill:var(--mut)}
.fsm .name,.fsm .head,.fsm .event,.fsm .listed{font-weight:600} .fsm .note,.fsm .action{fill:var(--mut)} .fsm .guard{font-style:italic}
.fsm .id{fill:var(--mut);font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
.fsm a{cursor:pointer} .fsm a:hover text,.fsm a:focus text{text-decoration:underline}
"""
MACHINE = """
.fsm .frame>rect{fill:var(--soft);stroke:var(--rule);stroke-width:1.2} .fsm .frame.odd>rect{fill:var(--bg)}
.fsm .frame.region>rect{stroke:var(--line);stroke-dasharray:2 4} .fsm .frame>.rule{stroke:var(--rule)}
.fsm .box>rect{stroke-width:1.6;fill:var(--rf,var(--soft));stroke:var(--rc,var(--line))} .fsm .box>.inner{fill:none;stroke-width:1}
.fsm .box>.rule{stroke:var(--rc,var(--line));stroke-width:.8;opacity:.45}
.fsm .glyph{stroke:var(--rc);fill:none;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round} .fsm .glyph.f{fill:var(--rc);stroke-width:1}
.fsm .way{fill:none;stroke:var(--line);stroke-width:1.3} .fsm .tip{fill:var(--line);stroke:none} .fsm .timed .way{stroke-dasharray:5 3.5}
.fsm .label text{paint-order:stroke;stroke:var(--halo,var(--bg));stroke-width:4px;stroke-linejoin:round}
.fsm .clock{fill:none;stroke:var(--danger);stroke-width:1.3} .fsm .dot{fill:var(--ink)} .fsm .history{fill:var(--bg);stroke:var(--line);stroke-width:1.3}
.fsm .arrow:hover .way{stroke:var(--hot);stroke-width:2.2} .fsm .arrow:hover .tip{fill:var(--hot)}
.fsm .hot .way{stroke:var(--hot);stroke-width:3} .fsm .hot .tip{fill:var(--hot)} .fsm .box.hot>rect{stroke-width:3}
.fsm .cold .way,.fsm .cold .tip,.fsm .box.cold>rect,.fsm .box.cold>.glyph{opacity:.4} .fsm .cold text{fill:var(--mut)}
.fsm .badge rect{fill:var(--hot)} .fsm .badge text{fill:var(--bg);font-weight:700;stroke:none;opacity:1}
.fsm .warm .way{stroke:var(--hot);stroke-width:2.2} .fsm .mild .way{stroke:var(--hot);stroke-width:1.5} .fsm .warm .tip,.fsm .mild .tip{fill:var(--hot)}
.fsm .box.warm>rect{stroke-width:2.2} .fsm .cold .badge rect,.fsm .badge.cold rect{fill:var(--bg);stroke:var(--line);stroke-dasharray:2 2} .fsm .cold .badge text,.fsm .badge.cold text{fill:var(--mut)}
.fsm .added{--vc:var(--success)} .fsm .removed{--vc:var(--failure)} .fsm .changed{--vc:var(--recover)}
.fsm .arrow.added .way,.fsm .arrow.changed .way,.fsm .arrow.removed .way{stroke:var(--vc);stroke-width:2.8}
.fsm .arrow.changed .way{stroke-dasharray:9 3 2 3} .fsm .arrow.removed .way{stroke-width:1.6;stroke-dasharray:2 4}
.fsm .arrow.added .tip,.fsm .arrow.changed .tip,.fsm .arrow.removed .tip{fill:var(--vc)}
.fsm .box.added>rect,.fsm .box.changed>rect,.fsm .box.removed>rect,.fsm .frame.added>rect,.fsm .frame.changed>rect,.fsm .frame.removed>rect{stroke:var(--vc);stroke-width:2.8}
.fsm .box.changed>rect,.fsm .frame.changed>rect{stroke-dasharray:9 3 2 3} .fsm .box.removed>rect,.fsm .frame.removed>rect{fill:none;stroke-width:1.6;stroke-dasharray:2 4}
.fsm .box.removed>text,.fsm .frame.removed>text,.fsm .row.removed>text,.fsm .label .was,.fsm .was{text-decoration:line-through} .fsm .row.removed text,.fsm .label .was,.fsm .was{fill:var(--mut);stroke:none}
.fsm :is(.added,.changed,.removed)>.badge rect,.fsm .badge:is(.added,.changed,.removed) rect{fill:var(--bg);stroke:var(--vc);stroke-width:1.6}
.fsm :is(.added,.changed,.removed)>.badge text,.fsm .badge:is(.added,.changed,.removed) text{fill:var(--ink);text-decoration:none}
"""
"""The rules of the pictures of machines."""


def style_sheet(rules: str = MACHINE) -> str:
    """Both themes and the rules of one kind of picture.

    Light, dark where the reader prefers it, and either by force with the class `light` or `dark`.
    """
    light, dark = (_variables(THEMES[name]) for name in ("light", "dark"))
    themes = f".fsm{{{light}}}@media (prefers-color-scheme:dark){{.fsm:not(.light){{{dark}}}}}.fsm.dark{{{dark}}}"
    roles = "".join(f".fsm .{role}{{--rc:var(--{role});--rf:var(--{role}-f)}}" for role in ROLES)
    return (themes + _BASE + rules + roles).replace("\n", "")


def _variables(colours: dict[str, str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in colours.items())


def contrast(one: str, two: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2, 1.4.3): at least 4.5 for text."""
    light, dark = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
