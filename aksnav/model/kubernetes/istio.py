"""Istio's kinds of networking.istio.io (v1, v1beta1); those of security.istio.io are in istio_security.

Source: Istio reference, "Traffic Management" (istio/api: networking/v1alpha3). Only what decides where a request goes
is kept; what is kept in wire form is named in words where it stands.
"""

from typing import Any, ClassVar

import msgspec

from aksnav.model.object import KubernetesObject

NETWORKING = "networking.istio.io"
MESH = "mesh"
ISTIO_INGRESS = "aks-istio-ingress"
"""Namespace in which the AKS add-on runs its ingress gateways."""


class IstioPort(msgspec.Struct, frozen=True, gc=False):
    """A port of a server: its number and protocol (HTTP, HTTPS, HTTP2, GRPC, TCP, TLS, MONGO)."""

    number: int = 0
    protocol: str = ""
    name: str = ""


class ServerTLS(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """TLS of a server: mode SIMPLE, PASSTHROUGH, MUTUAL, OPTIONAL_MUTUAL, AUTO_PASSTHROUGH or ISTIO_MUTUAL."""

    mode: str = "PASSTHROUGH"
    https_redirect: bool = False
    credential_name: str = ""
    credential_names: tuple[str, ...] = ()
    server_certificate: str = ""

    @property
    def credentials(self) -> tuple[str, ...]:
        """Names of the Secrets that hold the server's certificates."""
        return tuple(name for name in (self.credential_name, *self.credential_names) if name)


class Server(msgspec.Struct, frozen=True, gc=False):
    """One server of a Gateway; a host may have a namespace before it (``shop/a.example.com``)."""

    port: IstioPort = IstioPort()
    hosts: tuple[str, ...] = ()
    tls: ServerTLS | None = None
    name: str = ""
    bind: str = ""


class IstioGateway(KubernetesObject, kw_only=True, gc=False):
    """A Gateway of networking.istio.io; an empty selector selects every gateway workload."""

    KIND: ClassVar[str] = "IstioGateway"

    selector: dict[str, str] = {}
    servers: tuple[Server, ...] = ()


class StringMatch(msgspec.Struct, frozen=True, gc=False):
    """How a text is matched; none of the three means that it has to be there."""

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


class PortSelector(msgspec.Struct, frozen=True, gc=False):
    """The number of a Service port."""

    number: int = 0


class Destination(msgspec.Struct, frozen=True, gc=False):
    """A Service of the registry, maybe a subset of it, at a port."""

    host: str = ""
    subset: str = ""
    port: PortSelector | None = None


class WeightedDestination(msgspec.Struct, frozen=True, gc=False):
    """A destination with its share; ``headers`` in wire form."""

    destination: Destination = Destination()
    weight: int = 0
    headers: dict[str, Any] = {}


class HTTPMatchRequest(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What a request must be; everything that is given must hold."""

    name: str = ""
    uri: StringMatch | None = None
    scheme: StringMatch | None = None
    method: StringMatch | None = None
    authority: StringMatch | None = None
    headers: dict[str, StringMatch] = {}
    without_headers: dict[str, StringMatch] = {}
    query_params: dict[str, StringMatch] = {}
    port: int = 0
    gateways: tuple[str, ...] = ()
    source_labels: dict[str, str] = {}
    source_namespace: str = ""
    ignore_uri_case: bool = False


class Rewrite(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What becomes of path and authority; ``uri_regex_rewrite`` in wire form."""

    uri: str = ""
    authority: str = ""
    uri_regex_rewrite: dict[str, Any] = {}


class Redirect(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Where the client is sent; ``derive_port`` is FROM_PROTOCOL_DEFAULT or FROM_REQUEST_PORT."""

    uri: str = ""
    authority: str = ""
    port: int = 0
    derive_port: str = ""
    scheme: str = ""
    redirect_code: int = 301


class DirectResponse(msgspec.Struct, frozen=True, gc=False):
    """A status that is answered here."""

    status: int = 0


class Percent(msgspec.Struct, frozen=True, gc=False):
    """0 to 100."""

    value: float = 0.0


class Abort(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Requests that are answered with an error; without a percentage all of them."""

    http_status: int = 0
    grpc_status: str = ""
    percentage: Percent | None = None


class Fault(msgspec.Struct, frozen=True, gc=False):
    """Faults that are made on purpose; ``delay`` in wire form."""

    abort: Abort | None = None
    delay: dict[str, Any] = {}


class VirtualHTTPRoute(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One rule for HTTP; without matches it takes everything. Mirrors, headers and CORS in wire form."""

    name: str = ""
    match: tuple[HTTPMatchRequest, ...] = ()
    route: tuple[WeightedDestination, ...] = ()
    redirect: Redirect | None = None
    direct_response: DirectResponse | None = None
    delegate: dict[str, Any] = {}
    rewrite: Rewrite | None = None
    fault: Fault | None = None
    mirror: dict[str, Any] = {}
    mirrors: tuple[dict[str, Any], ...] = ()
    headers: dict[str, Any] = {}
    cors_policy: dict[str, Any] = {}


class L4Match(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What a connection must be; ``sni_hosts`` in rules for TLS alone."""

    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    port: int = 0
    gateways: tuple[str, ...] = ()
    source_labels: dict[str, str] = {}
    source_namespace: str = ""


class L4Route(msgspec.Struct, frozen=True, gc=False):
    """One rule for TLS that is passed through, or for TCP."""

    match: tuple[L4Match, ...] = ()
    route: tuple[WeightedDestination, ...] = ()


class VirtualService(KubernetesObject, kw_only=True, gc=False):
    """Routes for hosts, at Gateways (``namespace/name``) and, by default, in the sidecars of the mesh."""

    KIND: ClassVar[str] = "VirtualService"

    hosts: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    http: tuple[VirtualHTTPRoute, ...] = ()
    tls: tuple[L4Route, ...] = ()
    tcp: tuple[L4Route, ...] = ()
    export_to: tuple[str, ...] = ()


class ClientTLS(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """TLS to the Pods of a Service: mode DISABLE, SIMPLE, MUTUAL or ISTIO_MUTUAL."""

    mode: str = ""
    sni: str = ""


class PortPolicy(msgspec.Struct, frozen=True, gc=False):
    """TLS to one port of a Service."""

    port: PortSelector = PortSelector()
    tls: ClientTLS | None = None


class TrafficPolicy(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Of a traffic policy what decides whether a connection comes about."""

    tls: ClientTLS | None = None
    port_level_settings: tuple[PortPolicy, ...] = ()


class Subset(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Pods of a Service by their labels."""

    name: str = ""
    labels: dict[str, str] = {}
    traffic_policy: TrafficPolicy | None = None


class WorkloadSelector(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Pods by labels; EnvoyFilter calls them ``labels``, the other kinds ``matchLabels``."""

    match_labels: dict[str, str] = {}
    labels: dict[str, str] = {}

    @property
    def wanted(self) -> dict[str, str]:
        """The labels, whatever they are called."""
        return {**self.labels, **self.match_labels}


class DestinationRule(KubernetesObject, kw_only=True, gc=False):
    """What holds for traffic to a Service after routing."""

    KIND: ClassVar[str] = "DestinationRule"

    host: str = ""
    subsets: tuple[Subset, ...] = ()
    traffic_policy: TrafficPolicy | None = None
    export_to: tuple[str, ...] = ()
    workload_selector: WorkloadSelector | None = None


class ServiceEntry(KubernetesObject, kw_only=True, gc=False):
    """Hosts that are added to the registry; where they lead is not followed."""

    KIND: ClassVar[str] = "ServiceEntry"

    hosts: tuple[str, ...] = ()


class PolicyTargetRef(msgspec.Struct, frozen=True, gc=False):
    """An object of the policy's namespace that a policy is for."""

    kind: str = ""
    name: str = ""
    group: str = ""


class EnvoyFilter(KubernetesObject, kw_only=True, gc=False):
    """A patch of the proxies' own configuration: what it does is not evaluated."""

    KIND: ClassVar[str] = "EnvoyFilter"

    workload_selector: WorkloadSelector | None = None
    target_refs: tuple[PolicyTargetRef, ...] = ()

    @property
    def selector(self) -> WorkloadSelector | None:
        """What it selects, under the name that the other kinds have for it."""
        return self.workload_selector

    @property
    def target_ref(self) -> PolicyTargetRef | None:
        """None: this kind has the list alone."""
        return None


class SidecarEgress(msgspec.Struct, frozen=True, gc=False):
    """Hosts that a sidecar knows, ``namespace/name`` each; of one port where it has one (in wire form)."""

    hosts: tuple[str, ...] = ()
    port: dict[str, Any] = {}


class OutboundTrafficPolicy(msgspec.Struct, frozen=True, gc=False):
    """What becomes of connections to what a sidecar does not know: mode ALLOW_ANY or REGISTRY_ONLY."""

    mode: str = ""


class Sidecar(KubernetesObject, kw_only=True, gc=False):
    """What the sidecars of workloads know of the mesh; without egress everything."""

    KIND: ClassVar[str] = "Sidecar"

    workload_selector: WorkloadSelector | None = None
    egress: tuple[SidecarEgress, ...] = ()
    outbound_traffic_policy: OutboundTrafficPolicy | None = None
