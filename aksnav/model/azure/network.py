"""Virtual networks, security groups, routes, load balancers and addresses (Microsoft.Network)."""

from typing import ClassVar

import msgspec

from aksnav.model.azure.admin import Moment, SecurityAdminRule
from aksnav.model.object import AzureObject


class SubResource(msgspec.Struct, frozen=True, gc=False):
    """A reference to another resource; ``arm_id`` is as Azure wrote it, ``id`` in lower case."""

    arm_id: str = msgspec.field(name="id", default="")

    @property
    def id(self) -> str:
        """The id in lower case, or an empty string."""
        return self.arm_id.lower()


class Sku(msgspec.Struct, frozen=True, gc=False):
    """A SKU (Basic, Standard, Gateway, Service; tier Regional or Global)."""

    name: str = ""
    tier: str = ""


class Child(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """A resource inside another one; ``untold``: what ARM sends of such a part, and this one does not have."""

    arm_id: str = msgspec.field(name="id", default="")
    name: str = ""
    etag: str = ""
    provisioning_state: str = ""
    untold: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The id in lower case."""
        return self.arm_id.lower()


class AddressSpace(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Prefixes of a virtual network."""

    address_prefixes: tuple[str, ...] = ()


class Delegation(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The service that a subnet is delegated to."""

    name: str = ""
    service_name: str = ""


class ServiceEndpoint(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A service of Azure to which a subnet has a route of its own (Microsoft.Storage)."""

    service: str = ""
    provisioning_state: str = ""


class Subnet(Child, kw_only=True, gc=False):
    """A subnet; ``ip_configurations`` are the addresses in use as far as ARM lists them (None: not asked for)."""

    address_prefix: str = ""
    address_prefixes: tuple[str, ...] = ()
    network_security_group: SubResource | None = None
    route_table: SubResource | None = None
    nat_gateway: SubResource | None = None
    ip_configurations: tuple[SubResource, ...] | None = None
    delegations: tuple[Delegation, ...] = ()
    service_endpoints: tuple[ServiceEndpoint, ...] = ()
    private_endpoint_network_policies: str = ""
    private_link_service_network_policies: str = ""
    private_endpoints: tuple[SubResource, ...] = ()
    default_outbound_access: bool | None = None

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Every prefix of the subnet, whichever field Azure filled."""
        return self.address_prefixes or ((self.address_prefix,) if self.address_prefix else ())


class Peering(Child, kw_only=True, gc=False):
    """A peering, as this side sees it; None for a flag that the capture does not have, which says neither."""

    remote_virtual_network: SubResource = SubResource()
    peering_state: str = ""
    peering_sync_level: str = ""
    allow_virtual_network_access: bool | None = None
    allow_forwarded_traffic: bool | None = None
    allow_gateway_transit: bool | None = None
    use_remote_gateways: bool = False
    peer_complete_vnets: bool = True
    local_subnet_names: tuple[str, ...] = ()
    remote_subnet_names: tuple[str, ...] = ()
    remote_address_space: AddressSpace = AddressSpace()
    remote_virtual_network_address_space: AddressSpace = AddressSpace()


class DhcpOptions(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """DNS servers of a virtual network; none means Azure DNS."""

    dns_servers: tuple[str, ...] = ()


class SubnetUsage(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Addresses in use and the limit, per subnet (virtualNetworks/usages)."""

    arm_id: str = msgspec.field(name="id", default="")
    current_value: float = 0
    limit: float = 0


class VirtualNetwork(AzureObject, kw_only=True, gc=False):
    """A virtual network; ``usages`` is None where the usage call was not made or refused.

    So is ``effective_security_admin_rules``, which only a POST tells: nothing but a request of the user makes it.

    Attributes:
        admin_rules_as_of: when Azure was asked for the admin rules, seconds since the epoch; 0 where that is not said.
        admin_rules_old: that is too long ago to rely on.
    """

    KIND: ClassVar[str] = "virtualNetworks"

    address_space: AddressSpace = AddressSpace()
    dhcp_options: DhcpOptions = DhcpOptions()
    subnets: tuple[Subnet, ...] = ()
    virtual_network_peerings: tuple[Peering, ...] = ()
    usages: tuple[SubnetUsage, ...] | None = None
    effective_security_admin_rules: tuple[SecurityAdminRule, ...] | None = None
    admin_rules_as_of: Moment = 0.0
    admin_rules_old: bool = False


class SecurityRule(Child, kw_only=True, gc=False):
    """One rule of a network security group; singular and plural forms can both be filled; priority 0: not said."""

    priority: int = 0
    direction: str = ""
    access: str = ""
    protocol: str = ""
    description: str = ""
    source_address_prefix: str = ""
    source_address_prefixes: tuple[str, ...] = ()
    source_port_range: str = ""
    source_port_ranges: tuple[str, ...] = ()
    source_application_security_groups: tuple[SubResource, ...] = ()
    destination_address_prefix: str = ""
    destination_address_prefixes: tuple[str, ...] = ()
    destination_port_range: str = ""
    destination_port_ranges: tuple[str, ...] = ()
    destination_application_security_groups: tuple[SubResource, ...] = ()


class NetworkSecurityGroup(AzureObject, kw_only=True, gc=False):
    """A network security group; ``default_security_rules`` may be absent in hand-written files.

    ``security_rules`` is None where the object does not say which rules it has; Azure lists none as an empty list.
    """

    KIND: ClassVar[str] = "networkSecurityGroups"

    security_rules: tuple[SecurityRule, ...] | None = None
    default_security_rules: tuple[SecurityRule, ...] | None = None
    network_interfaces: tuple[SubResource, ...] = ()
    subnets: tuple[SubResource, ...] = ()

    @property
    def own_rules(self) -> tuple[SecurityRule, ...]:
        """The rules besides the default ones, as far as they are told."""
        return self.security_rules or ()


class Route(Child, kw_only=True, gc=False):
    """One user-defined route."""

    address_prefix: str = ""
    next_hop_type: str = ""
    next_hop_ip_address: str = ""
    has_bgp_override: bool = False


class RouteTable(AzureObject, kw_only=True, gc=False):
    """A route table."""

    KIND: ClassVar[str] = "routeTables"

    routes: tuple[Route, ...] = ()
    disable_bgp_route_propagation: bool = False
    subnets: tuple[SubResource, ...] = ()


class Frontend(Child, kw_only=True, gc=False):
    """A frontend of a load balancer: a public address or a private one in a subnet."""

    private_ip_address: str = msgspec.field(name="privateIPAddress", default="")
    private_ip_allocation_method: str = msgspec.field(name="privateIPAllocationMethod", default="")
    public_ip_address: SubResource | None = msgspec.field(name="publicIPAddress", default=None)
    public_ip_prefix: SubResource | None = msgspec.field(name="publicIPPrefix", default=None)
    subnet: SubResource | None = None
    zones: tuple[str, ...] = ()
    gateway_load_balancer: SubResource | None = None
    load_balancing_rules: tuple[SubResource, ...] = ()
    outbound_rules: tuple[SubResource, ...] = ()


class LoadBalancingRule(Child, kw_only=True, gc=False):
    """A load-balancing rule; protocol Tcp, Udp or All, port 0 with All is every port.

    ``enable_floating_ip`` is None where the rule does not say it.
    """

    frontend_ip_configuration: SubResource = msgspec.field(name="frontendIPConfiguration", default=SubResource())
    backend_address_pool: SubResource = SubResource()
    backend_address_pools: tuple[SubResource, ...] = ()
    probe: SubResource | None = None
    protocol: str = ""
    frontend_port: int = 0
    backend_port: int = 0
    enable_floating_ip: bool | None = msgspec.field(name="enableFloatingIP", default=None)
    enable_tcp_reset: bool = False
    idle_timeout_in_minutes: int = 4
    load_distribution: str = "Default"
    disable_outbound_snat: bool = False

    @property
    def pools(self) -> tuple[SubResource, ...]:
        """Every pool of the rule, whichever field Azure filled."""
        return self.backend_address_pools or ((self.backend_address_pool,) if self.backend_address_pool.arm_id else ())


class LoadBalancerProbe(Child, kw_only=True, gc=False):
    """A health probe: protocol Tcp, Http or Https; interval in seconds.

    ``no_healthy_backends_behavior`` AllProbedUp sends on to every member where the probe is up on none.
    """

    protocol: str = ""
    port: int = 0
    request_path: str = ""
    interval_in_seconds: int = 5
    number_of_probes: int = 1
    probe_threshold: int = 1
    no_healthy_backends_behavior: str = ""


class InboundNatRule(Child, kw_only=True, gc=False):
    """An inbound NAT rule: a port, or a range of them, of a frontend that leads to one member of a pool."""

    frontend_ip_configuration: SubResource = msgspec.field(name="frontendIPConfiguration", default=SubResource())
    protocol: str = ""
    frontend_port: int = 0
    frontend_port_range_start: int = 0
    frontend_port_range_end: int = 0
    backend_port: int = 0


class BackendAddress(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A member of a pool by address; ``admin_state`` Up or Down goes before its probe."""

    name: str = ""
    ip_address: str = ""
    admin_state: str = ""
    network_interface_ip_configuration: SubResource | None = msgspec.field(
        name="networkInterfaceIPConfiguration", default=None
    )


class BackendPool(Child, kw_only=True, gc=False):
    """A backend pool: members by network interface configuration, by address, or both; ``untold``: neither list."""

    backend_ip_configurations: tuple[SubResource, ...] = msgspec.field(name="backendIPConfigurations", default=())
    load_balancer_backend_addresses: tuple[BackendAddress, ...] = ()


class OutboundRule(Child, kw_only=True, gc=False):
    """An outbound rule: source translation for a pool behind frontends."""

    backend_address_pool: SubResource = SubResource()
    frontend_ip_configurations: tuple[SubResource, ...] = msgspec.field(name="frontendIPConfigurations", default=())
    allocated_outbound_ports: int = 0
    idle_timeout_in_minutes: int = 4
    protocol: str = ""
    enable_tcp_reset: bool = False


class LoadBalancer(AzureObject, kw_only=True, gc=False):
    """A load balancer."""

    KIND: ClassVar[str] = "loadBalancers"

    sku: Sku = Sku()
    frontend_ip_configurations: tuple[Frontend, ...] = msgspec.field(name="frontendIPConfigurations", default=())
    load_balancing_rules: tuple[LoadBalancingRule, ...] = ()
    probes: tuple[LoadBalancerProbe, ...] = ()
    backend_address_pools: tuple[BackendPool, ...] = ()
    outbound_rules: tuple[OutboundRule, ...] = ()
    inbound_nat_rules: tuple[InboundNatRule, ...] = ()


class DnsSettings(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The DNS label of a public address."""

    domain_name_label: str = ""
    fqdn: str = ""


class PublicIPAddress(AzureObject, kw_only=True, gc=False):
    """A public address; ``ip_configuration`` is what it is attached to."""

    KIND: ClassVar[str] = "publicIPAddresses"

    sku: Sku = Sku()
    ip_address: str = ""
    public_ip_allocation_method: str = msgspec.field(name="publicIPAllocationMethod", default="")
    public_ip_address_version: str = msgspec.field(name="publicIPAddressVersion", default="IPv4")
    ip_configuration: SubResource | None = None
    nat_gateway: SubResource | None = None
    dns_settings: DnsSettings = DnsSettings()
    zones: tuple[str, ...] = ()


class PrivateLinkConnection(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The names for which an interface of a private endpoint has its address."""

    fqdns: tuple[str, ...] = ()


class InterfaceConfiguration(Child, kw_only=True, gc=False):
    """An address of a network interface."""

    private_ip_address: str = msgspec.field(name="privateIPAddress", default="")
    private_ip_address_version: str = msgspec.field(name="privateIPAddressVersion", default="IPv4")
    primary: bool = False
    subnet: SubResource | None = None
    public_ip_address: SubResource | None = msgspec.field(name="publicIPAddress", default=None)
    load_balancer_backend_address_pools: tuple[SubResource, ...] = ()
    application_security_groups: tuple[SubResource, ...] = ()
    private_link_connection_properties: PrivateLinkConnection = PrivateLinkConnection()


class NetworkInterface(AzureObject, kw_only=True, gc=False):
    """A network interface of a virtual machine or of a scale set's instance."""

    KIND: ClassVar[str] = "networkInterfaces"

    ip_configurations: tuple[InterfaceConfiguration, ...] = ()
    network_security_group: SubResource | None = None
    virtual_machine: SubResource | None = None
    private_endpoint: SubResource | None = None
    private_link_service: SubResource | None = None
    enable_ip_forwarding: bool | None = msgspec.field(name="enableIPForwarding", default=None)
    primary: bool = False


class NatGateway(AzureObject, kw_only=True, gc=False):
    """A NAT gateway."""

    KIND: ClassVar[str] = "natGateways"

    sku: Sku = Sku()
    public_ip_addresses: tuple[SubResource, ...] = ()
    public_ip_prefixes: tuple[SubResource, ...] = ()
    subnets: tuple[SubResource, ...] = ()
    idle_timeout_in_minutes: int = 4
