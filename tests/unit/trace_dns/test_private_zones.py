"""What a name is in a virtual network: zones that are linked to it, their records, and what they do not have.

Each row names the section of the documentation that it comes from: ``zones`` is Azure's dns/private-dns-privatednszone,
``fallback`` dns/private-dns-fallback, ``records`` dns/dns-zones-records, ``endpoints``
private-link/private-endpoint-dns, ``names``
virtual-network/virtual-networks-name-resolution-for-vms-and-role-instances, ``rfc`` RFC 4592 or 1034.
"""

from collections.abc import Callable

import pytest

from aksnav.model.change import Reading, ReadingChanged
from aksnav.sources.capture.redact import Redaction
from aksnav.sources.demo.world import ident
from aksnav.trace.step import Outcome, Verdict
from tests.unit.trace_dns.zone_world import BLOB, HUB, PRIVATE_BLOB, ZoneWorld, looked_up

SHOP, PORTAL, MQTT = "shop.contoso.com", "portal.corp.example", "contoso-mqtt.westeurope.cloudapp.azure.com"
PASS, REJECT, DROP, BLIND = Verdict.PASS, Verdict.REJECT, Verdict.DROP, Verdict.BLIND
Made = Callable[[ZoneWorld], ZoneWorld]


def shop(*links: str, policy: str = "") -> Made:
    """Return a zone of the public shop's domain, with the shop's own public address in it."""
    return lambda w: w.zone("contoso.com", *links, policy=policy).record("contoso.com", "shop", "20.50.1.7")


def corp(*links: str, name: str = "portal", address: str = "10.224.0.40") -> Made:
    """Return a zone of names that only networks know, with the address of the internal load balancer."""
    return lambda w: w.zone("corp.example", *links).record("corp.example", name, address)


def bare(*links: str, domain: str = "contoso.com", policy: str = "") -> Made:
    """Return a zone without a record of what is asked for."""
    return lambda w: w.zone(domain, *links, policy=policy).record(domain, "@", kind="SOA")


def blob(*links: str, address: str = "10.224.1.4", policy: str = "", group: str = HUB) -> Made:
    """Return a private endpoint and the private link zone of its service."""
    return lambda w: (
        w.endpoint()
        .zone(PRIVATE_BLOB, *links, policy=policy, group=group)
        .record(PRIVATE_BLOB, "files", address, group=group)
    )


