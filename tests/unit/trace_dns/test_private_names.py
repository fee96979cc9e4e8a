"""Private names that nobody answers: V07, D04 and I23 in the sweep, K02 in a trace; each broken and mended."""

from collections.abc import Callable

import pytest

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.sweep import sweep
from aksnav.model.change import Reading, ReadingChanged
from aksnav.trace.step import Outcome, Verdict
from tests.unit.trace_dns.test_zone_findings import API, API_ZONE, private
from tests.unit.trace_dns.zone_world import BLOB, PRIVATE_BLOB, PROD, SUBSCRIPTION, ZoneWorld, looked_up, network

Made = Callable[[ZoneWorld], ZoneWorld]
ZONE = f"{SUBSCRIPTION}/resourceGroups/{PROD}/providers/Microsoft.Network/privateDnsZones/corp.example"


def endpoint(*, grouped: bool = False, zone: str = "", linked: str = "prod", servers: str = "") -> Made:
    """Return a private endpoint of a storage account in the nodes' network, perhaps with a zone that has its name."""

    def made(world: ZoneWorld) -> ZoneWorld:
        world.endpoint(grouped=grouped)
        properties = world.get("privateEndpoints", "pe")["properties"]
        properties["subnet"] = {"id": f"{network('prod')}/subnets/snet-endpoints"}
        if servers:
            world.servers("prod", servers)
        if zone:
            world.zone(zone, linked).record(zone, BLOB.removesuffix(zone).split(".")[0], "10.224.1.4")
        return world

    return made


def resolvers(*servers: str, zone: str = "corp.example", registration: bool = False) -> Made:
    """Return the nodes' network with DNS servers of its own, and a zone that is linked to it."""

    def made(world: ZoneWorld) -> ZoneWorld:
        world.servers("prod", *servers)
        world.zone(zone, "prod").record(zone, "@", kind="SOA")
        if registration:
            for link in world.objects["privateDnsZoneLinks"].values():
                link["properties"]["registrationEnabled"] = True
        return world

    return made


def private_with(*servers: str, public: bool) -> Made:
    """Return a private cluster whose nodes ask these servers; ``public``: its address is in public DNS as well."""

    def made(world: ZoneWorld) -> ZoneWorld:
        private("prod")(world)
        (cluster,) = world.objects["managedClusters"].values()
        cluster["properties"]["apiServerAccessProfile"]["enablePrivateClusterPublicFQDN"] = public
        return world.servers("prod", *servers)

    return made


def app_routing(*, zone: bool, enabled: bool = True, ident: str = ZONE) -> Made:
    """Return application routing with a zone to write into, which is there or not."""

    def made(world: ZoneWorld) -> ZoneWorld:
        (cluster,) = world.objects["managedClusters"].values()
        cluster["properties"]["ingressProfile"]["webAppRouting"] |= {
            "enabled": enabled,
            "dnsZoneResourceIds": [ident],
        }
        return world.zone("corp.example", "prod").record("corp.example", "@", kind="SOA") if zone else world

    return made


def swept(made: Made) -> list[Finding]:
    return [item for item in sweep(made(ZoneWorld()).store()) if item.id in {"V07", "D04", "I23"}]


BROKEN: list[tuple[Made, str, str, Proof]] = [
    (endpoint(), "V07", ".customDnsConfigs[0].fqdn", Proof.LIKELY),
    (resolvers("8.8.8.8", "1.1.1.1"), "D04", ".dhcpOptions.dnsServers", Proof.PROVEN),
    (private_with("8.8.8.8", public=False), "D04", ".privateFQDN", Proof.PROVEN),
    (app_routing(zone=False), "I23", ".ingressProfile.webAppRouting.dnsZoneResourceIds[0]", Proof.PROVEN),
]


@pytest.mark.parametrize(("made", "check", "field", "proof"), BROKEN, ids=[f"{row[1]} {row[2]}" for row in BROKEN])
def test_what_is_broken_is_one_finding_with_its_field(made: Made, check: str, field: str, proof: Proof) -> None:
    """It names the object that is to be mended."""
    (found,) = swept(made)
    assert (found.id, found.proof) == (check, proof)
    assert field in {fact.field for fact in found.evidence}
    assert found.fix
    assert found.confirm


