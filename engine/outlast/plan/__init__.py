"""The plan: a system compiled to tables.

tables    what a plan is made of
compile   model -> plan, all problems collected
fingerprint  the hash that names a specification
body      the inside of one machine
scope     what names mean
properties what must hold, and in which compositions
citations who cites which clause
difference what became of each thing from one plan to the next
lint      what is legal but surely not meant: assembled from
  overlap   whether guards can hold at once (linear: whether numbers can)
  moves     where a machine can get to
  unused    what is declared and never needed
constants a plan in which some constants have other values
codes     what a code of a problem means
"""

from outlast.plan.citations import Citation, Coverage, citations, clause_coverage
from outlast.plan.compile import compile_system, under
from outlast.plan.constants import problems_of_constants, with_constants
from outlast.plan.tables import Machine, Plan, State, Transition, matches

__all__ = [
    "Citation",
    "Coverage",
    "Machine",
    "Plan",
    "State",
    "Transition",
    "citations",
    "clause_coverage",
    "compile_system",
    "matches",
    "problems_of_constants",
    "under",
    "with_constants",
]
