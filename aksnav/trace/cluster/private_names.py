"""A name as Azure DNS answers it to a client in a virtual network, beside what objects of the cluster claim for it."""

from shlex import quote

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.dns import PrivateDnsZone, RecordSet
from aksnav.model.azure.edge import PrivateEndpoint
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure import zones
from aksnav.trace.azure.resolvers import of_the_internet
from aksnav.trace.azure.zones import AZURE_DNS, Looked, Resolver, State
from aksnav.trace.cluster.dns import DOMAIN, Answer, Resolution
from aksnav.trace.cluster.hosts import claims_of
from aksnav.trace.cluster.zone_answers import absent, against_claims, claim_fact, unlinked, zone_facts, zone_step
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Considered, Evidence, Step, Verdict


def as_azure_answers(
    store: Store, resolver: Resolver | None, host: str, packet: Packet, found: Resolution
) -> Resolution:
    """Return what a client in a virtual network is told of a name that is not the cluster's own.

    Args:
        store: what is known.
        resolver: whom the client's network asks; None outside of the networks that are known, and on the internet:
            private zones never answer there.
        host: lower case, without a dot at its end.
        packet: as it is before it has a destination.
        found: what the name stands for by what objects claim.
    """
    if resolver is None or _of_cluster(host, found):
        return found
    if resolver.own:
        return _of_servers(store, resolver, host, packet, found)
    looked = zones.look_up(store, resolver.network, host)
    if looked.state is State.NONE:
        told = _not_linked(store, resolver, host, packet, found)
    elif looked.state is State.FOUND:
        told = _answered(store, resolver, host, packet, looked)
    elif looked.state is State.BLIND:
        told = _unread(resolver, host, found, looked)
    elif looked.state is State.REDIRECTED:
        told = _considered(found, _zone_says(looked, f"has no {host}, and its link sends on to the public DNS"))
    else:
        told = absent(store, resolver, host, packet, looked, found)
    return _noted(store, resolver, host, found, told)


def _of_cluster(host: str, found: Resolution) -> bool:
    """Return whether the cluster's DNS answers by itself: it never asks anybody else for its own names."""
    subject = found.step.subject
    own = subject is not None and subject.kind == "Service" and not found.step.assumptions
    return own or host.endswith((f".{DOMAIN}", ".svc")) or "." not in host


def _noted(store: Store, resolver: Resolver, host: str, before: Resolution, told: Resolution) -> Resolution:
    """Add what an answer hangs on that could not be read: a zone that is not known, the servers of the network."""
    certain = bool(before.answers) and not before.step.assumptions and told.answers == before.answers
    notes = list(stale(store.private_zones, store.zone_links, store.zone_records)) if zones.known_zones(store) else []
    if resolver.unread:
        notes.append(f"virtual network {resolver.name} asks Azure DNS: {resolver.unread}")
    hidden = unreadable(store.private_zones)
    if not hidden or certain or told.step.verdict in {Verdict.REJECT, Verdict.DROP}:
        return _assuming(told, tuple(notes)) if not certain else told
    if told.step.verdict is Verdict.BLIND:
        missing = f"{told.step.missing} (not readable: {hidden})" if hidden not in told.step.missing else ""
        step = msgspec.structs.replace(told.step, missing=missing or told.step.missing)
        return msgspec.structs.replace(told, step=step)
    if told.step.subject is None or told.step.subject.kind != RecordSet.KIND:
        notes.append(f"no private zone of virtual network {resolver.name} has {host}: {hidden}")
    return _assuming(told, tuple(notes))


def _assuming(found: Resolution, notes: tuple[str, ...]) -> Resolution:
    if not notes:
        return found
    step = msgspec.structs.replace(found.step, assumptions=(*found.step.assumptions, *notes))
    return msgspec.structs.replace(found, step=step)


def _considered(found: Resolution, *items: Considered) -> Resolution:
    step = msgspec.structs.replace(found.step, considered=(*found.step.considered, *items))
    return msgspec.structs.replace(found, step=step)


def _zone_says(looked: Looked, why: str) -> Considered:
    name = looked.zone.domain if looked.zone is not None else ""
    field = ".resolutionPolicy" if looked.state is State.REDIRECTED else ""
    return Considered(f"private zone {name}", decided=False, why=why, field=field)


