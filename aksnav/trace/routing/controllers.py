"""From a Service or Pods to the controller behind them, and from an Ingress or Gateway to its controller.

Kubernetes has no link from an IngressClass to the Service of its controller (reference section 1.4): the join is an
address that the controller wrote into the status of an Ingress, or the names and labels that installations give.
"""

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import classes as gateway_class
from aksnav.trace.gateway.controllers import gateway_controllers
from aksnav.trace.ingress.classes import APP_ROUTING_EXTRA, Claim, claim, flavour_of
from aksnav.trace.istio import scope as istio
from aksnav.trace.memo import once
from aksnav.trace.routing import recognise
from aksnav.trace.routing.types import OUTSIDE, Controller, Flavour
from aksnav.trace.step import Evidence, Kind, Step, Verdict

T = TypeVar("T")
_WEB_PORTS = frozenset({80, 443})

_READS = ("IngressClass", "Ingress", "Service", "Gateway", "GatewayClass", "NginxIngressController")


def of_pods(store: Store, pods: Sequence[Pod], service: Service | None) -> tuple[Controller, ...]:
    """Return the controllers that answer behind a Service, or in Pods; none for an ordinary workload.

    Args:
        store: what is known.
        pods: the Pods that a packet reached; may be empty where the Service has none.
        service: through which it came, if any.
    """
    found = [known for known in _all(store) if known.service is not None and _is_behind(known.service, pods, service)]
    if not found:
        found = _unjoined(store, pods, service)
    elif service is not None:
        # Another Service in front of the same Pods (an internal one beside a public one) is the same controller.
        found = [msgspec.structs.replace(known, service=service) for known in found]
    return tuple(_with_pods(store, known) for known in _merged(found))


def _merged(found: Sequence[Controller]) -> list[Controller]:
    """One controller for each Service, whatever classes and Gateways it serves under whatever names."""
    merged: dict[str, Controller] = {}
    for known in found:
        key = known.service.id if known.service is not None else ""
        first = merged.get(key)
        if first is None:
            merged[key] = known
            continue
        merged[key] = msgspec.structs.replace(
            first,
            flavour=known.flavour if first.flavour is Flavour.OTHER else first.flavour,
            classes=_unique((*first.classes, *known.classes)),
            gateways=_unique((*first.gateways, *known.gateways)),
            why=_unique((*first.why, *known.why)),
            assumptions=_unique((*first.assumptions, *known.assumptions)),
            problems=(*first.problems, *known.problems),
        )
    return list(merged.values())


def of_address(store: Store, address: int | None, hostname: str = "") -> tuple[Controller, ...]:
    """Return the controllers outside of the cluster that answer at an address.

    They are AGIC and Application Gateway for Containers; the address or host name is what they wrote into the status of
    an Ingress or a Gateway.
    """
    text = format_address(address) if address is not None else ""
    found: list[Controller] = []
    for known in _all(store):
        if known.service is not None:
            continue
        evidence = _status_evidence(store, known, {item for item in (text, hostname.lower()) if item})
        if evidence:
            found.append(msgspec.structs.replace(known, why=(*known.why, *evidence[:3])))
    return tuple(found)


def for_ingress(store: Store, ingress: Ingress) -> Controller | Step:
    """Return the controller that serves an Ingress, or the step that says why nobody does (I01, I02, or blind)."""
    claimed = claim(store, ingress)
    if claimed.problem is not None:
        return claimed.problem
    found = [known for known in ingress_controllers(store) if claimed.class_name in known.classes]
    chosen = next((known for known in found if _status_of(ingress) & _addresses(known.service)), None)
    if chosen is None and found:
        chosen = found[0]
    if chosen is None:
        chosen = Controller(flavour=claimed.flavour, name=claimed.controller, classes=(claimed.class_name,))
    if chosen.service is None and claimed.flavour not in OUTSIDE:
        lost = _nobody(store, ingress, claimed)
        if lost is not None:
            return lost
    joined = msgspec.structs.replace(
        chosen,
        why=(*claimed.evidence, *chosen.why),
        assumptions=(*claimed.assumptions, *chosen.assumptions),
    )
    return _with_pods(store, joined)


