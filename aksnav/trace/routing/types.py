"""What routing is asked and answers: controllers, targets, and the stretch of road that a controller decides."""

from enum import StrEnum

import msgspec

from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.trace.packet import Packet
from aksnav.trace.request import Request
from aksnav.trace.step import Evidence, Step


class Flavour(StrEnum):
    """A kind of controller: those with one flavour read the same object the same way."""

    APP_ROUTING_NGINX = "app-routing-nginx"
    INGRESS_NGINX = "ingress-nginx"
    APP_ROUTING_ISTIO = "app-routing-istio"
    ISTIO = "istio"
    ISTIO_CLASSIC = "istio-classic"
    AGIC = "agic"
    APPLICATION_GATEWAY_FOR_CONTAINERS = "application-gateway-for-containers"
    ENVOY_GATEWAY = "envoy-gateway"
    NGINX_GATEWAY_FABRIC = "nginx-gateway-fabric"
    TRAEFIK = "traefik"
    NGINX_ORG = "nginx.org"
    OTHER = "other"


NGINX = frozenset({Flavour.APP_ROUTING_NGINX, Flavour.INGRESS_NGINX})
ENVOY_ISTIO = frozenset({Flavour.APP_ROUTING_ISTIO, Flavour.ISTIO})
OUTSIDE = frozenset({Flavour.AGIC, Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS})


class Controller(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who answers behind a Service, or (AGIC, Application Gateway for Containers) outside of the cluster.

    Attributes:
        flavour: how it reads objects.
        name: the controller string of its IngressClass or GatewayClass; empty where it is not known.
        classes: names of the ingress classes that it serves, annotation values included.
        gateways: ids (``namespace/name``) of the Gateways that it serves.
        service: through which it is reached; None for those outside of the cluster, or where none is found.
        pods: behind that Service, sorted by id.
        why: what joins class or Gateway to this Service.
        assumptions: what is taken for granted in that.
        problems: what is wrong with it (I13, G07, G08, …); none of them ends the road of a packet that did arrive.
    """

    flavour: Flavour
    name: str = ""
    classes: tuple[str, ...] = ()
    gateways: tuple[str, ...] = ()
    service: Service | None = None
    pods: tuple[Pod, ...] = ()
    why: tuple[Evidence, ...] = ()
    assumptions: tuple[str, ...] = ()
    problems: tuple[Step, ...] = ()

    @property
    def label(self) -> str:
        """A name for people: the flavour and where it runs."""
        where = f" at Service {self.service.id}" if self.service is not None else ""
        what = self.name if self.flavour is Flavour.OTHER and self.name else self.flavour.value
        return f"{what}{where}"


class Target(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a controller sends a request.

    Attributes:
        namespace, service: the Service's name; it exists unless ``ended``.
        port: as the rule has it, a number or a name; 0 where the rule has none.
        service_port: the Service's port that is meant, resolved; None for ExternalName and where ``ended``.
        weight: share of new requests, 0 to 1; None where nobody can say.
        packet: as it leaves the controller: host and path rewritten, tls as it is spoken to the Pod.
        label: for a branch, in our own words and names.
        direct_to_pods: the controller connects to ready endpoints; False: to the Service's cluster address.
        empty_status: HTTP status that the controller answers while the Service has no ready endpoint; 0 where it passes
            bytes on and cannot answer: it refuses the connection.
        steps: filters, rewrites and faults of this target alone, in order.
        ended: the last of ``steps`` ends the road here.
        subset: name of a DestinationRule's subset, empty where every Pod of the Service may take it.
        labels: what the Pods of that subset have.
    """

    namespace: str
    service: str
    port: int | str = 0
    service_port: ServicePort | None = None
    weight: float | None = 1.0
    packet: Packet
    label: str
    direct_to_pods: bool = True
    empty_status: int = 503
    steps: tuple[Step, ...] = ()
    ended: bool = False
    subset: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class Routing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a controller does with a packet.

    Attributes:
        steps: listener, TLS, match and filters that hold for every target.
        targets: where it goes on; several are branches with weights.
        ended: the last of ``steps`` ends the road; no targets then.
            Not ended and without targets: the controller itself is the end (nothing in the packet to route by).
    """

    steps: tuple[Step, ...]
    targets: tuple[Target, ...] = ()
    ended: bool = False


class EntryPoint(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A way into the cluster.

    Attributes:
        text: the target, as a user would type it to ``trace``.
        request: the same as a request from the internet; its address is set where one is known.
        via: the Ingress, HTTPRoute or Service that opens it.
        field: the rule or port in that object.
        service: id of the Service that it leads to (of a rule: its backend), if one is named.
        flavour: who serves it; None for a Service of its own.
        internal: it is not reachable from the internet.
        beside: an address in the network from which an internal one is asked; None: any that is known.
    """

    text: str
    request: Request
    via: Ref
    field: str = ""
    service: str = ""
    flavour: Flavour | None = None
    internal: bool = False
    beside: int | None = None
