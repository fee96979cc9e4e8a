"""From a name to addresses, without asking the network.

Inside of the cluster the names of Services and Pods follow the Kubernetes DNS specification (1.1.0), looked up through
the search path that a Pod gets (``ClusterFirst``, ndots 5). Any other name has the addresses that objects of the
cluster claim for it: whether the world's DNS agrees is taken for granted, and said so.
"""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.service import Service
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.cluster.hosts import Claim, claims_of
from aksnav.trace.kubectl import listing
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

DOMAIN = "cluster.local"
NDOTS = 5


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that a name stands for.

    Attributes:
        label: for a branch.
        address: address integer; None for an alias and for a headless Service.
        alias: another name that is to be looked up.
        service: an ExternalName or headless Service that the name stands for.
        hostname: of the one endpoint of a headless Service that is meant; empty: all of them.
    """

    label: str
    address: int | None = None
    alias: str = ""
    service: Service | None = None
    hostname: str = ""


class Resolution(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a name stands for: without an answer, the step ends the road or is blind.

    Attributes:
        claimants: objects that claim the name but have no address.
        asked: for a Pod, the full names that it asks the cluster's DNS for, in this order, the last of them answered;
            empty for the name as it is.
    """

    step: Step
    answers: tuple[Answer, ...] = ()
    claimants: tuple[Ref, ...] = ()
    asked: tuple[str, ...] = ()


def resolve(store: Store, host: str, packet: Packet, *, inside: bool, namespace: str) -> Resolution:
    """Return what a host name stands for.

    Args:
        store: everything that is known.
        host: lower case, without a dot at its end.
        packet: as it is before it has a destination.
        inside: the client asks the cluster's DNS (a Pod, or a node).
        namespace: of the client's Pod, whose search path begins there; empty for a node.
    """
    tried: list[Considered] = []
    names = _search(host, namespace)
    if inside:
        found = _in_cluster(store, host, packet, names, tried)
        if found is not None:
            return found
    elif host.endswith(f".{DOMAIN}"):
        return Resolution(step=_no_such_name(host, packet, "the cluster's own names are known inside of it only", ()))
    # A name that ends the search path, or that is asked for first, is the one that others answer.
    asked = names[: names.index(host) + 1] if inside else ()
    return msgspec.structs.replace(_claimed(store, host, packet, tuple(tried)), asked=asked)


def _search(host: str, namespace: str) -> tuple[str, ...]:
    """Return the names that a Pod of a namespace asks for, in this order; the name itself without a namespace."""
    search = (f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN) if namespace else ()
    expanded = tuple(f"{host}.{domain}" for domain in search)
    return (host, *expanded) if host.count(".") >= NDOTS else (*expanded, host)


def _in_cluster(
    store: Store, host: str, packet: Packet, names: tuple[str, ...], tried: list[Considered]
) -> Resolution | None:
    blind = ""
    for index, name in enumerate(names):
        service, hostname, asked = _service_of(store, name)
        if service is not None:
            found = _of_service(service, hostname, name, host, packet)
            return msgspec.structs.replace(found, asked=names[: index + 1])
        if asked:
            tried.append(Considered(name, decided=False, why=f"there is no Service {asked}"))
            blind = blind or _hidden(store, asked)
        address = _pod_name(name)
        if address is not None:
            fact = Evidence("name", name, None, "a Pod's name says its address")
            found = _one(host, address, packet, f"{host} is the Pod name of {format_address(address)}", (fact,))
            return msgspec.structs.replace(found, asked=names[: index + 1])
    told = _not_in_cluster(store, host, packet, tried, blind)
    return msgspec.structs.replace(told, asked=names) if told is not None else None


def _not_in_cluster(store: Store, host: str, packet: Packet, tried: list[Considered], blind: str) -> Resolution | None:
    """Return the answer for a name that can only be one of the cluster's; None where others may know it."""
    labels = host.split(".")
    ours = host.endswith((f".{DOMAIN}", ".svc")) or len(labels) == 1
    space = len(labels) == 2 and labels[1] in store.namespaces  # noqa: PLR2004 - service.namespace
    if not ours and not space:
        return None
    if space and claims_of(store, host):
        return None
    if blind:
        return Resolution(step=_blind(host, packet, blind, tuple(tried)))
    notes = (f"no public name {host} exists",) if space else ()
    why = "no Service has this name" + (f"; tried {', '.join(item.rule for item in tried)}" if tried else "")
    return Resolution(step=_no_such_name(host, packet, why, tuple(tried), notes))


def _service_of(store: Store, name: str) -> tuple[Service | None, str, str]:
    """Return the Service that a full name means, the endpoint's host name in front of it, and what was looked for."""
    suffix = f".svc.{DOMAIN}"
    if not name.endswith(suffix):
        return None, "", ""
    labels = name[: -len(suffix)].split(".")
    if len(labels) == 2:  # noqa: PLR2004 - service.namespace
        ident = f"{labels[1]}/{labels[0]}"
        return store.services.get(ident), "", ident
    if len(labels) == 3:  # noqa: PLR2004 - hostname.service.namespace
        found = store.services.get(f"{labels[2]}/{labels[1]}")
        if found is not None and found.headless:
            return found, labels[0], found.id
    return None, "", ""


