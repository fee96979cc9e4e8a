"""Whom the cluster's DNS asks, and what its user told it: what that means for a name that was worked out already."""

import msgspec

from aksnav.model.addresses import format_address
from aksnav.store.store import Store
from aksnav.trace.azure.zones import AZURE_DNS
from aksnav.trace.cluster.coredns import Custom, customised
from aksnav.trace.cluster.dns import Answer, Resolution
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_CONFIRM = "kubectl -n kube-system get configmap coredns-custom -o yaml"


def as_coredns_answers(store: Store, host: str, packet: Packet, found: Resolution) -> Resolution:
    """Return what a Pod that asks CoreDNS is told, where coredns-custom says other than objects do.

    Args:
        store: what is known.
        host: the name that is asked for.
        packet: as it is before it has a destination.
        found: what the name stands for by Services and by what objects claim.
    """
    custom = customised(store, host)
    if custom.alias and custom.alias != host:
        summary = f"CoreDNS rewrites {host} to {custom.alias}"
        return Resolution(
            step=_step(packet, summary, custom), answers=(Answer(label=custom.alias, alias=custom.alias),)
        )
    if custom.addresses:
        shown = ", ".join(map(format_address, custom.addresses))
        answers = tuple(Answer(label=format_address(at), address=at) for at in custom.addresses)
        return Resolution(step=_step(packet, f"CoreDNS has {host} at {shown}", custom), answers=answers)
    if _of_service(found) and not custom.first:
        return found  # the plugin for the cluster's own names is asked before the others of the default block
    if custom.opaque:
        step = _step(packet, f"CoreDNS answers for {host} by {custom.opaque}", custom)
        missing = f"what CoreDNS answers for {host}: {custom.opaque}"
        return Resolution(step=msgspec.structs.replace(step, verdict=Verdict.UNSUPPORTED, missing=missing))
    if custom.asks and not _of_node(custom):
        return _asked(host, found, custom, ", ".join(custom.asks))
    if custom.unread and found.answers:
        note = f"CoreDNS has nothing of its own for {host}: {custom.unread}"
        return _with(found, (note,), ())
    return found


def asks_elsewhere(store: Store, host: str) -> bool:
    """Return whether CoreDNS was told to ask others for a name than the node does."""
    custom = customised(store, host)
    return bool(custom.asks) and not _of_node(custom)


def _of_node(custom: Custom) -> bool:
    """Return whether CoreDNS asks whom the node asks, or Azure DNS itself."""
    return all(item.removesuffix(":53") in {AZURE_DNS, "/etc/resolv.conf"} for item in custom.asks)


def _of_service(found: Resolution) -> bool:
    return found.step.subject is not None and found.step.subject.kind == "Service" and not found.step.assumptions


def _asked(host: str, found: Resolution, custom: Custom, whom: str) -> Resolution:
    """Return a resolution that hangs on what the servers answer to which CoreDNS forwards the name."""
    if found.answers:
        labels = ", ".join(answer.label for answer in found.answers)
        return _with(found, (f"{whom}, which CoreDNS asks for {host}, answers {labels}",), custom.evidence)
    if found.step.verdict is not Verdict.BLIND:
        return found
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
