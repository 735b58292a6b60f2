"""The explorer: a system in one HTML file, to be played with in a browser.

tables    the plan as plain data, and what the walker cannot do
stories   scenarios as plain data; a stage where there are none
pictures  pictures of the gallery as the page uses them
program   the walker as a program of its own
page      everything put together

words.js, walker.js, why.js   the walker: values and expressions; macrosteps and systems; explanations
source.js                     where the page takes what it shows from: a history, walked
page.html, page.css, page.js  what one sees; begin.js puts it together
node.js                       the walker behind standard input and output
"""

from outlast.views.explorer.page import explorer
from outlast.views.explorer.program import to_walker
from outlast.views.explorer.tables import obstacle

__all__ = ["explorer", "obstacle", "to_walker"]
