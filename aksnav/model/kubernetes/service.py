"""Service and EndpointSlice (core/v1, discovery.k8s.io/v1)."""

from typing import ClassVar

import msgspec

from aksnav.model.object import KubernetesObject


class ServicePort(msgspec.Struct, frozen=True, rename="camel", gc=False, kw_only=True):
    """One port of a Service; target_port 0 means the same number as ``port``."""

    port: int
    name: str = ""
    protocol: str = "TCP"
    target_port: int | str = 0
    node_port: int = 0
    app_protocol: str = ""

    @property
    def target(self) -> int | str:
        """The Pod port that is meant: targetPort, or ``port`` where targetPort is not given."""
        return self.target_port or self.port


class IngressPoint(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """An address that a load balancer gave (status.loadBalancer.ingress[])."""

    ip: str = ""
    hostname: str = ""
    ip_mode: str = ""


class LoadBalancerStatus(msgspec.Struct, frozen=True, gc=False):
    """status.loadBalancer of a Service or an Ingress."""

    ingress: tuple[IngressPoint, ...] = ()


class ServiceStatus(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The status of a Service or of an Ingress."""

    load_balancer: LoadBalancerStatus = LoadBalancerStatus()


class Service(KubernetesObject, kw_only=True, gc=False):
    """A Service with every field that decides where its traffic goes; ``selector`` is None where there is none."""

    KIND: ClassVar[str] = "Service"

    type: str = "ClusterIP"
    cluster_ip: str = msgspec.field(name="clusterIP", default="")
    cluster_ips: tuple[str, ...] = msgspec.field(name="clusterIPs", default=())
    ports: tuple[ServicePort, ...] = ()
    selector: dict[str, str] | None = None
    external_traffic_policy: str = ""
    internal_traffic_policy: str = ""
    load_balancer_ip: str = msgspec.field(name="loadBalancerIP", default="")
    load_balancer_class: str = ""
    load_balancer_source_ranges: tuple[str, ...] = ()
    health_check_node_port: int = 0
    allocate_load_balancer_node_ports: bool = True
    external_name: str = ""
    external_ips: tuple[str, ...] = msgspec.field(name="externalIPs", default=())
    session_affinity: str = "None"
    publish_not_ready_addresses: bool = False
    ip_families: tuple[str, ...] = ()
    ip_family_policy: str = ""
    traffic_distribution: str = ""
    status: ServiceStatus = ServiceStatus()

    @property
    def headless(self) -> bool:
        """ClusterIP None: names resolve to Pods, and nothing translates ports."""
        return self.cluster_ip == "None"

    @property
    def virtual_ips(self) -> tuple[str, ...]:
        """Cluster addresses (``None`` left out)."""
        listed = self.cluster_ips or ((self.cluster_ip,) if self.cluster_ip else ())
        return tuple(ip for ip in listed if ip != "None")

    @property
    def ingress_points(self) -> tuple[IngressPoint, ...]:
        """What the load balancer gave, in order."""
        return self.status.load_balancer.ingress

    @property
    def external_addresses(self) -> tuple[str, ...]:
        """Addresses under which it is reached from outside: the load balancer's, then externalIPs."""
        return (*(point.ip for point in self.ingress_points if point.ip), *self.external_ips)


class EndpointPort(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A port of an EndpointSlice; None as number means every port."""

    name: str = ""
    protocol: str = "TCP"
    port: int | None = None
    app_protocol: str = ""


class EndpointConditions(msgspec.Struct, frozen=True, gc=False):
    """Conditions of an endpoint; None is a field that is absent (discovery/v1: ready unknown counts as ready)."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetRef(msgspec.Struct, frozen=True, gc=False):
    """The object behind an endpoint."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


class ZoneHint(msgspec.Struct, frozen=True, gc=False):
    """A zone that should use the endpoint."""

    name: str


class EndpointHints(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Topology hints."""

    for_zones: tuple[ZoneHint, ...] = ()


class Endpoint(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One endpoint; consumers use the first address (discovery/v1: addresses are interchangeable)."""

    addresses: tuple[str, ...] = ()
    conditions: EndpointConditions = EndpointConditions()
    node_name: str = ""
    zone: str = ""
    hostname: str = ""
    target_ref: TargetRef = TargetRef()
    hints: EndpointHints = EndpointHints()

    @property
    def ready(self) -> bool:
        """Whether new connections go to it (discovery/v1 EndpointConditions.ready: nil is to be read as true)."""
        return self.conditions.ready is not False

    @property
    def serving_while_terminating(self) -> bool:
        """Whether it is the fallback when no endpoint is ready (serving and terminating)."""
        return self.conditions.serving is not False and self.conditions.terminating is True


class EndpointSlice(KubernetesObject, kw_only=True, gc=False):
    """A part of the endpoints of a Service.

    ``ports`` is None where the field is absent or null: then it holds no port at all (discovery/v1: a Service whose
    targetPort resolves on no Pod gets such slices).
    """

    KIND: ClassVar[str] = "EndpointSlice"

    address_type: str = "IPv4"
    endpoints: tuple[Endpoint, ...] = ()
    ports: tuple[EndpointPort, ...] | None = None

    @property
    def service(self) -> str:
        """Name of the Service that it belongs to (label kubernetes.io/service-name), or an empty string."""
        return self.labels.get("kubernetes.io/service-name", "")
