"""Which addresses are of the public internet."""

from aksnav.model.addresses import Prefix, parse_prefix

# What is not the public internet (RFC 6890, RFC 1918, RFC 6598, RFC 4193, RFC 4291).
_SPECIAL_TEXTS = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",
    "168.63.129.16/32", "::/96", "64:ff9b::/96", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/10", "ff00::/8",
)  # fmt: skip
SPECIAL: tuple[Prefix, ...] = tuple(prefix for prefix in map(parse_prefix, _SPECIAL_TEXTS) if prefix is not None)
_DOCUMENTATION = frozenset({"192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"})
_PRIVATE: tuple[Prefix, ...] = tuple(prefix for prefix in SPECIAL if str(prefix) not in _DOCUMENTATION)


def is_public(address: int) -> bool:
    """Return whether an address is one of the public internet (documentation ranges stand for public ones)."""
    return not any(address in prefix for prefix in _PRIVATE)