TABLE: list[tuple[str, Made, str, str, Verdict, str, str]] = [
    # section, what there is, from where, name, verdict of the last look-up, its check, words of it
    ("zones: resolution", shop("prod"), "pod", SHOP, PASS, "", "is 20.50.1.7 in private zone contoso.com"),
    ("zones: resolution", shop("prod"), "node", SHOP, PASS, "", "linked to virtual network vnet-contoso-prod"),
    ("zones: resolution", shop("prod"), "host", SHOP, PASS, "", "is 20.50.1.7 in private zone"),
    ("zones: not from the internet", shop("prod"), "internet", SHOP, PASS, "", "is taken to be 20.50.1.7"),
    ("zones: not from the internet", bare("prod"), "internet", SHOP, PASS, "", "is taken to be 20.50.1.7"),
    ("zones: linked networks alone", shop("prod"), "hub", SHOP, PASS, "", "is taken to be 20.50.1.7"),
    ("zones: linked networks alone", bare("prod"), "hub", SHOP, PASS, "", "is taken to be 20.50.1.7"),
    ("zones: linked networks alone", bare("hub"), "hub", SHOP, REJECT, "D08", "NXDOMAIN"),
    ("zones: linked networks alone", bare("prod"), "on premises", SHOP, PASS, "", "is taken to be"),
    ("zones: resolution", bare("prod"), "pod", SHOP, REJECT, "D08", "has no record of it"),
    ("zones: resolution", bare("prod"), "node", SHOP, REJECT, "D08", "has no record of it"),
    ("zones: resolution", corp("prod"), "pod", PORTAL, PASS, "", "portal.corp.example is 10.224.0.40"),
    ("zones: resolution", corp("prod"), "host", PORTAL, PASS, "", "in private zone corp.example"),
    ("zones: not from the internet", corp("prod"), "internet", PORTAL, BLIND, "", "is not known"),
    ("zones: linked networks alone", corp("hub"), "pod", PORTAL, REJECT, "D03", "not linked to virtual network vnet-c"),
    ("zones: linked networks alone", corp("hub"), "hub", PORTAL, PASS, "", "is 10.224.0.40"),
    ("zones: linked networks alone", corp(), "pod", PORTAL, REJECT, "D03", "but to no network"),
    ("zones: linked networks alone", corp("prod", "hub"), "hub", PORTAL, PASS, "", "is 10.224.0.40"),
    ("zones: linked networks alone", corp("hub"), "on premises", PORTAL, BLIND, "", "is not known"),
    (
        "zones: child domains",
        lambda w: corp("prod")(w).zone("eu.corp.example", "prod").record("eu.corp.example", "portal", "10.224.0.40"),
        "pod", "portal.eu.corp.example", PASS, "", "in private zone eu.corp.example",
    ),
    (
        "zones: child domains",
        lambda w: corp("prod", name="portal.eu")(w).zone("eu.corp.example", "prod"),
        "pod", "portal.eu.corp.example", REJECT, "D08", "private zone eu.corp.example",
    ),
    (
        "zones: child domains",
        lambda w: corp("prod", name="portal.eu")(w).zone("eu.corp.example", "hub"),
        "pod", "portal.eu.corp.example", PASS, "", "in private zone corp.example",
    ),
    ("records: names", corp("prod", name="@"), "pod", "corp.example", PASS, "", "corp.example is 10.224.0.40"),
    ("records: wildcard", corp("prod", name="*"), "pod", PORTAL, PASS, "", "is 10.224.0.40"),
    ("records: wildcard", corp("prod", name="*"), "pod", "a.b.corp.example", PASS, "", "is 10.224.0.40"),
    ("records: wildcard", corp("prod", name="*"), "pod", "corp.example", REJECT, "D08", "NODATA"),
    (
        "rfc 4592 2.2.1: an existing name has no wildcard",
        lambda w: corp("prod", name="*")(w).record("corp.example", "portal", kind="TXT"),
        "pod", PORTAL, REJECT, "D08", "no address (NODATA)",
    ),
    (
        "rfc 4592 2.2.2: nor has a name between",
        lambda w: corp("prod", name="*")(w).record("corp.example", "x.eu", "10.224.0.9"),
        "pod", "eu.corp.example", REJECT, "D08", "NODATA",
    ),
    (
        "rfc 4592 3.3.1: the closest name above",
        lambda w: corp("prod", name="*")(w).record("corp.example", "x.eu", "10.224.0.9"),
        "pod", "y.eu.corp.example", REJECT, "D08", "NXDOMAIN",
    ),
    (
        "rfc 1034 3.6.2: an alias",
        lambda w: corp("prod")(w).record("corp.example", "old", PORTAL, kind="CNAME"),
        "pod", "old.corp.example", PASS, "", "portal.corp.example is 10.224.0.40",
    ),
    (
        "rfc 1034 3.6.2: an alias of a public name",
        lambda w: bare("prod", domain="corp.example")(w).record("corp.example", "mq", MQTT, kind="CNAME"),
        "pod", "mq.corp.example", PASS, "", f"{MQTT} is 20.50.1.9",
    ),
    (
        "rfc 1034 3.6.2: an alias of a name that is not there",
        lambda w: bare("prod", domain="corp.example")(w).record("corp.example", "a", "b.corp.example", kind="CNAME"),
        "pod", "a.corp.example", REJECT, "D08", "b.corp.example is no name",
    ),
    ("fallback: policy", bare("prod", policy="Default"), "pod", SHOP, REJECT, "D08", "NXDOMAIN"),
    ("fallback: policy", bare("prod", policy="NxDomainRedirect"), "pod", SHOP, PASS, "", "is taken to be 20.50.1.7"),
    ("fallback: policy", shop("prod", policy="NxDomainRedirect"), "pod", SHOP, PASS, "", "is 20.50.1.7 in private"),
    ("names: servers of the network", lambda w: shop("prod")(w).servers("prod", "168.63.129.16"), "pod", SHOP, PASS, "",
     "in private zone contoso.com"),
    ("names: servers of the network", lambda w: bare("prod")(w).servers("prod", "10.100.1.9"), "pod", SHOP, PASS, "",
     "is taken to be 20.50.1.7"),
    ("names: servers of the network", lambda w: corp("prod")(w).servers("prod", "192.168.0.4"), "pod", PORTAL, BLIND,
     "", "is not known"),
    ("names: servers of the network", lambda w: corp("hub")(w).servers("prod", "10.100.1.9"), "pod", PORTAL, PASS, "",
     "linked to virtual network vnet-contoso-hub"),
    ("names: servers of the network", lambda w: corp("prod")(w).servers("prod", "10.100.1.9"), "pod", PORTAL, BLIND, "",
     "is not known"),
    ("names: the public label", bare("prod"), "pod", MQTT, PASS, "", "is 20.50.1.9"),
    ("endpoints: the public alias", blob("prod"), "pod", BLOB, PASS, "",
     "files.privatelink.blob.core.windows.net is 10.224.1.4"),
    ("endpoints: the public alias", blob("prod"), "node", f"files.{PRIVATE_BLOB}", PASS, "", "is 10.224.1.4"),
    ("endpoints: link the zone", blob("hub"), "pod", BLOB, REJECT, "D03", f"private zone {PRIVATE_BLOB}"),
    ("endpoints: link the zone", blob(), "pod", BLOB, REJECT, "D03", "but to no network"),
    ("endpoints: one record", blob("prod", address="10.224.1.9"), "pod", BLOB, DROP, "D09", "nobody that is known has"),
    ("endpoints: one zone", lambda w: blob(group=HUB)(w).zone(PRIVATE_BLOB, "prod"),
     "pod", BLOB, REJECT, "D09", "another zone"),
    ("endpoints: names of zones",
     lambda w: w.endpoint("kv.vault.azure.net").zone("privatelink.vaultcore.azure.net", "prod").record(
         "privatelink.vaultcore.azure.net", "kv", "10.224.1.4"),
     "pod", "kv.vault.azure.net", PASS, "", "kv.privatelink.vaultcore.azure.net is 10.224.1.4"),
    ("endpoints: with a zone group", lambda w: w.endpoint(grouped=True).zone(PRIVATE_BLOB, "prod").record(
        PRIVATE_BLOB, "files", "10.224.1.9"), "pod", BLOB, DROP, "D09", "privateEndpoints pe has it at 10.224.1.4"),
    ("endpoints: fallback", lambda w: w.endpoint().zone(PRIVATE_BLOB, "prod", policy="NxDomainRedirect"), "pod", BLOB,
     BLIND, "", "is not known"),
    ("a record beside the frontend",
     lambda w: w.zone("contoso.com", "prod").record("contoso.com", "shop", "10.224.0.59"),
     "pod", SHOP, DROP, "D01", "Ingress shop/shop has it at 20.50.1.7"),
    ("a record of another Service",
     lambda w: w.zone("contoso.com", "prod").record("contoso.com", "shop", "10.224.0.40"),
     "pod", SHOP, PASS, "D01", "Ingress shop/shop has it at 20.50.1.7"),
    ("a record beyond what is known",
     lambda w: w.zone("contoso.com", "prod").record("contoso.com", "shop", "172.20.0.9"),
     "pod", SHOP, PASS, "", "has it at 20.50.1.7"),
    ("a record beside the right one",
     lambda w: w.zone("contoso.com", "prod").record("contoso.com", "shop", "20.50.1.7", "20.50.1.8"),
     "pod", SHOP, Verdict.FANOUT, "", "is 20.50.1.7, 20.50.1.8"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("section", "made", "source", "host", "verdict", "cause", "words"),
    TABLE,
    ids=[f"{at}-{row[0].partition(':')[0]}-{row[2]}-{row[3]}" for at, row in enumerate(TABLE)],
)
def test_what_a_name_is(
    section: str, made: Made, source: str, host: str, verdict: Verdict, cause: str, words: str
) -> None:
    """The last look-up has the verdict, the check and the words of its row."""
    step = looked_up(made(ZoneWorld()).asked(host, source))
    assert (step.verdict, step.cause) == (verdict, cause), (section, step.summary)
    assert words in step.summary, section


def test_an_answer_of_a_zone_is_proven_and_names_zone_link_and_record() -> None:
    """Each of the three is an object of its own, with the field that says it."""
    found = shop("prod")(ZoneWorld()).asked(SHOP)
    step = looked_up(found)
    assert step.assumptions == ()
    assert {(fact.field, fact.subject.kind) for fact in step.evidence if fact.subject is not None} == {
        (".aRecords[0].ipv4Address", "privateDnsRecordSets"),
        (".name", "privateDnsZones"),
        (".virtualNetwork.id", "privateDnsZoneLinks"),
    }
    assert found.outcome is Outcome.DELIVERED


def test_a_record_at_odds_with_a_frontend_names_both_fields() -> None:
    """What the record says, and what the Ingress says."""
    world = ZoneWorld().zone("contoso.com", "prod").record("contoso.com", "shop", "10.224.0.59")
    facts = {(fact.field, fact.value) for fact in looked_up(world.asked(SHOP)).evidence}
    assert (".aRecords[0].ipv4Address", "10.224.0.59") in facts
    assert (".spec.rules[0].host", SHOP) in facts


def test_a_redacted_zone_answers_as_before_and_keeps_no_name() -> None:
    """Zone, record, its relative name and the alias are replaced alike; the wildcard stays one."""
    world = corp("prod")(ZoneWorld()).record("corp.example", "old", PORTAL, kind="CNAME")
    world.record("corp.example", "*", "10.224.0.41")
    redaction = Redaction((wire for rows in world.objects.values() for wire in rows.values()), bytes(32))
    for kind, rows in world.objects.items():
        wires = [redaction.apply(wire) for wire in rows.values()]
        kept = str(wires) if kind.startswith("privateDns") else ""
        assert not any(word in kept for word in ("portal", "'old'", "/old", "corp.example"))
        world.objects[kind] = {ident(wire): wire for wire in wires}
    for name, address in (("old.corp.example", "10.224.0.40"), ("x.corp.example", "10.224.0.41")):
        said = [step.summary for step in world.asked(redaction.text(name)).steps]
        assert any(f"is {address} in private zone" in line for line in said)


def test_an_alias_without_end_is_given_up() -> None:
    """Two aliases of one another are no address."""
    world = ZoneWorld().zone("corp.example", "prod")
    world.record("corp.example", "a", "b.corp.example", kind="CNAME")
    world.record("corp.example", "b", "a.corp.example", kind="CNAME")
    found = world.asked("a.corp.example")
    assert found.outcome is Outcome.UNDECIDED
    assert "TRACE_TOO_LONG" in found.steps[-1].missing


@pytest.mark.parametrize("servers", [("10.100.1.9",), ("168.63.129.16", "10.100.1.9"), ("10.1.1.1", "10.1.1.2")])
def test_what_servers_of_the_network_answer_is_assumed_by_name(servers: tuple[str, ...]) -> None:
    """Nobody reads what they answer."""
    step = looked_up(ZoneWorld().servers("prod", *servers).asked(SHOP))
    assert any(", ".join(servers) in line for line in step.assumptions)
    assert any(fact.field == ".dhcpOptions.dnsServers" for fact in step.evidence)


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("privateDnsZones", "Microsoft.Network/privateDnsZones/read"),
        ("privateDnsZoneLinks", "Microsoft.Network/privateDnsZones/virtualNetworkLinks/read"),
        ("privateDnsRecordSets", "Microsoft.Network/privateDnsZones/ALL/read"),
    ],
)
def test_what_cannot_be_read_is_blind_by_its_permission(kind: str, action: str) -> None:
    """A name that only a zone could know: the step names the action."""
    world = corp("prod")(ZoneWorld())
    world.objects[kind] = {}
    world._said.append(ReadingChanged(kind, Reading.DENIED, reason=f"{action} on /x (403)"))
    found = world.asked(PORTAL)
    assert looked_up(found).verdict is Verdict.BLIND
    assert action in looked_up(found).missing
    assert found.outcome is Outcome.UNDECIDED


