"""Showing and asking take their share of a core, and no more."""

import pytest

from aksnav.ui.pace import LOADING_PAUSE, SHOW_WITHIN, SLICE, STREAM_PAUSE, TYPING, Pace
from aksnav.ui.slow_link import FRAMES, bound_frames


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_the_first_change_is_shown_at_once_and_a_costly_one_within_its_bound() -> None:
    """After a costly look at the tables there is a pause, which is never longer than what one waits for a change."""
    clock = Clock()
    pace = Pace(clock)
    assert not pace.may_show()
    pace.changed(loading=False)
    assert pace.may_show()
    clock.now += 1.0
    pace.shown(started=100.0)
    pace.changed(loading=False)
    assert not pace.may_show()
    assert pace.delay(drained=False, pending=False, first=False) == pytest.approx(SHOW_WITHIN)
    clock.now += SHOW_WITHIN
    assert pace.may_show()


def test_traces_are_asked_again_for_a_fifth_of_a_core_and_first_for_a_half() -> None:
    """The pause is four times the work, for the first answers as long as the work."""
    clock = Clock()
    pace = Pace(clock)
    clock.now += 0.5
    pace.evaluated(started=100.0)
    clock.now += 0.5
    assert pace.may_evaluate(first=True)
    assert not pace.may_evaluate(first=False)
    clock.now += 1.5
    assert pace.may_evaluate(first=False)


def test_while_a_list_arrives_traces_are_asked_once_a_second() -> None:
    """Most of them would have to be asked again."""
    clock = Clock()
    pace = Pace(clock)
    pace.evaluated(started=clock.now)
    pace.changed(loading=True)
    assert not pace.may_evaluate(first=True)
    clock.now += LOADING_PAUSE
    assert pace.may_evaluate(first=True)


def test_while_one_change_follows_another_traces_are_asked_four_times_a_second() -> None:
    """A single change is asked about at once; the first answers do not wait for a calm."""
    clock = Clock()
    pace = Pace(clock)
    pace.changed(loading=False)
    assert pace.may_evaluate(first=False)
    pace.evaluated(started=clock.now)
    clock.now += STREAM_PAUSE / 2
    pace.changed(loading=False)
    assert not pace.may_evaluate(first=False)
    assert pace.may_evaluate(first=True)
    clock.now += STREAM_PAUSE / 2
    assert pace.may_evaluate(first=False)


def test_under_a_stream_traces_wait_for_a_pause_in_typing_but_not_for_ever() -> None:
    """One trace of a load balancer with 5,000 nodes takes longer than a key may; a held key delays it by a second."""
    clock = Clock()
    pace = Pace(clock)
    pace.evaluated(started=clock.now)
    for _ in range(3):
        clock.now += STREAM_PAUSE / 2
        pace.changed(loading=False)
    assert pace.may_evaluate(first=False, last_key=clock.now - TYPING)
    assert not pace.may_evaluate(first=False, last_key=clock.now - TYPING / 2)
    clock.now += LOADING_PAUSE
    assert pace.may_evaluate(first=False, last_key=clock.now)


def test_nothing_to_do_is_no_wake_up() -> None:
    """A still cluster costs nothing; after changes the next look comes soon."""
    pace = Pace(Clock())
    assert pace.delay(drained=False, pending=False, first=False) is None
    assert pace.delay(drained=True, pending=False, first=False) == SLICE


def test_few_frames_wait_for_a_slow_line() -> None:
    """Textual's own writer takes the bound; where it no longer did, this test would say so."""
    from io import StringIO

    from textual.drivers._writer_thread import WriterThread

    assert bound_frames()
    assert WriterThread(StringIO())._queue.maxsize == FRAMES
