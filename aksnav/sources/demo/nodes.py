"""Namespaces and the nodes of three pools over two zones, as AKS makes them."""

from typing import NamedTuple

from aksnav.sources.demo.world import NODE_GROUP, REGION, SUBSCRIPTION, Json, World, condition, thing

VERSION = "v1.34.2"
NAMESPACES = (
    "default",
    "kube-system",
    "kube-public",
    "kube-node-lease",
    "app-routing-system",
    "aks-istio-system",
    "infra",
    "shop",
    "payments",
    "media",
    "intra",
    "iot",
    "reports",
)


class Instance(NamedTuple):
    """One instance of a pool's scale set: its pool, its number in the scale set, its place and its addresses."""

    pool: str
    number: int
    zone: str
    ip: str
    pod_cidr: str

    @property
    def scale_set(self) -> str:
        """Name of the scale set."""
        return f"aks-{self.pool}-{_SET_NUMBERS[self.pool]}-vmss"

    @property
    def node(self) -> str:
        """Name of the node: the scale set's, then the instance number in six digits."""
        return f"{self.scale_set}{self.number:06}"


_SET_NUMBERS = {"system": "14203987", "apps": "27513406", "data": "30488152"}
INSTANCES = (
    Instance("system", 0, "westeurope-1", "10.224.0.4", "10.244.0.0/24"),
    Instance("system", 1, "westeurope-2", "10.224.0.5", "10.244.1.0/24"),
    Instance("apps", 0, "westeurope-1", "10.224.0.6", "10.244.2.0/24"),
    Instance("apps", 1, "westeurope-2", "10.224.0.7", "10.244.3.0/24"),
    Instance("data", 0, "westeurope-1", "10.224.0.8", "10.244.4.0/24"),
    Instance("data", 1, "westeurope-2", "10.224.0.9", "10.244.5.0/24"),
)


def build(world: World) -> None:
    """Add the namespaces and the nodes."""
    for name in NAMESPACES:
        labels = {"kubernetes.io/metadata.name": name}
        if name in {"shop", "payments", "media"}:
            labels["contoso.com/tier"] = "public"
        world.put(
            "Namespace",
            thing("Namespace", name, labels=labels, spec={"finalizers": ["kubernetes"]}, status={"phase": "Active"}),
        )
    for instance in INSTANCES:
        world.put("Node", _node(instance))


def _node(instance: Instance) -> Json:
    provider = (
        f"azure:///subscriptions/{SUBSCRIPTION}/resourceGroups/{NODE_GROUP.lower()}/providers/Microsoft.Compute"
        f"/virtualMachineScaleSets/{instance.scale_set}/virtualMachines/{instance.number}"
    )
    pressure = [
        condition(kind, "False", f"KubeletHas{reason}", f"kubelet has {message}")
        for kind, reason, message in (
            ("MemoryPressure", "SufficientMemory", "sufficient memory available"),
            ("DiskPressure", "NoDiskPressure", "no disk pressure"),
            ("PIDPressure", "SufficientPID", "sufficient PID available"),
        )
    ]
    return thing(
        "Node",
        instance.node,
        labels=_labels(instance),
        spec={
            "providerID": provider,
            "podCIDR": instance.pod_cidr,
            "podCIDRs": [instance.pod_cidr],
            **({"taints": _SYSTEM_TAINT} if instance.pool == "system" else {}),
        },
        status={
            "addresses": [
                {"type": "InternalIP", "address": instance.ip},
                {"type": "Hostname", "address": instance.node},
            ],
            "allocatable": {"cpu": "3860m", "memory": "12899808Ki", "pods": "250"},
            "capacity": {"cpu": "4", "memory": "16374240Ki", "pods": "250"},
            "conditions": [
                condition("NetworkUnavailable", "False", "CiliumIsUp", "Cilium is running on this node"),
                *pressure,
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "nodeInfo": {
                "kubeletVersion": VERSION,
                "osImage": "Ubuntu 24.04.3 LTS",
                "operatingSystem": "linux",
                "architecture": "amd64",
                "containerRuntimeVersion": "containerd://2.1.4",
            },
        },
    )


_SYSTEM_TAINT = [{"key": "CriticalAddonsOnly", "value": "true", "effect": "NoSchedule"}]


def _labels(instance: Instance) -> dict[str, str]:
    return {
        "agentpool": instance.pool,
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": "Standard_D4ds_v5",
        "beta.kubernetes.io/os": "linux",
        "failure-domain.beta.kubernetes.io/region": REGION,
        "failure-domain.beta.kubernetes.io/zone": instance.zone,
        "kubernetes.azure.com/agentpool": instance.pool,
        "kubernetes.azure.com/azure-cni-overlay": "true",
        "kubernetes.azure.com/cluster": NODE_GROUP,
        "kubernetes.azure.com/ebpf-dataplane": "cilium",
        "kubernetes.azure.com/mode": "system" if instance.pool == "system" else "user",
        "kubernetes.azure.com/network-name": "vnet-contoso-prod",
        "kubernetes.azure.com/network-resourcegroup": "rg-contoso-prod",
        "kubernetes.azure.com/network-subnet": "snet-nodes",
        "kubernetes.azure.com/nodenetwork-vnetguid": "b5a0e0c2-2bb1-4a0b-8f8e-3f0d0e6f5b7a",
        "kubernetes.azure.com/os-sku": "Ubuntu",
        "kubernetes.azure.com/os-sku-effective": "Ubuntu2404",
        "kubernetes.azure.com/podnetwork-type": "overlay",
        "kubernetes.azure.com/role": "agent",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": instance.node,
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "Standard_D4ds_v5",
        "topology.disk.csi.azure.com/zone": instance.zone,
        "topology.kubernetes.io/region": REGION,
        "topology.kubernetes.io/zone": instance.zone,
    }
