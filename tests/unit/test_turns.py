"""Turns: who has waited longest is next."""

import threading

from aksnav.sources.kubernetes.turns import Turns

BOUND = 15.0


def test_whoever_gives_a_turn_back_waits_behind_those_who_asked_before() -> None:
    """One holds the only turn, another asks; the first one, asking again at once, comes second."""
    turns, order = Turns(1), []
    asked = threading.Event()

    def other() -> None:
        asked.set()
        with turns:
            order.append("other")

    waiting = threading.Thread(target=other)
    with turns:
        waiting.start()
        assert asked.wait(BOUND)
        while not turns._waiting:
            asked.wait(0)
    with turns:
        order.append("first")
    waiting.join(BOUND)
    assert order == ["other", "first"]


def test_as_many_as_allowed_hold_a_turn_at_a_time() -> None:
    """Two of two are free, the third waits until one is given back."""
    turns = Turns(2)
    with turns, turns:
        assert turns._free == 0
    assert turns._free == 2
