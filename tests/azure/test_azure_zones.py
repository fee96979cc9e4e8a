"""Private DNS over the real clients: which calls are made, what a refusal costs, and what captures of az say of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from aksnav.model.change import Reading
from aksnav.sources.azure.doctor import check_azure
from aksnav.sources.azure.zones import MOST_ZONES, ZONES_NEEDED, ZONES_VERSION
from aksnav.sources.capture import recognise
from aksnav.sources.capture.folder import Contents
from aksnav.sources.demo.world import NODE_GROUP, SUBSCRIPTION
from aksnav.sources.options import Options
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Step, Verdict
from tests.azure.arm_server import Answer, Asked, error
from tests.azure.conftest import Bench, host, provider_ids
from tests.azure.test_azure_permissions import with_kubernetes

Json = dict[str, Any]
BASE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
NETWORK = f"{BASE}/rg-contoso-prod/providers/Microsoft.Network/virtualNetworks/vnet-contoso-prod"
CALLS_WITHOUT_ZONES = 18
SHOP = "shop.contoso.com"


def ident(domain: str, group: str = "rg-contoso-prod") -> str:
    """Return the id of a zone."""
    return f"{BASE}/{group}/providers/Microsoft.Network/privateDnsZones/{domain}"


class Zones:
    """Answers for private DNS as Resource Manager does: lists by group and by zone, single zones, pages.

    Attributes:
        records: record sets by zone id in lower case.
    """

    def __init__(self, bench: Bench, page_size: int = 1000) -> None:
        self.zones: dict[str, Json] = {}
        self.links: dict[str, list[Json]] = {}
        self.records: dict[str, list[Json]] = {}
        self._page_size = page_size
        self._denied = bench.server.content.denied
        bench.server.rules.append(self.answer)

    def add(self, domain: str, *records: tuple[str, str], linked: bool = True, group: str = "rg-contoso-prod") -> str:
        """Add a zone with A records, linked to the nodes' network; return its id."""
        own = ident(domain, group)
        key = own.lower()
        self.zones[key] = {"id": own, "name": domain, "properties": {"numberOfVirtualNetworkLinks": int(linked)}}
        link = {"id": f"{own}/virtualNetworkLinks/l", "properties": {"virtualNetwork": {"id": NETWORK}}}
        self.links[key] = [link] if linked else []
        self.records[key] = [
            {
                "id": f"{own}/A/{name}",
                "name": name,
                "properties": {"fqdn": f"{name}.{domain}.", "ttl": 60, "aRecords": [{"ipv4Address": address}]},
            }
            for name, address in records
        ]
        return own

    def answer(self, asked: Asked) -> Answer | None:
        """Answer a request, or leave it to others."""
        if "/privatednszones" not in asked.path:
            return None
        assert asked.query["api-version"] == ZONES_VERSION
        head, _, rest = asked.path.partition("/privatednszones")
        parts = rest.strip("/").split("/")
        below = {"virtualnetworklinks": "virtualNetworkLinks/", "all": "ALL/"}.get(parts[-1], "")
        action = f"Microsoft.Network/privateDnsZones/{below}"
        if f"{action}read" in self._denied:
            said = f"does not have authorization to perform action '{action}read' over scope '{asked.path}'."
            return error(403, "AuthorizationFailed", said)
        if not rest:
            return self._page(asked, [zone for key, zone in self.zones.items() if key.startswith(f"{head}/")])
        key = f"{head}/privatednszones/{parts[0]}"
        if key not in self.zones:
            return error(404, "ResourceNotFound", "gone")
        if len(parts) == 1:
            return Answer(body=self.zones[key])
        return self._page(asked, (self.links if parts[1] == "virtualnetworklinks" else self.records)[key])

    def _page(self, asked: Asked, items: list[Json]) -> Answer:
        start = int(asked.query.get("$skiptoken", "0"))
        body: Json = {"value": items[start : start + self._page_size]}
        if start + self._page_size < len(items):
            following = f"api-version={ZONES_VERSION}&$skiptoken={start + self._page_size}"
            body["nextLink"] = f"BASE{asked.path}?{following}"
        return Answer(body=body)


def asked_for(bench: Bench, part: str = "") -> list[str]:
    """Return the paths of private DNS that were asked for."""
    return [path for path in bench.server.paths() if "/privatednszones" in path and path.endswith(part)]


def named(bench: Bench, name: str = SHOP) -> Step:
    """Return the step with which a Pod of the shop looks a name up; whether it can ask at all is a step before."""
    store = with_kubernetes(bench)
    pod = next(key for key in sorted(store.pods.ids()) if key.startswith("shop/web-"))
    found = trace(store, parse_request(f"https://{name}/", source=f"pod/{pod}"))
    return [step for step in found.steps if step.kind is Kind.DNS_RESOLVE][-1]


