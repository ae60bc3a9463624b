"""The catalogue of faults names each fault that exists, and no other."""

from __future__ import annotations

from compat import faults


def test_every_fault_is_described_and_every_description_is_a_faults() -> None:
    kinds = [kind for name in faults.__all__ if isinstance(kind := getattr(faults, name), type)]
    described = [kind.about for kind in kinds if issubclass(kind, faults.Fault) and hasattr(kind, "about")]
    assert len(described) == len({about.name for about in described})
    assert {about.name: about for about in described} == faults.CATALOGUE