def test_zones_that_cannot_be_read_are_an_assumption_beside_what_objects_claim() -> None:
    """The public shop is where its Ingress is, as long as no zone shadows it: that is said by its permission."""
    world = ZoneWorld()
    world.lose("privateDnsZones", Reading.DENIED)
    step = looked_up(world.asked(SHOP))
    assert step.verdict is Verdict.PASS
    assert any("Microsoft.Network/privateDnsZones/read" in line for line in step.assumptions)


def test_records_that_cannot_be_read_never_pass_for_a_claim() -> None:
    """The linked zone answers whatever it has: what objects claim is not what a Pod is told."""
    world = shop("prod")(ZoneWorld())
    world.objects["privateDnsRecordSets"] = {}
    world.lose("privateDnsRecordSets", Reading.DENIED)
    found = world.asked(SHOP)
    assert looked_up(found).verdict is Verdict.BLIND
    assert found.outcome is Outcome.UNDECIDED


def test_a_record_that_cannot_be_decoded_is_not_taken_for_absent() -> None:
    """It is there: what it says nobody knows."""
    world = shop("prod")(ZoneWorld())
    ident = next(iter(world.objects["privateDnsRecordSets"]))
    world.spoil("privateDnsRecordSets", ident)
    assert looked_up(world.asked(SHOP)).verdict is Verdict.BLIND