def test_without_zones_it_costs_one_call_a_group(bench: Bench) -> None:
    """Two groups, two lists: 18 calls in all, and the three tables are complete and empty."""
    bench.read()
    assert len(asked_for(bench)) == 2
    assert len(bench.server.asked) == CALLS_WITHOUT_ZONES
    for table in (bench.store.private_zones, bench.store.zone_links, bench.store.zone_records):
        assert table.access("").complete
        assert len(table) == 0


def test_a_zone_costs_its_links_and_its_records(bench: Bench) -> None:
    """And the name is what it says, proven."""
    Zones(bench).add("contoso.com", ("shop", "20.50.1.7"))
    step = named(bench)
    assert len(asked_for(bench)) == 4
    assert (step.verdict, step.assumptions) == (Verdict.PASS, ())
    assert step.subject is not None
    assert step.subject.kind == "privateDnsRecordSets"


def test_a_zone_that_says_it_has_no_link_is_not_asked_for_them(bench: Bench) -> None:
    """``numberOfVirtualNetworkLinks`` 0: the table is complete all the same."""
    own = Zones(bench).add("corp.example", ("portal", "10.224.0.40"), linked=False)
    bench.read()
    assert asked_for(bench, "/virtualnetworklinks") == []
    assert bench.store.zone_links.access(own.lower()).complete


def test_every_page_is_read(bench: Bench) -> None:
    """Zones, links and records come in pages of two."""
    zones = Zones(bench, page_size=2)
    for number in range(5):
        zones.add(f"z{number}.example", *((f"n{at}", "10.224.0.9") for at in range(5)))
    bench.read()
    assert (len(bench.store.private_zones), len(bench.store.zone_links), len(bench.store.zone_records)) == (5, 5, 25)


def test_past_a_number_of_zones_what_is_not_read_is_said(bench: Bench) -> None:
    """Linked ones come first; of the others it is said by name that nothing is known."""
    zones = Zones(bench)
    for number in range(MOST_ZONES + 3):
        zones.add(f"a{number:02}.example", linked=False)
    linked = zones.add("z.example", ("x", "10.224.0.9"))
    bench.read()
    assert len(asked_for(bench, "/all")) == MOST_ZONES
    assert bench.store.zone_records.access(linked.lower()).reading is Reading.LIVE
    access = bench.store.zone_records.access("")
    assert access.reading is Reading.UNREAD
    assert f"only {MOST_ZONES} zones are read" in access.reason
    assert "privateDnsZones/ALL/read of a" in access.reason


@pytest.mark.parametrize("action", [item for item in ZONES_NEEDED if "Groups" not in item])
def test_a_missing_permission_is_blind_by_name_where_a_zone_decides(bench: Bench, action: str) -> None:
    """Only a zone could have the name: the step says what it needs, and the rest is read."""
    Zones(bench).add("corp.example", ("portal", "10.224.0.40"))
    bench.server.content.denied.add(action)
    step = named(bench, "portal.corp.example")
    assert step.verdict is Verdict.BLIND
    assert action in step.missing
    assert bench.store.load_balancers.access("").reading is Reading.LIVE


def test_zones_that_are_refused_leave_public_names_to_what_is_claimed_and_say_so(bench: Bench) -> None:
    """It is an assumption by the name of the permission, no pass in silence."""
    Zones(bench)
    bench.server.content.denied.add("Microsoft.Network/privateDnsZones/read")
    step = named(bench)
    assert step.verdict is Verdict.PASS
    assert any("Microsoft.Network/privateDnsZones/read" in line for line in step.assumptions)


def test_a_zone_that_goes_in_the_middle_is_not_taken_for_empty(bench: Bench) -> None:
    """It was listed, and its records answer 404: what it has is not known."""
    zones = Zones(bench)
    zones.add("contoso.com", ("shop", "20.50.1.7"))
    bench.server.rules.insert(
        0, lambda asked: error(404, "ParentResourceNotFound") if asked.path.endswith("/all") else None
    )
    assert named(bench).verdict is Verdict.BLIND


def test_the_zone_of_a_private_cluster_elsewhere_is_read_by_its_id(bench: Bench) -> None:
    """``privateDNSZone`` may name one in another group; one that is gone is no gap."""
    zones = Zones(bench)
    own = zones.add("guid.privatelink.westeurope.azmk8s.io", ("api", "10.224.1.5"), group="rg-dns")
    cluster = bench.server.content.objects["managedClusters"][0]["properties"]
    cluster["apiServerAccessProfile"] = {"enablePrivateCluster": True, "privateDNSZone": own}
    cluster["ingressProfile"] = {"webAppRouting": {"dnsZoneResourceIds": [ident("gone.example", "rg-dns"), 7, "x"]}}
    bench.read()
    assert [row.domain for row in bench.store.private_zones] == ["guid.privatelink.westeurope.azmk8s.io"]
    assert len(bench.store.zone_records) == 1
    assert bench.store.private_zones.access("").reading is Reading.LIVE


