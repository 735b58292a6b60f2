"""Running machines.

heart      `step` and its kin, pure: one instance, one event or timer -> a Step
macrostep  the algorithm behind it (SCXML Appendix D)
steps      what a Step is
snapshot   instances as values; saved: as JSON
system     instances bound to each other, in virtual time
explanation why, and why not
scenario   stories told and judged
fast       the same steps, compiled; and one machine alone
"""

from outlast.run.explanation import Candidate, Explanation, Offer, explain
from outlast.run.heart import fire, start, step, stop
from outlast.run.saved import SystemSnapshot
from outlast.run.scenario import Moment, Run, Verdict, every_reading, run_scenario
from outlast.run.snapshot import Delayed, Event, Snapshot, Timer
from outlast.run.steps import Delivery, Effect, Microstep, Step
from outlast.run.system import Instance, System
from outlast.run.terms import Terms

__all__ = [
    "Candidate",
    "Delayed",
    "Delivery",
    "Effect",
    "Event",
    "Explanation",
    "Instance",
    "Microstep",
    "Moment",
    "Offer",
    "Run",
    "Snapshot",
    "Step",
    "System",
    "SystemSnapshot",
    "Terms",
    "Timer",
    "Verdict",
    "every_reading",
    "explain",
    "fire",
    "run_scenario",
    "start",
    "step",
    "stop",
]
