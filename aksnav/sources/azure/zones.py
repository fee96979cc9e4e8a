"""Private DNS zones around the cluster: which there are, where they answer, and what they hold.

Zones are listed in the groups of the nodes and of their networks, and read by id where the cluster or a private
endpoint names one elsewhere. Links cost one call a zone, and none where the zone says that it has none; records cost
one call a zone. Zones that are linked to a network that is known come first, and past a number nothing more is read.

Source: Azure REST API, Private DNS 2024-06-01 (``resolutionPolicy`` is there from this version on).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import msgspec

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.dns import PrivateDnsZone, ZoneLink
from aksnav.model.azure.edge import PrivateEndpoint
from aksnav.model.change import Reading
from aksnav.sources.azure.arm_ids import Group, group_of
from aksnav.sources.azure.errors import ArmError
from aksnav.sources.azure.outcome import Read, failed
from aksnav.sources.azure.transport import Json

ZONES_VERSION = "2024-06-01"
ZONE_GROUPS_VERSION = "2024-05-01"
PROVIDER = "Microsoft.Network/privateDnsZones"
ZONES_READ = f"{PROVIDER}/read"
LINKS_READ = f"{PROVIDER}/virtualNetworkLinks/read"
RECORDS_READ = f"{PROVIDER}/ALL/read"
ZONE_GROUPS_READ = "Microsoft.Network/privateEndpoints/privateDnsZoneGroups/read"
ZONES_NEEDED = (ZONES_READ, LINKS_READ, RECORDS_READ, ZONE_GROUPS_READ)
"""Actions that names in a virtual network hang on."""
MOST_ZONES = 20
"""Zones of which links, and of which records, are read; a central group can hold a zone for every Azure service."""
MOST_ENDPOINTS = 20
_MARKER = "/providers/microsoft.network/privatednszones/"
ZONE_KINDS = _ZONES, _LINKS, _RECORDS = "privateDnsZones", "privateDnsZoneLinks", "privateDnsRecordSets"

Paged = Callable[[str, str, str], list[Json]]
Decoded = Callable[[str, str, Iterable[Json]], Read]
Kept = Callable[[str, Any, Callable[[], Any]], Any]


class Asking(msgspec.Struct, frozen=True, gc=False):
    """How zones are asked for.

    Attributes:
        paged: returns the objects of every page of a list, or the one object of a path: action, path, API version.
        decoded: makes a read of a kind and a scope from objects in wire form.
        kept: returns what a former round has read while its grounds are the same, or else what is read now: a name
            for it, its grounds, and what asks.
    """

    paged: Paged
    decoded: Decoded
    kept: Kept


def read_zones(
    asking: Asking,
    groups: Iterable[Group],
    named: Iterable[str],
    networks: Iterable[str],
) -> Iterator[Read]:
    """Yield what came of the zones, their links and their records.

    Args:
        asking: how.
        groups: the resource groups in which zones are listed.
        named: ids of zones that something names, read one by one where no list covers them.
        networks: ids of the networks that are known, those of the nodes first.

    Raises:
        CredentialError, UnreachableError, ThrottledError: nothing more can be read.
    """
    groups, named = list(groups), sorted(set(named))
    zones: list[PrivateDnsZone] = []
    hidden = ""
    for read in _zones(asking, groups, named):
        zones += [item for item in read.objects if isinstance(item, PrivateDnsZone)]
        hidden = hidden or ("" if read.reading is Reading.LIVE else read.reason)
        yield read
    for kind in (_LINKS, _RECORDS):
        if hidden:
            yield Read(kind=kind, scope="", reading=Reading.UNREAD, reason=f"the zones are not readable: {hidden}")
        elif not zones:
            yield Read(kind=kind, scope="", whole=True)
    zones.sort(key=lambda zone: (zone.id not in named, zone.number_of_virtual_network_links == 0, zone.id))
    linked: dict[str, set[str]] = {}
    for read in _parts(asking, _LINKS, zones):
        for item in read.objects:
            if isinstance(item, ZoneLink):
                linked.setdefault(item.virtual_network.id, set()).add(item.zone)
        yield read
    first = [zone for network in networks for zone in sorted(linked.get(network, ()))]
    order = {ident: rank for rank, ident in enumerate(dict.fromkeys(first))}
    zones.sort(key=lambda zone: (zone.id not in named, order.get(zone.id, len(order)), zone.id))
    yield from _parts(asking, _RECORDS, zones)


def named_zones(cluster: ManagedCluster | None) -> set[str]:
    """Return the ids of the zones that the cluster names: of its private API server, and of app routing."""
    if cluster is None:
        return set()
    web = cluster.ingress_profile.get("webAppRouting")
    listed = web.get("dnsZoneResourceIds") if isinstance(web, dict) else None
    texts = [cluster.api_server_access_profile.get("privateDNSZone"), *(listed if isinstance(listed, list) else ())]
    return {text.lower().rstrip("/") for text in texts if isinstance(text, str) and _is_zone(text)}


def zone_groups(paged: Paged, kept: Kept, endpoints: Iterable[PrivateEndpoint]) -> tuple[set[str], list[str]]:
    """Return the ids of the zones in which private endpoints have their records, and what could not be read."""
    found: set[str] = set()
    notes: list[str] = []
    listed = list(endpoints)
    for endpoint in listed[:MOST_ENDPOINTS]:
        try:
            path = f"{endpoint.arm_id}/privateDnsZoneGroups"
            groups = kept(path, endpoint, partial(paged, ZONE_GROUPS_READ, path, ZONE_GROUPS_VERSION))
        except ArmError as error:
            if not error.missing:
                notes.append(str(error))
            continue
        for group in groups:
            for item in _dicts(_dict(group.get("properties")).get("privateDnsZoneConfigs")):
                ident = str(_dict(item.get("properties")).get("privateDnsZoneId") or "")
                found |= {ident.lower().rstrip("/")} if _is_zone(ident) else set()
    if len(listed) > MOST_ENDPOINTS:
        notes.append(f"of {len(listed)} private endpoints the DNS zone groups of {MOST_ENDPOINTS} are read")
    return found, notes


def _zones(asking: Asking, groups: list[Group], named: list[str]) -> Iterator[Read]:
    for group in groups:
        try:
            wires = asking.paged(ZONES_READ, f"{group.scope}/providers/{PROVIDER}", ZONES_VERSION)
        except ArmError as error:
            yield failed(_ZONES, group.scope, error)
        else:
            yield asking.decoded(_ZONES, group.scope, wires)
    by_group: dict[Group, list[str]] = {}
    for ident in named:
        own = group_of(ident)
        if own is not None and own not in groups:
            by_group.setdefault(own, []).append(ident)
    for group, idents in by_group.items():
        yield _one_by_one(asking, group, idents)


def _one_by_one(asking: Asking, group: Group, idents: list[str]) -> Read:
    wires: list[Json] = []
    gone: list[str] = []
    worst: ArmError | None = None
    for ident in idents[:MOST_ZONES]:
        try:
            wires += asking.paged(ZONES_READ, ident, ZONES_VERSION)
        except ArmError as error:
            if error.missing:
                gone.append(ident)
            else:
                worst = error
    read = asking.decoded(_ZONES, group.scope, wires)
    read.whole, read.gone = False, gone
    if worst is not None:
        read.reading, read.reason = (Reading.DENIED if worst.denied else Reading.FAILED), str(worst)
    elif len(idents) > MOST_ZONES:
        read.reading, read.reason = Reading.UNREAD, f"only {MOST_ZONES} zones that are named are read"
    return read


def _parts(asking: Asking, kind: str, zones: list[PrivateDnsZone]) -> Iterator[Read]:
    """Yield the links, or the records, of each zone, under the zone's id as their scope."""
    action, part = (LINKS_READ, "virtualNetworkLinks") if kind == _LINKS else (RECORDS_READ, "ALL")
    left = MOST_ZONES
    for zone in zones:
        if kind == _LINKS and zone.number_of_virtual_network_links == 0:
            yield Read(kind=kind, scope=zone.id, whole=True)
            continue
        left -= 1
        if left < 0:
            reason = f"{action} of {zone.domain}: only {MOST_ZONES} zones are read"
            yield Read(kind=kind, scope=zone.id, reading=Reading.UNREAD, reason=reason)
            continue
        path = f"{zone.arm_id}/{part}"
        ask = partial(_part, asking, kind, zone, action, path)
        try:
            # A link comes and goes with the number that its zone says; a record can change its address without.
            counted = kind == _LINKS and zone.number_of_virtual_network_links is not None
            yield asking.kept(path, zone, ask) if counted else ask()
        except ArmError as error:
            yield failed(kind, zone.id, error)


def _part(asking: Asking, kind: str, zone: PrivateDnsZone, action: str, path: str) -> Read:
    return asking.decoded(kind, zone.id, asking.paged(action, path, ZONES_VERSION))


def _is_zone(ident: str) -> bool:
    return _MARKER in ident.lower() and group_of(ident) is not None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
