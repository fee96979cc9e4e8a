"""The sweep asks private DNS by itself: each fault, and what mends it."""

from collections.abc import Callable

import pytest

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.sweep import sweep
from tests.unit.trace_dns.zone_world import HUB, PRIVATE_BLOB, ZoneWorld

PUBLIC_HOSTS = {**dict.fromkeys(("shop", "blog", "docs", "wiki"), "20.50.1.7"), "*.apps": "20.50.1.8"}
API = "api-1.guid.privatelink.westeurope.azmk8s.io"
API_ZONE = "guid.privatelink.westeurope.azmk8s.io"
Made = Callable[[ZoneWorld], ZoneWorld]


def contoso(**changed: str) -> Made:
    """Return a linked zone of the public hosts' domain, some with another address; an empty one is no record."""

    def made(world: ZoneWorld) -> ZoneWorld:
        world.zone("contoso.com", "prod").record("contoso.com", "@", kind="SOA")
        for name, address in {**PUBLIC_HOSTS, **changed}.items():
            if address:
                world.record("contoso.com", name, address)
        return world

    return made


def blob(*links: str, address: str = "10.224.1.4", twin: bool = False) -> Made:
    """Return a private endpoint with a zone in the hub's group, and perhaps a second, empty one that is linked."""

    def made(world: ZoneWorld) -> ZoneWorld:
        world.endpoint().zone(PRIVATE_BLOB, *links, group=HUB)
        world.record(PRIVATE_BLOB, "files", address, group=HUB)
        return world.zone(PRIVATE_BLOB, "prod").record(PRIVATE_BLOB, "@", kind="SOA") if twin else world

    return made


def private(*links: str) -> Made:
    """Return a private cluster with the zone of its API server."""

    def made(world: ZoneWorld) -> ZoneWorld:
        (cluster,) = world.objects["managedClusters"].values()
        cluster["properties"]["apiServerAccessProfile"] = {"enablePrivateCluster": True, "privateDNSZone": "system"}
        cluster["properties"]["privateFQDN"] = API
        return world.zone(API_ZONE, *links).record(API_ZONE, "api-1", "10.224.1.5")

    return made


def portal(*links: str, name: str = "portal") -> Made:
    """Return an internal Service with a name of external-dns, in a zone."""

    def made(world: ZoneWorld) -> ZoneWorld:
        notes = world.get("Service", "intra/portal")["metadata"]["annotations"]
        notes["external-dns.alpha.kubernetes.io/hostname"] = "portal.corp.example"
        return world.zone("corp.example", *links).record("corp.example", name, "10.224.0.40")

    return made


PAIRS: list[tuple[str, Made, Made, Proof]] = [
    ("D01", contoso(shop="10.224.0.40"), contoso(), Proof.PROVEN),
    ("D01", contoso(shop="10.224.0.59"), contoso(), Proof.LIKELY),
    ("D08", contoso(shop=""), contoso(), Proof.PROVEN),
    ("D02", portal("prod", name="other"), portal("prod"), Proof.PROVEN),
    ("D03", blob("hub"), blob("hub", "prod"), Proof.LIKELY),
    ("D03", blob(), blob("prod"), Proof.LIKELY),
    ("D03", private(), private("prod"), Proof.LIKELY),
    ("D03", private("hub"), private("prod", "hub"), Proof.LIKELY),
    ("D03", portal(), portal("prod"), Proof.LIKELY),
    ("D03", portal("hub"), portal("prod", "hub"), Proof.HINT),
    ("D09", blob("prod", address="10.224.1.9"), blob("prod"), Proof.LIKELY),
    ("D09", blob(twin=True), blob("prod"), Proof.PROVEN),
]


def found(made: Made) -> list[Finding]:
    """Return what the sweep finds."""
    return sweep(made(ZoneWorld()).store())


@pytest.mark.parametrize(("check", "broken", "_mended", "proof"), PAIRS)
def test_the_broken_one_has_this_finding_alone(check: str, broken: Made, _mended: Made, proof: Proof) -> None:
    """With at least one field, what to do, and how a sceptic checks it."""
    (finding,) = found(broken)
    assert (finding.id, finding.proof) == (check, proof)
    assert finding.evidence
    assert finding.fix
    assert finding.confirm


@pytest.mark.parametrize(("_check", "_broken", "mended", "_proof"), PAIRS)
def test_the_mended_one_has_none(_check: str, _broken: Made, mended: Made, _proof: Proof) -> None:
    """Nothing of private DNS is a fault by being there."""
    assert found(mended) == []


def test_a_record_of_the_same_proxys_internal_service_is_no_fault() -> None:
    """Split horizon as it is meant: inside, the host is the internal address of the proxy that routes it."""
    world = contoso(**dict.fromkeys(("shop", "blog", "docs", "wiki"), "10.224.0.45"))(ZoneWorld())
    public = world.get("Service", "app-routing-system/nginx")
    inner = {
        **public,
        "metadata": {"name": "nginx-internal", "namespace": "app-routing-system", "uid": "5c0e"},
        "status": {"loadBalancer": {"ingress": [{"ip": "10.224.0.45"}]}},
    }
    inner["spec"] = {**public["spec"], "clusterIP": "10.0.77.7", "clusterIPs": ["10.0.77.7"]}
    world.put("Service", inner)
    for wire in [*world.objects["EndpointSlice"].values()]:
        labels = wire["metadata"]["labels"]
        named = labels["kubernetes.io/service-name"] == "nginx"
        if named and wire["metadata"]["namespace"] == "app-routing-system":
            labels = {**labels, "kubernetes.io/service-name": "nginx-internal"}
            world.put("EndpointSlice", {**wire, "metadata": {**wire["metadata"], "name": "inner-1", "labels": labels}})
    assert "D01" not in {finding.id for finding in sweep(world.store())}


def test_a_subnet_with_an_interface_that_is_not_read_may_hold_the_address() -> None:
    """A virtual machine of another group may be a proxy in front: no fault is made of it."""
    world = contoso(shop="10.224.0.59")(ZoneWorld())
    subnet = world.get("virtualNetworks", "vnet-contoso-prod")["properties"]["subnets"][0]
    other = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/networkInterfaces/nva/ipConfigurations/c"
    subnet["properties"]["ipConfigurations"].append({"id": other})
    assert sweep(world.store()) == []


def test_servers_of_the_network_make_nothing_certain() -> None:
    """What they answer is not read: a zone that is not linked is no fault of theirs."""
    world = private("hub")(ZoneWorld()).servers("prod", "10.100.1.9")
    assert sweep(world.store()) == []


def test_another_clients_network_is_not_the_nodes() -> None:
    """The way in of an internal Service is asked from a made-up host, perhaps of the hub: that is no finding."""
    assert found(portal("prod")) == []
