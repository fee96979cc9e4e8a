"""The store: every table, every index, and the one place where changes are applied."""

from collections.abc import Iterable
from typing import Any, TypeVar, cast

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.dns import PrivateDnsZone, RecordSet, ZoneLink
from aksnav.model.azure.edge import (
    ApplicationGateway,
    PrivateEndpoint,
    PrivateLinkService,
    TrafficControllerAssociation,
    TrafficControllerFrontend,
)
from aksnav.model.azure.network import (
    LoadBalancer,
    NatGateway,
    NetworkInterface,
    NetworkSecurityGroup,
    PublicIPAddress,
    RouteTable,
    VirtualNetwork,
)
from aksnav.model.change import (
    AdminRulesTold,
    Change,
    Heartbeat,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    Removed,
    ScopeLeft,
    SourceChanged,
    UndecodableFound,
    Upserted,
)
from aksnav.model.kinds import KINDS, AnyObject
from aksnav.model.kubernetes.calico import (
    CalicoNetworkPolicy,
    GlobalNetworkPolicy,
    GlobalNetworkSet,
    HostEndpoint,
    NetworkSet,
    Tier,
)
from aksnav.model.kubernetes.configmap import ConfigMap
from aksnav.model.kubernetes.controllers import AzureIngressProhibitedTarget, NginxIngressController
from aksnav.model.kubernetes.gateway import (
    BackendTLSPolicy,
    Gateway,
    GatewayClass,
    GRPCRoute,
    HTTPRoute,
    ListenerSet,
    ReferenceGrant,
    TCPRoute,
    TLSRoute,
    UDPRoute,
    XListenerSet,
)
from aksnav.model.kubernetes.ingress import Ingress, IngressClass
from aksnav.model.kubernetes.istio import (
    DestinationRule,
    EnvoyFilter,
    IstioGateway,
    ServiceEntry,
    Sidecar,
    VirtualService,
)
from aksnav.model.kubernetes.istio_security import AuthorizationPolicy, PeerAuthentication, RequestAuthentication
from aksnav.model.kubernetes.policy import (
    CiliumCIDRGroup,
    CiliumClusterwideNetworkPolicy,
    CiliumNetworkPolicy,
    NetworkPolicy,
)
from aksnav.model.kubernetes.secret import Secret
from aksnav.model.kubernetes.service import EndpointSlice, Service
from aksnav.model.kubernetes.workload import Event, Namespace, Node, Pod
from aksnav.model.object import Ref
from aksnav.store.indexes import Departed, ManyIndex, PodClasses, ServicesBySelector
from aksnav.store.table import PENDING, Access, Row, Table
from aksnav.store.told import ToldAdminRules

T = TypeVar("T", bound=Row)


class SourceState(msgspec.Struct, frozen=True, gc=False):
    """What a source last said of itself."""

    reading: Reading
    reason: str = ""
    facts: dict[str, str] = {}
    at: float = 0.0


