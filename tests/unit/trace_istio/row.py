"""A row of the Istio tables: the section of Istio's reference, what there is, a request, what becomes of it.

Sections are those of the reference (networking: Gateway, VirtualService, DestinationRule; security:
AuthorizationPolicy, PeerAuthentication), of Envoy's documentation, or of AKS's. An expected answer is the Pods that
get it, or the verdict and status.
"""

from typing import NamedTuple

from tests.unit.trace_istio.world import igw, server, to, vs
from tests.unit.trace_routing.world import Wire, secret

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
API, WEB = "api-1 api-2", "web-1"
GATEWAY = igw("web", server("*"))
TLS = igw("web", server("*", port=443, protocol="HTTPS", mode="SIMPLE", credentialName="cert"))
CERT = secret("cert", "aks-istio-ingress", type="kubernetes.io/tls")
PASS = igw("web", server("*", port=443, protocol="TLS", mode="PASSTHROUGH"))
TCP = igw("web", server("*", port=5432, protocol="TCP"))
ANY = to("api")


class Row(NamedTuple):
    """A row of the table; ``headers`` as ``name: value, …``; ``source`` who asks; ``meshed``: Pods have sidecars."""

    section: str
    name: str
    objects: tuple[Wire, ...]
    request: str
    expected: str
    cause: str = ""
    headers: str = ""
    source: str = "pod/shop/client"
    meshed: bool = False
    method: str = "GET"
    unready: str = ""
    policy: str = "Cluster"


def matched(**match: object) -> tuple[Wire, ...]:
    """Return the Gateway, and a VirtualService whose one match goes to web while the rest goes to api."""
    return GATEWAY, vs("r", to("web", match=[match]), ANY)
