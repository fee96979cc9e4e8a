"""The API server's authorized ranges: K01 where they do not hold the client, and silence where nothing says so."""

from typing import Any

import msgspec
import pytest

from aksnav.model.change import Upserted
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Certainty, Outcome, Trace


def asked(ranges: Any, source: str, host: str = "") -> Trace:
    store = Store()
    for change in demo.changes("healthy", lambda: 1_764_000_000.0):
        store.apply(change)
    managed = next(iter(store.clusters))
    profile = {"enablePrivateCluster": False, "authorizedIPRanges": ranges}
    store.apply(Upserted(managed.KIND, [msgspec.structs.replace(managed, api_server_access_profile=profile)]))
    return trace(store, parse_request(f"https://{host or managed.fqdn}", source=source))


@pytest.mark.parametrize("ranges", [["198.51.100.0/24"], ["198.51.100.7"], ["0.0.0.0/32"]])
def test_a_client_outside_of_the_ranges_is_dropped(ranges: list[str]) -> None:
    """K01: the ranges are the field, the cluster is the object."""
    found = asked(ranges, "internet:203.0.113.9")
    assert (found.outcome, found.confidence.certainty, found.causes) == (
        Outcome.DROPPED,
        Certainty.PROVEN,
        ("K01",),
    )
    (step,) = found.breaks
    assert step.evidence[0].field == ".apiServerAccessProfile.authorizedIPRanges"
    assert "203.0.113.9" in step.fix


@pytest.mark.parametrize(
    ("ranges", "source"),
    [
        (["203.0.113.0/24"], "internet:203.0.113.9"),
        ([], "internet:203.0.113.9"),
        (None, "internet:203.0.113.9"),
        # A service tag may hold anybody.
        (["AzureCloud", "198.51.100.0/24"], "internet:203.0.113.9"),
        # Who comes from anywhere, or from inside, has no public address that is known here.
        (["198.51.100.0/24"], "internet"),
        (["198.51.100.0/24"], "10.224.0.60"),
        # The cluster's own public address.
        (["198.51.100.0/24"], "internet:20.50.1.7"),
    ],
)
def test_where_nothing_proves_it_the_ranges_end_nothing(ranges: Any, source: str) -> None:
    """The name's address is in no object, and that is what is told."""
    found = asked(ranges, source)
    assert (found.outcome, "K01" in found.causes) == (Outcome.UNDECIDED, False)


def test_another_name_is_not_the_api_servers() -> None:
    """The ranges are for the API server alone."""
    assert "K01" not in asked(["198.51.100.0/24"], "internet:203.0.113.9", "blog.contoso.com").causes