def _pod_name(name: str) -> int | None:
    suffix = f".pod.{DOMAIN}"
    if not name.endswith(suffix):
        return None
    head = name[: -len(suffix)].partition(".")[0]
    return parse_address(head.replace("-", ".")) or parse_address(head.replace("-", ":"))


def _hidden(store: Store, ident: str) -> str:
    if ident in store.services.undecodable:
        return f"Service {ident}: {store.services.undecodable[ident]}"
    return unreadable(store.services, ident.partition("/")[0])


def _of_service(service: Service, hostname: str, name: str, host: str, packet: Packet) -> Resolution:
    if service.type == "ExternalName" or service.headless:
        what = "an ExternalName" if service.type == "ExternalName" else "headless: its addresses are those of its Pods"
        field = ".spec.externalName" if service.type == "ExternalName" else ".spec.clusterIP"
        value = service.external_name if service.type == "ExternalName" else "None"
        step = _step(host, packet, f"{host} is Service {service.id}, {what}", (Evidence(field, value),), service)
        answer = Answer(label=f"Service {service.id}", service=service, hostname=hostname)
        return Resolution(step=step, answers=(answer,))
    addresses = [address for address in map(parse_address, service.virtual_ips) if address is not None]
    if not addresses:
        missing = f".spec.clusterIP of Service {service.id}"
        return Resolution(step=_blind(host, packet, missing, ()))
    facts = (Evidence(".spec.clusterIPs", ", ".join(service.virtual_ips)), Evidence("name", name))
    shown = ", ".join(map(format_address, addresses))
    step = _step(host, packet, f"{host} is Service {service.id} at {shown}", facts, service)
    return Resolution(step=step, answers=tuple(Answer(label=format_address(at), address=at) for at in addresses))


def _one(host: str, address: int, packet: Packet, summary: str, facts: tuple[Evidence, ...]) -> Resolution:
    step = _step(host, packet, summary, facts, None)
    return Resolution(step=step, answers=(Answer(label=format_address(address), address=address),))


def _step(host: str, packet: Packet, summary: str, facts: tuple[Evidence, ...], service: Service | None) -> Step:
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.PASS,
        summary=summary,
        subject=service.ref if service is not None else None,
        version=service.resource_version if service is not None else "",
        packet=packet,
        evidence=facts,
        confirm=f"nslookup {host}",
    )


def _claimed(store: Store, host: str, packet: Packet, tried: tuple[Considered, ...]) -> Resolution:
    """Return the addresses that objects of the cluster claim for a name."""
    claims = claims_of(store, host)
    with_address = [claim for claim in claims if claim.addresses or claim.aliases]
    if not with_address:
        claimants = tuple(dict.fromkeys(claim.ref for claim in claims))
        missing = (
            f"the address of {host}: {claimants[0]} claims the name, and its status has no address"
            if claimants
            else f"the address of {host}: no object that can be read claims the name; use --resolve ADDRESS"
        )
        hidden = _hidden_claims(store)
        step = _blind(host, packet, missing + (f" (not readable: {hidden})" if hidden else ""), tried)
        return Resolution(step=step, claimants=claimants)
    certain = [claim for claim in with_address if claim.certain]
    used = certain or with_address
    answers: dict[int | str, Answer] = {}
    for claim in used:
        for address in claim.addresses:
            answers.setdefault(address, Answer(label=format_address(address), address=address))
        for alias in claim.aliases:
            answers.setdefault(alias, Answer(label=alias, alias=alias))
    shown = ", ".join(answer.label for answer in answers.values())
    notes = tuple(
        f"DNS of {host} points to {answer.label}, because {_claimant(used, answer)} says so: no resolver was asked "
        f"(nslookup {host})"
        for answer in answers.values()
    )
    first = used[0]
    step = Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.PASS,
        summary=f"{host} is taken to be {shown}" if not certain else f"{host} is {shown}",
        subject=first.ref,
        packet=packet,
        evidence=tuple(Evidence(claim.field, claim.value, claim.ref) for claim in used[:8]),
        considered=tried,
        assumptions=() if certain else notes,
        confirm=f"nslookup {host}",
    )
    return Resolution(step=step, answers=tuple(answers.values()))


def _claimant(used: list[Claim], answer: Answer) -> str:
    return next(str(item.ref) for item in used if answer.address in item.addresses or answer.alias in item.aliases)


def _hidden_claims(store: Store) -> str:
    tables = (store.ingresses, store.gateways, store.http_routes, store.services)
    return "; ".join(text for text in (unreadable(table) for table in tables) if text)


def _blind(host: str, packet: Packet, missing: str, tried: tuple[Considered, ...]) -> Step:
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.BLIND,
        summary=f"the address of {host} is not known",
        packet=packet,
        evidence=(Evidence("host", host),),
        considered=tried,
        missing=missing,
        confirm=f"nslookup {host}",
        fix="give the address with --resolve ADDRESS",
    )


def _no_such_name(
    host: str, packet: Packet, why: str, tried: tuple[Considered, ...], notes: tuple[str, ...] = ()
) -> Step:
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.REJECT,
        summary=f"{host} is no name (NXDOMAIN): {why}",
        packet=packet,
        cause="D07",
        evidence=(Evidence("host", host, None, why),),
        considered=tried,
        assumptions=notes,
        confirm=listing("Service"),
        fix=f"use the full name: SERVICE.NAMESPACE.svc.{DOMAIN}",
    )
