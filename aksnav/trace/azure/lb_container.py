"""The container-native load balancer: one of sku Service for each Service, which sends straight to Pods.

Source: cloud-provider-azure pkg/provider/servicegateway, in aks-networking.md 1.7: no probes, no nodePort, a pool that
is empty in ARM: the addresses of Pods are registered in the subscription's service gateway.
"""

from aksnav.model.azure.network import LoadBalancingRule
from aksnav.model.kubernetes.service import Service
from aksnav.store.store import Store
from aksnav.trace.azure.frontend import Found, confirm
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_REGISTERED = (
    "the service gateway holds the addresses of the ready endpoints (Microsoft.Network/serviceGateways, not read)"
)


def pool_step(store: Store, found: Found, rule: LoadBalancingRule, service: Service | None, packet: Packet) -> Step:
    """Return the step of the pool: it sends to the endpoints themselves, at the rule's backend port."""
    balancer = found.balancer
    names = {item.id for item in rule.pools}
    pool = next((item.name for item in balancer.backend_address_pools if item.id in names), "(none)")
    whose = service.id if service is not None else "an unknown Service"
    return Step(
        kind=Kind.LB_POOL,
        verdict=Verdict.PASS,
        summary=f"pool {pool}: it sends straight to the Pods of {whose} at port {rule.backend_port}",
        subject=balancer.ref,
        version=balancer.etag,
        packet=packet,
        evidence=(
            Evidence(".sku.name", balancer.sku.name, balancer.ref),
            Evidence(f".loadBalancingRules[?name=='{rule.name}'].backendPort", str(rule.backend_port), balancer.ref),
        ),
        considered=(
            Considered("probe", decided=False, why="there is none: endpoints that are not ready are taken out"),
        ),
        assumptions=(_REGISTERED, *stale(store.load_balancers)),
        confirm=confirm(found, "address-pool"),
    )
