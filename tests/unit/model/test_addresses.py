"""Addresses and prefixes as integers, against the standard library's own."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aksnav.model.addresses import format_address, has_host_bits, is_v4, parse_address, parse_prefix

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
V4 = st.ip_addresses(v=4)
# The mapped range is IPv4 here: one integer names one address.
V6 = st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address).filter(lambda address: not address.ipv4_mapped)
ANY: st.SearchStrategy[Address] = st.one_of(V4, V6)


def number(address: Address) -> int:
    return int(address) + (0xFFFF_0000_0000 if address.version == 4 else 0)


@given(ANY)
def test_an_address_is_its_integer_and_comes_back_as_text(
    address: Address,
) -> None:
    """Text to integer and back, for both families, in any notation that the standard library prints."""
    found = parse_address(str(address))
    assert found == number(address)
    assert parse_address(address.exploded) == found
    assert is_v4(found) == (address.version == 4)
    assert parse_address(format_address(found)) == found
    assert ipaddress.ip_address(format_address(found)) == address


def test_an_ipv4_address_and_its_mapped_form_are_one() -> None:
    """RFC 4291, section 2.5.5.2."""
    assert parse_address("::ffff:10.0.0.1") == parse_address("10.0.0.1")
    assert format_address(parse_address("::ffff:10.0.0.1") or 0) == "10.0.0.1"


@pytest.mark.parametrize(
    "text",
    ["", "10.0.0", "10.0.0.256", "010.0.0.1", "10.0.0.1 ", "::g", ":::", "fe80::1%eth0", "x", "1", "1.1.1.1\x00"],
)  # fmt: skip
def test_what_is_no_address_is_none(text: str) -> None:
    """Nothing is guessed from a text that is not an address."""
    assert parse_address(text) is None
    assert parse_prefix(text) is None


@given(ANY, st.integers(0, 128))
def test_a_prefix_is_the_range_of_the_standard_library(address: Address, length: int) -> None:
    """First and last address, length, text and host bits."""
    length = min(length, address.max_prefixlen)
    text = f"{address}/{length}"
    network = ipaddress.ip_network(text, strict=False)
    prefix = parse_prefix(text)
    assert prefix is not None
    assert (prefix.first, prefix.last) == (number(network[0]), number(network[-1]))
    assert (prefix.length, prefix.size) == (network.prefixlen, network.num_addresses)
    assert parse_prefix(str(prefix)) == prefix
    assert has_host_bits(text) == (network.network_address != address)


@given(ANY, st.integers(0, 128), ANY, st.integers(0, 128))
def test_containment_and_overlap_are_those_of_the_standard_library(
    one: Address,
    first: int,
    two: Address,
    second: int,
) -> None:
    """Blocks of different families hold nothing of each other, ::/0 no IPv4 address."""
    a = ipaddress.ip_network(f"{one}/{min(first, one.max_prefixlen)}", strict=False)
    b = ipaddress.ip_network(f"{two}/{min(second, two.max_prefixlen)}", strict=False)
    left, right = parse_prefix(str(a)), parse_prefix(str(b))
    assert left is not None
    assert right is not None
    same = a.version == b.version
    if left.v4 == (a.version == 4) and right.v4 == (b.version == 4):  # not a part of the mapped range written as IPv6
        assert left.overlaps(right) == (same and a.overlaps(b))
        assert left.covers(right) == (same and b.subnet_of(a))  # type: ignore[arg-type]  # same families
        assert (number(two) in left) == (same and two in a)


@pytest.mark.parametrize(
    "text", ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/1x", "10.0.0.0/٣", "/8"]
)
def test_a_length_that_is_none_is_no_prefix(text: str) -> None:
    """Lengths beyond the family, empty, negative or in other digits."""
    assert parse_prefix(text) is None
    assert not has_host_bits(text)


def test_a_bare_address_is_a_block_of_one() -> None:
    """As security rules write single addresses."""
    prefix = parse_prefix("10.0.0.7")
    assert prefix is not None
    assert (str(prefix), prefix.size) == ("10.0.0.7/32", 1)
