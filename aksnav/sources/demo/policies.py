"""NetworkPolicies by label and by address, and one policy in Cilium's own language."""

from aksnav.sources.demo.world import Json, World, thing

HUB_RANGE = "10.100.0.0/16"
ONPREM_RANGE = "192.168.0.0/16"
_DNS: Json = {
    "to": [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def build(world: World) -> None:
    """Add every policy."""
    _put(world, "payments", "default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    _put(
        world,
        "payments",
        "allow-gateway",
        _ingress({"app": "payments"}, [_peer("infra", {"gateway.networking.k8s.io/gateway-name": "web"})], 8080),
    )
    _put(world, "payments", "allow-ledger", _ingress({"app": "ledger"}, [_same({"app": "payments"})], 5432))
    _put(
        world,
        "payments",
        "payments-egress",
        {
            "podSelector": {"matchLabels": {"app": "payments"}},
            "policyTypes": ["Egress"],
            "egress": [{"to": [_same({"app": "ledger"})], "ports": [{"protocol": "TCP", "port": 5432}]}],
        },
    )
    _put(world, "payments", "allow-dns", {"podSelector": {}, "policyTypes": ["Egress"], "egress": [_DNS]})
    outside: list[Json] = [
        {"ipBlock": {"cidr": HUB_RANGE}},
        {"ipBlock": {"cidr": ONPREM_RANGE, "except": ["192.168.99.0/24"]}},
    ]
    _put(world, "intra", "portal-from-the-office", _ingress({"app": "portal"}, outside, 8080))
    _put(world, "reports", "allow-shop", _ingress({"app": "reports"}, [_peer("shop", None)], 8080))
    world.put(
        "CiliumNetworkPolicy",
        thing(
            "CiliumNetworkPolicy",
            "mqtt-from-the-world",
            "iot",
            spec={
                "endpointSelector": {"matchLabels": {"app": "mqtt"}},
                "ingress": [
                    {
                        "fromEntities": ["world", "host", "remote-node"],
                        "toPorts": [{"ports": [{"port": "8883", "protocol": "TCP"}]}],
                    }
                ],
            },
            status={"conditions": [{"type": "Valid", "status": "True", "message": "Policy validation succeeded"}]},
        ),
    )


def _put(world: World, namespace: str, name: str, spec: Json) -> None:
    world.put("NetworkPolicy", thing("NetworkPolicy", name, namespace, made=36, spec=spec))


def _ingress(selected: dict[str, str], peers: list[Json], port: int) -> Json:
    return {
        "podSelector": {"matchLabels": selected},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": peers, "ports": [{"protocol": "TCP", "port": port}]}],
    }


def _peer(namespace: str, labels: dict[str, str] | None) -> Json:
    peer: Json = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    if labels is not None:
        peer["podSelector"] = {"matchLabels": labels}
    return peer


def _same(labels: dict[str, str]) -> Json:
    return {"podSelector": {"matchLabels": labels}}
