"""Whom the cluster's DNS asks, and what its user told it: what that means for a name that was worked out already."""

from collections.abc import Sequence

import msgspec

from aksnav.model.addresses import format_address
from aksnav.store.store import Store
from aksnav.trace.azure.zones import AZURE_DNS
from aksnav.trace.cluster.coredns import Custom, customised
from aksnav.trace.cluster.dns import DOMAIN, Answer, Resolution, resolve
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_CONFIRM = "kubectl -n kube-system get configmap coredns-custom -o yaml"


def as_coredns_answers(store: Store, names: Sequence[str], packet: Packet, found: Resolution) -> Resolution:
    """Return what a Pod that asks CoreDNS is told, where coredns-custom says other than objects do.

    Args:
        store: what is known.
        names: the full names that are asked for, in this order: none but the last is known to objects.
        packet: as it is before it has a destination.
        found: what the last name stands for by Services and by what objects claim.
    """
    unread: dict[str, str] = {}
    for name in names[:-1]:
        custom = customised(store, name)
        told = _instead(name, packet, custom)
        if told is not None and not _no_name(store, told, packet):
            return told
        if custom.first and custom.asks:
            found = _with(found, (f"{', '.join(custom.asks)}, which CoreDNS asks for {name}, has no such name",), ())
        unread.setdefault(custom.unread, name)
    name = names[-1]
    custom = customised(store, name)
    told = _instead(name, packet, custom)
    if told is not None:
        return told
    if custom.asks and not _of_node(custom) and (custom.first or not _own(name)):
        return _asked(name, found, custom, ", ".join(custom.asks))
    unread.pop("", None)
    if custom.unread:
        unread[custom.unread] = name
    if unread and found.step.verdict is not Verdict.BLIND:
        notes = tuple(f"CoreDNS has nothing of its own for {name}: {why}" for why, name in unread.items())
        return _with(found, notes, ())
    return found


def _own(name: str) -> bool:
    """Return whether a name is of the cluster's zone: of what does not stand before its plugin nothing is asked."""
    return name.endswith(f".{DOMAIN}")


def _no_name(store: Store, told: Resolution, packet: Packet) -> bool:
    """Return whether a name is rewritten to one of the cluster's that does not exist: then the next one is asked."""
    alias = told.answers[0].alias if told.answers else ""
    return _own(alias) and resolve(store, alias, packet, inside=True, namespace="").step.verdict is Verdict.REJECT


def _instead(name: str, packet: Packet, custom: Custom) -> Resolution | None:
    """Return what CoreDNS answers for a name by itself, or None where it says nothing of it."""
    if custom.alias and custom.alias != name:
        summary = f"CoreDNS rewrites {name} to {custom.alias}"
        answer = Answer(label=custom.alias, alias=custom.alias)
        return Resolution(step=_step(packet, summary, custom), answers=(answer,))
    if custom.addresses:
        shown = ", ".join(map(format_address, custom.addresses))
        answers = tuple(Answer(label=format_address(at), address=at) for at in custom.addresses)
        return Resolution(step=_step(packet, f"CoreDNS has {name} at {shown}", custom), answers=answers)
    if custom.opaque and (custom.first or not _own(name)):
        step = _step(packet, f"CoreDNS answers for {name} by {custom.opaque}", custom)
        missing = f"what CoreDNS answers for {name}: {custom.opaque}"
        return Resolution(step=msgspec.structs.replace(step, verdict=Verdict.UNSUPPORTED, missing=missing))
    return None


def asks_elsewhere(store: Store, host: str) -> bool:
    """Return whether CoreDNS was told to ask others for a name than the node does."""
    custom = customised(store, host)
    return bool(custom.asks) and not _of_node(custom)


def _of_node(custom: Custom) -> bool:
    """Return whether CoreDNS asks whom the node asks, or Azure DNS itself."""
    return all(item.removesuffix(":53") in {AZURE_DNS, "/etc/resolv.conf"} for item in custom.asks)


def _asked(host: str, found: Resolution, custom: Custom, whom: str) -> Resolution:
    """Return a resolution that hangs on what the servers answer to which CoreDNS forwards the name."""
    if found.answers:
        labels = ", ".join(answer.label for answer in found.answers)
        return _with(found, (f"{whom}, which CoreDNS asks for {host}, answers {labels}",), custom.evidence)
    if found.step.verdict is not Verdict.BLIND:
        return _with(found, (f"{whom}, which CoreDNS asks for {host}, has no such name",), custom.evidence)
    missing = f"what {whom} answers for {host}: CoreDNS asks there"
    step = msgspec.structs.replace(found.step, missing=missing, evidence=(*found.step.evidence, *custom.evidence))
    return msgspec.structs.replace(found, step=step)


def _with(found: Resolution, notes: tuple[str, ...], facts: tuple[Evidence, ...]) -> Resolution:
    step = msgspec.structs.replace(
        found.step, assumptions=(*found.step.assumptions, *notes), evidence=(*found.step.evidence, *facts)
    )
    return msgspec.structs.replace(found, step=step)


def _step(packet: Packet, summary: str, custom: Custom) -> Step:
    return Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.PASS,
        summary=summary,
        subject=custom.evidence[0].subject if custom.evidence else None,
        packet=packet,
        evidence=custom.evidence,
        confirm=_CONFIRM,
    )
