"""From a Gateway to the Service that its controller made for it, or whose address it has (reference section 1.4)."""

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.service import Service
from aksnav.store import Store
from aksnav.trace.gateway import classes as gateway_class
from aksnav.trace.memo import once
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Evidence

_READS = ("Service", "Gateway", "GatewayClass")
GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name"
# Envoy Gateway keeps its Services in a namespace of its own, with labels that name the Gateway.
_ENVOY_OWNER = "gateway.envoyproxy.io/owning-gateway"


def gateway_controllers(store: Store) -> tuple[Controller, ...]:
    """Return the controllers of Gateways, without their Pods: one for each Service, or Gateway without a Service."""
    return once(store, "gateway controllers", _READS, lambda: _join_gateways(store))


def _join_gateways(store: Store) -> tuple[Controller, ...]:
    joined: dict[str, Controller] = {}
    for gateway in sorted(store.gateways, key=lambda row: row.id):
        reading = gateway_class.class_of(store, gateway)
        service, why = _service_of(store, gateway)
        key = service.id if service is not None else f"(none) {gateway.id}"
        known = joined.get(key)
        joined[key] = Controller(
            flavour=reading.flavour,
            name=reading.found.controller_name if reading.found is not None else "",
            gateways=(*(known.gateways if known is not None else ()), gateway.id),
            service=service,
            why=(
                *(known.why if known is not None else ()),
                Evidence(".spec.gatewayClassName", gateway.gateway_class_name, gateway.ref),
                *why,
            ),
            assumptions=reading.assumptions,
            problems=(*(known.problems if known is not None else ()), *gateway_class.problems(store, gateway)),
        )
    return tuple(joined.values())


def _service_of(store: Store, gateway: Gateway) -> tuple[Service | None, tuple[Evidence, ...]]:
    """The Service that the controller made for a Gateway, or the one whose address the Gateway has."""
    generated = store.services.get(f"{gateway.id}-{gateway.gateway_class_name}")
    if generated is not None:
        label = generated.labels.get(GATEWAY_NAME_LABEL, "")
        if label in {"", gateway.name}:
            note = "the name that the controller gives" if not label else "made by the controller for this Gateway"
            field = ".metadata.name" if not label else f".metadata.labels['{GATEWAY_NAME_LABEL}']"
            return generated, (Evidence(field, label or generated.name, generated.ref, note),)
    for row in _labelled(store).get(gateway.id, ()):
        label = GATEWAY_NAME_LABEL if GATEWAY_NAME_LABEL in row.labels else f"{_ENVOY_OWNER}-name"
        why = Evidence(f".metadata.labels['{label}']", gateway.name, row.ref, "made for this Gateway")
        return row, (why,)
    for field, points in ((".status.addresses", gateway.status.addresses), (".spec.addresses", gateway.addresses)):
        for index, point in enumerate(points):
            found = _at(store, point.value)
            if found is not None:
                why = Evidence(
                    f"{field}[{index}].value", point.value, gateway.ref, f"the address of Service {found.id}"
                )
                return found, (why,)
    return None, ()


def _labelled(store: Store) -> dict[str, list[Service]]:
    def make() -> dict[str, list[Service]]:
        grouped: dict[str, list[Service]] = {}
        for row in sorted(store.services, key=lambda row: row.id):
            name = row.labels.get(GATEWAY_NAME_LABEL)
            owner = row.labels.get(f"{_ENVOY_OWNER}-name")
            if name:
                grouped.setdefault(f"{row.namespace}/{name}", []).append(row)
            elif owner:
                grouped.setdefault(f"{row.labels.get(f'{_ENVOY_OWNER}-namespace', '')}/{owner}", []).append(row)
        return grouped

    return once(store, "services by gateway", ("Service",), make)


def _at(store: Store, value: str) -> Service | None:
    address = parse_address(value)
    if address is not None:
        return next(iter(store.services_at(address)), None)
    name, _, rest = value.partition(".")
    namespace, _, suffix = rest.partition(".")
    return store.services.get(f"{namespace}/{name}") if suffix.startswith("svc") else None
