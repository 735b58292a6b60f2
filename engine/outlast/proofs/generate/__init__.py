"""Tests from the model: a table of cases that goes everywhere a system can go.

goals    what there is to cover
parts    the parts of compositions to walk in, and what is said there
walks    paths to goals: the nearest first, and on from where one stands
cases    a path as a case, with everything that can be seen
tables   the table, and what it covers
"""

from outlast.proofs.generate.goals import COVERS, Cover, Goal, Kind
from outlast.proofs.generate.tables import Generated, Missing, generate

__all__ = ["COVERS", "Cover", "Generated", "Goal", "Kind", "Missing", "generate"]
