"""What a private zone answers that is at odds with what objects claim: another address, no record, or no link."""

from shlex import quote

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.azure.dns import PrivateDnsZone, RecordSet
from aksnav.model.azure.edge import PrivateEndpoint
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import zones
from aksnav.trace.azure.appgateway import gateway_at
from aksnav.trace.azure.commands import located
from aksnav.trace.azure.joins import everybody_read, frontends_at, interface_at, node_networks, subnet_of
from aksnav.trace.azure.private_link import endpoint_at
from aksnav.trace.azure.zones import Looked, Resolver, State
from aksnav.trace.cluster.dns import Resolution
from aksnav.trace.cluster.endpoints import pod_of
from aksnav.trace.cluster.hosts import Claim, claims_of
from aksnav.trace.packet import Packet
from aksnav.trace.routing import controllers
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_FIREWALL = "azurefirewall"
_NO_OTHER = "not NxDomainRedirect: no other DNS is asked"


def zone_facts(looked: Looked, host: str) -> tuple[Evidence, ...]:
    """Return zone and link of an answer as evidence."""
    zone, link = looked.zone, looked.link
    facts = []
    if zone is not None:
        facts.append(Evidence(".name", zone.domain, zone.ref, f"the private zone that holds {host}"))
    if link is not None:
        facts.append(Evidence(".virtualNetwork.id", link.virtual_network.arm_id, link.ref, "where the zone answers"))
    return tuple(facts)


def zone_step(host: str, packet: Packet, looked: Looked, verdict: Verdict, summary: str) -> Step:
    """Return the step of a zone's answer, with the zone as its subject."""
    zone = looked.zone
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=verdict,
        summary=summary,
        subject=zone.ref if zone is not None else None,
        version=zone.etag if zone is not None else "",
        packet=packet,
        evidence=zone_facts(looked, host),
        confirm=_listing(zone),
    )


def _listing(zone: PrivateDnsZone | None) -> str:
    if zone is None:
        return ""
    return f"az network private-dns record-set list {located(zone.arm_id)} -z {quote(zone.domain)}"


def claim_fact(claim: Claim) -> Evidence:
    """Return who claims a name, and the addresses that it has, as evidence."""
    shown = ", ".join(map(format_address, claim.addresses))
    return Evidence(claim.field, claim.value, claim.ref, f"claims the name, at {shown}")


def _claims(store: Store, host: str) -> list[Claim]:
    """Return who claims a name, or the public name that is an alias of it."""
    public = zones.public_name(host)
    return [*claims_of(store, host), *(claims_of(store, public) if public != host else ())]


def against_claims(store: Store, host: str, told: Resolution) -> Resolution:
    """Return the answer of a zone with what objects say otherwise: the frontend has another address than the record."""
    claims = [claim for claim in _claims(store, host) if claim.addresses]
    claimed = {address for claim in claims for address in claim.addresses}
    wrong = [answer.address for answer in told.answers if answer.address not in claimed and answer.address is not None]
    if not claims or len(wrong) < len(told.answers):
        return told
    endpoint = any(claim.ref.kind == PrivateEndpoint.KIND for claim in claims)
    cause = "D09" if endpoint else "D01"
    shown, others = ", ".join(map(format_address, wrong)), ", ".join(sorted(map(format_address, claimed)))
    facts = tuple(claim_fact(claim) for claim in claims[:8])
    holders = [_holder(store, address) for address in wrong]
    if all(_nobodys(store, address) for address in wrong):
        step = msgspec.structs.replace(
            told.step,
            verdict=Verdict.DROP,
            cause=cause,
            summary=f"{told.step.summary}, and {claims[0].ref} has it at {others}: nobody that is known has {shown}",
            evidence=(*told.step.evidence, *facts),
            assumptions=(*told.step.assumptions, f"nothing that is not read answers for {host} at {shown}"),
            fix=f"let the record say {others}",
        )
        return Resolution(step=step)
    ours = all(_ours(store, address) for address in wrong)
    step = msgspec.structs.replace(
        told.step,
        cause=cause if ours else "",
        summary=f"{told.step.summary}; {claims[0].ref} has it at {others}",
        evidence=(*told.step.evidence, *facts),
        considered=(
            *told.step.considered,
            Considered(
                cause,
                decided=ours,
                why=f"the record says {shown} ({', '.join(item or 'not known' for item in holders)}), objects {others}",
            ),
        ),
        fix=f"let the record say {others}" if ours else "",
    )
    return msgspec.structs.replace(told, step=step)


def _ours(store: Store, address: int) -> bool:
    """Return whether an address is certainly another one: of a Service that is no way into a proxy, or an endpoint.

    A proxy may have an internal Service beside the public one that its Ingresses name: it routes the host all the same.
    """
    services = store.services_at(address)
    if not services:
        return endpoint_at(store, address) is not None
    return not any(controllers.of_pods(store, _pods_of(store, service), service) for service in services)


def _pods_of(store: Store, service: Service) -> list[Pod]:
    found = (pod_of(store, piece, item) for piece in store.slices_of(service.id) for item in piece.endpoints)
    return [pod for pod in found if pod is not None]


