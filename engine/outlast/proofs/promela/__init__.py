"""A small composition as a Promela model, for the model checker Spin: time in whole ticks, everything in one process.

stage    who there is and may come to be, and what a model of this kind cannot say
terms    values and guards as expressions
machine  one macrostep of one machine
model    the whole text

Its state space is that of the composition, tick by tick: the model's variables are exactly what `Layout` lists. It is written from the
plan's tables alone and shares nothing with `proofs.timed`, so that each can be held against the other.
"""

from outlast.proofs.promela.model import Column, Model, to_promela

__all__ = ["Column", "Model", "to_promela"]
