"""Three-valued answers: yes, no, or unknown for a reason that is carried along."""

from collections.abc import Iterable

import msgspec


class Unknown(msgspec.Struct, frozen=True, gc=False):
    """Neither yes nor no; ``why`` names what is missing or not modelled, in one line."""

    why: str

    def __bool__(self) -> bool:
        raise TypeError("an unknown answer is neither true nor false: compare with `is True` or `is False`")


Answer = bool | Unknown


def every(answers: Iterable[Answer]) -> Answer:
    """Return False if any answer is no, else the first unknown one, else True."""
    unsure: Unknown | None = None
    for answer in answers:
        if answer is False:
            return False
        if isinstance(answer, Unknown) and unsure is None:
            unsure = answer
    return unsure if unsure is not None else True


def some(answers: Iterable[Answer]) -> Answer:
    """Return True if any answer is yes, else the first unknown one, else False."""
    unsure: Unknown | None = None
    for answer in answers:
        if answer is True:
            return True
        if isinstance(answer, Unknown) and unsure is None:
            unsure = answer
    return unsure if unsure is not None else False
