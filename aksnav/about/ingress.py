"""Which ways in for HTTP this cluster has: what the add-ons say, and which classes and controllers there are."""

from collections.abc import Iterator

from aksnav.about.fact import Fact
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.gateway.classes import flavour_of as gateway_flavour
from aksnav.trace.ingress.classes import flavour_of
from aksnav.trace.istio.ways import fronts
from aksnav.trace.readable import unreadable
from aksnav.trace.routing.types import Flavour
from aksnav.trace.step import Evidence

TITLES = {
    Flavour.APP_ROUTING_NGINX: "application routing add-on, NGINX",
    Flavour.INGRESS_NGINX: "ingress-nginx of your own",
    Flavour.APP_ROUTING_ISTIO: "application routing add-on, Gateway API on Istio",
    Flavour.ISTIO: "Istio, Gateway API",
    Flavour.ISTIO_CLASSIC: "Istio, Gateway and VirtualService",
    Flavour.AGIC: "Application Gateway Ingress Controller",
    Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS: "Application Gateway for Containers",
    Flavour.ENVOY_GATEWAY: "Envoy Gateway",
    Flavour.NGINX_GATEWAY_FABRIC: "NGINX Gateway Fabric",
    Flavour.TRAEFIK: "Traefik",
    Flavour.NGINX_ORG: "NGINX Ingress Controller of F5",
    Flavour.OTHER: "another controller",
}


def ingress_facts(store: Store) -> tuple[Fact, ...]:
    """Return the ways in for HTTP, one fact each; one with nothing in it where there are none or nobody can say."""
    found = [*_add_ons(cluster(store)), *_ingress_classes(store), *_gateway_classes(store), *_istio_gateways(store)]
    missing = [text for text in (unreadable(store.ingress_classes), _gateway_unread(store)) if text]
    if missing:
        found.append(Fact(name="ingress", missing="; ".join(missing)))
    if not found:
        found.append(
            Fact(name="ingress", value="none", evidence=(Evidence("ingressclasses, gatewayclasses", "none exist"),))
        )
    return tuple(found)


def _gateway_unread(store: Store) -> str:
    access = store.gateway_classes.access()
    return "" if access.complete or access.reading.value == "absent" else unreadable(store.gateway_classes)


def _add_ons(managed: ManagedCluster | None) -> Iterator[Fact]:
    if managed is None:
        return
    routing = managed.ingress_profile.get("webAppRouting") or {}
    if isinstance(routing, dict) and routing.get("enabled") is True:
        yield Fact(
            name="ingress add-on",
            value="application routing",
            evidence=(Evidence(".ingressProfile.webAppRouting.enabled", "true", managed.ref),),
        )
    add_on = managed.addon_profiles.get("ingressApplicationGateway") or {}
    if isinstance(add_on, dict) and add_on.get("enabled") is True:
        config = add_on.get("config") or {}
        gateway = str(config.get("effectiveApplicationGatewayId", "")) if isinstance(config, dict) else ""
        path = ".addonProfiles.ingressApplicationGateway"
        facts = [Evidence(f"{path}.enabled", "true", managed.ref)]
        if gateway:
            facts.append(Evidence(f"{path}.config.effectiveApplicationGatewayId", gateway, managed.ref))
        yield Fact(name="ingress add-on", value=TITLES[Flavour.AGIC], evidence=tuple(facts))


def _istio_gateways(store: Store) -> Iterator[Fact]:
    for row in fronts(store):
        label = (row.selector or {}).get("istio", "")
        yield Fact(
            name=f"Istio gateway {row.id}",
            value=TITLES[Flavour.ISTIO_CLASSIC],
            evidence=(Evidence(".spec.selector", f"istio={label}" if label else str(row.selector), row.ref),),
        )


def _ingress_classes(store: Store) -> Iterator[Fact]:
    for row in sorted(store.ingress_classes, key=lambda item: item.name):
        yield Fact(
            name=f"ingress class {row.name}",
            value=TITLES[flavour_of(row.controller)],
            evidence=(Evidence(".spec.controller", row.controller, row.ref),),
            note="the default class" if row.is_default else "",
        )


def _gateway_classes(store: Store) -> Iterator[Fact]:
    for row in sorted(store.gateway_classes, key=lambda item: item.name):
        yield Fact(
            name=f"gateway class {row.name}",
            value=TITLES[gateway_flavour(row)],
            evidence=(Evidence(".spec.controllerName", row.controller_name, row.ref),),
        )
