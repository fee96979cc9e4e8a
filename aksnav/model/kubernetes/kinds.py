"""The kinds of the Kubernetes API that aksnav knows, those of CustomResourceDefinitions included."""

from aksnav.model.kind import Kind
from aksnav.model.kubernetes.calico import (
    SERVED,
    STORED,
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
    NETWORKING,
    DestinationRule,
    EnvoyFilter,
    IstioGateway,
    ServiceEntry,
    Sidecar,
    VirtualService,
)
from aksnav.model.kubernetes.istio_security import (
    SECURITY,
    AuthorizationPolicy,
    PeerAuthentication,
    RequestAuthentication,
)
from aksnav.model.kubernetes.policy import (
    CiliumCIDRGroup,
    CiliumClusterwideNetworkPolicy,
    CiliumNetworkPolicy,
    NetworkPolicy,
)
from aksnav.model.kubernetes.secret import Secret
from aksnav.model.kubernetes.service import EndpointSlice, Service
from aksnav.model.kubernetes.workload import Event, Namespace, Node, Pod
from aksnav.model.object import KubernetesObject

_NETWORKING = "networking.k8s.io"
_GATEWAY = "gateway.networking.k8s.io"


def _calico(
    struct: type[KubernetesObject], plural: str, *aliases: str, namespaced: bool = False, manifest: str = ""
) -> Kind:
    """Return a kind of Calico's: as it is stored, which needs no API server of Calico's and no right to see a tier."""
    return Kind(
        name=struct.KIND,
        struct=struct,
        plural=plural,
        group=STORED,
        namespaced=namespaced,
        optional=True,
        aliases=aliases,
        manifest=manifest,
        elsewhere=(SERVED, "v3"),
    )


def _istio(
    struct: type[KubernetesObject],
    plural: str,
    *aliases: str,
    group: str = NETWORKING,
    versions: tuple[str, ...] = ("v1", "v1beta1"),
    manifest: str = "",
) -> Kind:
    """Return a kind of Istio's."""
    return Kind(
        name=struct.KIND,
        struct=struct,
        plural=plural,
        group=group,
        versions=versions,
        optional=True,
        aliases=aliases,
        manifest=manifest,
    )


