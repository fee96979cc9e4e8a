"""A cluster to ask policy questions of: many workloads, and policies of every form that people write.

The same sizes, seed and engine give the same objects and the same questions.
"""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from aksnav.model.addresses import format_address, parse_address

Json = dict[str, Any]
_TIERS = ("frontend", "backend", "data")
_PORTS = ((8080, "http"), (8443, "https"), (9090, "metrics"), (5432, "postgres"))
_BLOCKS = ("10.0.0.0/8", "192.168.0.0/16", "203.0.113.0/24", "0.0.0.0/0")
_POD_NET = parse_address("10.128.0.0") or 0
_NODE_NET = parse_address("10.4.0.4") or 0
_SERVICE_NET = parse_address("10.0.0.10") or 0
_RG = "/subscriptions/s/resourceGroups/mc/providers"
_CLUSTER = f"{_RG}/Microsoft.ContainerService/managedClusters/aks"
_VNET = f"{_RG}/Microsoft.Network/virtualNetworks/vnet"
_NSG = f"{_RG}/Microsoft.Network/networkSecurityGroups/aks-nsg"


class Sizes(NamedTuple):
    """How large the cluster is; ``per_workload`` is the number of Pods of one Deployment."""

    pods: int = 5_000
    per_workload: int = 10
    per_namespace: int = 10
    pods_per_node: int = 40


