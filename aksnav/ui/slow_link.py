"""Frames that wait for a slow line: a few, so that what is on the screen is not seconds old."""

from textual.drivers import _writer_thread

FRAMES = 3
"""Writes that may wait; measured over 16 KB/s: 2.4 s until the screen is right after 3 s of a held key, not 15.2 s."""


def bound_frames() -> bool:
    """Let fewer writes wait for the terminal than Textual does (30, each of them out of date when its turn comes).

    Textual has no setting for it. The name is its own affair, so that nothing happens where it is no longer there.

    Returns:
        Whether it could be done.
    """
    if not isinstance(getattr(_writer_thread, "MAX_QUEUED_WRITES", None), int):
        return False
    setattr(_writer_thread, "MAX_QUEUED_WRITES", FRAMES)  # noqa: B010 - it is declared final
    return True
