"""The managed cluster (Microsoft.ContainerService/managedClusters)."""

from typing import Any, ClassVar

import msgspec

from aksnav.model.object import AzureObject


class NetworkProfile(msgspec.Struct, frozen=True, rename="camel", gc=False, kw_only=True):
    """How the cluster's network is built; an empty string is a field that ARM did not send."""

    network_plugin: str = ""
    network_plugin_mode: str = ""
    network_policy: str = ""
    network_dataplane: str = ""
    network_mode: str = ""
    pod_cidr: str = ""
    pod_cidrs: tuple[str, ...] = ()
    service_cidr: str = ""
    service_cidrs: tuple[str, ...] = ()
    dns_service_ip: str = msgspec.field(name="dnsServiceIP", default="")
    outbound_type: str = ""
    load_balancer_sku: str = ""
    load_balancer_profile: dict[str, Any] = {}
    nat_gateway_profile: dict[str, Any] = {}
    ip_families: tuple[str, ...] = ()
    advanced_networking: dict[str, Any] = {}
    kube_proxy_config: dict[str, Any] = {}
    docker_bridge_cidr: str = ""


class AgentPool(msgspec.Struct, frozen=True, rename="camel", gc=False, kw_only=True):
    """One node pool; ``untold``: what the file that it is from leaves out of it."""

    name: str = ""
    count: int = 0
    min_count: int | None = None
    max_count: int | None = None
    max_pods: int = 0
    mode: str = ""
    os_type: str = ""
    os_sku: str = msgspec.field(name="osSKU", default="")
    type: str = ""
    vm_size: str = ""
    vnet_subnet_id: str = msgspec.field(name="vnetSubnetID", default="")
    pod_subnet_id: str = msgspec.field(name="podSubnetID", default="")
    pod_ip_allocation_mode: str = msgspec.field(name="podIPAllocationMode", default="")
    availability_zones: tuple[str, ...] = ()
    enable_auto_scaling: bool = False
    enable_node_public_ip: bool = msgspec.field(name="enableNodePublicIP", default=False)
    upgrade_settings: dict[str, Any] = {}
    local_dns_profile: dict[str, Any] = msgspec.field(name="localDNSProfile", default={})
    network_profile: dict[str, Any] = {}
    power_state: dict[str, Any] = {}
    provisioning_state: str = ""
    untold: tuple[str, ...] = ()


class ManagedCluster(AzureObject, kw_only=True, gc=False):
    """An AKS cluster; what few roads need (ingress, mesh, API server access) is kept as it came."""

    KIND: ClassVar[str] = "managedClusters"

    kubernetes_version: str = ""
    current_kubernetes_version: str = ""
    fqdn: str = ""
    private_fqdn: str = msgspec.field(name="privateFQDN", default="")
    azure_portal_fqdn: str = msgspec.field(name="azurePortalFQDN", default="")
    node_resource_group: str = ""
    power_state: dict[str, Any] = {}
    network_profile: NetworkProfile = NetworkProfile()
    agent_pool_profiles: tuple[AgentPool, ...] = ()
    ingress_profile: dict[str, Any] = {}
    addon_profiles: dict[str, Any] = {}
    service_mesh_profile: dict[str, Any] = {}
    api_server_access_profile: dict[str, Any] = {}
    node_provisioning_profile: dict[str, Any] = {}
    sku: dict[str, Any] = {}
