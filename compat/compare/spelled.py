"""Values spelled so that nothing is confused: 1 is not True, not 1.0 and not "1"."""

from __future__ import annotations

import json
from typing import Any


def spelled(value: Any) -> Any:
    """`value` with every leaf as text: strings in quotes, everything else as JSON writes it.

    Python holds True, 1 and 1.0 for equal, and DeepDiff with it inside lists.
    """
    if isinstance(value, dict):
        return {str(key): spelled(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [spelled(item) for item in value]
    return json.dumps(value, ensure_ascii=True) if not isinstance(value, float) else repr(value)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, types included."""
    return bool(spelled(one) == spelled(other))
