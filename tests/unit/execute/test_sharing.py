"""Sharing: who goes next past a gate."""

from __future__ import annotations

import random

from compat.execute.sharing import chosen
from compat.model.cell import Side
from compat.model.history import Attempt


def held(*sides: Side) -> dict[int, Attempt]:
    return {n: Attempt("w", side, "mail", str(n), 1, "t", n) for n, side in enumerate(sides)}


def test_the_oldest_of_the_side_whose_turn_it_is_goes_first() -> None:
    """T154."""
    attempts = held("port", "port", "oracle", "oracle")
    assert chosen(attempts, None, None) == 2
    assert chosen(attempts, "oracle", None) == 0
    assert chosen(attempts, "port", None) == 2


def test_a_side_that_is_alone_goes_on_alone() -> None:
    assert chosen(held("port", "port"), "port", None) == 0


def test_a_seed_draws_the_same_order_whichever_side_came_first() -> None:
    def sides(attempts: dict[int, Attempt], seed: int) -> list[Side]:
        draw, order = random.Random(seed), []
        while attempts:
            order.append(attempts.pop(chosen(attempts, None, draw)).side)
        return order

    one, other = held("port", "oracle", "port", "oracle", "port"), held("oracle", "port", "port", "port", "oracle")
    orders = {seed: sides(dict(one), seed) for seed in range(20)}
    assert orders == {seed: sides(dict(other), seed) for seed in range(20)}
    assert len({tuple(order) for order in orders.values()}) > 3
