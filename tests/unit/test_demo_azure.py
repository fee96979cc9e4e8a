"""The Azure side of the demo is what AKS's cloud controller would have made of its Services."""

import pytest

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.azure.network import LoadBalancer, LoadBalancingRule, NetworkSecurityGroup
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.sources import demo
from aksnav.store import Store


@pytest.fixture(scope="module")
def store() -> Store:
    made = Store()
    for change in demo.changes("healthy", lambda: 1.0):
        made.apply(change)
    return made


def _balanced(store: Store) -> list[tuple[Service, LoadBalancer]]:
    balancers = {balancer.name: balancer for balancer in store.load_balancers}
    return [
        (service, balancers["kubernetes-internal" if _internal(service) else "kubernetes"])
        for service in store.services
        if service.type == "LoadBalancer"
    ]


def _internal(service: Service) -> bool:
    return service.annotations.get("service.beta.kubernetes.io/azure-load-balancer-internal") == "true"


def _prefix(service: Service) -> str:
    return ("a" + service.uid.replace("-", ""))[:32]


def _rule(service: Service, balancer: LoadBalancer, port: ServicePort) -> LoadBalancingRule:
    wanted = f"{_prefix(service)}-{port.protocol}-{port.port}"
    return next(rule for rule in balancer.load_balancing_rules if rule.name == wanted)


def test_each_port_has_a_rule_with_floating_ip_in_front_of_every_node(store: Store) -> None:
    """A rule is named by the Service's uid, sends the Service's port on, and its pool holds every node's interface."""
    nics = {config.id for nic in store.interfaces for config in nic.ip_configurations}
    assert len(nics) == len(store.nodes)
    rules = 0
    for service, balancer in _balanced(store):
        for port in service.ports:
            rule = _rule(service, balancer, port)
            assert (rule.frontend_port, rule.backend_port) == (port.port, port.port)
            assert rule.enable_floating_ip
            (pool,) = rule.pools
            members = next(item for item in balancer.backend_address_pools if item.id == pool.id)
            assert {member.id for member in members.backend_ip_configurations} == nics
            rules += 1
    assert rules == sum(len(balancer.load_balancing_rules) for balancer in store.load_balancers)


def test_each_frontend_has_the_address_that_the_service_says_it_has(store: Store) -> None:
    """A public frontend leads to a tagged public address, an internal one has an address of the node subnet."""
    for service, balancer in _balanced(store):
        frontend = next(item for item in balancer.frontend_ip_configurations if item.name == _prefix(service))
        (outside,) = service.external_addresses
        if frontend.public_ip_address is None:
            assert frontend.private_ip_address == outside
            continue
        address = store.public_ips.get(frontend.public_ip_address.id)
        assert address is not None
        assert address.ip_address == outside
        assert address.tags["k8s-azure-service"] == service.id
        assert address.ip_configuration is not None
        assert address.ip_configuration.id == frontend.id


def test_probes_ask_what_the_service_wants_to_be_asked(store: Store) -> None:
    """Policy Local: /healthz on the health check node port; policy Cluster: TCP on the node port."""
    for service, balancer in _balanced(store):
        for port in service.ports:
            asked = _rule(service, balancer, port).probe
            assert asked is not None
            probe = next(item for item in balancer.probes if item.id == asked.id)
            if service.external_traffic_policy == "Local":
                assert (probe.protocol, probe.request_path) == ("Http", "/healthz")
                assert probe.port == service.health_check_node_port
            else:
                assert (probe.protocol, probe.port) == ("Tcp", port.node_port)


def test_without_its_annotations_the_gateways_probe_becomes_http_on_the_root() -> None:
    """Field appProtocol decides where no annotation does, and the path is then /."""
    made = Store()
    for change in demo.changes("l12-probe-on-root", lambda: 1.0):
        made.apply(change)
    probes = [probe for balancer in made.load_balancers for probe in balancer.probes if probe.name.endswith("-TCP-80")]
    assert ("Http", "/", 31081) in {(probe.protocol, probe.request_path, probe.port) for probe in probes}


