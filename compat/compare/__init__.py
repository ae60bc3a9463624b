"""Two canonical histories, compared and told in words; and one history, held against laws and facts."""

from compat.compare.differences import Comparison, compare, differences
from compat.compare.facts import MissedFact, holds, missed_facts
from compat.compare.lateness import Lateness, lateness
from compat.compare.laws import LAWS, BrokenLaw, broken_laws

__all__ = [
    "LAWS",
    "BrokenLaw",
    "Comparison",
    "Lateness",
    "MissedFact",
    "broken_laws",
    "compare",
    "differences",
    "holds",
    "lateness",
    "missed_facts",
]
