"""Gateway API (gateway.networking.k8s.io/v1, ReferenceGrant v1beta1)."""

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


class Listener(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One listener of a Gateway; an empty hostname is every host name."""

    name: str
    port: int
    protocol: str
    hostname: str = ""
    tls: ListenerTLS | None = None
    allowed_routes: AllowedRoutes = AllowedRoutes()


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
    """A Gateway; ``infrastructure`` holds the labels and annotations for what the controller makes."""

    KIND: ClassVar[str] = "Gateway"

    gateway_class_name: str = ""
    listeners: tuple[Listener, ...] = ()
    addresses: tuple[GatewayAddress, ...] = ()
    infrastructure: dict[str, Any] = {}
    status: GatewayStatus = GatewayStatus()


class ParentRef(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The Gateway, and maybe the listener, that a route wants."""

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


class ParentStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What one controller says of a route under one parent."""

    parent_ref: ParentRef
    controller_name: str = ""
    conditions: tuple[Condition, ...] = ()


class RouteStatus(msgspec.Struct, frozen=True, gc=False):
    """What the controllers say of a route."""

    parents: tuple[ParentStatus, ...] = ()


class HTTPRoute(KubernetesObject, kw_only=True, gc=False):
    """An HTTPRoute."""

    KIND: ClassVar[str] = "HTTPRoute"

    parent_refs: tuple[ParentRef, ...] = ()
    hostnames: tuple[str, ...] = ()
    rules: tuple[RouteRule, ...] = ()
    status: RouteStatus = RouteStatus()


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
