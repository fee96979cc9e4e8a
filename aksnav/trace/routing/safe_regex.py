"""Regular expressions from cluster objects: compiled only where matching them cannot take long.

Python's engine backtracks: an expression takes, at worst, as many steps as there are ways to split the text among its
repetitions. That number is counted before anything is compiled, and an expression with too many ways is refused.
"""

import re
import warnings

import msgspec

MAX_LENGTH = 512
MAX_WAYS = 10**6
UNREADABLE = "the expression cannot be read"
_BOUNDS = re.compile(r"\{(\d*)(,?)(\d*)\}")
_MANY = 10**9


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Why an expression is not evaluated."""

    why: str


def compile_safely(pattern: str, subject: str, *, ignore_case: bool = False) -> "re.Pattern[str] | Refused":
    """Return the compiled expression, or why it is not evaluated against this subject.

    Args:
        pattern: as the object has it (PCRE or RE2; what Python does not read the same way is refused).
        subject: the text that it will be matched with; its length bounds the work.
        ignore_case: match without regard to letter case.
    """
    if len(pattern) > MAX_LENGTH:
        return Refused(f"the expression is longer than {MAX_LENGTH} characters")
    if ways(pattern, len(subject)) > MAX_WAYS:
        return Refused("the expression could take long on this text")
    try:
        # What Python only warns of (sets that it may read differently one day) other engines read differently today.
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return re.compile(pattern, re.ASCII | (re.IGNORECASE if ignore_case else 0))
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return Refused(f"{UNREADABLE}: {error}")


def ways(pattern: str, length: int) -> int:
    """Return an upper bound of the ways in which an expression can split a text of some length.

    Every repetition multiplies by the numbers of times that it may hold, every alternative adds a way, and a repeated
    group that has more than one way in itself, a look-around or a back-reference counts as too many.
    """
    total = 1
    choices: list[bool] = [False]  # for each open group: whether it can match one text in several ways
    repeated = False  # whether the piece before is a group with several ways
    index = 0
    while index < len(pattern):
        char = pattern[index]
        if char == "\\":
            if pattern[index + 1 : index + 2].isdigit():
                return _MANY
            index, repeated = index + 2, False
        elif char == "[":
            index, repeated = _after_set(pattern, index), False
        elif char == "(":
            if pattern[index + 1 : index + 2] == "?" and pattern[index + 2 : index + 3] not in {":", "P", "i"}:
                return _MANY
            choices.append(False)
            index, repeated = index + (3 if pattern[index + 1 : index + 2] == "?" else 1), False
        elif char == ")":
            repeated = choices.pop() if len(choices) > 1 else False
            choices[-1] = choices[-1] or repeated
            index += 1
        elif char in "*+?{" and (found := _times(pattern, index, length)) is not None:
            times, index = found
            if repeated and char != "?":
                return _MANY
            total = min(total * times, _MANY)
            choices[-1], repeated = True, False
        else:
            if char == "|":
                total, choices[-1] = min(total + total, _MANY), True
            index, repeated = index + 1, False
    return total


def _after_set(pattern: str, index: int) -> int:
    """The index behind a bracketed set: a bracket that comes first in it is literal."""
    start = index + 2 if pattern[index + 1 : index + 2] == "^" else index + 1
    place = start
    while place < len(pattern) and (pattern[place] != "]" or place == start):
        place += 2 if pattern[place] == "\\" else 1
    return place + 1


def _times(pattern: str, index: int, length: int) -> tuple[int, int] | None:
    """In how many ways a repetition holds, and the index behind it; None where a brace is literal."""
    char = pattern[index]
    end = index + 1
    if char == "{":
        bounds = _BOUNDS.match(pattern, index)
        if bounds is None:
            return None
        least = min(int(bounds[1] or 0), _MANY)
        most = min(int(bounds[3]), _MANY) if bounds[3] else (length + least if bounds[2] else least)
        times, end = max(most - least, 0) + 1 + (most > 1), bounds.end()
    else:
        times = 2 if char == "?" else length + 1
    if pattern[end : end + 1] in {"?", "+"} and pattern[end : end + 1]:
        end += 1
    return times, end
