"""What Azure ends, and when, that this cluster uses: risks with a date, not faults.

Source: the retirement notices of the AKS documentation (aks-networking.md 1.1).
"""

from collections.abc import Callable, Iterator

import msgspec

from aksnav.about.fact import Fact
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.step import Evidence

Proofs = Iterator[Evidence]


class Retirement(msgspec.Struct, frozen=True, gc=False):
    """Something that Azure ends.

    Attributes:
        what: its name.
        date: the day on which it ends, ISO 8601; a month where no day was announced.
        instead: what to move to.
        uses: the fields that show that this cluster uses it; none where it does not, or nobody can say.
    """

    what: str
    date: str
    instead: str
    uses: Callable[[Store], Proofs]


def retirement_facts(store: Store, today: str) -> tuple[Fact, ...]:
    """Return a fact for each retirement that touches this cluster, the earliest first.

    Args:
        store: what is known.
        today: the date, ISO 8601, which tells past from coming.
    """
    facts: list[Fact] = []
    for item in sorted(RETIREMENTS, key=lambda row: row.date):
        proofs = tuple(item.uses(store))
        if proofs:
            facts.append(
                Fact(
                    name="retirement",
                    value=f"{item.what} {_when(item.date, today)}",
                    evidence=proofs,
                    note=f"move to {item.instead}",
                )
            )
    return tuple(facts)


def _when(date: str, today: str) -> str:
    """Return in words when something ends; a date without a day means some day of that month."""
    if date == today[: len(date)]:
        return f"ends {'this month' if len(date) < len(today) else 'today'}, {date}"
    return f"ended {date}" if date < today else f"ends {date}"


def _class_with(*controllers: str) -> Callable[[Store], Proofs]:
    def uses(store: Store) -> Proofs:
        for row in sorted(store.ingress_classes, key=lambda item: item.name):
            if row.controller.startswith(controllers):
                yield Evidence(".spec.controller", row.controller, row.ref)

    return uses


def _profile(path: str, read: Callable[[ManagedCluster], str], *values: str) -> Callable[[Store], Proofs]:
    def uses(store: Store) -> Proofs:
        managed = cluster(store)
        if managed is not None and (value := read(managed)).lower() in values:
            yield Evidence(path, value, managed.ref)

    return uses


def _pools(field: str, attribute: str, *values: str) -> Callable[[Store], Proofs]:
    def uses(store: Store) -> Proofs:
        managed = cluster(store)
        for pool in managed.agent_pool_profiles if managed is not None else ():
            value = str(getattr(pool, attribute))
            if value.lower() in values and managed is not None:
                yield Evidence(f".agentPoolProfiles[?(@.name=='{pool.name}')].{field}", value, managed.ref)

    return uses


def _npm_on(system: str) -> Callable[[Store], Proofs]:
    pools = _pools("osType", "os_type", system)

    def uses(store: Store) -> Proofs:
        managed = cluster(store)
        if managed is not None and managed.network_profile.network_policy.lower() == "azure":
            yield from pools(store)

    return uses


def _basic(store: Store) -> Proofs:
    yield from _profile(
        ".networkProfile.loadBalancerSku", lambda item: item.network_profile.load_balancer_sku, "basic"
    )(store)
    for balancer in sorted(store.load_balancers, key=lambda item: item.id):
        if balancer.sku.name.lower() == "basic":
            yield Evidence(".sku.name", balancer.sku.name, balancer.ref)


def _default_outbound(store: Store) -> Proofs:
    """A subnet that still has default outbound access said so itself; one that says nothing may have it or not."""
    for network in store.virtual_networks:
        for subnet in network.subnets:
            if subnet.default_outbound_access is True:
                yield Evidence(f".subnets[?(@.name=='{subnet.name}')].defaultOutboundAccess", "true", network.ref)


def _open_service_mesh(store: Store) -> Proofs:
    managed = cluster(store)
    mesh = managed.addon_profiles.get("openServiceMesh") if managed is not None else None
    if managed is not None and isinstance(mesh, dict) and mesh.get("enabled") is True:
        yield Evidence(".addonProfiles.openServiceMesh.enabled", "true", managed.ref)


def _image(*parts: str) -> Callable[[Store], Proofs]:
    def uses(store: Store) -> Proofs:
        found = next((node for node in store.nodes if node.os_image.startswith(parts)), None)
        if found is not None:
            yield Evidence(".status.nodeInfo.osImage", found.os_image, found.ref)

    return uses


RETIREMENTS = (
    Retirement(
        "Basic Load Balancer", "2025-09-30", "the Standard load balancer", _basic,
    ),
    Retirement(
        "node pools of availability sets", "2025-09-30", "virtual machine scale sets or VirtualMachines pools",
        _pools("type", "type", "availabilityset"),
    ),
    Retirement(
        "upstream maintenance of ingress-nginx", "2026-03", "a Gateway API implementation",
        _class_with("k8s.io/ingress-nginx"),
    ),
    Retirement(
        "Windows Server 2019 node pools", "2026-03-01", "Windows Server 2025",
        _pools("osSKU", "os_sku", "windows2019"),
    ),
    Retirement(
        "default outbound access of virtual machines", "2026-03-31", "an explicit outbound type", _default_outbound,
    ),
    Retirement(
        "Azure NPM on Windows", "2026-09-30", "Cilium, or policies outside of the cluster", _npm_on("windows"),
    ),
    Retirement(
        "NGINX of the application routing add-on", "2026-11", "application routing with the Gateway API",
        _class_with("webapprouting.kubernetes.azure.com/", "approuting.kubernetes.azure.com/"),
    ),
    Retirement(
        "Ubuntu 20.04 node images", "2027-03-17", "Ubuntu 24.04 or Azure Linux", _image("Ubuntu 20.04"),
    ),
    Retirement(
        "Ubuntu 22.04 node images", "2027-06-30", "Ubuntu 24.04 or Azure Linux", _image("Ubuntu 22.04"),
    ),
    Retirement(
        "Open Service Mesh add-on", "2027-09-30", "the Istio add-on", _open_service_mesh,
    ),
    Retirement(
        "kubenet", "2028-03-31", "Azure CNI Overlay",
        _profile(".networkProfile.networkPlugin", lambda item: item.network_profile.network_plugin, "kubenet"),
    ),
    Retirement(
        "Windows Server 2022 node pools", "2028-06-30", "Windows Server 2025",
        _pools("osSKU", "os_sku", "windows2022"),
    ),
    Retirement(
        "Azure NPM on Linux", "2028-09-30", "Cilium", _npm_on("linux"),
    ),
)  # fmt: skip
