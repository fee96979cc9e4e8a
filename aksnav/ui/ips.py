"""The view of ``:ips``: the address plan, or who holds an address, as lines of spans."""

from collections.abc import Iterator
from textwrap import wrap

from aksnav.report.ips import Said, answer_lines, plan_lines
from aksnav.store import Store
from aksnav.trace.addressing.find import parse_asked, who_holds
from aksnav.trace.addressing.plan import plan
from aksnav.ui.text import Line, Span

_HANG = 6
_NARROWEST = 40


def ips_lines(store: Store, address: str, width: int) -> list[Line]:
    """Return the plan, or for an address or a CIDR who holds it, what contains it and who held it before.

    Args:
        store: what is known.
        address: an address, a CIDR, or an empty string for the plan.
        width: cells of the screen: longer lines go on in the next one.

    Raises:
        BadRequest: it is neither an address nor a CIDR.
    """
    said = answer_lines(who_holds(store, parse_asked(address))) if address else plan_lines(plan(store))
    return [line for item in said for line in _wrapped(item, max(width - 1, _NARROWEST))]


def _wrapped(said: Said, width: int) -> Iterator[Line]:
    if len(said.text) <= width:
        yield [Span(said.text, said.tone)]
        return
    indent = " " * (len(said.text) - len(said.text.lstrip()))
    after = indent + " " * _HANG
    for text in wrap(said.text.strip(), width, initial_indent=indent, subsequent_indent=after, break_on_hyphens=False):
        yield [Span(text, said.tone)]