def _of_servers(store: Store, resolver: Resolver, host: str, packet: Packet, found: Resolution) -> Resolution:
    """Return what the DNS servers of a network answer: that of a zone where they can see one, else what is claimed."""
    who = f"the DNS servers {', '.join(resolver.servers)} of virtual network {resolver.name}"
    fact = Evidence(".dhcpOptions.dnsServers", ", ".join(resolver.servers), None, f"virtual network {resolver.name}")
    places = zones.server_networks(store, resolver)
    if AZURE_DNS in resolver.servers:
        places.append(resolver.network)
    for network in places:
        looked = zones.look_up(store, network, host)
        if looked.state is State.FOUND:
            note = f"{who} forward {host} to {AZURE_DNS}"
            told = _answered(store, msgspec.structs.replace(resolver, network=network), host, packet, looked)
            return _assuming(told, (note,))
    hidden = _hidden_from(store, resolver, host, packet, found) if of_the_internet(resolver.servers) else None
    if hidden is not None:
        return hidden
    if found.answers:
        shown = ", ".join(answer.label for answer in found.answers)
        return _assuming(_with(found, fact), (f"{who} answer {shown} for {host}: what they answer is not read",))
    if found.step.verdict is not Verdict.BLIND:
        return found
    step = msgspec.structs.replace(found.step, missing=f"what {who} answer for {host}")
    return _with(msgspec.structs.replace(found, step=step), fact)


def _hidden_from(store: Store, resolver: Resolver, host: str, packet: Packet, found: Resolution) -> Resolution | None:
    """Return the refusal of a name that a private zone of the network has, and its servers on the internet cannot see.

    None where no zone has it, or where objects claim a public address for it, which those servers may well answer.
    """
    looked = zones.look_up(store, resolver.network, host)
    addresses = [answer.address for answer in found.answers if answer.address is not None]
    if looked.state is not State.FOUND or any(is_public(address) for address in addresses):
        return None
    network = store.virtual_networks.get(resolver.network)
    servers = ", ".join(resolver.servers)
    said = f"{host} is in a private zone, and virtual network {resolver.name} asks {servers}, on the internet"
    step = zone_step(host, packet, looked, Verdict.REJECT, said)
    subject = network.ref if network is not None else step.subject
    step = msgspec.structs.replace(
        step,
        cause="D04",
        subject=subject,
        version=network.etag if network is not None else "",
        evidence=(Evidence(".dhcpOptions.dnsServers", servers, subject), *step.evidence),
        assumptions=(f"the public DNS does not have {host}",),
        fix=f"take the network's own servers away, or name such as forward private names to {AZURE_DNS}",
    )
    return Resolution(step=step, claimants=found.claimants)


def _with(found: Resolution, *facts: Evidence) -> Resolution:
    step = msgspec.structs.replace(found.step, evidence=(*found.step.evidence, *facts))
    return msgspec.structs.replace(found, step=step)


def _answered(store: Store, resolver: Resolver, host: str, packet: Packet, looked: Looked) -> Resolution:
    """Return what the records of a zone say, and whether objects claim another address (D01, D09)."""
    alias = next((item for item in looked.records if item.cname_record.cname), None)
    where = f"private zone {looked.zone.domain if looked.zone else ''}, linked to virtual network {resolver.name}"
    if alias is not None:
        target = alias.cname_record.cname.lower().rstrip(".")
        step = zone_step(host, packet, looked, Verdict.PASS, f"{host} is an alias of {target} in {where}")
        step = _of_record(step, alias, Evidence(".cnameRecord.cname", alias.cname_record.cname, alias.ref))
        return Resolution(step=step, answers=(Answer(label=target, alias=target),))
    answers: dict[int, Answer] = {}
    facts = []
    for record in looked.records:
        for field, text in record.targets:
            number = parse_address(text)
            facts.append(Evidence(field, text, record.ref))
            if number is not None:
                answers.setdefault(number, Answer(label=format_address(number), address=number))
    shown = ", ".join(answer.label for answer in answers.values())
    step = zone_step(host, packet, looked, Verdict.PASS, f"{host} is {shown} in {where}")
    step = _of_record(step, looked.records[0], *facts)
    if not answers:
        missing = f"an address in record {looked.records[0].host} of private zone {looked.zone.domain}"  # type: ignore[union-attr]  # FOUND has one
        return Resolution(step=msgspec.structs.replace(step, verdict=Verdict.BLIND, missing=missing))
    return against_claims(store, host, Resolution(step=step, answers=tuple(answers.values())))


