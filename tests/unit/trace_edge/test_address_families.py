"""Blocks of one family hold no address of the other, although both live in one number space."""

import pytest

from aksnav.model.addresses import Prefix, parse_prefix
from tests.unit.trace_edge.world import address


def block(text: str) -> Prefix:
    """Return a block; the text must be one."""
    found = parse_prefix(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "held", "expected"),
    [
        ("::/0", "203.0.113.9", False),
        ("::/0", "2001:db8::1", True),
        ("0.0.0.0/0", "2001:db8::1", False),
        ("0.0.0.0/0", "203.0.113.9", True),
        ("::/64", "10.0.0.1", False),
    ],
)
def test_a_block_holds_addresses_of_its_own_family(text: str, held: str, expected: bool) -> None:
    """An IPv4 address is kept in its IPv6-mapped form, which wide IPv6 blocks span without meaning it."""
    assert (address(held) in block(text)) is expected
    assert block(text).covers(block(held)) is expected
    assert block(text).overlaps(block(held)) is expected
