"""Addresses to which no road leads from where the packet is."""

from collections.abc import Sequence

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_prefix
from aksnav.model.kubernetes.service import Service
from aksnav.model.public import is_public
from aksnav.trace.azure.commands import of_cluster
from aksnav.trace.azure.joins import cluster, pod_prefixes
from aksnav.trace.journey import Journey, Road, Walk, where
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def unroutable(packet: Packet, service: Service) -> Step:
    """Return the step that ends the road of an outsider to a cluster address (S16)."""
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.DROP,
        summary=f"{where(packet)} is the cluster address of Service {service.id}: it leads nowhere from outside",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        cause="S16",
        evidence=(
            Evidence(".spec.clusterIP", service.cluster_ip),
            Evidence(".spec.type", service.type),
        ),
        confirm=show(service.ref, ".spec.clusterIP"),
        fix="ask at the address of a load balancer or an ingress; a cluster address is known on the nodes alone",
    )


def ping_of_service(packet: Packet, service: Service) -> Step:
    """Return the step of an echo request to a Service's address: who answers it, nodes or load balancer, differs."""
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{where(packet)} is an address of Service {service.id}: it forwards ports, and ICMP has none",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        missing=f"what answers to ping at the address of Service {service.id}",
        confirm=show(service.ref, ".spec.ports"),
        fix="ask at a port, or ping a Pod",
    )


def from_afar(journey: Journey, packet: Packet, services: Sequence[Service]) -> Road:
    """Return the step that ends the road of a packet from the internet to a private address."""
    if not journey.internet or packet.destination is None or is_public(packet.destination):
        return ()
    first = services[0] if services else None
    annotation = "service.beta.kubernetes.io/azure-load-balancer-internal"
    facts = [Evidence("destination", format_address(packet.destination), None, "not an address of the internet")]
    if first is not None and annotation in first.annotations:
        facts.append(Evidence(f".metadata.annotations['{annotation}']", first.annotations[annotation], first.ref))
    return (
        Step(
            kind=Kind.ROUTE,
            verdict=Verdict.DROP,
            summary=f"{format_address(packet.destination)} is a private address: no road leads there from the internet",
            subject=first.ref if first is not None else None,
            packet=packet,
            evidence=tuple(facts),
            confirm=show(first.ref, ".metadata.annotations")
            if first is not None
            else "az network vnet list --query '[].addressSpace.addressPrefixes'",
            fix="ask from inside of the network (--from ADDRESS), or make the Service public",
        ),
    )


def external_ip(walk: Walk, packet: Packet) -> Road:
    """Return the step of an address in spec.externalIPs: who brings packets to a node is not the cluster's business."""
    text = format_address(packet.destination) if packet.destination is not None else ""
    found = next((service for service in walk.store.services if text in service.external_ips), None)
    if found is None:
        return ()
    return (
        Step(
            kind=Kind.ROUTE,
            verdict=Verdict.UNSUPPORTED,
            summary=f"{text} is an external address of Service {found.id}: what routes it to a node is not known",
            subject=found.ref,
            version=found.resource_version,
            packet=packet,
            evidence=(Evidence(".spec.externalIPs", ", ".join(found.external_ips)),),
            missing=f"the route by which {text} comes to a node (spec.externalIPs)",
            confirm=show(found.ref, ".spec.externalIPs"),
        ),
    )


def pod_from_outside(walk: Walk, journey: Journey, packet: Packet) -> Road:
    """Return the step that ends the road of an outsider to a Pod's own address (R11), or nothing where it goes on."""
    if not journey.outside or packet.destination is None:
        return ()
    holding = next((prefix for prefix in pod_prefixes(walk.store) if packet.destination in prefix), None)
    managed = cluster(walk.store)
    mode = managed.network_profile.network_plugin_mode.lower() if managed is not None else ""
    plugin = managed.network_profile.network_plugin.lower() if managed is not None else ""
    if mode == "overlay" and holding is not None:
        why = f"{format_address(packet.destination)} is in the overlay {holding}: it exists inside of the cluster only"
        fact = Evidence(".networkProfile.networkPluginMode", "overlay", managed.ref if managed is not None else None)
        ident = managed.arm_id if managed is not None else ""
        step = _closed(packet, "R11", why, fact)
        return (msgspec.structs.replace(step, confirm=of_cluster(ident, "networkProfile")),)
    if journey.internet:
        return from_afar(journey, packet, ())
    if plugin in {"", "none"} and holding is not None:
        step = _closed(packet, "", f"whether {holding} is routed outside of the cluster is not known", None)
        missing = unreadable(walk.store.clusters) or "networkProfile.networkPluginMode of the managed cluster"
        return (msgspec.structs.replace(step, verdict=Verdict.BLIND, missing=missing, fix=""),)
    return ()


def _closed(packet: Packet, cause: str, why: str, fact: Evidence | None) -> Step:
    return Step(
        kind=Kind.ROUTE,
        verdict=Verdict.DROP,
        summary=why,
        packet=packet,
        cause=cause,
        evidence=(fact,) if fact is not None else (),
        confirm="az aks list --query '[].networkProfile'",
        fix="ask through a Service of type LoadBalancer or an ingress; outsiders cannot reach overlay Pods",
    )


def service_ranges(walk: Walk) -> tuple[Prefix, ...]:
    """Return the ranges of cluster addresses."""
    managed = cluster(walk.store)
    if managed is None:
        return ()
    profile = managed.network_profile
    texts = profile.service_cidrs or ((profile.service_cidr,) if profile.service_cidr else ())
    return tuple(prefix for prefix in map(parse_prefix, texts) if prefix is not None)