def for_gateway(store: Store, gateway: Gateway) -> Controller | Step:
    """Return the controller that serves a Gateway, or the step that says why nobody does (G07, or blind).

    A Gateway that is served but not programmed (G08) has that among the controller's problems.
    """
    wrong = gateway_class.problems(store, gateway)
    fatal = next((step for step in wrong if step.cause == "G07" or step.verdict is Verdict.BLIND), None)
    if fatal is not None and (fatal.cause or gateway_class.class_of(store, gateway).flavour is Flavour.OTHER):
        return fatal
    found = next((known for known in gateway_controllers(store) if gateway.id in known.gateways), None)
    if found is None:
        reading = gateway_class.class_of(store, gateway)
        found = Controller(flavour=reading.flavour, gateways=(gateway.id,), problems=wrong)
    return _with_pods(store, found)


def ingress_controllers(store: Store) -> tuple[Controller, ...]:
    """Return the controllers of Ingresses, without their Pods: one for each Service, or class without a Service."""
    return once(store, "ingress controllers", _READS, lambda: _join_classes(store))


def claims(store: Store) -> dict[str, Claim]:
    """Return the claim of every Ingress by its id."""
    return once(store, "claims", _READS[:2], lambda: {row.id: claim(store, row) for row in store.ingresses})


def _all(store: Store) -> tuple[Controller, ...]:
    return (*gateway_controllers(store), *ingress_controllers(store))


def _is_behind(front: Service, pods: Sequence[Pod], service: Service | None) -> bool:
    if service is not None and service.id == front.id:
        return True
    if not front.selector:
        return False
    wanted = front.selector.items()
    return any(
        pod.namespace == front.namespace and all(pod.labels.get(key) == value for key, value in wanted) for pod in pods
    )


def _unjoined(store: Store, pods: Sequence[Pod], service: Service | None) -> list[Controller]:
    """A controller by its looks, which no class or Gateway was joined to."""
    flavour = recognise.service(service) if service is not None else None
    if flavour is None:
        flavour = next((seen for seen in map(recognise.pod, pods) if seen is not None), None)
    if flavour is None and istio.looks_like_gateway(store, pods, service):
        flavour = Flavour.ISTIO_CLASSIC
    if flavour is None or flavour in OUTSIDE:
        return []
    classes = tuple(sorted(row.name for row in store.ingress_classes if flavour_of(row.controller) is flavour))
    where = service.ref if service is not None else None
    return [
        Controller(
            flavour=flavour,
            classes=classes,
            service=service,
            why=(Evidence(".metadata.labels", flavour.value, where, "looks like this controller"),),
            # A gateway of Istio's serves no class: its Gateways name its Pods by their labels.
            assumptions=()
            if flavour is Flavour.ISTIO_CLASSIC
            else (f"it serves the classes of {flavour.value}: {', '.join(classes) or 'none is known'}",),
        )
    ]


def _with_pods(store: Store, known: Controller) -> Controller:
    service = known.service
    if service is None or not service.selector:
        return known
    idents = store.pod_classes.matching(service.namespace, service.selector)
    pods = tuple(pod for pod in map(store.pods.get, idents) if pod is not None and not pod.finished)
    problems = known.problems
    if store.pods.access(service.namespace).complete and not any(pod.ready for pod in pods):
        problems = (*problems, _not_ready(service, pods))
    return msgspec.structs.replace(known, pods=pods, problems=problems)