class World:
    """The cluster, object by object.

    Attributes:
        workloads: how many Deployments there are.
        namespaces: how many namespaces they are in.
    """

    def __init__(self, sizes: Sizes, engine: str = "azure", seed: int = 1, own_policies: bool = False) -> None:
        """Make a cluster.

        Args:
            sizes: how large.
            engine: the networkPolicy of its network profile.
            seed: of all that is drawn.
            own_policies: with CiliumNetworkPolicies beside the NetworkPolicies.
        """
        self._sizes = sizes
        self._engine = engine
        self._seed = seed
        self._own = own_policies
        self.workloads = max(1, sizes.pods // sizes.per_workload)
        self.namespaces = max(1, self.workloads // sizes.per_namespace)
        self._nodes = max(2, sizes.pods // sizes.pods_per_node)

    def objects(self) -> Iterator[tuple[str, Json]]:
        """Yield every object with its kind, in wire form."""
        yield from self._azure()
        for number in range(self.namespaces):
            name = self._space(number)
            labels = {"kubernetes.io/metadata.name": name, "team": f"t{number % 40:02}"}
            yield "Namespace", _object("Namespace", "", name, labels)
        for number in range(self._nodes):
            yield "Node", self._node(number)
        for number in range(self.workloads):
            yield "Service", self._service(number)
            yield "EndpointSlice", self._endpoints(number)
        for index in range(self._sizes.pods):
            yield "Pod", self._pod(index)
        for number in range(self.namespaces):
            yield from self._policies(number)

    def questions(self, count: int) -> Iterator[Json]:
        """Yield questions as lines of a file of requests: mostly from Pod to Pod, some by Service and from outside."""
        draw = random.Random(f"{self._seed} questions")  # noqa: S311 - nobody's secret
        for number in range(count):
            target = draw.randrange(self._sizes.pods)
            near = max(0, target - draw.randrange(3 * self._sizes.per_workload))
            source = near if draw.random() < 0.5 else draw.randrange(self._sizes.pods)
            port = draw.choice(_PORTS)[0] if draw.random() < 0.3 else self._port(target // self._sizes.per_workload)[0]
            sort = draw.random()
            ask: Json = {"id": number, "from": f"pod/{self._pod_id(source)}", "to": f"tcp://{self._ip(target)}:{port}"}
            if sort < 0.1:
                workload = target // self._sizes.per_workload
                ask["to"] = f"svc/{self._space_of(workload)}/{_app(workload)}:80"
            elif sort < 0.15:
                ask["to"] = f"udp://{self._ip(target)}:{port}"
            elif sort < 0.2:
                ask["from"] = draw.choice(("192.168.3.4", "203.0.113.9", "10.4.0.5"))
            yield ask

    def subject(self) -> str:
        """Return a namespace that is asked about as a whole."""
        return f"ns/{self._space(self.namespaces // 2)}"

    def service(self) -> str:
        """Return a Service that is asked about."""
        workload = self.workloads // 2
        return f"svc/{self._space_of(workload)}/{_app(workload)}"

    def _azure(self) -> Iterator[tuple[str, Json]]:
        """Yield the managed cluster, and the network of its nodes, whose security group lets everything through."""
        profile = {
            "networkPlugin": "azure",
            "networkPluginMode": "overlay",
            "podCidr": "10.128.0.0/12",
            "serviceCidr": "10.0.0.0/16",
            "networkPolicy": self._engine,
        }
        yield "managedClusters", _arm(_CLUSTER, nodeResourceGroup="mc", networkProfile=profile)
        subnet = _arm(f"{_VNET}/subnets/nodes", addressPrefix="10.4.0.0/16", networkSecurityGroup={"id": _NSG})
        yield "virtualNetworks", _arm(_VNET, addressSpace={"addressPrefixes": ["10.4.0.0/16"]}, subnets=[subnet])
        yield "networkSecurityGroups", _arm(_NSG, securityRules=[])
        for number in range(self._nodes):
            ident = f"{_RG}/Microsoft.Network/networkInterfaces/{_node(number)}-nic"
            config = _arm(
                f"{ident}/ipConfigurations/ipconfig1",
                privateIPAddress=format_address(_NODE_NET + number),
                primary=True,
                subnet={"id": subnet["id"]},
            )
            machine = {"id": f"{_RG}/Microsoft.Compute/virtualMachines/{_node(number)}"}
            yield "networkInterfaces", _arm(ident, virtualMachine=machine, ipConfigurations=[config])

    def _space(self, number: int) -> str:
        return f"team-{number:04}"

    def _space_of(self, workload: int) -> str:
        return self._space(min(workload // self._sizes.per_namespace, self.namespaces - 1))

    def _pod_id(self, index: int) -> str:
        workload = min(index // self._sizes.per_workload, self.workloads - 1)
        return f"{self._space_of(workload)}/{_app(workload)}-7d9c-{index:06}"

    def _ip(self, index: int) -> str:
        return format_address(_POD_NET + index + 1)

    def _port(self, workload: int) -> tuple[int, str]:
        return _PORTS[min(workload, self.workloads - 1) % len(_PORTS)]

    def _node(self, number: int) -> Json:
        wire = _object("Node", "", _node(number), {"kubernetes.io/os": "linux"})
        address = {"type": "InternalIP", "address": format_address(_NODE_NET + number)}
        ready = {"type": "Ready", "status": "True"}
        return {
            **wire,
            "spec": {"providerID": f"azure://{_RG}/Microsoft.Compute/virtualMachines/{_node(number)}"},
            "status": {"addresses": [address], "conditions": [ready], "nodeInfo": {"kubeletVersion": "v1.34.1"}},
        }

    def _service(self, workload: int) -> Json:
        port = {"port": 80, "targetPort": self._port(workload)[0], "protocol": "TCP"}
        ip = format_address(_SERVICE_NET + workload)
        spec = {
            "type": "ClusterIP",
            "clusterIP": ip,
            "clusterIPs": [ip],
            "ports": [port],
            "selector": _labels(workload),
        }
        return {**_object("Service", self._space_of(workload), _app(workload), {}), "spec": spec}

    def _endpoints(self, workload: int) -> Json:
        first = workload * self._sizes.per_workload
        space, name = self._space_of(workload), _app(workload)
        listed = [
            {
                "addresses": [self._ip(index)],
                "conditions": {"ready": True},
                "nodeName": _node(index % self._nodes),
                "targetRef": {"kind": "Pod", "namespace": space, "name": self._pod_id(index).partition("/")[2]},
            }
            for index in range(first, min(first + self._sizes.per_workload, self._sizes.pods))
        ]
        wire = _object("EndpointSlice", space, f"{name}-x", {"kubernetes.io/service-name": name})
        ports = [{"port": self._port(workload)[0], "protocol": "TCP", "name": ""}]
        return {**wire, "addressType": "IPv4", "endpoints": listed, "ports": ports}

    def _pod(self, index: int) -> Json:
        workload = min(index // self._sizes.per_workload, self.workloads - 1)
        space, name = self._pod_id(index).split("/")
        wire = _object("Pod", space, name, {**_labels(workload), "pod-template-hash": "7d9c"})
        owner = {"kind": "ReplicaSet", "name": f"{_app(workload)}-7d9c", "controller": True}
        wire["metadata"]["ownerReferences"] = [owner]
        number, port_name = self._port(workload)
        container = {"name": "app", "image": "app", "ports": [{"containerPort": number, "name": port_name}]}
        ip = self._ip(index)
        return {
            **wire,
            "spec": {"nodeName": _node(index % self._nodes), "containers": [container]},
            "status": {
                "phase": "Running",
                "podIP": ip,
                "podIPs": [{"ip": ip}],
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }

    def _policies(self, number: int) -> Iterator[tuple[str, Json]]:
        """Yield the policies of a namespace: a default deny, one for each workload, one of blocks, and egress."""
        draw = random.Random(f"{self._seed} policies {number}")  # noqa: S311 - nobody's secret
        space = self._space(number)
        if number % 2:
            yield _policy(space, "default-deny", {}, policyTypes=["Ingress"])
        first = number * self._sizes.per_namespace
        for workload in range(first, min(first + self._sizes.per_namespace, self.workloads)):
            rule = {"from": self._peers(draw, workload), "ports": [{"port": self._port(workload)[1]}]}
            if draw.random() < 0.8:
                yield _policy(space, f"allow-{_app(workload)}", _labels(workload), ingress=[rule])
        block = {"cidr": draw.choice(_BLOCKS), "except": []}
        if number % 3 == 0:
            yield _policy(space, "clients", {"tier": "frontend"}, ingress=[{"from": [{"ipBlock": block}]}])
        if number % 4 == 0:
            egress = [
                {"ports": [{"port": 53, "protocol": "UDP"}, {"port": 53}]},
                {"to": [{"namespaceSelector": {}}], "ports": [{"port": 8000, "endPort": 9000}]},
            ]
            yield _policy(space, "egress", {"tier": "backend"}, policyTypes=["Egress"], egress=egress)
        if self._own:
            yield self._cilium(space, number)

    def _peers(self, draw: random.Random, workload: int) -> list[Json]:
        neighbour = {"podSelector": {"matchLabels": {"app": _app(max(0, workload - 1))}}}
        team = {"namespaceSelector": {"matchLabels": {"team": f"t{draw.randrange(40):02}"}}}
        words = {"key": "tier", "operator": draw.choice(("In", "NotIn")), "values": [draw.choice(_TIERS)]}
        tier = {"podSelector": {"matchExpressions": [words]}}
        return draw.sample([neighbour, team, tier, {**team, **tier}], draw.randint(1, 3))

    def _cilium(self, space: str, number: int) -> tuple[str, Json]:
        """Return a namespace's own policy of Cilium: what it admits, and what it denies."""
        wire = _object("CiliumNetworkPolicy", space, "own", {})
        team = {"k8s:io.cilium.k8s.namespace.labels.team": f"t{number % 40:02}"}
        wire["spec"] = {
            "endpointSelector": {"matchLabels": {"tier": _TIERS[number % 3]}},
            "ingress": [{"fromEndpoints": [{"matchLabels": team}]}, {"fromEntities": ["remote-node"]}],
            "ingressDeny": [{"fromEndpoints": [{"matchLabels": {"tier": "data"}}]}],
        }
        return "CiliumNetworkPolicy", wire


def _node(number: int) -> str:
    return f"aks-np1-{number:06}"


def _arm(ident: str, **properties: Any) -> Json:
    return {"id": ident, "name": ident.rpartition("/")[2], "properties": properties}


def _app(workload: int) -> str:
    return f"app-{workload:05}"


def _labels(workload: int) -> dict[str, str]:
    return {"app": _app(workload), "tier": _TIERS[workload % 3]}


def _object(kind: str, space: str, name: str, labels: dict[str, str]) -> Json:
    metadata: Json = {"name": name, "labels": labels}
    if space:
        metadata["namespace"] = space
    return {"kind": kind, "metadata": metadata}


def _policy(space: str, name: str, labels: dict[str, str], **spec: Any) -> tuple[str, Json]:
    selector = {"matchLabels": labels} if labels else {}
    wire = _object("NetworkPolicy", space, name, {})
    return "NetworkPolicy", {**wire, "spec": {"podSelector": selector, **spec}}
