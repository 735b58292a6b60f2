"""The fast path: the plan unfolded into specialised Python, one function for each (configuration, event) that occurs.

packed      snapshots and steps as a few references, the rest worked out when asked for
expressions a typed tree as Python source
unfolding   one macrostep unfolded into source: every choice that the plan decides is decided before it runs
places      configurations, each with its compiled functions; where `exec` is, and why that is safe
automaton   one machine alone, as light as possible

Whatever a function does not cover it leaves to the interpreter, by answering None before it has changed anything: an action that
fails, a value of an unexpected type, what `Unfolding` says it cannot unfold. So the interpreter stays the one definition of
behaviour, and the fast path is held to it step for step.
"""

from outlast.run.fast.packed import Packed, Path, Taken
from outlast.run.fast.places import Function, Place, Places, interpreted
from outlast.run.fast.unfolding import LONGEST

__all__ = ["LONGEST", "Function", "Packed", "Path", "Place", "Places", "Taken", "interpreted"]
