"""What the controller behind a Service does with a request: Ingresses, routes or VirtualServices, as it serves them."""

from aksnav.store import Store
from aksnav.trace.gateway import route as gateway
from aksnav.trace.ingress import route as ingress
from aksnav.trace.istio import route as istio
from aksnav.trace.packet import Packet
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.types import Controller, EntryPoint, Flavour, Routing, Target

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
        return istio.route(store, controller, packet)
    if not controller.gateways:
        return ingress.route(store, controller, packet)
    routing = gateway.route(store, controller, packet)
    if controller.classes and not routing.targets:
        other = ingress.route(store, controller, packet)
        return other if other.targets else routing
    return routing
