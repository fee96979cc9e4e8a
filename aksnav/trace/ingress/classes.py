"""Which class an Ingress has, and who serves it (networking.k8s.io/v1, IngressClass; reference section 1.4)."""

import msgspec

from aksnav.model.kubernetes.ingress import Ingress, IngressClass
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.routing.types import Flavour
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

CONTROLLERS: dict[str, Flavour] = {
    "webapprouting.kubernetes.azure.com/nginx": Flavour.APP_ROUTING_NGINX,
    "k8s.io/ingress-nginx": Flavour.INGRESS_NGINX,
    "azure/application-gateway": Flavour.AGIC,
    "alb.networking.azure.io/alb-controller": Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS,
    "traefik.io/ingress-controller": Flavour.TRAEFIK,
    "nginx.org/ingress-controller": Flavour.NGINX_ORG,
}
APP_ROUTING_EXTRA = "approuting.kubernetes.azure.com/"

# What the annotation kubernetes.io/ingress.class means to each controller where no IngressClass has that name.
ANNOTATION_VALUES: dict[str, str] = {
    "azure/application-gateway": "azure/application-gateway",
    "nginx": "k8s.io/ingress-nginx",
    "traefik": "traefik.io/ingress-controller",
}

# Classes that AKS and the usual charts make: only used where IngressClasses cannot be read.
USUAL_CLASSES: dict[str, str] = {
    "webapprouting.kubernetes.azure.com": "webapprouting.kubernetes.azure.com/nginx",
    "nginx": "k8s.io/ingress-nginx",
    "azure-application-gateway": "azure/application-gateway",
    "azure-alb-external": "alb.networking.azure.io/alb-controller",
    "traefik": "traefik.io/ingress-controller",
}


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which class an Ingress has.

    Attributes:
        class_name: name of the IngressClass, or the value of the annotation; empty where there is none.
        controller: the controller string; empty where it is not known.
        flavour: how that controller reads objects.
        evidence: the fields that say so.
        assumptions: what is taken for granted.
        problem: why nobody serves it, or why that cannot be known; None where somebody does.
        conflict: annotation and field name different classes (I21).
    """

    class_name: str = ""
    controller: str = ""
    flavour: Flavour = Flavour.OTHER
    evidence: tuple[Evidence, ...] = ()
    assumptions: tuple[str, ...] = ()
    problem: Step | None = None
    conflict: bool = False


def flavour_of(controller: str) -> Flavour:
    """Return how the controller with this string reads objects; OTHER for one that is not known."""
    known = CONTROLLERS.get(controller)
    if known is not None:
        return known
    if controller.startswith(APP_ROUTING_EXTRA):
        return Flavour.APP_ROUTING_NGINX
    # Several installations of ingress-nginx are told apart by controller strings that its chart suggests.
    if controller.startswith("k8s.io/") and controller.endswith("nginx"):
        return Flavour.INGRESS_NGINX
    return Flavour.OTHER


def claim(store: Store, ingress: Ingress) -> Claim:
    """Return which class an Ingress has and which controller that class names.

    The field ``spec.ingressClassName`` is read before the annotation, as ingress-nginx does
    (kubernetes/ingress-nginx internal/ingress/controller/store/store.go, GetIngressClass).
    """
    named, legacy = ingress.ingress_class_name or "", ingress.legacy_class
    if named:
        return _by_name(store, ingress, named, conflict=bool(legacy) and not _same(store, named, legacy))
    if legacy:
        return _by_annotation(store, ingress, legacy)
    return _by_default(store, ingress)


def default_classes(store: Store) -> list[IngressClass]:
    """Return the default classes, the one that admission takes first (the newest, then by name)."""
    by_name = sorted((row for row in store.ingress_classes if row.is_default), key=lambda row: row.name)
    return sorted(by_name, key=lambda row: row.created, reverse=True)


def _same(store: Store, named: str, legacy: str) -> bool:
    """Return whether the annotation means the class that the field names."""
    if legacy == named:
        return True
    found = store.ingress_classes.get(named)
    controller = found.controller if found is not None else USUAL_CLASSES.get(named, "")
    return bool(controller) and ANNOTATION_VALUES.get(legacy) == controller


def _by_name(store: Store, ingress: Ingress, named: str, *, conflict: bool) -> Claim:
    evidence = [Evidence(".spec.ingressClassName", named, ingress.ref)]
    if conflict:
        evidence.append(
            Evidence(
                ".metadata.annotations['kubernetes.io/ingress.class']",
                ingress.legacy_class,
                ingress.ref,
                "names another class than the field",
            )
        )
    assumptions = ("the controller reads spec.ingressClassName before the annotation",) if conflict else ()
    found = store.ingress_classes.get(named)
    if found is not None:
        evidence.append(Evidence(".spec.controller", found.controller, found.ref))
        return Claim(
            class_name=named,
            controller=found.controller,
            flavour=flavour_of(found.controller),
            evidence=tuple(evidence),
            assumptions=assumptions,
            conflict=conflict,
        )
    return _without_class_object(store, ingress, named, tuple(evidence), conflict=conflict)


def _without_class_object(
    store: Store, ingress: Ingress, named: str, evidence: tuple[Evidence, ...], *, conflict: bool
) -> Claim:
    access = store.ingress_classes.access()
    confirm = kubectl.show(Ref("IngressClass", named))
    if access.complete and named not in store.ingress_classes.undecodable:
        names = ", ".join(sorted(store.ingress_classes.ids())) or "none"
        problem = Step(
            kind=Kind.ROUTE_MATCH,
            verdict=Verdict.DROP,
            summary=f"Ingress {ingress.id} names IngressClass {named}, which does not exist: nobody serves it",
            subject=ingress.ref,
            version=ingress.resource_version,
            cause="I02",
            evidence=(*evidence, Evidence("IngressClass names", names)),
            confirm=confirm,
            fix="name an IngressClass that exists, or install the controller that brings it",
        )
        return Claim(class_name=named, evidence=evidence, problem=problem, conflict=conflict)
    usual = USUAL_CLASSES.get(named, "")
    reason = store.ingress_classes.undecodable.get(named) or access.reason or access.reading.value
    if usual:
        return Claim(
            class_name=named,
            controller=usual,
            flavour=flavour_of(usual),
            evidence=evidence,
            assumptions=(f"IngressClass {named} is the usual one of {usual} (ingressclasses not readable: {reason})",),
            conflict=conflict,
        )
    problem = Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.BLIND,
        summary=f"IngressClass {named} of Ingress {ingress.id} cannot be read: who serves it is not known",
        subject=ingress.ref,
        version=ingress.resource_version,
        evidence=evidence,
        missing=f"get ingressclasses.networking.k8s.io {named}: {reason}",
        confirm=confirm,
    )
    return Claim(class_name=named, evidence=evidence, problem=problem, conflict=conflict)


def _by_annotation(store: Store, ingress: Ingress, legacy: str) -> Claim:
    evidence = [Evidence(".metadata.annotations['kubernetes.io/ingress.class']", legacy, ingress.ref)]
    found = store.ingress_classes.get(legacy)
    controller = found.controller if found is not None else ANNOTATION_VALUES.get(legacy, "")
    if found is not None:
        evidence.append(Evidence(".spec.controller", found.controller, found.ref))
    if controller:
        return Claim(class_name=legacy, controller=controller, flavour=flavour_of(controller), evidence=tuple(evidence))
    return _without_class_object(store, ingress, legacy, tuple(evidence), conflict=False)


def _by_default(store: Store, ingress: Ingress) -> Claim:
    defaults = default_classes(store)
    access = store.ingress_classes.access()
    if defaults:
        chosen = defaults[0]
        evidence = (
            Evidence(".spec.ingressClassName", "", ingress.ref, "no class is named"),
            Evidence(".metadata.annotations['ingressclass.kubernetes.io/is-default-class']", "true", chosen.ref),
            Evidence(".spec.controller", chosen.controller, chosen.ref),
        )
        return Claim(
            class_name=chosen.name,
            controller=chosen.controller,
            flavour=flavour_of(chosen.controller),
            evidence=evidence,
            assumptions=(
                f"Ingress {ingress.id} has the default class {chosen.name} (admission writes it, if it was there then)",
            ),
        )
    if not access.complete:
        problem = Step(
            kind=Kind.ROUTE_MATCH,
            verdict=Verdict.BLIND,
            summary=f"Ingress {ingress.id} names no class, and whether there is a default class cannot be read",
            subject=ingress.ref,
            version=ingress.resource_version,
            missing=f"list ingressclasses.networking.k8s.io: {access.reason or access.reading.value}",
            confirm=kubectl.listing("IngressClass"),
        )
        return Claim(problem=problem)
    return Claim(problem=_no_class(store, ingress))


def _no_class(store: Store, ingress: Ingress) -> Step:
    considered = tuple(
        Considered(f"IngressClass {row.name}", False, "not marked as the default class")
        for row in sorted(store.ingress_classes, key=lambda row: row.name)
    )
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.DROP,
        summary=f"Ingress {ingress.id} names no class and there is no default class: nobody serves it",
        subject=ingress.ref,
        version=ingress.resource_version,
        cause="I01",
        evidence=(
            Evidence(".spec.ingressClassName", "", ingress.ref, "absent"),
            Evidence(".metadata.annotations['kubernetes.io/ingress.class']", "", ingress.ref, "absent"),
        ),
        considered=considered,
        assumptions=("no controller takes Ingresses without a class (ingress-nginx: --watch-ingress-without-class)",),
        confirm=kubectl.show(ingress.ref, ".spec.ingressClassName"),
        fix="set spec.ingressClassName",
    )
