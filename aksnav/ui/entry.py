"""A request that is followed, and what becomes of it."""

import msgspec

from aksnav.model.object import Ref
from aksnav.report.words import OUTCOME_RANK
from aksnav.trace.request import Request
from aksnav.trace.step import Trace


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A request, and what becomes of it.

    Attributes:
        key: stable name of the entry.
        request: the question.
        via: the object through which it enters.
        trace: the answer; None while it was not evaluated yet.
        before: the outcome before the last change of it, in words; empty if it never changed.
        changed_at: when the outcome last changed, seconds since the epoch; 0 if it never did.
    """

    key: str
    request: Request
    via: Ref | None = None
    trace: Trace | None = None
    before: str = ""
    changed_at: float = 0.0

    @property
    def rank(self) -> int:
        """Sorts worst first; what was not evaluated yet stands behind what is undecided."""
        return 6 if self.trace is None else OUTCOME_RANK[self.trace.outcome]