def _not_ready(service: Service, pods: tuple[Pod, ...]) -> Step:
    selector = ",".join(f"{key}={value}" for key, value in (service.selector or {}).items())
    said = tuple(
        Evidence(".status.conditions[?(@.type=='Ready')].status", pod.reason or "False", _pod_ref(pod))
        for pod in pods[:5]
    ) or (Evidence(".spec.selector", selector, service.ref, "selects no Pod"),)
    return Step(
        kind=Kind.CONTROLLER_POD,
        verdict=Verdict.DROP,
        summary=f"none of the {len(pods)} controller Pods behind Service {service.id} is ready",
        subject=service.ref,
        version=service.resource_version,
        cause="I13",
        evidence=said,
        confirm=kubectl.listing("Pod", service.namespace, selector),
        fix="find out why the controller's Pods are not ready",
    )


def _pod_ref(pod: Pod) -> Ref:
    return Ref("Pod", pod.id)


def _nobody(store: Store, ingress: Ingress, claimed: Claim) -> Step | None:
    """I02: the controller of a class is one that we would recognise, everything was read, and it is not there."""
    if not recognise.known(claimed.flavour) or not store.services.access().complete or not store.pods.access().complete:
        return None
    if recognise.running(store) & recognise.looks(claimed.flavour):
        return None
    return Step(
        kind=Kind.ROUTE_MATCH,
        verdict=Verdict.DROP,
        summary=f"class {claimed.class_name} of Ingress {ingress.id} is served by {claimed.controller},"
        " and neither a Service nor a Pod of it is in the cluster",
        subject=ingress.ref,
        version=ingress.resource_version,
        cause="I02",
        evidence=claimed.evidence,
        assumptions=("its Service and Pods have the usual names or labels",),
        confirm=kubectl.listing("Service"),
        fix="install or enable the controller, or name a class that is served",
    )


def _join_classes(store: Store) -> tuple[Controller, ...]:
    served: dict[str, str] = {row.name: row.controller for row in store.ingress_classes}
    for claimed in claims(store).values():
        if claimed.problem is None:
            served.setdefault(claimed.class_name, claimed.controller)
    joined: dict[tuple[str, str], list[tuple[str, tuple[Evidence, ...], tuple[str, ...]]]] = {}
    services: dict[str, Service] = {}
    proved = {name: _by_reference(store, name) or _by_status(store, name) for name in served}
    taken = {row.id: served[name] for name, found in proved.items() for row, _ in found}
    for name in sorted(served):
        controller = served[name]
        found = [(row, (why,), ()) for row, why in proved[name]] or _by_looks(store, controller, taken)
        for row, why, assumptions in found:
            services[row.id] = row
            joined.setdefault((row.id, controller), []).append((name, why, assumptions))
        if not found:
            joined.setdefault(("", controller), []).append((name, (), ()))
    return tuple(
        Controller(
            flavour=flavour_of(controller),
            name=controller,
            classes=tuple(name for name, _, _ in parts),
            service=services.get(ident),
            why=_unique(item for _, why, _ in parts for item in why),
            assumptions=_unique(item for _, _, assumed in parts for item in assumed),
        )
        for (ident, controller), parts in sorted(joined.items())
    )


def _by_reference(store: Store, class_name: str) -> list[tuple[Service, Evidence]]:
    """The Services that the application routing add-on says it made for the NginxIngressController of a class."""
    found: dict[str, tuple[Service, Evidence]] = {}
    for told in sorted(store.nginx_controllers, key=lambda row: row.id):
        for index, made in enumerate(told.status.managed_resource_refs if told.class_name == class_name else ()):
            row = store.services.get(f"{made.namespace}/{made.name}") if made.kind == "Service" else None
            if row is not None and any(port.port in _WEB_PORTS for port in row.ports):
                why = Evidence(f".status.managedResourceRefs[{index}].name", made.name, told.ref, "its Service")
                found.setdefault(row.id, (row, why))
    return [found[ident] for ident in sorted(found)]


