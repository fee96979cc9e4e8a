"""Who serves a Gateway, and what keeps it from being served (Gateway API v1: GatewayClass, GatewayStatus)."""

import msgspec

from aksnav.model.kubernetes.gateway import Gateway, GatewayClass
from aksnav.model.kubernetes.workload import Condition
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.routing.types import Flavour
from aksnav.trace.step import Evidence, Kind, Step, Verdict

APP_ROUTING_CLASS = "approuting-istio"
# The controllerName of each implementation, as its documentation gives it.
CONTROLLERS: dict[str, Flavour] = {
    "alb.networking.azure.io/alb-controller": Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS,
    "gateway.envoyproxy.io/gatewayclass-controller": Flavour.ENVOY_GATEWAY,
    "gateway.nginx.org/nginx-gateway-controller": Flavour.NGINX_GATEWAY_FABRIC,
}

# Classes whose controller is the same on every cluster: only used where GatewayClasses cannot be read.
USUAL_CLASSES: dict[str, Flavour] = {
    APP_ROUTING_CLASS: Flavour.APP_ROUTING_ISTIO,
    "istio": Flavour.ISTIO,
    "azure-alb-external": Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS,
}


class ClassReading(msgspec.Struct, frozen=True, gc=False):
    """The class of a Gateway: how its controller reads objects, and the GatewayClass if it is in the store."""

    flavour: Flavour
    found: GatewayClass | None
    assumptions: tuple[str, ...] = ()


def class_of(store: Store, gateway: Gateway) -> ClassReading:
    """Return who serves the class of a Gateway."""
    name = gateway.gateway_class_name
    found = store.gateway_classes.get(name)
    if found is None:
        usual = USUAL_CLASSES.get(name, Flavour.OTHER)
        return ClassReading(usual, None, (f"GatewayClass {name} is served by {usual.value}",))
    return ClassReading(flavour_of(found), found)


def flavour_of(row: GatewayClass) -> Flavour:
    """Return how the controller of a GatewayClass reads objects; OTHER for one that is not known."""
    known = CONTROLLERS.get(row.controller_name)
    if known is not None:
        return known
    if row.name == APP_ROUTING_CLASS:
        return Flavour.APP_ROUTING_ISTIO
    return Flavour.ISTIO if "istio" in row.controller_name else Flavour.OTHER


def find_condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """Return the condition of a type, or None if the controller said nothing of it."""
    return next((condition for condition in conditions if condition.type == kind), None)


def stale(generation: int, condition: Condition | None) -> bool:
    """Return whether a condition speaks of an older generation of its object than the one that is there (G14)."""
    return (
        condition is not None
        and condition.observed_generation is not None
        and (condition.observed_generation < generation)
    )


def problems(store: Store, gateway: Gateway) -> tuple[Step, ...]:
    """Return what keeps a Gateway from being served: G07 for its class, G08 for the Gateway itself."""
    steps = [*_class_problems(store, gateway), *_status_problems(gateway)]
    return tuple(steps)


def _class_problems(store: Store, gateway: Gateway) -> list[Step]:
    name = gateway.gateway_class_name
    found = store.gateway_classes.get(name)
    named = Evidence(".spec.gatewayClassName", name, gateway.ref)
    confirm = kubectl.show(Ref("GatewayClass", name))
    if found is None:
        access = store.gateway_classes.access()
        undecodable = store.gateway_classes.undecodable.get(name, "")
        if access.complete and not undecodable:
            return [
                Step(
                    kind=Kind.GATEWAY_LISTENER,
                    verdict=Verdict.DROP,
                    summary=f"Gateway {gateway.id} names GatewayClass {name}, which does not exist: nobody serves it",
                    subject=gateway.ref,
                    version=gateway.resource_version,
                    cause="G07",
                    evidence=(
                        named,
                        Evidence("GatewayClass names", ", ".join(sorted(store.gateway_classes.ids())) or "none"),
                    ),
                    confirm=confirm,
                    fix="name a GatewayClass that exists, or enable the controller that brings it",
                )
            ]
        return [
            Step(
                kind=Kind.GATEWAY_LISTENER,
                verdict=Verdict.BLIND,
                summary=f"GatewayClass {name} of Gateway {gateway.id} cannot be read",
                subject=gateway.ref,
                version=gateway.resource_version,
                evidence=(named,),
                missing=f"get gatewayclasses.gateway.networking.k8s.io {name}: "
                f"{undecodable or access.reason or access.reading.value}",
                confirm=confirm,
            )
        ]
    accepted = find_condition(found.status.conditions, "Accepted")
    if accepted is None or accepted.status == "True":
        return []
    return [
        Step(
            kind=Kind.GATEWAY_LISTENER,
            verdict=Verdict.DROP,
            summary=f"GatewayClass {name} is not accepted ({accepted.reason or accepted.status}): nobody serves it",
            subject=found.ref,
            version=found.resource_version,
            cause="G07",
            evidence=(named, _said(found.ref, accepted), Evidence(".spec.controllerName", found.controller_name)),
            confirm=kubectl.show(found.ref, ".status.conditions"),
            fix="install or enable the controller of this class",
        )
    ]


def _status_problems(gateway: Gateway) -> list[Step]:
    conditions = gateway.status.conditions
    programmed = find_condition(conditions, "Programmed")
    accepted = find_condition(conditions, "Accepted")
    wrong = next((said for said in (accepted, programmed) if said is not None and said.status != "True"), None)
    if wrong is not None:
        why = f"{wrong.type} is {wrong.status} ({wrong.reason or 'no reason given'})"
        evidence: tuple[Evidence, ...] = (
            _said(gateway.ref, wrong),
            Evidence(".status.conditions[].message", wrong.message),
        )
    elif conditions and not gateway.status.addresses:
        why = "it has no address"
        evidence = (Evidence(".status.addresses", "[]", gateway.ref),)
    else:
        return []
    return [
        Step(
            kind=Kind.GATEWAY_LISTENER,
            verdict=Verdict.DROP,
            summary=f"Gateway {gateway.id} is not served: {why}",
            subject=gateway.ref,
            version=gateway.resource_version,
            cause="G08",
            evidence=evidence,
            assumptions=("the status is older than the spec",) if stale(gateway.generation, wrong) else (),
            confirm=kubectl.show(gateway.ref, ".status"),
            fix="see the Service and the events of this Gateway",
        )
    ]


def _said(ref: Ref, condition: Condition) -> Evidence:
    return Evidence(
        f".status.conditions[?(@.type=='{condition.type}')].status",
        f"{condition.status} ({condition.reason})" if condition.reason else condition.status,
        ref,
    )
