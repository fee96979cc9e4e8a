"""The demo cluster in the other network models that AKS has: what is different in each, and nothing else.

Sources: AKS documentation, configure-kubenet.md, concepts-network-legacy-cni.md,
concepts-network-azure-cni-pod-subnet.md and azure-cni-overlay.md (dual stack); labels of nodes:
karpenter-provider-azure, designs/0006.
"""

from collections.abc import Callable, Iterator

from aksnav.sources.demo.azure_network import (
    MANAGED_CLUSTER,
    NODE_SUBNET,
    ROUTES,
    VNET,
    child,
    nic_id,
    route,
)
from aksnav.sources.demo.nodes import INSTANCES, Instance
from aksnav.sources.demo.workloads import WORKLOADS, Workload, daemon, pod
from aksnav.sources.demo.world import Json, World

POD_SUBNET = f"{VNET}/subnets/snet-pods"
POD_SUBNET_RANGE = "10.224.16.0/20"
NODE_SUBNET_RANGE = "10.224.0.0/22"
BATCH = 16
MIN_FREE = 8
_RESERVED = 5
_MANAGED = "Microsoft.ContainerService/managedClusters"
_FIRST_SECONDARY = 64  # behind the nodes and the internal frontends
_ADDED = (
    daemon("kube-proxy", "oss/kubernetes/kube-proxy:v1.34.2", (("metrics", 10249, "TCP"),), "kube-proxy"),
    daemon("calico-node", "oss/calico/node:v3.30.3", (("health", 9099, "TCP"),), "calico-node"),
)


def kubenet(world: World) -> None:
    """Give every node a route to its Pods; Pods keep their addresses of the Pod CIDR."""
    _calico(world)
    _drop_workload(world, "azure-cns")
    _profile(world, networkPlugin="kubenet", networkPolicy="calico", networkDataplane="azure")
    _pools(world, maxPods=110)
    _nodes(world, 110, {"kubernetes.azure.com/azure-cni-overlay", "kubernetes.azure.com/podnetwork-type"}, {})
    table = world.get("routeTables", ROUTES.lower())
    for item in INSTANCES:
        name = f"{item.node}____{item.pod_cidr.replace('.', '').replace('/', '')}"
        table["properties"]["routes"].append(route(name, item.pod_cidr, "VirtualAppliance", item.ip))


def node_subnet(world: World) -> None:
    """Keep 30 addresses of the nodes' subnet for the Pods of each node, on its interface."""
    _calico(world)
    _profile(world, networkPlugin="azure", networkPolicy="calico", networkDataplane="azure")
    _pools(world, maxPods=30)
    _nodes(world, 30, _OVERLAY_LABELS, {}, ranges=False)
    kept = {item: _secondary(index) for index, item in enumerate(INSTANCES)}
    _move_pods(world, {item.node: addresses for item, addresses in kept.items()})
    subnet = _subnet(world, NODE_SUBNET)
    subnet["properties"]["addressPrefix"] = NODE_SUBNET_RANGE
    _subnet(world, f"{VNET}/subnets/snet-endpoints")["properties"]["addressPrefix"] = "10.224.4.0/27"
    for item, addresses in kept.items():
        configs = [_configuration(item, number, address) for number, address in enumerate(addresses, start=2)]
        world.get("networkInterfaces", nic_id(item).lower())["properties"]["ipConfigurations"] += configs
        subnet["properties"]["ipConfigurations"] += [{"id": config["id"]} for config in configs]
    _usage(world, NODE_SUBNET).update(currentValue=31 * len(INSTANCES), limit=1024 - _RESERVED)


