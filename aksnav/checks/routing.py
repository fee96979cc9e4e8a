"""Ingresses, Gateways and routes asked by themselves, whether or not a request would meet the fault."""

from collections.abc import Iterable, Iterator

import msgspec

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.checks.ingress_rules import rule_findings
from aksnav.checks.routes import gateway_findings, policy_tls_findings, route_findings
from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress.answer import target
from aksnav.trace.ingress.classes import default_classes
from aksnav.trace.packet import Packet
from aksnav.trace.routing import tls
from aksnav.trace.routing.controllers import claims, for_ingress
from aksnav.trace.routing.types import NGINX, Controller, Flavour
from aksnav.trace.step import Evidence, Step


def routing_findings(store: Store) -> Iterator[Finding]:
    """Yield what is wrong with classes, rules, backends, certificates, Gateways and routes."""
    yield from class_findings(store)
    yield from backend_findings(store)
    yield from certificate_findings(store)
    yield from rule_findings(store)
    yield from gateway_findings(store)
    yield from route_findings(store)
    yield from policy_tls_findings(store)


def class_findings(store: Store) -> Iterator[Finding]:
    """Yield I01, I02 (nobody serves an Ingress), I03 (two default classes), I13 (controller not ready), I21 and I22."""
    seen: set[str] = set()
    for ingress in store.ingresses:
        served = for_ingress(store, ingress)
        if isinstance(served, Step):
            yield from _found([served])
        else:
            service = served.service.id if served.service is not None else ""
            if service not in seen:
                seen.add(service)
                yield from _found(served.problems)
            yield from _stale_address(store, ingress, served)
        if claims(store)[ingress.id].conflict:
            yield _conflict(ingress)
    defaults = default_classes(store)
    if len(defaults) > 1:
        names = ", ".join(row.name for row in defaults)
        mark = ".metadata.annotations['ingressclass.kubernetes.io/is-default-class']"
        yield Finding(
            id="I03",
            subject=defaults[0].ref,
            summary=f"{len(defaults)} IngressClasses are the default one: {names}; the newest takes new Ingresses",
            proof=Proof.PROVEN,
            evidence=tuple(Evidence(mark, "true", row.ref) for row in defaults),
            related=tuple(row.ref for row in defaults[1:]),
            confirm=kubectl.listing("IngressClass"),
            fix="mark one class as the default",
        )


def _stale_address(store: Store, ingress: Ingress, controller: Controller) -> Iterator[Finding]:
    """I22: the address in the status of an Ingress is of no Service and no node; that of its controller is another."""
    service = controller.service
    shown = [point.ip for point in ingress.ingress_points if point.ip]
    own = (*service.external_addresses, *service.virtual_ips) if service is not None else ()
    known = store.services.access().complete and store.nodes.access().complete
    if service is None or not own or not shown or not known or controller.flavour not in NGINX:
        return
    numbers = [number for number in map(parse_address, shown) if number is not None]
    if any(store.services_at(number) or store.nodes_at(number) for number in numbers):
        return
    yield Finding(
        id="I22",
        subject=ingress.ref,
        summary=f"{ingress.ref} shows {', '.join(shown)}, which no Service has; its controller's has {', '.join(own)}",
        proof=Proof.LIKELY,
        evidence=(
            Evidence(".status.loadBalancer.ingress[0].ip", shown[0], ingress.ref),
            Evidence(".status.loadBalancer.ingress[].ip", ", ".join(own), service.ref),
        ),
        related=(service.ref,),
        confirm=kubectl.show(ingress.ref, ".status.loadBalancer"),
        fix="see whether the controller runs and may write the status; mend DNS",
    )


def _conflict(ingress: Ingress) -> Finding:
    return Finding(
        id="I21",
        subject=ingress.ref,
        summary=f"{ingress.ref} has class {ingress.ingress_class_name}, and {ingress.legacy_class} by annotation",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(".spec.ingressClassName", ingress.ingress_class_name or "", ingress.ref),
            Evidence(".metadata.annotations['kubernetes.io/ingress.class']", ingress.legacy_class, ingress.ref),
        ),
        confirm=kubectl.show(ingress.ref),
        fix="remove the annotation",
    )


def backend_findings(store: Store) -> Iterator[Finding]:
    """Yield I06 and I07: backends of Ingresses whose Service or port does not exist."""
    for ingress in store.ingresses:
        served = for_ingress(store, ingress)
        controller = served if isinstance(served, Controller) else Controller(flavour=claims(store)[ingress.id].flavour)
        places = [
            (f".spec.rules[{index}].http.paths[{place}].backend", path.backend)
            for index, rule in enumerate(ingress.rules)
            for place, path in enumerate(rule.http.paths)
        ]
        if ingress.default_backend is not None:
            places.append((".spec.defaultBackend", ingress.default_backend))
        for field, backend in places:
            yield from _found(target(store, controller, ingress, field, backend, Packet()).steps)


def certificate_findings(store: Store) -> Iterator[Finding]:
    """Yield T01 and T05: Secrets of spec.tls that are known not to exist, or to hold no certificate; A09 for AGIC."""
    for ingress in store.ingresses:
        for index, entry in enumerate(ingress.tls):
            if entry.secret_name:
                field = f".spec.tls[{index}].secretName"
                name = f"{ingress.namespace}/{entry.secret_name}"
                packet = Packet(host=entry.hosts[0] if entry.hosts else "")
                step = tls.certificate_step(store, ingress, field, name, packet)
                if claims(store)[ingress.id].flavour is Flavour.AGIC and step.cause:
                    # AGIC has no certificate of its own to show: it writes no HTTPS listener at all.
                    hosts = ", ".join(entry.hosts) or "its hosts"
                    said = f"Secret {name} of {ingress.ref} cannot be used: AGIC writes no HTTPS listener for {hosts}"
                    step = msgspec.structs.replace(step, cause="A09", summary=said)
                yield from _found([step])


def _found(steps: Iterable[Step]) -> Iterator[Finding]:
    """The findings that steps make; what rests on the usual names of an installation is likely, not proven."""
    for step in steps:
        found = finding_of(step)
        if found is not None:
            likely = step.cause == "I02" and bool(step.assumptions)
            yield msgspec.structs.replace(found, proof=Proof.LIKELY) if likely else found
