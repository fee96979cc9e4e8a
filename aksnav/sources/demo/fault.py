"""What a fault of the demo is, and what a trace must say of it."""

from collections.abc import Callable

import msgspec

from aksnav.model.object import Ref
from aksnav.sources.demo.world import World


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What is seen of a fault: its check is a cause of the request's trace, or a finding of the sweep, or both.

    Attributes:
        to, source: the request, as ``aksnav trace`` takes it; an empty ``to``: no request shows the fault.
        outcome, status: the trace's outcome (``trace.step.Outcome``), and the HTTP status where it responds;
            without the fault the same request is delivered.
        subject: the object that has the field that decides.
        field: that field, as kubectl or az prints it, without ``properties``.
    """

    subject: Ref
    field: str
    to: str = ""
    source: str = "internet"
    outcome: str = ""
    status: int = 0


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault.

    Attributes:
        check: id in the catalogue of checks.
        word: what it is called in the scenario's name.
        title: one line for people.
        apply: makes it.
        late: it is made behind the controllers' backs: after they have derived what follows from Services and routes.
        alone: the scenario ``faulty`` leaves it out, because it would hide others or be one too many.
    """

    check: str
    word: str
    title: str
    apply: Callable[[World], None]
    expected: Expected
    late: bool = False
    alone: bool = False

    @property
    def name(self) -> str:
        """Name of the scenario that has this fault alone."""
        return f"{self.check.lower()}-{self.word}"
