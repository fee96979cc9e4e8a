"""What stands between clients and a cluster: private link, Application Gateway, Application Gateway for Containers."""

from typing import ClassVar

import msgspec

from aksnav.model.azure.network import Child, Frontend, SubResource
from aksnav.model.object import AzureObject


class ConnectionState(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Whether the owner of a private link service let a private endpoint in (Approved, Pending, Rejected, …)."""

    status: str = ""
    description: str = ""
    actions_required: str = ""


class Subscriptions(msgspec.Struct, frozen=True, gc=False):
    """Subscriptions that may see a private link service, or are approved by themselves; ``*`` is everybody."""

    subscriptions: tuple[str, ...] = ()


class LinkAddress(Child, kw_only=True, gc=False):
    """An address from which a private link service connects to the load balancer."""

    private_ip_address: str = msgspec.field(name="privateIPAddress", default="")
    private_ip_address_version: str = msgspec.field(name="privateIPAddressVersion", default="IPv4")
    primary: bool = False
    subnet: SubResource | None = None


class EndpointConnection(Child, kw_only=True, gc=False):
    """A private endpoint, as the service that it connects to sees it."""

    private_endpoint: SubResource = SubResource()
    private_link_service_connection_state: ConnectionState = ConnectionState()


class PrivateLinkService(AzureObject, kw_only=True, gc=False):
    """A private link service in front of a load balancer's frontend."""

    KIND: ClassVar[str] = "privateLinkServices"

    load_balancer_frontend_ip_configurations: tuple[SubResource, ...] = ()
    ip_configurations: tuple[LinkAddress, ...] = ()
    private_endpoint_connections: tuple[EndpointConnection, ...] = ()
    visibility: Subscriptions = Subscriptions()
    auto_approval: Subscriptions = Subscriptions()
    enable_proxy_protocol: bool = False
    alias: str = ""
    fqdns: tuple[str, ...] = ()
    destination_ip_address: str = msgspec.field(name="destinationIPAddress", default="")


class ServiceConnection(Child, kw_only=True, gc=False):
    """A connection of a private endpoint to a service; ``group_ids`` are parts of an Azure service."""

    private_link_service_id: str = ""
    group_ids: tuple[str, ...] = ()
    private_link_service_connection_state: ConnectionState = ConnectionState()


class CustomDns(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A name for which a private endpoint asks for a record, with its addresses."""

    fqdn: str = ""
    ip_addresses: tuple[str, ...] = ()


class EndpointAddress(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A static address of a private endpoint."""

    name: str = ""
    private_ip_address: str = msgspec.field(name="privateIPAddress", default="")


class PrivateEndpoint(AzureObject, kw_only=True, gc=False):
    """A private endpoint: an address in a subnet that stands for a service elsewhere."""

    KIND: ClassVar[str] = "privateEndpoints"

    subnet: SubResource | None = None
    network_interfaces: tuple[SubResource, ...] = ()
    private_link_service_connections: tuple[ServiceConnection, ...] = ()
    manual_private_link_service_connections: tuple[ServiceConnection, ...] = ()
    custom_dns_configs: tuple[CustomDns, ...] = ()
    ip_configurations: tuple[EndpointAddress, ...] = ()

    @property
    def connections(self) -> tuple[ServiceConnection, ...]:
        """Every connection, approved by itself or by hand."""
        return (*self.private_link_service_connections, *self.manual_private_link_service_connections)


class GatewaySku(msgspec.Struct, frozen=True, gc=False):
    """Size and tier of an Application Gateway."""

    name: str = ""
    tier: str = ""


class GatewayAddress(Child, kw_only=True, gc=False):
    """The subnet in which the instances of an Application Gateway are."""

    subnet: SubResource | None = None


class FrontendPort(Child, kw_only=True, gc=False):
    """A port of an Application Gateway."""

    port: int = 0


class HttpListener(Child, kw_only=True, gc=False):
    """A listener: frontend, port, protocol and host names (none: any host)."""

    frontend_ip_configuration: SubResource = msgspec.field(name="frontendIPConfiguration", default=SubResource())
    frontend_port: SubResource = SubResource()
    protocol: str = ""
    host_name: str = ""
    host_names: tuple[str, ...] = ()
    ssl_certificate: SubResource | None = None
    require_server_name_indication: bool = False
    firewall_policy: SubResource | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host name, whichever field Azure filled."""
        return self.host_names or ((self.host_name,) if self.host_name else ())


class PathRule(Child, kw_only=True, gc=False):
    """A rule of a URL path map; the first whose paths match decides."""

    paths: tuple[str, ...] = ()
    backend_address_pool: SubResource | None = None
    backend_http_settings: SubResource | None = None
    redirect_configuration: SubResource | None = None
    rewrite_rule_set: SubResource | None = None
    firewall_policy: SubResource | None = None


class UrlPathMap(Child, kw_only=True, gc=False):
    """Path rules of a host, and where everything else goes."""

    default_backend_address_pool: SubResource | None = None
    default_backend_http_settings: SubResource | None = None
    default_redirect_configuration: SubResource | None = None
    default_rewrite_rule_set: SubResource | None = None
    path_rules: tuple[PathRule, ...] = ()


class RequestRoutingRule(Child, kw_only=True, gc=False):
    """What a listener does: one backend (Basic) or a path map (PathBasedRouting)."""

    rule_type: str = ""
    priority: int = 0
    http_listener: SubResource = SubResource()
    backend_address_pool: SubResource | None = None
    backend_http_settings: SubResource | None = None
    url_path_map: SubResource | None = None
    redirect_configuration: SubResource | None = None
    rewrite_rule_set: SubResource | None = None


class RedirectConfiguration(Child, kw_only=True, gc=False):
    """A redirect to another listener or URL."""

    redirect_type: str = ""
    target_listener: SubResource | None = None
    target_url: str = ""
    include_path: bool = False
    include_query_string: bool = False


class GatewayTarget(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A member of a backend pool."""

    ip_address: str = ""
    fqdn: str = ""


class GatewayPool(Child, kw_only=True, gc=False):
    """A backend pool of an Application Gateway."""

    backend_addresses: tuple[GatewayTarget, ...] = ()
    backend_ip_configurations: tuple[SubResource, ...] = msgspec.field(name="backendIPConfigurations", default=())


class HttpSettings(Child, kw_only=True, gc=False):
    """How an Application Gateway speaks to a pool; times in seconds."""

    port: int = 0
    protocol: str = ""
    host_name: str = ""
    pick_host_name_from_backend_address: bool = False
    path: str = ""
    request_timeout: int = 30
    probe: SubResource | None = None
    probe_enabled: bool = False
    cookie_based_affinity: str = ""
    trusted_root_certificates: tuple[SubResource, ...] = ()


class ProbeMatch(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What a probe takes for healthy."""

    body: str = ""
    status_codes: tuple[str, ...] = ()


class GatewayProbe(Child, kw_only=True, gc=False):
    """A health probe of an Application Gateway; times in seconds."""

    protocol: str = ""
    host: str = ""
    path: str = ""
    port: int = 0
    interval: int = 30
    timeout: int = 30
    unhealthy_threshold: int = 3
    pick_host_name_from_backend_http_settings: bool = False
    match: ProbeMatch = ProbeMatch()


class ServerHealth(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What an Application Gateway says of one server (Healthy, Unhealthy, Unknown, Draining, Partial)."""

    address: str = ""
    health: str = ""
    health_probe_log: str = ""


class SettingsHealth(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The servers of a pool as one set of HTTP settings finds them."""

    backend_http_settings: SubResource = SubResource()
    servers: tuple[ServerHealth, ...] = ()


class PoolHealth(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """A pool as ``az network application-gateway show-backend-health`` prints it."""

    backend_address_pool: SubResource = SubResource()
    backend_http_settings_collection: tuple[SettingsHealth, ...] = ()


class WebApplicationFirewall(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """The firewall in an Application Gateway's own configuration."""

    enabled: bool = False
    firewall_mode: str = ""


class ApplicationGateway(AzureObject, kw_only=True, gc=False):
    """An Application Gateway; ``backend_health`` is None where nobody asked for it (it is a live answer)."""

    KIND: ClassVar[str] = "applicationGateways"

    sku: GatewaySku = GatewaySku()
    operational_state: str = ""
    gateway_ip_configurations: tuple[GatewayAddress, ...] = msgspec.field(name="gatewayIPConfigurations", default=())
    frontend_ip_configurations: tuple[Frontend, ...] = msgspec.field(name="frontendIPConfigurations", default=())
    frontend_ports: tuple[FrontendPort, ...] = ()
    http_listeners: tuple[HttpListener, ...] = ()
    request_routing_rules: tuple[RequestRoutingRule, ...] = ()
    url_path_maps: tuple[UrlPathMap, ...] = ()
    redirect_configurations: tuple[RedirectConfiguration, ...] = ()
    backend_address_pools: tuple[GatewayPool, ...] = ()
    backend_http_settings_collection: tuple[HttpSettings, ...] = ()
    probes: tuple[GatewayProbe, ...] = ()
    firewall_policy: SubResource | None = None
    web_application_firewall_configuration: WebApplicationFirewall = WebApplicationFirewall()
    backend_health: tuple[PoolHealth, ...] | None = None


class TrafficControllerFrontend(AzureObject, kw_only=True, gc=False):
    """A frontend of Application Gateway for Containers: the name to which clients are sent."""

    KIND: ClassVar[str] = "trafficControllerFrontends"

    fqdn: str = ""


class TrafficControllerAssociation(AzureObject, kw_only=True, gc=False):
    """The subnet from which Application Gateway for Containers connects to Pods."""

    KIND: ClassVar[str] = "trafficControllerAssociations"

    association_type: str = ""
    subnet: SubResource | None = None