MENDED: list[Made] = [
    endpoint(zone=PRIVATE_BLOB),
    endpoint(zone="blob.core.windows.net"),
    # A zone that answers elsewhere is D03's, one that a zone group writes nobody has to make.
    endpoint(zone=PRIVATE_BLOB, linked="hub"),
    endpoint(grouped=True),
    # What servers of the network's own answer is not read.
    endpoint(servers="10.100.1.4"),
    resolvers("168.63.129.16"),
    resolvers("10.100.1.4"),
    # One server of the two may forward.
    resolvers("8.8.8.8", "10.100.1.4"),
    resolvers("8.8.8.8", registration=True),
    private_with("8.8.8.8", public=True),
    private_with("168.63.129.16", public=False),
    app_routing(zone=True),
    app_routing(zone=False, enabled=False),
    # Public zones are not read.
    app_routing(zone=False, ident=ZONE.replace("privateDnsZones", "dnsZones")),
]


@pytest.mark.parametrize("made", MENDED)
def test_what_is_mended_or_not_known_is_no_finding(made: Made) -> None:
    """The record is there, the server is Azure's, or nobody can say."""
    assert swept(made) == []


@pytest.mark.parametrize("reading", [Reading.ABSENT, Reading.DENIED, Reading.STALE])
@pytest.mark.parametrize("made", [endpoint(), app_routing(zone=False)])
def test_zones_that_are_not_read_now_prove_nothing(made: Made, reading: Reading) -> None:
    """A capture that does not speak of zones is no word that there are none."""
    store = made(ZoneWorld()).store()
    store.apply(ReadingChanged("privateDnsZones", reading, reason="no"))
    assert not [item for item in sweep(store) if item.id in {"V07", "I23"}]


@pytest.mark.parametrize(("links", "causes"), [((), ("K02",)), (("hub",), ())])
def test_a_jump_box_in_a_network_without_the_zone_does_not_find_the_api_server(
    links: tuple[str, ...], causes: tuple[str, ...]
) -> None:
    """K02: the zone is linked to the nodes' network alone; with a link to the jump box's own it is found."""
    found = private("prod", *links)(ZoneWorld()).asked(API, "hub")
    assert found.causes == causes
    assert (found.outcome is Outcome.UNRESOLVED) == bool(causes)
    if causes:
        (step,) = found.breaks
        assert ".virtualNetwork.id" in {fact.field for fact in step.evidence}
        assert API_ZONE in step.fix


def portal(*servers: str) -> ZoneWorld:
    """Return a name that only a private zone of the nodes' network has, and whom the network asks."""
    world = ZoneWorld().zone("corp.example", "prod").record("corp.example", "portal", "10.224.0.40")
    return world.servers("prod", *servers)


@pytest.mark.parametrize(
    ("servers", "verdict"),
    [("8.8.8.8", Verdict.REJECT), ("168.63.129.16", Verdict.PASS), ("10.100.1.4", Verdict.BLIND)],
)
def test_a_trace_to_a_private_name_ends_at_servers_of_the_internet(servers: str, verdict: Verdict) -> None:
    """D04: they see no private zone; Azure's own server does, and what others answer is not read."""
    found = portal(servers).asked("portal.corp.example", "host")
    step = looked_up(found)
    assert step.verdict is verdict
    assert ("D04" in found.causes) == (verdict is Verdict.REJECT)
    if verdict is Verdict.REJECT:
        assert found.outcome is Outcome.UNRESOLVED
        assert step.evidence[0].field == ".dhcpOptions.dnsServers"
        assert step.assumptions


def test_a_public_name_is_answered_by_servers_of_the_internet() -> None:
    """Split horizon: the zone has a private address for it, and the internet the public one."""
    world = ZoneWorld().zone("contoso.com", "prod").record("contoso.com", "blog", "10.224.0.40")
    assert "D04" not in world.servers("prod", "8.8.8.8").asked("blog.contoso.com", "host").causes
