"""What holds of a system in time: every order of events, every moment at which they can come.

verdicts   what a check found
zones      sets of times, as difference bounds
locations  what a system is, times left aside
successors what can happen next: the engine's own steps, each taken once
composed   a composition made into instances, and the part that matters
conditions properties, asked of locations
search     every location with every time
prospects  backwards: from where something can still be brought about
traces     from a path to a run of the engine
settling   claims, settled by as few searches as will do
check      verdicts on the properties of a system
reach      what is never come to, and never left
charts     a trace as a case of a table and as a message chart
"""

from outlast.proofs.timed.charts import case_table, message_chart
from outlast.proofs.timed.check import check
from outlast.proofs.timed.reach import Reach, Stuck, reach
from outlast.proofs.timed.settling import Budget
from outlast.proofs.timed.verdicts import Change, Happening, Statistics, Trace, Verdict

__all__ = [
    "Budget",
    "Change",
    "Happening",
    "Reach",
    "Statistics",
    "Stuck",
    "Trace",
    "Verdict",
    "case_table",
    "check",
    "message_chart",
    "reach",
]
