"""A row of the table: a connection, the objects that decide it, what Calico does, and the page that says so.

Pages: "Network policy" and "Global network policy" (sections Spec, Rule, ICMP, EntityRule, Selectors, Ports,
ServiceAccountMatch, ServiceMatch, HTTPMatch), "Tier", "Network set", "Global network set", "Host endpoint", "Profile",
"Staged network policy"; "Kubernetes network policy" is Calico's page on those of networking.k8s.io.
"""

from typing import NamedTuple

from tests.unit.trace_edge.world import Json
from tests.unit.trace_policy_calico.cluster import (
    API,
    WEB,
    allow,
    both,
    calico,
)


class Row(NamedTuple):
    """One statement of the reference."""

    page: str
    says: str
    objects: list[Json]
    want: str
    source: str = API
    target: str = WEB
    port: int = 80
    protocol: str = "TCP"


NETPOL, GLOBAL, TIER = "Network policy", "Global network policy", "Tier"
OPEN = calico("default.z-open", types=["Ingress"], ingress=[allow()])
SLICE = {
    "kind": "EndpointSlice",
    "metadata": {"name": "db-x", "namespace": "pay", "labels": {"kubernetes.io/service-name": "db"}},
    "addressType": "IPv4",
    "endpoints": [{"addresses": ["10.244.1.6"]}],
    "ports": [{"port": 80, "protocol": "TCP"}],
}


def one(given: Json, name: str = "default.p") -> list[Json]:
    """Return a global policy for the web Pods with one ingress rule."""
    return [both(name, selector="app == 'web'", ingress=[given])]


def from_(**source: object) -> list[Json]:
    """Return a global policy that allows one kind of source, and nobody else."""
    return one(allow(source=source))


def scoped(**source: object) -> list[Json]:
    """Return the same as a policy of namespace shop."""
    return [both("shop/default.p", selector="app == 'web'", ingress=[allow(source=source)])]


def to_(**destination: object) -> list[Json]:
    """Return a global policy that allows TCP to one kind of destination, and nothing else."""
    return one(allow(protocol="TCP", destination=destination))