@pytest.mark.parametrize("name", ["nsg-contoso-nodes", "aks-agentpool-31745081-nsg"])
def test_both_security_groups_let_the_internet_to_every_public_frontend(store: Store, name: str) -> None:
    """The first rule that matches client, frontend and Service port is an allow, in the subnet and on the interface."""
    group = next(item for item in store.security_groups if item.name == name)
    for service, _ in _balanced(store):
        if not _internal(service):
            for port in service.ports:
                assert _decides(group, service.external_addresses[0], port.port) == "Allow"


def _decides(group: NetworkSecurityGroup, address: str, port: int) -> str:
    number = parse_address(address)
    for rule in sorted(group.own_rules, key=lambda item: item.priority):
        if rule.direction != "Inbound" or rule.source_address_prefix not in {"Internet", "*"}:
            continue
        wanted = rule.destination_address_prefixes or (rule.destination_address_prefix,)
        ports = rule.destination_port_ranges or (rule.destination_port_range,)
        blocks = [parse_prefix(item) for item in wanted]
        there = "*" in wanted or any(block is not None and number in block for block in blocks)
        if there and ("*" in ports or str(port) in ports):
            return rule.access
    return "Deny"


def test_the_rules_of_the_interfaces_group_are_named_and_numbered_as_the_controller_does(store: Store) -> None:
    """k8s-azure-lb_allow_IPv4_ and 32 hexadecimal digits, priorities from 500."""
    group = next(item for item in store.security_groups if item.name.startswith("aks-agentpool-"))
    for index, rule in enumerate(group.own_rules):
        head, _, digest = rule.name.rpartition("_")
        assert head == "k8s-azure-lb_allow_IPv4"
        assert len(bytes.fromhex(digest)) == 16
        assert rule.priority == 500 + index


def test_every_node_is_an_instance_of_a_scale_set_with_an_interface(store: Store) -> None:
    """providerID, node address and interface address tell of the same machine."""
    by_machine = {nic.virtual_machine.id: nic for nic in store.interfaces if nic.virtual_machine is not None}
    for node in store.nodes:
        nic = by_machine[node.provider_id.removeprefix("azure://").lower()]
        assert nic.ip_configurations[0].private_ip_address == node.internal_ips[0]
        assert nic.network_security_group is not None
        assert nic.network_security_group.id in store.security_groups


def test_the_pools_are_three_over_two_zones(store: Store) -> None:
    """What the managed cluster says of its pools is what the nodes say."""
    (cluster,) = store.clusters
    counts = {pool.name: pool.count for pool in cluster.agent_pool_profiles}
    assert len(counts) == 3
    assert {name: sum(node.pool == name for node in store.nodes) for name in counts} == counts
    assert {node.zone for node in store.nodes} == {"westeurope-1", "westeurope-2"}


def test_the_ranges_do_not_overlap(store: Store) -> None:
    """Virtual networks, Pod range and Service range are apart from each other."""
    (cluster,) = store.clusters
    texts = [*cluster.network_profile.pod_cidrs, *cluster.network_profile.service_cidrs]
    texts += [prefix for network in store.virtual_networks for prefix in network.address_space.address_prefixes]
    blocks = [block for block in map(parse_prefix, texts) if block is not None]
    assert len(blocks) == 4
    assert not any(one.overlaps(other) for one in blocks for other in blocks if one is not other)


def test_references_between_azure_objects_lead_somewhere(store: Store) -> None:
    """Subnets name their group and routes, peerings name each other, and the usage counts what is listed."""
    prod, hub = store.virtual_networks
    nodes = prod.subnets[0]
    assert nodes.network_security_group is not None
    assert nodes.network_security_group.id in store.security_groups
    assert nodes.route_table is not None
    assert nodes.route_table.id in store.route_tables
    assert prod.virtual_network_peerings[0].remote_virtual_network.id == hub.id
    assert hub.virtual_network_peerings[0].remote_virtual_network.id == prod.id
    usage = next(item for item in prod.usages or () if item.arm_id.lower() == nodes.id)
    assert usage.current_value == len(nodes.ip_configurations or ())
