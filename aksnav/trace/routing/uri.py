"""Pieces of a URI (RFC 3986), without I/O modules."""

import re

_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


def decode(text: str) -> str:
    """Return text with its percent-encoded octets decoded as UTF-8; what is no UTF-8 becomes U+FFFD."""
    if "%" not in text:
        return text
    raw = _ESCAPE.sub(lambda match: bytes([int(match.group(1), 16)]), text.encode("utf-8", "surrogateescape"))
    return raw.decode("utf-8", "replace")


def query_pairs(query: str) -> tuple[tuple[str, str], ...]:
    """Return the parameters of a query in order, decoded (application/x-www-form-urlencoded)."""
    parts = (part.partition("=") for part in query.split("&") if part)
    return tuple((decode(key.replace("+", " ")), decode(value.replace("+", " "))) for key, _, value in parts)
