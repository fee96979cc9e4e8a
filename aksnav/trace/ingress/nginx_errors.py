"""What ingress-nginx answers where a backend has no endpoint: default-backend, custom-http-errors, or its own 503.

From kubernetes/ingress-nginx internal/ingress/controller/controller.go (getBackendServers), rootfs/etc/nginx/lua/
balancer.lua (503) and docs/user-guide/nginx-configuration/annotations.md ("Custom HTTP Errors", "Default Backend").
"""

import msgspec

from aksnav.model.kubernetes.controllers import NginxIngressController
from aksnav.model.kubernetes.ingress import BackendPort, IngressBackend, ServiceBackend
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.ingress import app_routing
from aksnav.trace.ingress.nginx_locations import PREFIX, annotation
from aksnav.trace.ingress.rules import Rule
from aksnav.trace.routing.types import Controller, Target
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_EMPTY = "503"
_NOT_FOUND = 404


def spare(
    store: Store, controller: Controller, rule: Rule, target: Target, settings: NginxIngressController | None
) -> Target:
    """Return the target, or what stands in for it where its Service has no endpoint.

    The Service of annotation default-backend takes over if it has an endpoint itself. Else, where custom-http-errors
    names 503, the error goes to the controller's default backend, whose answer the client gets: a 404, unless the
    controller was given another one.
    """
    faulty = target.ended and target.steps[-1].verdict is Verdict.RESPOND
    if not faulty and not ingress_answer.is_empty(store, target):
        return target
    standing = _annotated(store, controller, rule, target)
    if standing is not None:
        return standing
    target = _without(store, rule, target)
    listed = annotation(rule.ingress, "custom-http-errors")
    codes = {part.strip() for part in listed.split(",")} if listed else _general(settings)
    if _EMPTY not in codes:
        return target
    own = app_routing.default_backend(store, controller, settings, target.packet)
    if own is not None:
        note = f"{target.label} has no endpoint, and errors 503 go to the default backend by {own.owner}"
        return msgspec.structs.replace(own.target, weight=target.weight, label=f"{own.target.label} ({note})")
    missing = app_routing.unsure_default(store, controller, settings)
    fact = Evidence("custom-http-errors", ", ".join(sorted(codes)), rule.ingress.ref)
    target = _taken(rule, target, "the controller has no default backend that answers", fact, missing)
    return _by_default_backend(rule, target, settings, faulty=faulty)


def _general(settings: NginxIngressController | None) -> set[str]:
    return set(map(str, settings.error_codes)) if settings is not None else set()


def _annotated(store: Store, controller: Controller, rule: Rule, target: Target) -> Target | None:
    name = annotation(rule.ingress, "default-backend")
    service = store.services.get(f"{rule.ingress.namespace}/{name}") if name else None
    if service is None or not service.ports:
        return None
    backend = IngressBackend(service=ServiceBackend(name=name, port=BackendPort(number=service.ports[0].port)))
    field = f".metadata.annotations['{PREFIX}default-backend']"
    found = ingress_answer.target(store, controller, rule.ingress, field, backend, target.packet)
    if found.ended or ingress_answer.is_empty(store, found):
        return None
    note = f"{target.label} has no endpoint: the Service of annotation default-backend takes over"
    return msgspec.structs.replace(found, weight=target.weight, label=f"{found.label} ({note})")


def _without(store: Store, rule: Rule, target: Target) -> Target:
    """Return the target with what is taken for granted of the annotation's Service, where that cannot be read."""
    name = annotation(rule.ingress, "default-backend")
    ident = f"{rule.ingress.namespace}/{name}"
    missing = app_routing.hidden_service(store, ident) if name else ""
    fact = Evidence(f".metadata.annotations['{PREFIX}default-backend']", name, rule.ingress.ref)
    return _taken(rule, target, f"Service {ident} of annotation default-backend has no endpoint", fact, missing)


def _taken(rule: Rule, target: Target, what: str, fact: Evidence, missing: str) -> Target:
    """Return the target behind a step that takes for granted that nothing else answers in its place."""
    if not missing:
        return target
    step = Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.PASS,
        summary=f"what answers in place of {target.label} cannot be read",
        subject=rule.ingress.ref,
        version=rule.ingress.resource_version,
        packet=target.packet,
        evidence=(fact,),
        assumptions=(f"{what} ({missing})",),
        confirm=kubectl.listing("Service"),
    )
    return msgspec.structs.replace(target, steps=(step, *target.steps))


def _by_default_backend(rule: Rule, target: Target, settings: NginxIngressController | None, *, faulty: bool) -> Target:
    if not faulty:
        return msgspec.structs.replace(target, empty_status=_NOT_FOUND)
    said = Evidence(
        f".metadata.annotations['{PREFIX}custom-http-errors']",
        annotation(rule.ingress, "custom-http-errors"),
        rule.ingress.ref,
    )
    last = target.steps[-1]
    step = msgspec.structs.replace(
        last,
        status=_NOT_FOUND,
        summary=f"{last.summary}, and custom-http-errors lets the controller's default backend answer 404",
        evidence=(*last.evidence, said),
        assumptions=(
            *last.assumptions,
            *(("the controller was given no default backend of its own",) if settings is None else ()),
        ),
    )
    return msgspec.structs.replace(target, steps=(*target.steps[:-1], step))
