"""What a Gateway answers in place of a backend, by kind of route and by implementation.

The specification: 500 for a reference that is not valid, 503 for a Service without ready endpoints (HTTPRouteRule.
backendRefs), UNAVAILABLE for gRPC (GRPCRouteRule.backendRefs), a refused connection for streams (TLSRouteRule,
TCPRouteRule). Statuses of gRPC are told as the HTTP status that clients read as them (gRPC, HTTP to gRPC status code
mapping): 503 for UNAVAILABLE, 404 for UNIMPLEMENTED.
"""

import msgspec

from aksnav.model.kubernetes.gateway import AnyRoute, GRPCRoute, HTTPRoute, UDPRoute
from aksnav.trace.routing.types import ENVOY_ISTIO, Flavour
from aksnav.trace.step import Verdict

INVALID = 500
EMPTY = 503
_UNAVAILABLE = 503
ENVOY = ENVOY_ISTIO | {Flavour.ENVOY_GATEWAY}
# Each hostname has a virtual host (Envoy) or a server block (NGINX) of its own, which no other one falls back to.
WHOLE_HOSTS = ENVOY | {Flavour.NGINX_GATEWAY_FABRIC}


# Kinds that an implementation is not known to take: Istio has collections of the four others (pilot/pkg/config/kube/
# gateway/route_collections.go); Application Gateway for Containers balances HTTP, HTTPS and gRPC (its overview).
_UNTAKEN: dict[Flavour, frozenset[str]] = {
    **dict.fromkeys(ENVOY_ISTIO, frozenset({"UDPRoute"})),
    Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS: frozenset({"TLSRoute", "TCPRoute", "UDPRoute"}),
}


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a request that has no valid backend.

    Attributes:
        verdict: RESPOND with a status, REJECT for connections, DROP for datagrams.
        status: HTTP status, or 0.
        words: the same for people.
        empty: HTTP status where the Service is there and has no ready endpoint; 0: the connection is refused.
    """

    verdict: Verdict
    status: int
    words: str
    empty: int


def answer(route: AnyRoute, flavour: Flavour) -> Answer:
    """Return what a Gateway answers for a backend that is not valid, or has no ready endpoint."""
    if isinstance(route, HTTPRoute):
        # Application Gateway for Containers answers 500 in both cases (its troubleshooting guide).
        empty = INVALID if flavour is Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS else EMPTY
        return Answer(Verdict.RESPOND, INVALID, f"answers {INVALID}", empty)
    if isinstance(route, GRPCRoute):
        return Answer(Verdict.RESPOND, _UNAVAILABLE, f"answers {_UNAVAILABLE} (gRPC UNAVAILABLE)", _UNAVAILABLE)
    if isinstance(route, UDPRoute):
        return Answer(Verdict.DROP, 0, "drops the datagram", 0)
    return Answer(Verdict.REJECT, 0, "refuses the connection", 0)


def untaken(flavour: Flavour, route: AnyRoute) -> str:
    """Return what keeps a route from being followed where its status says nothing of it, empty where nothing does."""
    if route.KIND not in _UNTAKEN.get(flavour, frozenset()):
        return ""
    return (
        f"{route.KIND} {route.id}: {flavour.value} is not known to take routes of this kind, and has not spoken of it"
    )


def untrusted(flavour: Flavour) -> tuple[int, str]:
    """Return the status where no certificate authority of a BackendTLSPolicy can be used, and what that rests on.

    Some 5xx by the specification. Istio blocks the traffic with a credential that cannot be loaded, which Envoy
    tells as 503 (pilot/pkg/config/kube/gateway/backend_policies.go, getBackendTLSCredentialName).
    """
    if flavour in ENVOY_ISTIO:
        return 503, ""
    status = INVALID if flavour in {Flavour.ENVOY_GATEWAY, Flavour.NGINX_GATEWAY_FABRIC} else EMPTY
    return status, f"of the 5xx that the specification asks for, {flavour.value} answers {status}"
