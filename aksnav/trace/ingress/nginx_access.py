"""Address lists of ingress-nginx: whether the address that NGINX sees is let in (internal/ingress/annotations).

Behind externalTrafficPolicy Cluster that address is a node's: the client's does not get that far.
"""

from collections.abc import Iterable

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress.answer import respond
from aksnav.trace.ingress.nginx_locations import annotation
from aksnav.trace.ingress.nginx_redirects import said
from aksnav.trace.ingress.rules import Rule
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_EVERYTHING = ("0.0.0.0/0", "::/0")
_ALLOWING = ("whitelist-source-range", "allowlist-source-range")
_DENYING = "denylist-source-range"
_AS_A_NODE = "the node's address, which externalTrafficPolicy Cluster puts in place of the client's,"


def denied(rule: Rule, packet: Packet) -> Step | None:
    """Return the 503 of a location whose address list cannot be read: the controller denies it to everybody."""
    for name in (*_ALLOWING, _DENYING):
        for part in _parts(annotation(rule.ingress, name)):
            if parse_prefix(part) is None and parse_address(part) is None:
                summary = f"{part} in {name} is no address: the location is denied to everybody with 503"
                step = respond(rule, packet, 503, summary, said(rule, name), cause="I26")
                return msgspec.structs.replace(step, fix=f"write addresses or CIDRs into {name}, with commas between")
    return None


def address_lists(store: Store, controller: Controller, rule: Rule, packet: Packet) -> Step | None:
    """Return the step of the address lists of an Ingress, or None where it has none."""
    ingress = rule.ingress
    refusing = annotation(ingress, _DENYING)
    name = next((key for key in _ALLOWING if annotation(ingress, key)), "")
    allowed = annotation(ingress, name) if name else ""
    if not refusing and not allowed:
        return None
    seen, why = _seen(store, controller, packet)
    refused_by = _DENYING if refusing and _within(seen, refusing) is True else ""
    inside = _within(seen, allowed) if allowed else True
    if not refused_by and inside is True and (not refusing or _within(seen, refusing) is False):
        return _step(rule, packet, Verdict.PASS, f"{why} is let in", said(rule, name or _DENYING))
    if not refused_by and (inside is None or (refusing and _within(seen, refusing) is None)):
        fact = said(rule, name or _DENYING)
        step = _step(rule, packet, Verdict.BLIND, f"whether {why} is let in depends on the address", fact)
        return msgspec.structs.replace(step, missing="the address that NGINX sees")
    return _refused(controller, rule, packet, refused_by or name, why)


def _refused(controller: Controller, rule: Rule, packet: Packet, key: str, why: str) -> Step:
    service = controller.service
    step = respond(
        rule,
        packet,
        403,
        f"{why} is not let in by {key}: answers 403",
        said(rule, key),
        cause="I12",
        fix="externalTrafficPolicy Local, so that NGINX sees the client's address; or list the address that it sees",
    )
    policy = service.external_traffic_policy if service is not None else ""
    fact = Evidence(
        ".spec.externalTrafficPolicy", policy or "Cluster", service.ref if service is not None else None, why
    )
    return msgspec.structs.replace(step, evidence=(*step.evidence, fact))


def _step(rule: Rule, packet: Packet, verdict: Verdict, summary: str, fact: Evidence) -> Step:
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=verdict,
        summary=summary,
        subject=rule.ingress.ref,
        version=rule.ingress.resource_version,
        packet=packet,
        evidence=(fact,),
        confirm=kubectl.show(rule.ingress.ref, ".metadata.annotations"),
    )


def _seen(store: Store, controller: Controller, packet: Packet) -> tuple[list[int] | None, str]:
    """The addresses that NGINX may see the client at, None for any; and a word for people."""
    service = controller.service
    behind = service is not None and service.type in {"LoadBalancer", "NodePort"}
    local = service is not None and service.external_traffic_policy == "Local"
    nodes = [number for node in store.nodes for number in map(parse_address, node.internal_ips) if number is not None]
    from_inside = packet.source is not None and (
        packet.source in nodes or bool(store.pods_at(packet.source)) or packet.destination in _virtual(controller)
    )
    if behind and not local and not from_inside and nodes:
        return nodes, _AS_A_NODE
    if packet.source in nodes and behind and not local:
        return [packet.source or 0], _AS_A_NODE
    if packet.source is None:
        return None, f"a client of {packet.source_word or 'any address'}"
    return [packet.source], f"the client {format_address(packet.source)}"


def _virtual(controller: Controller) -> set[int | None]:
    return {parse_address(ip) for ip in controller.service.virtual_ips} if controller.service is not None else set()


def _within(seen: list[int] | None, text: str) -> bool | None:
    """Whether every address is in the ranges (True), none is (False), or it depends (None)."""
    ranges = [prefix for prefix in map(parse_prefix, _parts(text)) if prefix is not None]
    if seen is None:
        if all(item in _parts(text) for item in _EVERYTHING[:1]):
            return True
        return None if ranges else False
    hits = {_any(ranges, address) for address in seen}
    return hits.pop() if len(hits) == 1 else None


def _any(ranges: Iterable[Prefix], address: int) -> bool:
    return any(address in prefix for prefix in ranges)


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