def test_without_zones_nothing_changes() -> None:
    """A cluster that has none: the same step as ever, and no zone is spoken of."""
    step = looked_up(ZoneWorld().asked(SHOP))
    assert step.summary.endswith("is taken to be 20.50.1.7")
    assert not any("zone" in line for line in step.assumptions)


def test_names_of_the_cluster_are_never_asked_of_a_zone() -> None:
    """A zone cluster.local in Azure is not seen: CoreDNS answers by itself."""
    world = ZoneWorld().zone("cluster.local", "prod").record("cluster.local", "web.shop.svc", "10.224.0.40")
    assert "Service shop/web" in looked_up(world.asked("web.shop.svc.cluster.local")).summary


def test_a_name_that_coredns_asks_others_for_is_not_the_networks() -> None:
    """coredns-custom forwards the domain: what the zone has does not count, what those servers answer does."""
    world = shop("prod")(ZoneWorld())
    data = {"c.server": "contoso.com:53 {\n forward . 10.100.1.9\n}"}
    world.put(
        "ConfigMap",
        {"kind": "ConfigMap", "metadata": {"name": "coredns-custom", "namespace": "kube-system"}, "data": data},
    )
    step = looked_up(world.asked(SHOP))
    assert any("10.100.1.9, which CoreDNS asks" in line for line in step.assumptions)
    data["c.server"] = "contoso.com:53 {\n forward . 168.63.129.16\n}"
    assert looked_up(world.asked(SHOP)).assumptions == ()