def _of_record(step: Step, record: RecordSet, *facts: Evidence) -> Step:
    return msgspec.structs.replace(
        step, subject=record.ref, version=record.etag, evidence=(*facts, *step.evidence), assumptions=()
    )


def _unread(resolver: Resolver, host: str, found: Resolution, looked: Looked) -> Resolution:
    """Return what is known where a zone may hold the name and its link or its records cannot be read."""
    zone = looked.zone.domain if looked.zone is not None else ""
    what = "records" if looked.link is not None else "links"
    if looked.link is None and found.answers:
        note = f"private zone {zone} does not answer in virtual network {resolver.name}: {looked.missing}"
        return _assuming(found, (note,))
    step = msgspec.structs.replace(
        found.step,
        verdict=Verdict.BLIND,
        cause="",
        summary=f"the address of {host} is not known: the {what} of private zone {zone} cannot be read",
        subject=looked.zone.ref if looked.zone is not None else None,
        evidence=(*found.step.evidence, *zone_facts(looked, host)),
        assumptions=(),
        missing=looked.missing,
        fix="grant the permission, or give the address with --resolve ADDRESS",
    )
    return Resolution(step=step, claimants=found.claimants)


def _not_linked(store: Store, resolver: Resolver, host: str, packet: Packet, found: Resolution) -> Resolution:
    """Return what the public DNS answers where no private zone of the network has the name, or that a link lacks."""
    through = _privatelink(store, resolver, host, packet, found)
    if through is not None:
        return through
    others = [(zone, zones.records_of(store, zone, host)) for zone in zones.covering(store, host)]
    having = [(zone, records) for zone, records in others if records]
    if not having:
        hidden = [unreadable(store.zone_records, zone.id) for zone, _ in others]
        why = "is not linked to virtual network " + resolver.name
        notes = [
            Considered(f"private zone {zone.domain}", decided=False, why=why + (f"; {text}" if text else ""))
            for (zone, _), text in zip(others, hidden, strict=True)
        ]
        return _considered(found, *notes)
    zone, records = having[0]
    addresses = [answer.address for answer in found.answers]
    if addresses and all(address is not None and is_public(address) for address in addresses):
        why = f"has it, and is not linked to virtual network {resolver.name}: the public DNS answers there"
        return _considered(found, Considered(f"private zone {zone.domain}", decided=False, why=why))
    return unlinked(store, resolver, host, packet, zone, records, found)


def _privatelink(store: Store, resolver: Resolver, host: str, packet: Packet, found: Resolution) -> Resolution | None:
    """Return the way over a private link zone, for a name of Azure's own: the public name is an alias into it."""
    claimed = any(claim.ref.kind == PrivateEndpoint.KIND for claim in claims_of(store, host))
    apart: tuple[PrivateDnsZone, tuple[RecordSet, ...]] | None = None
    for alias in zones.privatelink_names(store, host):
        looked = zones.look_up(store, resolver.network, alias)
        if looked.state is State.FOUND or (claimed and looked.state is not State.NONE):
            step = zone_step(host, packet, looked, Verdict.PASS, f"{host} is an alias of {alias}, as Azure makes it")
            claims = tuple(claim_fact(claim) for claim in claims_of(store, host)[:8])
            step = msgspec.structs.replace(
                step,
                evidence=(*claims, *step.evidence),
                assumptions=(f"the public DNS has {host} as an alias of {alias}",),
                confirm=f"nslookup {quote(host)}",
            )
            return Resolution(step=step, answers=(Answer(label=alias, alias=alias),))
        for zone in zones.covering(store, alias):
            records = zones.records_of(store, zone, alias)
            if records and apart is None:
                apart = zone, records
    if apart is None or not claimed:
        return None
    return unlinked(store, resolver, host, packet, *apart, found)