def endpoint(bench: Bench, zone: str) -> str:
    """Add a private endpoint behind an interface of the nodes' group, with a DNS zone group that names a zone."""
    own = f"{BASE}/rg-edge/providers/Microsoft.Network/privateEndpoints/pe"
    nic = f"{BASE}/{NODE_GROUP}/providers/Microsoft.Network/networkInterfaces/pe.nic"
    objects = bench.server.content.objects
    objects["privateEndpoints"] = [{"id": own, "name": "pe", "properties": {"networkInterfaces": [{"id": nic}]}}]
    objects["networkInterfaces"].append({"id": nic, "name": "pe.nic", "properties": {"privateEndpoint": {"id": own}}})
    configured = [{"name": "c", "properties": {"privateDnsZoneId": zone}}]
    body = {"value": [{"id": "g", "name": "default", "properties": {"privateDnsZoneConfigs": configured}}]}

    def groups(asked: Asked) -> Answer | None:
        action = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read"
        if not asked.path.endswith("/privatednszonegroups"):
            return None
        refused = error(403, "AuthorizationFailed", f"perform action '{action}' over scope '{asked.path}'")
        return refused if action in bench.server.content.denied else Answer(body=body)

    bench.server.rules.insert(0, groups)
    return own


def test_the_zones_of_a_private_endpoints_group_are_read(bench: Bench) -> None:
    """A hub's group holds the private link zones of everybody: the endpoint says which is its own."""
    zones = Zones(bench)
    endpoint(bench, zones.add("privatelink.blob.core.windows.net", ("files", "10.224.1.4"), group="rg-hub-dns"))
    bench.read()
    assert [row.domain for row in bench.store.private_zones] == ["privatelink.blob.core.windows.net"]


def test_zone_groups_that_are_refused_are_said(bench: Bench) -> None:
    """Which zones the endpoint's are is not known: the account lacks an action, by name."""
    zones = Zones(bench)
    endpoint(bench, zones.add("privatelink.blob.core.windows.net", group="rg-hub-dns"))
    action = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read"
    bench.server.content.denied.add(action)
    bench.read()
    assert action in bench.store.sources["azure"].facts["notRead"]
    assert len(bench.store.private_zones) == 0


@pytest.mark.parametrize("action", [item for item in ZONES_NEEDED if "Groups" not in item])
def test_the_doctor_names_what_is_refused_and_the_role_has_it(bench: Bench, action: str) -> None:
    """The smallest role that helps."""
    Zones(bench).add("contoso.com", ("shop", "20.50.1.7"))
    bench.server.content.denied.add(action)
    found = check_azure(
        Options(kubeconfig="/nonexistent"), provider_ids(), host(), connection=bench.connection(), pace=bench.pace
    )
    assert action in {item.missing for item in found.checks if not item.ok}
    assert action in found.role


def test_a_record_that_goes_is_gone_after_the_next_round(bench: Bench) -> None:
    """A zone's list is whole: what is not in it any more does not answer."""
    zones = Zones(bench)
    own = zones.add("contoso.com", ("shop", "20.50.1.7"), ("blog", "20.50.1.7")).lower()
    bench.read()
    del zones.records[own][0]
    bench.read()
    assert [row.host for row in bench.store.zone_records] == ["blog.contoso.com"]
    zones.zones.clear()
    bench.read()
    assert (len(bench.store.private_zones), len(bench.store.zone_records)) == (0, 0)


HOSTILE = "\x1b[31m\u202e[link=x]evil\x07"


def test_hostile_text_is_data(bench: Bench) -> None:
    """Names, addresses and bodies of the wrong shape: nothing crashes, nothing escapes, nothing passes."""
    zones = Zones(bench)
    own = zones.add("contoso.com", ("shop", HOSTILE)).lower()
    zones.records[own].append({"id": f"{own}/A/odd", "properties": {"aRecords": "no list"}})
    zones.records[own].append({"id": f"{own}/CNAME/alias", "properties": {"cnameRecord": {"cname": HOSTILE}}})
    zones.links[own].append({"id": f"{own}/virtualNetworkLinks/odd", "properties": {"virtualNetwork": None}})
    step = named(bench)
    assert step.verdict is Verdict.BLIND
    assert "\x1b" not in step.summary
    assert len(bench.store.zone_records.undecodable) == 1


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": "x"}, {"value": [1, "x"]}, {"id": 7}])
def test_answers_that_are_no_lists_are_no_zones(bench: Bench, body: Json) -> None:
    """Whatever comes, the rest of the snapshot stands."""
    bench.server.rules.append(lambda asked: Answer(body=body) if "/privatednszones" in asked.path else None)
    bench.read()
    assert len(bench.store.private_zones) == 0
    assert bench.store.load_balancers.access("").reading is Reading.LIVE


