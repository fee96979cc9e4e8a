"""A value of a request against what a match wants: exact, or an expression where the controller's reading is known."""

from aksnav.model.kubernetes.gateway import ValueMatch
from aksnav.trace.routing.safe_regex import Refused, compile_safely

UNKNOWN = "? "
"""What begins a word on a comparison that is not evaluated."""


def compare(wanted: ValueMatch, value: str | None, what: str, *, expressions: bool) -> str:
    """Return why a header or query parameter is not the one wanted; empty if it is; ``? why`` if not evaluated.

    Args:
        wanted: the match; an empty type is Exact.
        value: of the request; None where it has none of the name.
        what: the name of its kind, for people.
        expressions: RegularExpression is RE2 and matches the whole value; else it is not evaluated.
    """
    if value is None:
        return f"{what} {wanted.name} is not there"
    if wanted.type in {"Exact", ""}:
        return "" if value == wanted.value else f"{what} {wanted.name} is not {wanted.value}"
    return expression(wanted.type, wanted.value, value, f"{what} {wanted.name}", expressions=expressions)


def expression(kind: str, wanted: str, value: str, what: str, *, expressions: bool) -> str:
    """Return why a value does not match an expression; empty if it does; ``? why`` if that is not evaluated."""
    if kind != "RegularExpression":
        return f"{UNKNOWN}match type {kind} of the {what}"
    if not expressions:
        return f"{UNKNOWN}RegularExpression {wanted} is up to the controller"
    pattern = compile_safely(wanted, value)
    if isinstance(pattern, Refused):
        return f"{UNKNOWN}RegularExpression {wanted}: {pattern.why}"
    return "" if pattern.fullmatch(value) else f"the {what} does not match {wanted}"
