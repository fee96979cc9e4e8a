"""A row of the Gateway API tables: the section of the specification, what there is, a request, what becomes of it.

Sections are those of the API reference (gateway.networking.k8s.io v1, v1alpha2 for UDPRoute) and its enhancement
proposals (GEP). An expected answer is a Service, or the verdict and status of the step that ends the road.
"""

from typing import NamedTuple

from tests.unit.trace_gateway.world import PASSTHROUGH, conditions, route, to
from tests.unit.trace_routing.world import Wire, gateway, listener, secret, service

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
WEB = gateway("web")
TLS = gateway("web", listener("tls", 443, "TLS", tls=PASSTHROUGH))
ENDS = {"mode": "Terminate", "certificateRefs": [{"name": "cert"}]}
TERMINATED = gateway("web", listener("tls", 443, "TLS", "*.example.com", tls=ENDS))
TCP = gateway("web", listener("tcp", 5432, "TCP"))
UDP = gateway("web", listener("udp", 53, "UDP"), cls="eg")
HTTPS = gateway("web", listener("https", 443, "HTTPS", tls=ENDS))
CERT = secret("cert", "infra")
ANY = to("api")
OTHER = service("api", "other")
FAR = to("other/api")


class Row(NamedTuple):
    """A row of the table; ``headers`` as ``name: value, …``; ``cls`` is the GatewayClass."""

    section: str
    name: str
    objects: tuple[Wire, ...]
    request: str
    expected: str
    cause: str = ""
    headers: str = ""
    cls: str = "approuting-istio"


def listener_said(name: str, **said: str) -> Wire:
    """Return a Gateway whose listener has these conditions."""
    status = {"listeners": [{"name": name, "attachedRoutes": 0, "conditions": conditions(said)}]}
    return gateway("web", listener(name), status=status)


def gateway_said(**said: str) -> Wire:
    """Return a Gateway with these conditions of its own."""
    return gateway("web", status={"conditions": conditions(said), "addresses": [{"value": "20.50.1.7"}]})


def by_default(kind: str) -> Wire:
    """Return a route that names no parent and wants every default Gateway."""
    made = route(kind, "r", ANY)
    made["spec"] = {"useDefaultGateways": "All", "rules": [ANY]}
    return made


LISTENERS = "GatewaySpec.listeners"
PARENTS = "ParentReference"
ALLOWED = "AllowedRoutes"