def pod_subnet(world: World) -> None:
    """Give Pods addresses of a subnet of their own, taken 16 at a time."""
    _in_pod_subnet(world, "DynamicIndividual", 110, "vnet")
    taken = 4
    stock: dict[str, list[str]] = {}
    for item in INSTANCES:
        pods = len(_own_pods(world, item.node))
        count = BATCH * max(1, -(-(pods + MIN_FREE) // BATCH))
        stock[item.node] = [_of_pod_subnet(number) for number in range(taken, taken + count)]
        taken += count
    _move_pods(world, stock)
    _add_pod_subnet(world, sum(map(len, stock.values())))


def pod_blocks(world: World) -> None:
    """Give every node two /28 blocks of the Pods' subnet: 31 Pods and one address for the node's own use."""
    _in_pod_subnet(world, "StaticBlock", 31, "vnetblock")
    stock = {
        item.node: [_of_pod_subnet(BATCH + 2 * BATCH * index + number) for number in range(1, 2 * BATCH)]
        for index, item in enumerate(INSTANCES)
    }
    _move_pods(world, stock)
    _add_pod_subnet(world, 2 * BATCH * len(INSTANCES))


def dual_stack(world: World) -> None:
    """Add IPv6 to the overlay: a second range for nodes, Pods and Services."""
    _profile(world, networkPlugin="azure", networkPluginMode="overlay", networkPolicy="cilium")
    profile = _cluster(world)["networkProfile"]
    profile["ipFamilies"] = ["IPv4", "IPv6"]
    profile["podCidr"], profile["serviceCidr"] = _POD_CIDRS[0], _SERVICE_CIDRS[0]
    profile["podCidrs"], profile["serviceCidrs"] = list(_POD_CIDRS), list(_SERVICE_CIDRS)
    vnet = world.get("virtualNetworks", VNET.lower())["properties"]
    vnet["addressSpace"]["addressPrefixes"].append("fd00:224::/48")
    subnet = _subnet(world, NODE_SUBNET)["properties"]
    subnet["addressPrefixes"] = [subnet.pop("addressPrefix"), "fd00:224::/64"]
    for index, item in enumerate(INSTANCES):
        node = world.get("Node", item.node)
        six = f"fd00:224::{4 + index:x}"
        node["spec"]["podCIDRs"].append(f"fd12:3456:789a:0:{index:x}::/80")
        node["status"]["addresses"].insert(1, {"type": "InternalIP", "address": six})
        config = _configuration(item, 2, six)
        config["properties"]["privateIPAddressVersion"] = "IPv6"
        world.get("networkInterfaces", nic_id(item).lower())["properties"]["ipConfigurations"].append(config)
        subnet["ipConfigurations"].append({"id": config["id"]})
        for wire in world.of("Pod", lambda found, name=item.node: found["spec"].get("nodeName") == name):  # type: ignore[misc]  # the name is bound for this turn
            last = wire["status"]["podIP"].rpartition(".")[2]
            own = six if wire["spec"].get("hostNetwork") else f"fd12:3456:789a:0:{index:x}::{int(last):x}"
            wire["status"]["podIPs"].append({"ip": own})


_POD_CIDRS = ("10.244.0.0/16", "fd12:3456:789a::/64")
_SERVICE_CIDRS = ("10.0.0.0/16", "fd12:3456:789a:1::/108")
_OVERLAY_LABELS = {"kubernetes.azure.com/azure-cni-overlay", "kubernetes.azure.com/podnetwork-type"}
VARIANTS: dict[str, tuple[str, Callable[[World], None]]] = {
    "overlay": ("no fault, Azure CNI Overlay (the model of all other scenarios)", lambda _: None),
    "dual-stack": ("no fault, Azure CNI Overlay with IPv4 and IPv6", dual_stack),
    "azure-cni": ("no fault, Azure CNI node subnet", node_subnet),
    "pod-subnet": ("no fault, Azure CNI pod subnet with dynamic allocation", pod_subnet),
    "pod-subnet-static": ("no fault, Azure CNI pod subnet with static blocks", pod_blocks),
    "kubenet": ("no fault, kubenet", kubenet),
}


def _cluster(world: World) -> Json:
    found: Json = world.get("managedClusters", MANAGED_CLUSTER.lower())["properties"]
    return found


def _profile(world: World, **fields: str) -> None:
    """Set fields of the network profile; the Pod CIDR stays only where Pods take addresses of it."""
    profile = _cluster(world)["networkProfile"]
    profile.pop("networkPluginMode")
    profile.update(fields)
    if fields["networkPlugin"] == "azure" and "networkPluginMode" not in fields:
        del profile["podCidr"], profile["podCidrs"]


def _pools(world: World, **fields: str | int) -> None:
    for pool in _cluster(world)["agentPoolProfiles"]:
        pool.update(fields)


def _nodes(world: World, most: int, without: set[str], labels: dict[str, str], *, ranges: bool = True) -> None:
    """Set what a node says of its network: labels, the most Pods, and a Pod range or none."""
    for node in world.of("Node"):
        meta, spec, status = node["metadata"], node["spec"], node["status"]
        meta["labels"] = {key: value for key, value in meta["labels"].items() if key not in without} | labels
        status["allocatable"]["pods"] = status["capacity"]["pods"] = str(most)
        if not ranges:
            del spec["podCIDR"], spec["podCIDRs"]


def _calico(world: World) -> None:
    """Put kube-proxy and Calico in the place of Cilium, which has no part in these models."""
    for name in ("cilium", "cilium-operator"):
        _drop_workload(world, name)
    for kind in ("CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"):
        for wire in world.of(kind):
            meta = wire["metadata"]
            world.drop(kind, f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else meta["name"])
    for item in _ADDED:
        for number, instance in enumerate(INSTANCES):
            world.put("Pod", pod(item, number, instance, ""))
    for node in world.of("Node"):
        node["metadata"]["labels"].pop("kubernetes.azure.com/ebpf-dataplane", None)
        for found in node["status"]["conditions"]:
            if found["type"] == "NetworkUnavailable":
                found.update(reason="RouteCreated", message="RouteController created a route")


def _drop_workload(world: World, name: str) -> None:
    item: Workload = next(found for found in WORKLOADS if (found.namespace, found.name) == ("kube-system", name))
    for wire in world.pods_of(item.namespace, item.selector):
        world.drop("Pod", f"{item.namespace}/{wire['metadata']['name']}")


def _own_pods(world: World, node: str) -> list[Json]:
    """Return the Pods of a node that have an address of their own."""
    return world.of("Pod", lambda found: found["spec"].get("nodeName") == node and not found["spec"].get("hostNetwork"))


def _move_pods(world: World, stock: dict[str, list[str]]) -> None:
    """Give the Pods of each node addresses of its stock, in their order; Pods that come later take the next ones."""
    for node, addresses in stock.items():
        for wire, address in zip(_own_pods(world, node), addresses, strict=False):
            wire["status"]["podIP"] = address
            wire["status"]["podIPs"] = [{"ip": address}]
    world.addresses = stock


def _secondary(index: int) -> list[str]:
    first = _FIRST_SECONDARY + 30 * index
    return [f"10.224.0.{first + number}" for number in range(30)]


def _of_pod_subnet(number: int) -> str:
    return f"10.224.{16 + number // 256}.{number % 256}"


def _configuration(item: Instance, number: int, address: str) -> Json:
    return child(
        nic_id(item),
        "ipConfigurations",
        f"ipconfig{number}",
        {
            "privateIPAddress": address,
            "privateIPAddressVersion": "IPv4",
            "privateIPAllocationMethod": "Dynamic",
            "primary": False,
            "subnet": {"id": NODE_SUBNET},
        },
    )


def _subnet(world: World, ident: str) -> Json:
    subnets: Iterator[Json] = iter(world.get("virtualNetworks", VNET.lower())["properties"]["subnets"])
    return next(found for found in subnets if found["id"] == ident)


def _usage(world: World, ident: str) -> Json:
    usages: Iterator[Json] = iter(world.get("virtualNetworks", VNET.lower())["properties"]["usages"])
    return next(found for found in usages if found["id"] == ident)


def _in_pod_subnet(world: World, mode: str, most: int, word: str) -> None:
    _profile(world, networkPlugin="azure", networkPolicy="cilium", networkDataplane="cilium")
    _pools(world, maxPods=most, podSubnetID=POD_SUBNET, podIPAllocationMode=mode)
    labels = {"kubernetes.azure.com/podnetwork-type": word, "kubernetes.azure.com/podnetwork-subnet": "snet-pods"}
    _nodes(world, most, {"kubernetes.azure.com/azure-cni-overlay"}, labels, ranges=False)


def _add_pod_subnet(world: World, used: int) -> None:
    properties = world.get("virtualNetworks", VNET.lower())["properties"]
    delegation = child(POD_SUBNET, "delegations", "aks-delegation", {"serviceName": _MANAGED})
    properties["subnets"].append(
        child(
            VNET,
            "subnets",
            "snet-pods",
            {
                "addressPrefix": POD_SUBNET_RANGE,
                "ipConfigurations": [],
                "delegations": [delegation],
                "defaultOutboundAccess": False,
            },
        )
    )
    properties["usages"].append({"id": POD_SUBNET, "currentValue": used, "limit": 4096 - _RESERVED, "unit": "Count"})