FILES = {
    "az-network-private-dns-zone-list.json": [
        {"id": ident("contoso.com"), "name": "contoso.com", "numberOfVirtualNetworkLinks": 1, "tags": None}
    ],
    "az-network-private-dns-link-vnet-list.json": [
        {
            "id": f"{ident('contoso.com')}/virtualNetworkLinks/l",
            "name": "l",
            "registrationEnabled": False,
            "resolutionPolicy": "NxDomainRedirect",
            "virtualNetwork": {"id": NETWORK, "resourceGroup": "rg-contoso-prod"},
            "virtualNetworkLinkState": "Completed",
        }
    ],
    "az-network-private-dns-record-set-list.json": [
        {
            "id": f"{ident('contoso.com')}/A/shop",
            "name": "shop",
            "fqdn": "shop.contoso.com.",
            "isAutoRegistered": False,
            "aRecords": [{"ipv4Address": "20.50.1.7"}],
            "ttl": 300,
            "type": "Microsoft.Network/privateDnsZones/A",
        },
        {
            "id": f"{ident('contoso.com')}/SOA/@",
            "name": "@",
            "fqdn": "contoso.com.",
            "soaRecord": {"email": "x", "host": "azureprivatedns.net"},
            "type": "Microsoft.Network/privateDnsZones/SOA",
        },
    ],
}
KINDS_OF_FILES = dict(zip(FILES, ("privateDnsZones", "privateDnsZoneLinks", "privateDnsRecordSets"), strict=True))


def test_what_az_prints_is_read_from_a_folder(tmp_path: Path) -> None:
    """Flattened as az does it."""
    found = Contents()
    for name, listed in FILES.items():
        (tmp_path / name).write_text(json.dumps(listed), encoding="utf-8")
        found.add_file(tmp_path / name)
    found.finish()
    counts = {kind: len(found.objects[kind]) for kind in KINDS_OF_FILES.values()}
    assert counts == {"privateDnsZones": 1, "privateDnsZoneLinks": 1, "privateDnsRecordSets": 2}
    (link,) = found.objects["privateDnsZoneLinks"].values()
    assert link.virtual_network.arm_id == NETWORK  # type: ignore[union-attr]  # of this kind
    assert not found.ignored
    assert not found.undecodable


@pytest.mark.parametrize("name", FILES)
def test_an_empty_list_says_of_what_by_its_files_name(name: str) -> None:
    """There are none, and that is known."""
    assert recognise.kind_of_file(name.removesuffix(".json")) == KINDS_OF_FILES[name]


@pytest.mark.parametrize("name", ["az-network-dns-zone-list", "az-network-dns-record-set-list", "az-network-vnet-list"])
def test_public_zones_are_something_else(name: str) -> None:
    """``az network dns`` lists zones of the public DNS: they are of no kind that is known."""
    assert recognise.kind_of_file(name) not in KINDS_OF_FILES.values()


def test_one_object_is_fetched_as_it_is(bench: Bench) -> None:
    """For the screen: a zone, a link and a record by their ids."""
    own = Zones(bench).add("contoso.com", ("shop", "20.50.1.7"))
    assert json.loads(bench.source.get_raw("privateDnsZones", own))["name"] == "contoso.com"


def test_links_are_asked_for_again_when_their_number_changes(bench: Bench) -> None:
    """While a zone counts as many as before they are kept; its records are asked for in every round."""
    zones = Zones(bench)
    own = zones.add("contoso.com", ("shop", "20.50.1.7")).lower()
    bench.read()
    bench.read()
    assert len(asked_for(bench, "/virtualnetworklinks")) == 1
    assert len(asked_for(bench, "/all")) == 2
    zones.zones[own]["properties"]["numberOfVirtualNetworkLinks"] = 2
    second: Json = {"id": f"{own}/virtualNetworkLinks/m", "properties": {"virtualNetwork": {"id": f"{NETWORK}-2"}}}
    zones.links[own].append(second)
    bench.read()
    assert len(asked_for(bench, "/virtualnetworklinks")) == 2
    assert second["id"].lower() in bench.store.zone_links