def _by_status(store: Store, class_name: str) -> list[tuple[Service, Evidence]]:
    """Services whose address stands in the status of an Ingress of the class."""
    found: dict[str, tuple[Service, Evidence]] = {}
    by_class = once(store, "ingresses by class", _READS[:2], lambda: _group(store))
    for ingress in by_class.get(class_name, ()):
        for index, point in enumerate(ingress.ingress_points):
            address = parse_address(point.ip) if point.ip else None
            for row in _likely_fronts(store, address, class_name) if address is not None else ():
                why = Evidence(
                    f".status.loadBalancer.ingress[{index}].ip",
                    point.ip,
                    ingress.ref,
                    f"the address of Service {row.id}",
                )
                found.setdefault(row.id, (row, why))
    return [found[ident] for ident in sorted(found)]


def _likely_fronts(store: Store, address: int, class_name: str) -> list[Service]:
    """Services at an address that may be a controller's: several Services can share one load balancer address."""
    here = store.services_at(address)
    row = store.ingress_classes.get(class_name)
    flavour = flavour_of(row.controller) if row is not None else None
    alike = [item for item in here if flavour is not None and recognise.service(item) in recognise.looks(flavour)]
    unknown = [item for item in here if recognise.service(item) is None]
    web = [item for item in unknown if any(port.port in _WEB_PORTS for port in item.ports)]
    return alike or web or unknown


def _group(store: Store) -> dict[str, list[Ingress]]:
    grouped: dict[str, list[Ingress]] = {}
    known = claims(store)
    for row in sorted(store.ingresses, key=lambda row: row.id):
        if known[row.id].problem is None:
            grouped.setdefault(known[row.id].class_name, []).append(row)
    return grouped


def _by_looks(
    store: Store, controller: str, taken: dict[str, str]
) -> list[tuple[Service, tuple[Evidence, ...], tuple[str, ...]]]:
    """Services that look like those of a controller and are not proved to be another's."""
    flavour = flavour_of(controller)
    if flavour in OUTSIDE:
        return []
    alike = [
        row
        for row in sorted(store.services, key=lambda row: (row.type != "LoadBalancer", row.id))
        if recognise.service(row) in recognise.looks(flavour) and taken.get(row.id, controller) == controller
    ]
    if flavour is Flavour.APP_ROUTING_NGINX:
        alike = _app_routing(alike, controller)
    chosen: list[Service] = []
    for row in alike:
        if not any(row.namespace == other.namespace and row.selector == other.selector for other in chosen):
            chosen.append(row)
    names = ", ".join(row.id for row in chosen)
    doubt = (f"which of {names} serves {controller} is not known",) if len(chosen) > 1 else ()
    return [
        (row, (Evidence(".metadata.name", row.name, row.ref, f"the usual Service of {controller}"),), doubt)
        for row in chosen
    ]


def _app_routing(alike: list[Service], controller: str) -> list[Service]:
    """The default controller's Service is ``nginx``; another's name begins with its own (nginx-internal-0)."""
    if not controller.startswith(APP_ROUTING_EXTRA):
        return [row for row in alike if row.name == "nginx"]
    own = controller.removeprefix(APP_ROUTING_EXTRA)
    others = [row for row in alike if row.name != "nginx" or own == "nginx"]
    return [row for row in others if row.name.startswith(own)] or others


def _status_of(ingress: Ingress) -> set[str]:
    return {value for point in ingress.ingress_points for value in (point.ip, point.hostname.lower()) if value}


def _addresses(service: Service | None) -> set[str]:
    return set() if service is None else {*service.virtual_ips, *service.external_addresses}


def _status_evidence(store: Store, known: Controller, wanted: set[str]) -> list[Evidence]:
    evidence: list[Evidence] = []
    by_class = once(store, "ingresses by class", _READS[:2], lambda: _group(store))
    for name in known.classes:
        for ingress in by_class.get(name, ()):
            hit = sorted(_status_of(ingress) & wanted)
            if hit:
                evidence.append(Evidence(".status.loadBalancer.ingress[]", hit[0], ingress.ref))
    for ident in known.gateways:
        gateway = store.gateways.get(ident)
        if gateway is not None:
            evidence += [
                Evidence(".status.addresses[].value", point.value, gateway.ref)
                for point in gateway.status.addresses
                if point.value.lower() in wanted
            ]
    return evidence


def _unique(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))
