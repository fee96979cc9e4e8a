"""Regular expressions from cluster objects: compiled only where matching them cannot take long."""

import re

import msgspec

MAX_LENGTH = 512
_WORK = 10**7
# A repeated group that holds a repetition or an alternative can take exponential time.
_NESTED = re.compile(r"\((?:[^()\\]|\\.)*[*+|{](?:[^()\\]|\\.)*\)(?:[*+]|\{\d*,?\d*\})")
_DEEP = re.compile(r"\)\s*\)[*+{]")
_UNBOUNDED = re.compile(r"(?<!\\)[*+]|\{\d+,\}")


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
    if _NESTED.search(pattern) or _DEEP.search(pattern):
        return Refused("the expression repeats a group that can match in many ways")
    if (len(subject) + 1) ** len(_UNBOUNDED.findall(pattern)) > _WORK:
        return Refused("the expression could take long on this text")
    try:
        return re.compile(pattern, re.IGNORECASE if ignore_case else 0)
    except (re.error, OverflowError, RecursionError) as error:
        return Refused(f"the expression cannot be read: {error}")
