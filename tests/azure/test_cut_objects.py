"""Azure's objects without a field that decides: what follows from it is assumed by name, not passed over."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import ENDPOINT, Objects, base, private_link
from tests.azure.gateway_objects import GATEWAY, app_gateway
from tests.azure.ways_in import read


def plain(_made: Objects) -> None:
    """Leave the base as it is: a public load balancer."""


def without_probe(made: Objects) -> None:
    """Take away the probes of the load balancer; its rules name one."""
    made["lb"]["properties"].pop("probes")


def without_backend_port(made: Objects) -> None:
    """Take away the port to which the rule sends."""
    made["lb"]["properties"]["loadBalancingRules"][0]["properties"].pop("backendPort")


def without_subnet(made: Objects) -> None:
    """Take away the subnet of the private endpoint, which may have a group."""
    made["pe"]["properties"].pop("subnet")


def without_state(made: Objects) -> None:
    """Take away whether the gateway runs."""
    made["agw"]["properties"].pop("operationalState", None)


@pytest.mark.parametrize(
    ("way", "cut", "target", "source", "said"),
    [
        (plain, without_probe, "tcp://20.50.1.7:443", "internet", "is up on every node: it is not read"),
        (plain, without_backend_port, "tcp://20.50.1.7:443", "internet", "its backendPort is not said"),
        (private_link, without_subnet, f"tcp://{ENDPOINT}:443", "10.226.0.50", "no security group filters in front of"),
        (app_gateway, without_state, f"http://{GATEWAY}/api", "internet", "its operationalState is not said"),
    ],
)
def test_what_a_cut_object_does_not_say_is_an_assumption(
    tmp_path: Path,
    way: Callable[[Objects], None],
    cut: Callable[[Objects], None],
    target: str,
    source: str,
    said: str,
) -> None:
    """The road goes on, and the verdict hangs on what was not said."""
    made = base()
    way(made)
    cut(made)
    request = parse_request(target, source, "", headers=("Host: shop.example",))
    found = trace(read(tmp_path, made), request)
    assert found.outcome is Outcome.DELIVERED
    assert any(said in line for line in found.confidence.because), found.confidence
