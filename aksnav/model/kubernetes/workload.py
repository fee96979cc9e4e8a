"""Namespace, Node, Pod and Event: where a packet ends and on what it runs (Kubernetes API core/v1)."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from aksnav.model.labels import EMPTY, Labels
from aksnav.model.object import KubernetesObject


class Namespace(KubernetesObject, kw_only=True, gc=False):
    """A namespace; its labels are what namespaceSelectors and allowedRoutes match."""

    KIND: ClassVar[str] = "Namespace"

    phase: str = ""


class Condition(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One status condition (metav1.Condition, NodeCondition): type, status True, False or Unknown."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    observed_generation: int | None = None


class Taint(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One taint of a node."""

    key: str
    effect: str = ""
    value: str = ""


class Node(KubernetesObject, kw_only=True, gc=False):
    """A node as the API server knows it.

    Attributes:
        provider_id: ``azure:///subscriptions/…`` id of the virtual machine; its letter case varies.
        addresses: pairs of type (InternalIP, ExternalIP, Hostname) and address.
        allocatable_pods: the most Pods that the kubelet accepts (status.allocatable.pods), 0 if not said.
    """

    KIND: ClassVar[str] = "Node"

    provider_id: str = ""
    pod_cidrs: tuple[str, ...] = ()
    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()
    addresses: tuple[tuple[str, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    allocatable_pods: int = 0
    kubelet_version: str = ""
    os_image: str = ""
    operating_system: str = ""

    @property
    def internal_ips(self) -> tuple[str, ...]:
        """Addresses of type InternalIP, primary first."""
        return tuple(address for kind, address in self.addresses if kind == "InternalIP")

    @property
    def ready(self) -> bool | None:
        """The Ready condition; None where the kubelet's word is Unknown or absent."""
        for condition in self.conditions:  # asked of every node for every load balancer: no generator
            if condition.type == "Ready":
                return None if condition.status == "Unknown" else condition.status == "True"
        return None

    @property
    def zone(self) -> str:
        """Availability zone (topology.kubernetes.io/zone), empty if the node has none."""
        return self.labels.get("topology.kubernetes.io/zone", "")

    @property
    def pool(self) -> str:
        """AKS node pool (kubernetes.azure.com/agentpool, formerly agentpool), empty if the label is absent."""
        return self.labels.get("kubernetes.azure.com/agentpool", "") or self.labels.get("agentpool", "")

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of this type, or None if the status does not have it."""
        return next((condition for condition in self.conditions if condition.type == kind), None)


class ContainerPort(msgspec.Struct, frozen=True, gc=False):
    """A port that a container declares; declaring is informational except for a name that others refer to."""

    container: str
    port: int
    name: str = ""
    protocol: str = "TCP"
    host_port: int = 0
    sidecar: bool = False


class Probe(msgspec.Struct, frozen=True, gc=False):
    """A readiness probe: kind is http, tcp, grpc or exec; port a number or a container port's name (0 for exec)."""

    container: str
    kind: str
    port: int | str = 0
    path: str = ""
    scheme: str = ""


class PodTemplate:
    """What the Pods of one workload share, interned: equal templates are the same object.

    Attributes:
        labels: the Pod's labels.
        owner_kind, owner_name: the controlling owner (ReplicaSet, DaemonSet, …), empty for a bare Pod.
        ports: every declared container port, in the order of the spec (sidecar init containers included).
        probes: readiness probes.
        host_network: the Pod uses its node's network namespace.
        service_account: spec.serviceAccountName.
        readiness_gates: condition types that must hold besides the containers' readiness.
        meshed: one of its containers is Istio's proxy (``istio-proxy``): a sidecar, or a gateway of Istio's.
        redirected: Istio's CNI plugin hands its connections to the node's ztunnel (ambient mode).
        dns_policy: spec.dnsPolicy; empty for ClusterFirst, the default.
        host_aliases: pairs of host name and address that the kubelet writes to its /etc/hosts.
    """

    __slots__ = (
        "dns_policy",
        "host_aliases",
        "host_network",
        "labels",
        "meshed",
        "owner_kind",
        "owner_name",
        "ports",
        "probes",
        "readiness_gates",
        "redirected",
        "service_account",
    )

    def __init__(  # noqa: PLR0913 - one argument an attribute; only ``of`` calls it
        self,
        labels: Labels,
        owner_kind: str,
        owner_name: str,
        ports: tuple[ContainerPort, ...],
        probes: tuple[Probe, ...],
        host_network: bool,
        service_account: str,
        readiness_gates: tuple[str, ...],
        meshed: bool,
        redirected: bool,
        dns_policy: str,
        host_aliases: tuple[tuple[str, str], ...],
    ) -> None:
        self.labels = labels
        self.owner_kind = owner_kind
        self.owner_name = owner_name
        self.ports = ports
        self.probes = probes
        self.host_network = host_network
        self.service_account = service_account
        self.readiness_gates = readiness_gates
        self.meshed = meshed
        self.redirected = redirected
        self.dns_policy = dns_policy
        self.host_aliases = host_aliases

    @staticmethod
    def of(  # noqa: PLR0913 - the attributes of the class
        labels: Labels = EMPTY,
        owner_kind: str = "",
        owner_name: str = "",
        ports: tuple[ContainerPort, ...] = (),
        probes: tuple[Probe, ...] = (),
        host_network: bool = False,
        service_account: str = "",
        readiness_gates: tuple[str, ...] = (),
        meshed: bool = False,
        redirected: bool = False,
        dns_policy: str = "",
        host_aliases: tuple[tuple[str, str], ...] = (),
    ) -> "PodTemplate":
        """Return the one template that has exactly these attributes."""
        key = (
            labels,
            owner_kind,
            owner_name,
            ports,
            probes,
            host_network,
            service_account,
            readiness_gates,
            meshed,
            redirected,
            dns_policy,
            host_aliases,
        )
        found = _TEMPLATES.get(key)
        if found is None:
            found = _TEMPLATES[key] = PodTemplate(*key)
        return found

    def parts(self) -> tuple[object, ...]:
        """Return the arguments from which ``of`` makes this template again."""
        return (
            self.labels,
            self.owner_kind,
            self.owner_name,
            self.ports,
            self.probes,
            self.host_network,
            self.service_account,
            self.readiness_gates,
            self.meshed,
            self.redirected,
            self.dns_policy,
            self.host_aliases,
        )


_TEMPLATES: dict[tuple[object, ...], PodTemplate] = {}
NO_TEMPLATE = PodTemplate.of()


class Pod(msgspec.Struct, kw_only=True, gc=False):
    """A Pod, flat: 200,000 of them are held, so what its workload shares is in ``template``.

    Attributes:
        ips: status.podIPs, primary first; empty until the kubelet has said it.
        host_ip: status.hostIP.
        phase: Pending, Running, Succeeded, Failed, Unknown.
        ready: the Ready condition is True.
        ready_reason: reason of a Ready condition that is not True, as the kubelet gives it.
        reason: why it is not running as it should, as kubectl's STATUS column shows it (CrashLoopBackOff, OOMKilled,
            …), else the phase.
        unscheduled: message of a PodScheduled condition that is False.
        restarts: sum over the containers.
        id: ``namespace/name``; whatever is given is replaced.
    """

    KIND: ClassVar[str] = "Pod"

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    deleting: bool = False
    template: PodTemplate = NO_TEMPLATE
    node: str = ""
    host_ip: str = ""
    ips: tuple[str, ...] = ()
    phase: str = ""
    ready: bool = False
    ready_reason: str = ""
    reason: str = ""
    unscheduled: str = ""
    restarts: int = 0
    id: str = ""

    generation: ClassVar[int] = 0
    annotations: ClassVar[Mapping[str, str]] = {}

    def __post_init__(self) -> None:
        """Make the id once: tables, indexes and panes have it as their key, and each would make a text of its own."""
        self.id = f"{self.namespace}/{self.name}"

    @property
    def labels(self) -> Labels:
        """The Pod's labels."""
        return self.template.labels

    @property
    def ip(self) -> str:
        """Primary address, or an empty string."""
        return self.ips[0] if self.ips else ""

    @property
    def finished(self) -> bool:
        """Succeeded or Failed: it holds no network any more."""
        return self.phase in {"Succeeded", "Failed"}


class Event(KubernetesObject, kw_only=True, gc=False):
    """An event about a networking object; kept only for the reasons in ``NETWORK_REASONS``.

    Attributes:
        about_kind, about_namespace, about_name, about_uid: the object that it is about.
        type: Normal or Warning.
        last_seen: RFC 3339 text of the last occurrence.
    """

    KIND: ClassVar[str] = "Event"

    about_kind: str = ""
    about_namespace: str = ""
    about_name: str = ""
    about_uid: str = ""
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 1
    last_seen: str = ""
    component: str = ""


NETWORK_REASONS = frozenset(
    {
        "SyncLoadBalancerFailed", "UpdateLoadBalancerFailed", "CreatingLoadBalancerFailed",
        "DeletingLoadBalancerFailed", "EnsuringLoadBalancer", "EnsuredLoadBalancer", "UpdatedLoadBalancer",
        "LoadBalancerUpdateFailed", "InvalidSourceRanges", "InvalidAllowedIPRanges", "ConflictConfiguration",
        "ConflictingConfiguration", "UnAvailableLoadBalancer", "PortAlreadyAllocated", "FailedToCreateEndpoint",
        "FailedToUpdateEndpoint", "FailedToUpdateEndpointSlices", "TopologyAwareHintsDisabled", "InvalidIPFamilies",
        "LoadBalancerMixedProtocolNotSupported", "UnsupportedInternalLoadBalancer", "UnsupportedSessionAffinity",
        "UnsupportedLoadBalancerIP", "UnsupportedDualStack", "UnsupportedNamedTargetPort", "UnsupportedProtocol",
        "UnsupportedBackendPortCollision", "InvalidIdleTimeout", "FailedCreatePodSandBox", "FailedKillPod",
        "NetworkNotReady", "FailedScheduling", "Unhealthy", "BackOff", "Failed", "NodeNotReady", "NodeReady",
        "FailedToUpdateIngress", "Rejected", "AddedOrUpdated", "Sync", "FailedMount",
        "FailedComputeMetricsReplicas", "CIDRNotAvailable", "RegisteredNode", "RemovingNode", "FailedApplyIngress",
        "ErrorNoSuchSecret", "SecretNotFound", "NoValidIngress", "InvalidAnnotation", "ServiceNotFound",
        "ScalingReplicaSet", "KEDAScaleTargetDeactivated", "FailedApplyingAppGwConfig",
        "EndpointsEmpty", "PortResolutionError", "BackendPortNotFound", "UnhealthyBackend", "FailedToReconcile",
    }
)  # fmt: skip
