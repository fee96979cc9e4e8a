"""What the controller behind a Service does with a request: Ingress rules or HTTPRoutes, whichever it serves."""

from aksnav.store import Store
from aksnav.trace.gateway import route as gateway
from aksnav.trace.ingress import route as ingress
from aksnav.trace.packet import Packet
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.types import Controller, EntryPoint, Flavour, Routing, Target
from aksnav.trace.step import Kind, Step, Verdict

__all__ = ["Controller", "EntryPoint", "Flavour", "Routing", "Target", "entry_points", "route"]


def route(store: Store, controller: Controller, packet: Packet) -> Routing:
    """Return what a controller does with a packet: the steps, and the Service ports that it goes on to.

    Args:
        store: what is known.
        controller: from ``controllers.of_pods``, ``of_address``, ``for_ingress`` or ``for_gateway``.
        packet: as the client sent it: ``port`` is the port of the controller's Service (its listener), not of its Pods;
            ``source`` is the client as the controller sees it, or the client itself before any source translation.
    """
    if controller.flavour is Flavour.ISTIO_CLASSIC and not controller.gateways:
        return Routing(steps=(_classic(controller, packet),), ended=True)
    if not controller.gateways:
        return ingress.route(store, controller, packet)
    routing = gateway.route(store, controller, packet)
    if controller.classes and not routing.targets:
        other = ingress.route(store, controller, packet)
        return other if other.targets else routing
    return routing


def _classic(controller: Controller, packet: Packet) -> Step:
    service = controller.service
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{controller.label} routes by networking.istio.io Gateways and VirtualServices, which are not read",
        subject=service.ref if service is not None else None,
        version=service.resource_version if service is not None else "",
        packet=packet,
        evidence=controller.why,
        missing="networking.istio.io Gateway and VirtualService",
        confirm="kubectl get gateways.networking.istio.io,virtualservices.networking.istio.io -A",
    )
