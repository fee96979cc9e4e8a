"""Addresses and prefixes as plain integers in one number space.

An IPv6 address is its 128-bit integer; an IPv4 address is the integer of its IPv4-mapped form ``::ffff:a.b.c.d``
(RFC 4291, section 2.5.5.2). So one integer names one address of either family, and a prefix is a range of integers.
"""

import socket

import msgspec

V4_BASE = 0xFFFF_0000_0000
V4_LAST = 0xFFFF_FFFF_FFFF
V4_BITS = 32
V6_BITS = 128
# Foreign text may have more digits than Python reads as a number.
_LONGEST_LENGTH = 3


def parse_address(text: str) -> int | None:
    """Return the integer of an IPv4 or IPv6 address in text form, or None if the text is not an address."""
    try:
        if ":" in text:
            return int.from_bytes(socket.inet_pton(socket.AF_INET6, text), "big")
        return V4_BASE | int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except (OSError, ValueError):
        return None


def format_address(address: int) -> str:
    """Return the text form of an address integer (RFC 5952 for IPv6, dotted for IPv4)."""
    if is_v4(address):
        return socket.inet_ntop(socket.AF_INET, (address - V4_BASE).to_bytes(4, "big"))
    return socket.inet_ntop(socket.AF_INET6, address.to_bytes(16, "big"))


def is_v4(address: int) -> bool:
    """Return whether the integer is an IPv4 address."""
    return V4_BASE <= address <= V4_LAST


class Prefix(msgspec.Struct, frozen=True, order=True, gc=False):
    """A CIDR block as an inclusive range of address integers.

    Attributes:
        first: lowest address (host bits cleared).
        last: highest address.
    """

    first: int
    last: int

    def __contains__(self, address: object) -> bool:
        """Return whether an address integer lies in the block; an IPv6 block (``::/0``) holds no IPv4 address."""
        return isinstance(address, int) and self.first <= address <= self.last and self.v4 == is_v4(address)

    def covers(self, other: "Prefix") -> bool:
        """Return whether every address of the other block lies in this one."""
        return self.first <= other.first and other.last <= self.last and self.v4 == other.v4

    def overlaps(self, other: "Prefix") -> bool:
        """Return whether the blocks have an address in common."""
        return self.first <= other.last and other.first <= self.last and self.v4 == other.v4

    @property
    def v4(self) -> bool:
        """Whether it is a block of IPv4 addresses: the mapped range lies inside wide IPv6 blocks as well."""
        return self.first >= V4_BASE and self.last <= V4_LAST

    @property
    def size(self) -> int:
        """Number of addresses in the block."""
        return self.last - self.first + 1

    @property
    def length(self) -> int:
        """Prefix length in the bits of the block's own family (24 for a /24)."""
        bits = V4_BITS if is_v4(self.first) else V6_BITS
        return bits - (self.size.bit_length() - 1)

    def __str__(self) -> str:
        return f"{format_address(self.first)}/{self.length}"


def parse_prefix(text: str) -> Prefix | None:
    """Return the block that ``a.b.c.d/n``, ``x::/n`` or a bare address names, or None if it is neither.

    Host bits are cleared, as Azure and Kubernetes do when they match (a rule that must refuse them says so itself).
    """
    head, slash, tail = text.partition("/")
    address = parse_address(head)
    if address is None:
        return None
    bits = V4_BITS if ":" not in head else V6_BITS
    if not slash:
        return Prefix(address, address)
    if not (tail.isascii() and tail.isdigit() and len(tail) <= _LONGEST_LENGTH) or int(tail) > bits:
        return None
    size = 1 << (bits - int(tail))
    first = address & ~(size - 1)
    return Prefix(first, first + size - 1)


def has_host_bits(text: str) -> bool:
    """Return whether a CIDR in text form has bits set behind its prefix length (``10.0.0.1/8``)."""
    prefix = parse_prefix(text)
    address = parse_address(text.partition("/")[0])
    return prefix is not None and address is not None and prefix.first != address