class Store:
    """Everything that is known, of both planes.

    Attributes:
        version: grows with every applied change.
        tables: every table by kind name; the same tables stand under their own names below.
        sources: the state of every source by name (kubernetes, azure, capture, demo).
        pods_by_address, pods_by_node, nodes_by_address, services_by_address: ids by address integer or name.
        slices_by_service, pod_classes: what a Service leads to.
        services_by_selector: which Services select a Pod.
        departed: Pods that were seen to go.
        told_admin_rules: what Azure said of admin rules when the user asked; the rows of virtual networks carry it.
    """

    def __init__(self, *, at_once: bool = False) -> None:  # noqa: PLR0915 - one line for each table
        """Make an empty store.

        Args:
            at_once: it is filled before it is asked, as a command does: indexes by address and node are made when they
                are asked for the first time, which not every question does. Else they grow with every change.
        """
        self.version = 0
        self.tables: dict[str, Table[Any]] = {name: Table(name) for name in KINDS}
        self.sources: dict[str, SourceState] = {}
        self.namespaces = self._table(Namespace)
        self.nodes = self._table(Node)
        self.pods = cast("Table[Pod]", self.tables["Pod"])
        self.events = self._table(Event)
        self.services = self._table(Service)
        self.endpoint_slices = self._table(EndpointSlice)
        self.ingresses = self._table(Ingress)
        self.ingress_classes = self._table(IngressClass)
        self.nginx_controllers = self._table(NginxIngressController)
        self.prohibited_targets = self._table(AzureIngressProhibitedTarget)
        self.network_policies = self._table(NetworkPolicy)
        self.gateway_classes = self._table(GatewayClass)
        self.gateways = self._table(Gateway)
        self.http_routes = self._table(HTTPRoute)
        self.grpc_routes = self._table(GRPCRoute)
        self.tls_routes = self._table(TLSRoute)
        self.tcp_routes = self._table(TCPRoute)
        self.udp_routes = self._table(UDPRoute)
        self.backend_tls_policies = self._table(BackendTLSPolicy)
        self.listener_sets = self._table(ListenerSet)
        self.experimental_listener_sets = self._table(XListenerSet)
        self.reference_grants = self._table(ReferenceGrant)
        self.cilium_policies = self._table(CiliumNetworkPolicy)
        self.cilium_clusterwide_policies = self._table(CiliumClusterwideNetworkPolicy)
        self.cilium_cidr_groups = self._table(CiliumCIDRGroup)
        self.calico_policies = self._table(CalicoNetworkPolicy)
        self.calico_global_policies = self._table(GlobalNetworkPolicy)
        self.calico_tiers = self._table(Tier)
        self.network_sets = self._table(NetworkSet)
        self.global_network_sets = self._table(GlobalNetworkSet)
        self.host_endpoints = self._table(HostEndpoint)
        self.istio_gateways = self._table(IstioGateway)
        self.virtual_services = self._table(VirtualService)
        self.destination_rules = self._table(DestinationRule)
        self.service_entries = self._table(ServiceEntry)
        self.envoy_filters = self._table(EnvoyFilter)
        self.authorization_policies = self._table(AuthorizationPolicy)
        self.peer_authentications = self._table(PeerAuthentication)
        self.request_authentications = self._table(RequestAuthentication)
        self.sidecars = self._table(Sidecar)
        self.secrets = self._table(Secret)
        self.config_maps = self._table(ConfigMap)
        self.clusters = self._table(ManagedCluster)
        self.virtual_networks = self._table(VirtualNetwork)
        self.security_groups = self._table(NetworkSecurityGroup)
        self.route_tables = self._table(RouteTable)
        self.load_balancers = self._table(LoadBalancer)
        self.public_ips = self._table(PublicIPAddress)
        self.interfaces = self._table(NetworkInterface)
        self.nat_gateways = self._table(NatGateway)
        self.private_link_services = self._table(PrivateLinkService)
        self.private_endpoints = self._table(PrivateEndpoint)
        self.application_gateways = self._table(ApplicationGateway)
        self.traffic_frontends = self._table(TrafficControllerFrontend)
        self.traffic_associations = self._table(TrafficControllerAssociation)
        self.private_zones = self._table(PrivateDnsZone)
        self.zone_links = self._table(ZoneLink)
        self.zone_records = self._table(RecordSet)
        self.pod_classes = PodClasses()
        self.pods_by_address: ManyIndex[Pod, int] = ManyIndex(lambda pod: _integers(pod.ips))
        self.pods_by_node: ManyIndex[Pod, str] = ManyIndex(lambda pod: (pod.node,))
        self.nodes_by_address: ManyIndex[Node, int] = ManyIndex(lambda node: _integers(a for _, a in node.addresses))
        self.services_by_address: ManyIndex[Service, int] = ManyIndex(_service_addresses)
        self.slices_by_service: ManyIndex[EndpointSlice, str] = ManyIndex(
            lambda piece: (f"{piece.namespace}/{piece.service}",) if piece.service else ()
        )
        self.services_by_selector = ServicesBySelector()
        if at_once:
            self.pods_by_address.wait(self.pods.__iter__)
            self.pods_by_node.wait(self.pods.__iter__)
        self._keep_indexes()

    def _keep_indexes(self) -> None:
        """Let every index follow its table."""
        self.departed = Departed()
        self.pods.follow(self.departed)
        self.pods.follow(self.pod_classes)
        self.pods.follow(self.pods_by_address)
        self.pods.follow(self.pods_by_node)
        self.nodes.follow(self.nodes_by_address)
        self.services.follow(self.services_by_address)
        self.endpoint_slices.follow(self.slices_by_service)
        self.services.follow(self.services_by_selector)
        self.told_admin_rules = ToldAdminRules()
        self.virtual_networks.follow(self.told_admin_rules)

    def apply(self, change: Change) -> None:
        """Take in one change from a source."""
        self.version += 1
        if isinstance(change, SourceChanged):
            self.sources[change.source] = SourceState(change.reading, change.reason, change.facts, change.at)
            return
        table = self.tables[change.kind]
        match change:
            case Upserted():
                table.upsert(self._with_told(change))
            case AdminRulesTold():
                self._tell(change)
            case Removed():
                table.remove(change.ids)
            case ListStarted():
                table.start_list(change.scope)
            case ListEnded():
                scope = change.scope
                table.end_list(scope, lambda ident: not scope or ident.startswith(f"{scope}/"))
                table.set_access(scope, Access(Reading.LIVE, at=change.at))
            case ReadingChanged():
                self._read(table, change)
            case ScopeLeft():
                table.leave(change.scope)
            case Heartbeat():
                self._beat(table, change)
            case UndecodableFound():
                table.note_undecodable(change.id, change.reason)

    def get(self, ref: Ref) -> AnyObject | None:
        """Return the object that a reference names, or None if it is not in the store."""
        table = self.tables.get(ref.kind)
        return None if table is None else table.get(ref.id)

    def pods_of_node(self, name: str) -> list[Pod]:
        """Return the Pods that are bound to a node, sorted by id."""
        return self._rows(self.pods, self.pods_by_node.get(name))

    def pods_at(self, address: int) -> list[Pod]:
        """Return the Pods that have or had an address (finished ones included), sorted by id."""
        return self._rows(self.pods, self.pods_by_address.get(address))

    def nodes_at(self, address: int) -> list[Node]:
        """Return the nodes that have an address, sorted by id."""
        return self._rows(self.nodes, self.nodes_by_address.get(address))

    def services_at(self, address: int) -> list[Service]:
        """Return the Services that answer at an address (cluster, load balancer or external), sorted by id."""
        return self._rows(self.services, self.services_by_address.get(address))

    def slices_of(self, service: str) -> list[EndpointSlice]:
        """Return the EndpointSlices of a Service (id ``namespace/name``), sorted by id."""
        return self._rows(self.endpoint_slices, self.slices_by_service.get(service))

    def _rows(self, table: Table[T], idents: Iterable[str]) -> list[T]:
        found = (table.get(ident) for ident in sorted(idents))
        return [row for row in found if row is not None]

    def _with_told(self, change: Upserted) -> Iterable[Any]:
        """Return the objects of a change, virtual networks with what was told of their admin rules."""
        if change.kind != VirtualNetwork.KIND:
            return change.objects
        return self.told_admin_rules.over(cast("list[VirtualNetwork]", change.objects))

    def _tell(self, told: AdminRulesTold) -> None:
        network = self.virtual_networks.get(told.id)
        if network is not None:  # else it went while Azure was asked; what comes in its place is another one
            self.told_admin_rules.note(told)
            self.virtual_networks.upsert(self.told_admin_rules.over([network]))

    def _read(self, table: Table[Any], change: ReadingChanged) -> None:
        before = table.access(change.scope) if change.scope in table.scopes() or not change.scope else PENDING
        at = change.at if change.reading is Reading.LIVE else before.at
        table.set_access(change.scope, Access(change.reading, change.reason, at))

    @staticmethod
    def _beat(table: Table[Any], change: Heartbeat) -> None:
        """Note that a watch is alive; of a scope that nobody listed nothing is known, however alive its watch is."""
        known = table.scopes().get(change.scope)
        if known is not None and known.reading is Reading.LIVE:
            table.set_access(change.scope, Access(Reading.LIVE, at=change.at))

    def _table(self, struct: type[T]) -> Table[T]:
        return cast("Table[T]", self.tables[struct.KIND])  # type: ignore[attr-defined]  # every struct has its KIND


def _integers(addresses: Iterable[str]) -> list[int]:
    return [number for number in map(parse_address, addresses) if number is not None]


def _service_addresses(service: Service) -> list[int]:
    return _integers((*service.virtual_ips, *service.external_addresses))
