"""One round of reading: which lists of Azure Resource Manager say what the network around the nodes is made of.

Lists are read by resource group: that of the nodes, and those of the virtual networks in which the nodes are. What
these refer to in other resource groups (a peer, a security group, an address) is read one by one, by its id.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.edge import (
    ApplicationGateway,
    PrivateEndpoint,
    PrivateLinkService,
    TrafficControllerAssociation,
)
from aksnav.model.azure.network import (
    LoadBalancer,
    NatGateway,
    NetworkInterface,
    NetworkSecurityGroup,
    Subnet,
    SubResource,
    VirtualNetwork,
)
from aksnav.model.change import Reading
from aksnav.sources.azure import edges, zones
from aksnav.sources.azure.arm_ids import Group, group_of, name_of, network_of, scale_set_of
from aksnav.sources.azure.edges import CONTROLLER_PARTS, CONTROLLERS, EDGE_KINDS
from aksnav.sources.azure.errors import ArmError, Where
from aksnav.sources.azure.find import CLUSTER_READ
from aksnav.sources.azure.interfaces import Place
from aksnav.sources.azure.lists import OPERATIONS, ListReader
from aksnav.sources.azure.neighbours import Neighbours, neighbours_of
from aksnav.sources.azure.outcome import Read, failed, joined
from aksnav.sources.azure.transport import Json

USAGES = "Microsoft.Network/virtualNetworks/usages/read"


class Reader(ListReader):
    """Reads everything around one cluster, once."""

    def reads(self) -> Iterator[Read]:
        """Yield what came of each kind and scope, as it is read.

        Raises:
            CredentialError, UnreachableError: nothing more can be read.
            ThrottledError: Azure asks to wait for longer than this round may last.
        """
        for read in self._everything():
            if read.reading is not Reading.LIVE:
                self._incomplete.add(read.kind)
            yield read

    def _everything(self) -> Iterator[Read]:
        yield self._read_cluster()
        nodes = self._found.node_group
        if nodes is None:
            reason = self._found.error or "the resource group of the nodes is not known"
            yield from self._unread((*OPERATIONS, *EDGE_KINDS, *zones.ZONE_KINDS), reason)
            return
        for kind in ("loadBalancers", "publicIPAddresses", "networkSecurityGroups"):
            yield self._list(kind, nodes)
        yield self._interfaces(nodes)
        networks = self._home_networks()
        groups = sorted({group for group in map(group_of, networks) if group is not None})
        if not networks and self._cluster is not None:
            groups = [nodes]  # AKS made the virtual network itself: it lies beside the nodes
        if not groups:
            reason = f"the virtual network of the nodes is not known: {self._found.error or 'no subnet names it'}"
            yield from self._unread(("virtualNetworks", "networkSecurityGroups", "routeTables", "natGateways"), reason)
        for group in groups:
            yield self._list("virtualNetworks", group, self._counted(networks))
            if group != nodes:
                yield self._list("networkSecurityGroups", group)
        for group in sorted({nodes, *groups}):
            yield self._list("routeTables", group)
        yield self._list("natGateways", nodes, grounds=self._ways_out())
        yield from self._edges(nodes)
        yield from self._referred()
        yield from self._private_zones([nodes, *(group for group in groups if group != nodes)])
        yield from self._neighbours(nodes)

    def _private_zones(self, groups: list[Group]) -> Iterator[Read]:
        """Read the zones that may answer in the networks, where they answer, and what they hold."""
        in_groups, notes = zones.zone_groups(self._paged, self._kept.value, self._of(PrivateEndpoint))
        self.notes += notes
        home = self._home_networks()
        known = sorted((item.id for item in self._of(VirtualNetwork)), key=lambda ident: (ident not in home, ident))
        named = in_groups | zones.named_zones(self._cluster)
        asking = zones.Asking(self._paged, self._decoded, self._unless_kept)
        yield from zones.read_zones(asking, groups, named, known)

    def _edges(self, nodes: Group) -> Iterator[Read]:
        """Read what stands in front of the cluster, where something points to it."""
        asked = set()
        for read in self._pointed(nodes):
            asked.add(read.kind)
            yield read
        for kind, pointing in edges.POINTED_BY.items():
            hidden = sorted(pointing & self._incomplete)
            if hidden:
                reason = f"what would name one is not readable: {', '.join(hidden)}"
                yield Read(kind=kind, scope="", reading=Reading.UNREAD, reason=reason)
            elif kind not in asked:
                yield Read(kind=kind, scope="", whole=True)

    def _pointed(self, nodes: Group) -> Iterator[Read]:
        pointers = self._hints.pointers
        for name in sorted(pointers.address_groups):
            group = Group(nodes.subscription, name)
            if ("publicIPAddresses", group) not in self._listed:
                yield self._list("publicIPAddresses", group)
        for name in sorted(pointers.link_groups):
            yield self._list("privateLinkServices", Group(nodes.subscription, name or nodes.name))
        yield from self._named("privateLinkServices", edges.links(self._of(NetworkInterface)))
        known = edges.endpoints(self._of(NetworkInterface), self._of(PrivateLinkService))
        yield from self._named("privateEndpoints", known)
        own = [item for endpoint in self._of(PrivateEndpoint) for item in endpoint.network_interfaces]
        yield from self._named("networkInterfaces", own)
        home = self._home_networks()
        subnets = [subnet for network in self._of(VirtualNetwork) if network.id in home for subnet in network.subnets]
        named = [SubResource(arm_id=ident) for ident in sorted(edges.gateways(self._cluster, subnets))]
        yield from self._named("applicationGateways", named)
        yield from self._controllers(nodes)

    def _controllers(self, nodes: Group) -> Iterator[Read]:
        """Read the parts of Application Gateways for Containers: those in the nodes' group, and those with a name."""
        idents = set(self._hints.pointers.controllers)
        if edges.delegated(self._of(VirtualNetwork)):
            path = f"{nodes.scope}/providers/{CONTROLLERS}"
            try:
                listed = self._paged(f"{CONTROLLERS}/read", path)
            except ArmError as error:
                yield from (failed(kind, nodes.scope, error) for kind in CONTROLLER_PARTS)
                return
            idents |= {str(wire.get("id") or "").lower() for wire in listed}
        for kind, part in CONTROLLER_PARTS.items():
            by_group: dict[Group, list[str]] = {}
            for ident in sorted(idents):
                group = group_of(ident)
                if group is not None:
                    by_group.setdefault(group, []).append(ident)
            for group, own in by_group.items():
                try:
                    wires = [
                        wire for ident in own for wire in self._paged(f"{CONTROLLERS}/{part}/read", f"{ident}/{part}")
                    ]
                except ArmError as error:
                    yield failed(kind, group.scope, error)
                else:
                    yield self._decoded(kind, group.scope, wires)

    def _referred(self) -> Iterator[Read]:
        """Read what the objects so far refer to and no list has shown."""
        home = self._home_networks()
        peerings = [
            peering
            for network in self._of(VirtualNetwork)
            if network.id in home
            for peering in network.virtual_network_peerings
        ]
        peers = [peering.remote_virtual_network for peering in peerings]
        yield from self._named("virtualNetworks", peers, self._with_usages, grounds=peerings)
        subnets = list(self._used_subnets())
        yield from self._named("natGateways", [subnet.nat_gateway for subnet in subnets])
        yield from self._named("routeTables", [subnet.route_table for subnet in subnets])
        filters = [subnet.network_security_group for subnet in subnets]
        filters += [item.network_security_group for item in self._of(NetworkInterface)]
        yield from self._named("networkSecurityGroups", filters)
        addresses = [
            frontend.public_ip_address
            for balancer in self._of(LoadBalancer)
            for frontend in balancer.frontend_ip_configurations
        ]
        addresses += [
            frontend.public_ip_address
            for gate in self._of(ApplicationGateway)
            for frontend in gate.frontend_ip_configurations
        ]
        addresses += [item for gateway in self._of(NatGateway) for item in gateway.public_ip_addresses]
        yield from self._named("publicIPAddresses", addresses)

    def _read_cluster(self) -> Read:
        found = self._found
        group = group_of(found.cluster_id)
        scope = group.scope if group is not None else ""
        if found.cluster is not None:
            read = self._decoded("managedClusters", scope, [found.cluster])
            self._cluster = next((item for item in read.objects if isinstance(item, ManagedCluster)), None)
            if not found.error:
                return read
        elif found.where is not None and not scope and found.where.action == CLUSTER_READ:
            scope = found.where.scope.lower()
        reading = Reading.DENIED if found.denied else Reading.FAILED
        return Read(kind="managedClusters", scope=scope, reading=reading, reason=found.error)

    def _interfaces(self, group: Group) -> Read:
        """Read the interfaces of the nodes: those of scale sets are in no list of the resource group."""
        kind, sets = "networkInterfaces", self._members(group)
        single = sets.pop("", frozenset())
        self._listed.add((kind, group))
        parts: list[Read] = []
        errors: list[ArmError] = []
        pools = self._cluster.agent_pool_profiles if self._cluster is not None else None
        lists: list[tuple[Place, Any]] = [(Place(group), (single, pools, self._hints.pointers))]
        lists += [(Place(group, name), (members, pools)) for name, members in sorted(sets.items())]
        for place, grounds in lists:
            try:
                parts.append(self._unless_kept(place.where().scope, grounds, partial(self._some, kind, place)))
            except ArmError as error:
                if not (error.missing and place.scale_set):  # a pool that is gone meanwhile
                    errors.append(error)
        read = joined(kind, group.scope, parts)
        reason = self._unknown_scale_sets(set(sets))
        if errors:
            worst = next((error for error in errors if error.denied), errors[0])
            read.reading, read.reason = (Reading.DENIED if worst.denied else Reading.FAILED), str(worst)
        elif reason:
            read.reading, read.reason = Reading.UNREAD, reason
        read.whole = read.reading is Reading.LIVE
        return read

    def _some(self, kind: str, place: Place) -> Read:
        return self._decoded(kind, place.group.scope, self._ask(place.where(), place.listing(self._arm)))

    def _members(self, group: Group) -> dict[str, frozenset[str]]:
        """Return every id of a group that names a machine or an interface: of nodes, members of pools and of groups.

        They are returned by the scale set that they are in; those of single machines under an empty name.
        """
        ids = [item.id for security in self._of(NetworkSecurityGroup) for item in security.network_interfaces] + [
            item.id
            for balancer in self._of(LoadBalancer)
            for pool in balancer.backend_address_pools
            for item in pool.backend_ip_configurations
        ]
        found: dict[str, set[str]] = {}
        for ident in (*ids, *self._hints.provider_ids):
            if group_of(ident) == group:
                found.setdefault(scale_set_of(ident), set()).add(ident)
        return {name: frozenset(members) for name, members in found.items()}

    def _ways_out(self) -> Any:
        """Return what NAT gateways of the nodes' group come and go with."""
        named = [subnet.nat_gateway for subnet in self._used_subnets() if subnet.nat_gateway is not None]
        return named, self._cluster.network_profile if self._cluster is not None else None

    def _neighbours(self, nodes: Group) -> Iterator[Read]:
        """Read who else has addresses in the networks of the cluster; what cannot be read of it is a note."""
        home = self._home_networks()
        known = {item.id for item in self._of(NetworkInterface)}
        budget = Neighbours(self._arm, self._patiently, self._kept)
        for network in self._of(VirtualNetwork):
            if network.id in home:
                yield from budget.read(network, neighbours_of(network, known, nodes))
        self.notes += budget.notes

    def _unknown_scale_sets(self, names: set[str]) -> str:
        """Return why the scale sets are not all known, or an empty string."""
        if self._cluster is not None:
            pools = [pool for pool in self._cluster.agent_pool_profiles if pool.count]
            sets = sum(pool.type.lower() == "virtualmachinescalesets" for pool in pools)
            return f"of {sets} scale sets of the cluster only {len(names)} are known" if len(names) < sets else ""
        known = bool(names) or bool(self._hints.provider_ids)
        return "" if known else "the scale sets of the nodes are not known"

    def _home_networks(self) -> set[str]:
        """Return the ids of the virtual networks in which nodes, Pods or internal frontends are."""
        return {network_of(ident) for ident in self._subnet_ids()}

    def _subnet_ids(self) -> set[str]:
        found = {
            configuration.subnet.id
            for interface in self._of(NetworkInterface)
            for configuration in interface.ip_configurations
            if configuration.subnet is not None
        }
        found |= {
            frontend.subnet.id
            for balancer in self._of(LoadBalancer)
            for frontend in balancer.frontend_ip_configurations
            if frontend.subnet is not None
        }
        if self._cluster is not None:
            for pool in self._cluster.agent_pool_profiles:
                found |= {pool.vnet_subnet_id.lower(), pool.pod_subnet_id.lower()}
        return found - {""}

    def _used_subnets(self) -> Iterator[Subnet]:
        wanted = self._subnet_ids()
        if wanted:
            wanted |= edges.subnets_of(self._of(ApplicationGateway), self._of(TrafficControllerAssociation))
        for network in self._of(VirtualNetwork):
            yield from (subnet for subnet in network.subnets if subnet.id in wanted or not wanted)

    def _counted(self, networks: set[str]) -> Callable[[Json], Json]:
        """Return what adds the used addresses to the networks in which the cluster is; others have no use for them."""

        def finish(wire: Json) -> Json:
            ident = str(wire.get("id") or "").lower()
            return self._with_usages(wire) if ident in networks or not networks else wire

        return finish

    def _with_usages(self, wire: Json) -> Json:
        """Add the addresses in use of each subnet to a virtual network."""
        ident = str(wire.get("id") or "")
        group, inner = group_of(ident), wire.get("properties")
        if group is None or not isinstance(inner, dict):
            return wire
        operations = self._arm.network(group.subscription).virtual_networks
        try:
            usages = self._ask(Where(USAGES, ident), lambda: operations.list_usage(group.name, name_of(ident)))
        except ArmError as error:
            self.notes.append(str(error))
            return wire
        return {**wire, "properties": {**inner, "usages": usages}}