def _nobodys(store: Store, address: int) -> bool:
    """Return whether an address of the nodes' networks is one that nobody has, as far as can be read.

    A subnet lists the interfaces in it: where one of them is not read, the address may be its own.
    """
    place = subnet_of(store, address)
    if place is None or place[0].id not in node_networks(store) or _holder(store, address):
        return False
    return everybody_read(store, place[1])


def _holder(store: Store, address: int) -> str:
    """Return who has an address, as far as it is known."""
    services = store.services_at(address)
    if services:
        return f"Service {services[0].id}"
    endpoint = endpoint_at(store, address)
    if endpoint is not None:
        return f"private endpoint {endpoint[0].name}"
    gateway = gateway_at(store, address)
    if gateway is not None:
        return f"Application Gateway {gateway.gateway.name}"
    if frontends_at(store, address):
        return "a load balancer's frontend"
    if interface_at(store, address) is not None or store.pods_at(address) or store.nodes_at(address):
        return "a network interface"
    place = subnet_of(store, address)
    return "Azure Firewall" if place is not None and place[1].name.lower().startswith(_FIREWALL) else ""


def absent(
    store: Store, resolver: Resolver, host: str, packet: Packet, looked: Looked, found: Resolution
) -> Resolution:
    """Return the NXDOMAIN of a linked zone that does not have the name: no other DNS is asked."""
    twin = next(
        (
            zone
            for zone in zones.covering(store, host)
            if looked.zone is not None
            and zone.domain == looked.zone.domain
            and zone.id != looked.zone.id
            and zones.records_of(store, zone, host)
        ),
        None,
    )
    domain = looked.zone.domain if looked.zone is not None else ""
    what = "no address (NODATA)" if looked.state is State.EMPTY else "no name (NXDOMAIN)"
    where = f"private zone {domain}, linked to virtual network {resolver.name}, has no record of it"
    step = zone_step(host, packet, looked, Verdict.REJECT, f"{host} is {what}: {where}")
    public = [answer.address for answer in found.answers if answer.address is not None]
    shadows = not public or any(is_public(address) for address in public)
    facts = tuple(claim_fact(claim) for claim in claims_of(store, host)[:8])
    if twin is not None:
        record = zones.records_of(store, twin, host)[0]
        step = msgspec.structs.replace(
            step,
            cause="D09",
            summary=f"{step.summary}; another zone {domain} has it, and is not linked there",
            evidence=(Evidence(".fqdn", record.fqdn or record.host, record.ref), *step.evidence, *facts),
            fix="keep the records in the zone that is linked, and delete the other one",
        )
    else:
        policy = looked.link.resolution_policy if looked.link is not None else ""
        step = msgspec.structs.replace(
            step,
            cause="D08" if shadows else "D02",
            evidence=(
                Evidence(".resolutionPolicy", policy, looked.link.ref if looked.link else None, _NO_OTHER),
                *step.evidence,
                *facts,
            ),
            fix=f"add a record of {host} to the zone"
            + (", or NxDomainRedirect to the link" if domain.startswith(zones.PRIVATELINK) else ""),
        )
    return Resolution(step=step, claimants=found.claimants)


def unlinked(
    store: Store,
    resolver: Resolver,
    host: str,
    packet: Packet,
    zone: PrivateDnsZone,
    records: tuple[RecordSet, ...],
    found: Resolution,
) -> Resolution:
    """Return the refusal of a name that only a zone has which is not linked to the client's network (D03).

    Of a private API server's name it is K02: whoever works on the cluster from that network does not find it.
    """
    linked = zones.links_of(store, zone)
    shown = ", ".join(item.virtual_network.id.rpartition("/")[2] for item in linked) or "no network"
    summary = f"{host} is in private zone {zone.domain}, which is not linked to virtual network {resolver.name}"
    step = zone_step(host, packet, Looked(state=State.NONE, zone=zone), Verdict.REJECT, f"{summary}, but to {shown}")
    links = tuple(Evidence(".virtualNetwork.id", item.virtual_network.arm_id, item.ref) for item in linked[:8])
    facts = tuple(Evidence(field, text, record.ref) for record in records for field, text in record.targets)
    aliases = tuple(
        Evidence(".cnameRecord.cname", record.cname_record.cname, record.ref)
        for record in records
        if record.cname_record.cname
    )
    private_link = zone.domain.startswith(zones.PRIVATELINK)
    lost = (
        f"the service does not take this client at the public address of {host}"
        if private_link
        else f"the public DNS does not have {host}"
    )
    step = msgspec.structs.replace(
        step,
        cause="K02" if any(item.private_fqdn.lower().rstrip(".") == host for item in store.clusters) else "D03",
        evidence=(
            *(links or (Evidence(".numberOfVirtualNetworkLinks", "0", zone.ref),)),
            *step.evidence,
            *facts,
            *aliases,
            *(claim_fact(claim) for claim in _claims(store, host)[:8]),
        ),
        assumptions=(lost, f"no zone {zone.domain} that is not read is linked to virtual network {resolver.name}"),
        confirm=_listing(zone).replace("record-set list", "link vnet list"),
        fix=f"link zone {zone.domain} to virtual network {resolver.name}",
    )
    return Resolution(step=step, claimants=found.claimants)
