"""Next hops against the simplest selection that there is, over random tables, peerings and private endpoints."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aksnav.model.addresses import parse_address, parse_prefix
from tests.unit.azure_routes.networks import (
    Change,
    all_of,
    built,
    endpoint,
    gateway,
    hop,
    nothing,
    peer,
    space,
    table,
    to,
)

# A loaded machine says nothing of the code: nothing is timed.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPACES = [("10.0.0.0/16",), ("10.0.0.0/8",), ("10.0.0.0/16", "172.16.0.0/12"), ("10.0.0.0/16", "203.0.113.0/24")]
USER = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.0.1.0/24", "10.0.1.9/32", "10.1.0.0/16", "172.16.0.0/12",
        "203.0.113.0/24", "203.0.113.9/32", "192.168.0.0/16"]  # fmt: skip
TAGS = ["Storage", "Sql"]
HOPS = ["VirtualAppliance", "VirtualNetworkGateway", "None", "Internet", "VnetLocal"]
DESTINATIONS = [
    "10.0.0.9",
    "10.0.1.9",
    "10.1.2.3",
    "10.9.9.9",
    "172.20.1.1",
    "192.168.1.1",
    "203.0.113.9",
    "203.0.114.1",
]
RESERVED = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"]
ROUTES = st.lists(
    st.tuples(st.sampled_from(USER + TAGS), st.sampled_from(HOPS)), max_size=6, unique_by=lambda item: item[0]
)
Known = list[tuple[str, int, str]]


def length(text: str) -> int:
    """Return the length of a prefix."""
    return int(text.partition("/")[2])


def holds(prefix: str, address: str) -> bool:
    """Return whether a prefix holds an address."""
    return parse_address(address) in (parse_prefix(prefix) or ())


def covers(wide: str, narrow: str) -> bool:
    """Return whether a prefix holds all of another."""
    return length(wide) <= length(narrow) and holds(wide, narrow.partition("/")[0])


def effective(own: tuple[str, ...], peered: tuple[str, ...], routes: list[tuple[str, str]], private: str) -> Known:
    """Return every route with a prefix: prefix, rank of its source, next hop."""
    known: Known = [("0.0.0.0/0", 1, "Internet")]
    known += [(text, 1, "None") for text in RESERVED if not any(covers(item, text) for item in (*own, *peered))]
    known += [(text, 1, "VnetLocal") for text in own] + [(text, 1, "VNetPeering") for text in peered]
    if private:
        known.append(("10.0.1.9/32", 1, "InterfaceEndpoint"))
    return known + [(text, 0, kind) for text, kind in routes if text not in TAGS]


def naive(known: Known, own: tuple[str, ...], private: str, address: str) -> tuple[str, int, str]:
    """Return the route that is selected where nothing is unread: the longest, then the user's."""
    holding = [item for item in known if holds(item[0], address)]
    whole = max((length(text) for text in own if holds(text, address)), default=0)
    user = max((length(text) for text, rank, _ in holding if rank == 0), default=-1)
    if private == "Enabled" and user >= whole:
        holding = [item for item in holding if item[2] != "InterfaceEndpoint"]
    return min(holding, key=lambda item: (-length(item[0]), item[1]))


@settings(PATIENT, max_examples=300)
@given(
    own=st.sampled_from(SPACES),
    peered=st.sampled_from([(), ("10.1.0.0/16",), ("10.1.0.0/16", "192.168.1.0/24")]),
    routes=ROUTES,
    private=st.sampled_from(["", "", "Disabled", "Enabled"]),
    learned=st.sampled_from(["none", "gateway", "refused"]),
    destination=st.sampled_from(DESTINATIONS),
)
def test_the_selection_is_the_simplest_one(
    own: tuple[str, ...],
    peered: tuple[str, ...],
    routes: list[tuple[str, str]],
    private: str,
    learned: str,
    destination: str,
) -> None:
    """The next hop is the longest prefix's, then the user's; it is open where a tag or a learned route could decide."""
    changes: list[Change] = [
        space(*own),
        peer("vnet2", *peered) if peered else nothing,
        table(*[to(text, kind) for text, kind in routes], disableBgpRoutePropagation=learned == "refused"),
        endpoint("10.0.1.9", private) if private else nothing,
        gateway if learned != "none" else nothing,
    ]
    prefix, rank, expected = naive(effective(own, peered, routes, private), own, private, destination)
    public = destination.startswith("203.")
    by_tag = [kind for text, kind in routes if text in TAGS]
    # The route of a tag leads elsewhere, unless it is of the same type (there is one appliance) or one for the address.
    tag_decides = public and not (rank == 0 and length(prefix) == 32) and any(kind != expected for kind in by_tag)
    unread = learned == "gateway" and rank == 1 and expected == "None"
    decision = hop(built(*changes), destination)
    assert decision.hop == ("" if tag_decides or unread else expected)
    assert (decision.source == "user") == (rank == 0)
    assert str(decision.prefix) == prefix


@PATIENT
@given(routes=ROUTES, order=st.randoms(), destination=st.sampled_from(DESTINATIONS))
def test_the_order_of_the_table_does_not_matter(routes: list[tuple[str, str]], order: Any, destination: str) -> None:
    """Prefixes decide, not positions."""
    shuffled = list(routes)
    order.shuffle(shuffled)
    first, second = (
        hop(built(table(*[to(text, kind) for text, kind in listed])), destination) for listed in (routes, shuffled)
    )
    assert (first.hop, first.prefix, set(first.assumed)) == (second.hop, second.prefix, set(second.assumed))


@PATIENT
@given(routes=ROUTES, destination=st.sampled_from(DESTINATIONS))
def test_every_route_of_the_table_is_accounted_for(routes: list[tuple[str, str]], destination: str) -> None:
    """Each user-defined route is named with the reason why it did or did not decide."""
    decision = hop(built(all_of(table(*[to(text, kind) for text, kind in routes]))), destination)
    named = " ".join(item.rule for item in decision.considered)
    assert all(f"r{number} {text}" in named for number, (text, _) in enumerate(routes))
