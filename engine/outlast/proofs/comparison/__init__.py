"""Two specifications side by side: whether anybody who sends them the same events at the same times could tell them apart.

both      two systems in lock-step, as one
looking   what can be seen of them, and where that differs
compare   the comparison, composition by composition
"""

from outlast.proofs.comparison.compare import Comparison, Outcome, compare
from outlast.proofs.comparison.looking import Contrast

__all__ = ["Comparison", "Contrast", "Outcome", "compare"]
