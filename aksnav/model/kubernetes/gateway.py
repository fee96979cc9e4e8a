"""Gateway API: what its kinds say (gateway.networking.k8s.io; each kind in the versions that ``model.kinds`` names)."""

from typing import Any, ClassVar

import msgspec

from aksnav.model.kubernetes.workload import Condition
from aksnav.model.labels import LabelSelector
from aksnav.model.object import KubernetesObject

GROUP = "gateway.networking.k8s.io"


class ConditionedStatus(msgspec.Struct, frozen=True, gc=False):
    """A status that is a list of conditions."""

    conditions: tuple[Condition, ...] = ()


class GatewayClass(KubernetesObject, kw_only=True, gc=False):
    """A class of Gateways; ``controller_name`` says who serves it."""

    KIND: ClassVar[str] = "GatewayClass"

    controller_name: str = ""
    status: ConditionedStatus = ConditionedStatus()


class SecretRef(msgspec.Struct, frozen=True, gc=False):
    """A reference to a certificate; an absent namespace (None) is the referrer's own."""

    name: str
    namespace: str | None = None
    kind: str = "Secret"
    group: str = ""


class ListenerTLS(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """TLS of a listener."""

    mode: str = "Terminate"
    certificate_refs: tuple[SecretRef, ...] = ()


class RouteNamespaces(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Namespaces whose routes may attach: All, Same or Selector."""

    from_: str = msgspec.field(name="from", default="Same")
    selector: LabelSelector | None = None


class RouteGroupKind(msgspec.Struct, frozen=True, gc=False):
    """A kind of route."""

    kind: str
    group: str = GROUP


class AllowedRoutes(msgspec.Struct, frozen=True, gc=False):
    """Which routes may attach to a listener."""

    namespaces: RouteNamespaces = RouteNamespaces()
    kinds: tuple[RouteGroupKind, ...] = ()


CORE_PROTOCOLS = frozenset({"HTTP", "HTTPS", "TLS", "TCP", "UDP"})


class Listener(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One listener of a Gateway; an empty hostname is every host name.

    The protocols that the API defines have no letter case (ProtocolType): here they are in capitals.
    """

    name: str
    port: int
    protocol: str
    hostname: str = ""
    tls: ListenerTLS | None = None
    allowed_routes: AllowedRoutes = AllowedRoutes()

    def __post_init__(self) -> None:
        """Write a protocol of the API in capitals."""
        if self.protocol not in CORE_PROTOCOLS and self.protocol.upper() in CORE_PROTOCOLS:
            msgspec.structs.force_setattr(self, "protocol", self.protocol.upper())


class GatewayAddress(msgspec.Struct, frozen=True, gc=False):
    """An address of a Gateway: type IPAddress or Hostname."""

    value: str = ""
    type: str = "IPAddress"


class ListenerStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What the controller says of a listener."""

    name: str
    attached_routes: int = 0
    conditions: tuple[Condition, ...] = ()


class GatewayStatus(msgspec.Struct, frozen=True, gc=False):
    """What the controller says of a Gateway."""

    addresses: tuple[GatewayAddress, ...] = ()
    conditions: tuple[Condition, ...] = ()
    listeners: tuple[ListenerStatus, ...] = ()


class Gateway(KubernetesObject, kw_only=True, gc=False):
    """A Gateway; ``infrastructure`` holds the labels and annotations for what the controller makes.

    ``allowed_listeners`` says which ListenerSets may attach; None is none of them. ``tls`` is what it asks of clients
    and shows to backends; the certificates of its listeners stand with these. ``default_scope`` makes it a parent of
    routes that name none.
    """

    KIND: ClassVar[str] = "Gateway"

    gateway_class_name: str = ""
    listeners: tuple[Listener, ...] = ()
    addresses: tuple[GatewayAddress, ...] = ()
    infrastructure: dict[str, Any] = {}
    allowed_listeners: dict[str, Any] | None = None
    tls: dict[str, Any] = {}
    default_scope: str = ""
    status: GatewayStatus = GatewayStatus()


class ParentRef(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The parent that a route wants (a Gateway, a Service, a ListenerSet), and maybe the listener or port of it."""

    name: str
    namespace: str | None = None
    kind: str = "Gateway"
    group: str = GROUP
    section_name: str = ""
    port: int = 0


class BackendRef(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Where a rule sends, and with which share; ``filters`` are kept as they came."""

    name: str
    namespace: str | None = None
    kind: str = "Service"
    group: str = ""
    port: int = 0
    weight: int = 1
    filters: tuple[dict[str, Any], ...] = ()


class ValueMatch(msgspec.Struct, frozen=True, gc=False):
    """A path (type Exact, PathPrefix, RegularExpression), header or query parameter (Exact, RegularExpression)."""

    type: str = ""
    value: str = ""
    name: str = ""


class RouteMatch(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One alternative of a rule: all that is given must hold."""

    path: ValueMatch = ValueMatch(type="PathPrefix", value="/")
    headers: tuple[ValueMatch, ...] = ()
    query_params: tuple[ValueMatch, ...] = ()
    method: str = ""


class RouteRule(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A rule: no match at all matches everything; ``filters`` and ``timeouts`` are kept as they came."""

    name: str = ""
    matches: tuple[RouteMatch, ...] = ()
    filters: tuple[dict[str, Any], ...] = ()
    backend_refs: tuple[BackendRef, ...] = ()
    timeouts: dict[str, str] = {}


class MethodMatch(msgspec.Struct, frozen=True, gc=False):
    """A gRPC service and method (type Exact or RegularExpression); an empty one is every one."""

    type: str = ""
    service: str = ""
    method: str = ""


class GRPCMatch(msgspec.Struct, frozen=True, gc=False):
    """One alternative of a gRPC rule: all that is given must hold."""

    method: MethodMatch = MethodMatch()
    headers: tuple[ValueMatch, ...] = ()


class GRPCRule(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A rule of a GRPCRoute: no match at all matches every gRPC request."""

    name: str = ""
    matches: tuple[GRPCMatch, ...] = ()
    filters: tuple[dict[str, Any], ...] = ()
    backend_refs: tuple[BackendRef, ...] = ()


class StreamRule(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A rule of a TLSRoute, TCPRoute or UDPRoute: where connections or datagrams go."""

    name: str = ""
    backend_refs: tuple[BackendRef, ...] = ()


class ParentStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What one controller says of a route under one parent."""

    parent_ref: ParentRef
    controller_name: str = ""
    conditions: tuple[Condition, ...] = ()


class RouteStatus(msgspec.Struct, frozen=True, gc=False):
    """What the controllers say of a route."""

    parents: tuple[ParentStatus, ...] = ()


class Route(KubernetesObject, kw_only=True, gc=False):
    """What routes of every kind have in common; ``use_default_gateways`` says which default Gateways it wants."""

    use_default_gateways: str = ""
    parent_refs: tuple[ParentRef, ...] = ()
    status: RouteStatus = RouteStatus()


class HTTPRoute(Route, kw_only=True, gc=False):
    """An HTTPRoute."""

    KIND: ClassVar[str] = "HTTPRoute"

    hostnames: tuple[str, ...] = ()
    rules: tuple[RouteRule, ...] = ()


class GRPCRoute(Route, kw_only=True, gc=False):
    """A GRPCRoute."""

    KIND: ClassVar[str] = "GRPCRoute"

    hostnames: tuple[str, ...] = ()
    rules: tuple[GRPCRule, ...] = ()


class TLSRoute(Route, kw_only=True, gc=False):
    """A TLSRoute; its hostnames are matched against the server name of the handshake."""

    KIND: ClassVar[str] = "TLSRoute"

    hostnames: tuple[str, ...] = ()
    rules: tuple[StreamRule, ...] = ()


class TCPRoute(Route, kw_only=True, gc=False):
    """A TCPRoute."""

    KIND: ClassVar[str] = "TCPRoute"

    rules: tuple[StreamRule, ...] = ()


class UDPRoute(Route, kw_only=True, gc=False):
    """A UDPRoute."""

    KIND: ClassVar[str] = "UDPRoute"

    rules: tuple[StreamRule, ...] = ()


AnyRoute = HTTPRoute | GRPCRoute | TLSRoute | TCPRoute | UDPRoute
WebRoute = HTTPRoute | GRPCRoute
ROUTE_KINDS: tuple[str, ...] = (HTTPRoute.KIND, GRPCRoute.KIND, TLSRoute.KIND, TCPRoute.KIND, UDPRoute.KIND)


class ListenerSet(KubernetesObject, kw_only=True, gc=False):
    """More listeners for a Gateway that allows it."""

    KIND: ClassVar[str] = "ListenerSet"

    parent_ref: ParentRef = ParentRef("")
    listeners: tuple[Listener, ...] = ()


class XListenerSet(ListenerSet, kw_only=True, gc=False):
    """A ListenerSet as it was while it was an experiment (gateway.networking.x-k8s.io)."""

    KIND: ClassVar[str] = "XListenerSet"


class PolicyTarget(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What a policy is for: an object of its own namespace, maybe one port of it."""

    name: str
    kind: str = "Service"
    group: str = ""
    section_name: str = ""


class CertificateAuthorityRef(msgspec.Struct, frozen=True, gc=False):
    """An object of the policy's namespace that holds ``ca.crt``."""

    name: str
    kind: str = "ConfigMap"
    group: str = ""


class BackendValidation(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """How the certificate of a backend is judged, and the server name that is asked for."""

    hostname: str = ""
    ca_certificate_refs: tuple[CertificateAuthorityRef, ...] = ()
    well_known: str = msgspec.field(name="wellKnownCACertificates", default="")
    subject_alt_names: tuple[dict[str, Any], ...] = ()


class AncestorStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What one controller says of a policy under one Gateway or Service."""

    ancestor_ref: ParentRef
    controller_name: str = ""
    conditions: tuple[Condition, ...] = ()


class PolicyStatus(msgspec.Struct, frozen=True, gc=False):
    """What the controllers say of a policy."""

    ancestors: tuple[AncestorStatus, ...] = ()


class BackendTLSPolicy(KubernetesObject, kw_only=True, gc=False):
    """TLS from a Gateway to the backends of a Service."""

    KIND: ClassVar[str] = "BackendTLSPolicy"

    target_refs: tuple[PolicyTarget, ...] = ()
    validation: BackendValidation = BackendValidation()
    status: PolicyStatus = PolicyStatus()


class GrantFrom(msgspec.Struct, frozen=True, gc=False):
    """Who may refer."""

    group: str
    kind: str
    namespace: str


class GrantTo(msgspec.Struct, frozen=True, gc=False):
    """What may be referred to; an empty name is every object of the kind."""

    group: str
    kind: str
    name: str = ""


class ReferenceGrant(KubernetesObject, kw_only=True, gc=False):
    """Leave for objects of other namespaces to refer to objects of this one."""

    KIND: ClassVar[str] = "ReferenceGrant"

    from_: tuple[GrantFrom, ...] = msgspec.field(name="from", default=())
    to: tuple[GrantTo, ...] = ()
