"""Ways in through Application Gateway for Containers, from captures in wire form."""

from pathlib import Path

import pytest

from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import Objects
from tests.azure.gateway_objects import FQDN, containers
from tests.azure.ways_in import FILTERED, POD, Way, checked

SHOP = "http://shop.example/"
DROPPED, UNDECIDED, REFUSED = Outcome.DROPPED, Outcome.UNDECIDED, Outcome.REFUSED


def not_delegated(made: Objects) -> None:
    made["vnet"]["properties"]["subnets"][-1]["properties"]["delegations"] = []


def small(made: Objects) -> None:
    made["vnet"]["properties"]["subnets"][-1]["properties"]["addressPrefix"] = "10.231.0.0/26"


def large(made: Objects) -> None:
    made["vnet"]["properties"]["subnets"][-1]["properties"]["addressPrefix"] = "10.228.0.0/23"


def gone(made: Objects) -> None:
    made["agc-frontend"]["properties"]["fqdn"] = "other.fz56.alb.azure.com"


def failed(made: Objects) -> None:
    made["agc-association"]["properties"]["provisioningState"] = "Failed"


def no_frontends(made: Objects) -> None:
    del made["agc-frontend"], made["agc-association"]


WAYS = [
    Way(
        name="for-containers",
        bend=(containers,),
        to="http://shop.example/",
        field=".fqdn",
        value=FQDN,
        steps=(
            "start.internet",
            "dns.resolve",
            "az.agc.frontend",
            "k8s.gateway.listener",
            "k8s.route.match",
            "k8s.service.port",
            "k8s.endpoint",
            *FILTERED,
            *POD,
        ),
    ),
    Way(
        name="agc-not-delegated",
        bend=(containers, not_delegated),
        to=SHOP,
        outcome=DROPPED,
        causes=("G02",),
        field=".delegations",
    ),
    Way(
        name="agc-small-subnet",
        bend=(containers, small),
        to=SHOP,
        outcome=DROPPED,
        causes=("G02",),
        field=".addressPrefix",
    ),
    Way(
        name="agc-overlay-large-subnet",
        bend=(containers, large),
        to=SHOP,
        outcome=DROPPED,
        causes=("G03",),
        field=".addressPrefix",
    ),
    Way(name="agc-name-is-gone", bend=(containers, gone), to=SHOP, outcome=REFUSED, causes=("G04",), field=".fqdn"),
    Way(
        name="agc-association-failed",
        bend=(containers, failed),
        to=SHOP,
        outcome=DROPPED,
        causes=("G02",),
        field=".provisioningState",
    ),
    Way(name="agc-not-read", bend=(containers, no_frontends), to=SHOP, outcome=UNDECIDED),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_gateway_for_containers_has_its_verdict_steps_and_deciding_field(tmp_path: Path, way: Way) -> None:
    """The capture says what becomes of the request, and which field decides."""
    checked(tmp_path, way)
