"""Which rows of a table changed lately: what the mark in the gutter shows, until it fades."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from itertools import takewhile


class Flashes:
    """Keys of rows with the time of their last change, the latest one last, so that what fades comes first."""

    def __init__(self, seconds: float) -> None:
        """Begin with none.

        Args:
            seconds: for how long a change is shown.
        """
        self._seconds = seconds
        self._at: dict[str, float] = {}

    def __contains__(self, key: str) -> bool:
        """Whether the row changed lately."""
        return key in self._at

    def note(self, keys: Iterable[str], now: float) -> None:
        """Take note of changes.

        Args:
            keys: of the rows.
            now: the clock in seconds, the same one as for `fade`.
        """
        for key in keys:
            self._at.pop(key, None)
            self._at[key] = now

    def drop(self, keys: AbstractSet[str]) -> None:
        """Forget rows that are gone."""
        for key in keys:
            self._at.pop(key, None)

    def keep(self, keys: AbstractSet[str]) -> None:
        """Forget all rows but these."""
        self._at = {key: at for key, at in self._at.items() if key in keys}

    def fade(self, now: float) -> bool:
        """Forget what is too long ago, and answer whether that was anything."""
        over = list(takewhile(lambda key: now - self._at[key] >= self._seconds, self._at))
        for key in over:
            del self._at[key]
        return bool(over)
