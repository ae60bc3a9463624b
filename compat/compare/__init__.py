"""What differs between two histories of one scenario, what it means, and which laws and facts do not hold."""

from compat.compare.difference import Comparison, differences
from compat.compare.facts import missed_facts
from compat.compare.laws import broken_laws

__all__ = ["Comparison", "broken_laws", "differences", "missed_facts"]
