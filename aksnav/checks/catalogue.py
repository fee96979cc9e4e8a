"""The catalogue of checks: what each id means. Ids are kept for good; a new one takes the next number of its letter."""

import functools
from importlib import resources

import msgspec

from aksnav.checks.finding import Check

LETTERS = {
    "L": "load balancer and public address",
    "N": "network security group",
    "R": "routing and peering",
    "S": "Service and endpoints",
    "I": "Ingress",
    "A": "Application Gateway",
    "G": "Gateway API and mesh",
    "P": "network policy",
    "D": "DNS",
    "T": "TLS",
    "X": "Pods and nodes",
    "C": "capacity",
    "V": "private link",
    "K": "control plane",
}


@functools.cache
def catalogue() -> dict[str, Check]:
    """Return every check by id, in the order of the catalogue."""
    raw = resources.files("aksnav.checks").joinpath("catalogue.json").read_bytes()
    return {check.id: check for check in msgspec.json.decode(raw, type=list[Check])}


def find_check(word: str) -> Check | None:
    """Return the check with this id, in either letter case, or None."""
    return catalogue().get(word.upper())