KUBERNETES_KINDS: tuple[Kind, ...] = (
    Kind(name="Namespace", struct=Namespace, plural="namespaces", namespaced=False, aliases=("ns",)),
    Kind(name="Node", struct=Node, plural="nodes", namespaced=False, aliases=("no", "node")),
    Kind(name="Service", struct=Service, plural="services", aliases=("svc", "service")),
    Kind(
        name="EndpointSlice", struct=EndpointSlice, plural="endpointslices", group="discovery.k8s.io", aliases=("eps",)
    ),
    Kind(
        name="IngressClass",
        struct=IngressClass,
        plural="ingressclasses",
        group=_NETWORKING,
        namespaced=False,
        aliases=("ic",),
    ),
    Kind(name="Ingress", struct=Ingress, plural="ingresses", group=_NETWORKING, aliases=("ing", "ingress")),
    Kind(
        name="NginxIngressController",
        struct=NginxIngressController,
        plural="nginxingresscontrollers",
        group="approuting.kubernetes.azure.com",
        versions=("v1alpha1",),
        namespaced=False,
        optional=True,
    ),
    Kind(
        name="AzureIngressProhibitedTarget",
        struct=AzureIngressProhibitedTarget,
        plural="azureingressprohibitedtargets",
        group="appgw.ingress.k8s.io",
        optional=True,
    ),
    Kind(
        name="NetworkPolicy",
        struct=NetworkPolicy,
        plural="networkpolicies",
        group=_NETWORKING,
        aliases=("np", "netpol"),
    ),
    Kind(
        name="GatewayClass",
        struct=GatewayClass,
        plural="gatewayclasses",
        group=_GATEWAY,
        namespaced=False,
        optional=True,
        aliases=("gc",),
    ),
    Kind(name="Gateway", struct=Gateway, plural="gateways", group=_GATEWAY, optional=True, aliases=("gw", "gateway")),
    Kind(
        name="HTTPRoute",
        struct=HTTPRoute,
        plural="httproutes",
        group=_GATEWAY,
        optional=True,
        aliases=("hr", "httproute"),
    ),
    Kind(
        name="GRPCRoute",
        struct=GRPCRoute,
        plural="grpcroutes",
        group=_GATEWAY,
        versions=("v1", "v1alpha2"),
        optional=True,
        aliases=("gr", "grpcroute"),
    ),
    Kind(
        name="TLSRoute",
        struct=TLSRoute,
        plural="tlsroutes",
        group=_GATEWAY,
        versions=("v1", "v1alpha3", "v1alpha2"),
        optional=True,
        aliases=("tlsr", "tlsroute"),
    ),
    Kind(
        name="TCPRoute",
        struct=TCPRoute,
        plural="tcproutes",
        group=_GATEWAY,
        versions=("v1", "v1alpha2"),
        optional=True,
        aliases=("tcpr", "tcproute"),
    ),
    Kind(
        name="UDPRoute",
        struct=UDPRoute,
        plural="udproutes",
        group=_GATEWAY,
        versions=("v1", "v1alpha2"),
        optional=True,
        aliases=("udpr", "udproute"),
    ),
    Kind(
        name="BackendTLSPolicy",
        struct=BackendTLSPolicy,
        plural="backendtlspolicies",
        group=_GATEWAY,
        versions=("v1", "v1alpha3"),
        optional=True,
        aliases=("btls", "btlspolicy"),
    ),
    Kind(
        name="ListenerSet",
        struct=ListenerSet,
        plural="listenersets",
        group=_GATEWAY,
        optional=True,
        aliases=("lset",),
    ),
    Kind(
        name="XListenerSet",
        struct=XListenerSet,
        plural="xlistenersets",
        group="gateway.networking.x-k8s.io",
        versions=("v1alpha1",),
        optional=True,
        aliases=("xls",),
    ),
    Kind(
        name="ReferenceGrant",
        struct=ReferenceGrant,
        plural="referencegrants",
        group=_GATEWAY,
        versions=("v1", "v1beta1"),
        optional=True,
        aliases=("rg",),
    ),
    Kind(
        name="CiliumNetworkPolicy",
        struct=CiliumNetworkPolicy,
        plural="ciliumnetworkpolicies",
        group="cilium.io",
        versions=("v2",),
        optional=True,
        aliases=("cnp",),
    ),
    Kind(
        name="CiliumClusterwideNetworkPolicy",
        struct=CiliumClusterwideNetworkPolicy,
        plural="ciliumclusterwidenetworkpolicies",
        group="cilium.io",
        versions=("v2",),
        namespaced=False,
        optional=True,
        aliases=("ccnp",),
    ),
    Kind(
        name="CiliumCIDRGroup",
        struct=CiliumCIDRGroup,
        plural="ciliumcidrgroups",
        group="cilium.io",
        versions=("v2", "v2alpha1"),
        namespaced=False,
        optional=True,
        aliases=("ccg",),
    ),
    _calico(CalicoNetworkPolicy, "networkpolicies", "caliconp", namespaced=True, manifest="NetworkPolicy"),
    _calico(GlobalNetworkPolicy, "globalnetworkpolicies", "gnp"),
    _calico(Tier, "tiers"),
    _calico(NetworkSet, "networksets", "netset", namespaced=True),
    _calico(GlobalNetworkSet, "globalnetworksets", "gns"),
    _calico(HostEndpoint, "hostendpoints", "hep"),
    _istio(IstioGateway, "gateways", "igw", manifest="Gateway"),
    _istio(VirtualService, "virtualservices", "vs"),
    _istio(DestinationRule, "destinationrules", "dr"),
    _istio(ServiceEntry, "serviceentries", "se"),
    _istio(Sidecar, "sidecars"),
    _istio(EnvoyFilter, "envoyfilters", versions=("v1alpha3",)),
    _istio(AuthorizationPolicy, "authorizationpolicies", "authz", group=SECURITY),
    _istio(PeerAuthentication, "peerauthentications", "pa", group=SECURITY),
    _istio(RequestAuthentication, "requestauthentications", "ra", group=SECURITY),
    Kind(name="Pod", struct=Pod, plural="pods", aliases=("po", "pod")),
    Kind(name="Event", struct=Event, plural="events", aliases=("ev",)),
    Kind(name="Secret", struct=Secret, plural="secrets", by_name=True),
    Kind(name="ConfigMap", struct=ConfigMap, plural="configmaps", by_name=True, aliases=("cm",)),
)
