"""Ingress controllers by their looks: the namespaces, names and labels that their installations give (section 1.4)."""

from collections.abc import Iterator, Mapping

from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.store import Store
from aksnav.trace.memo import once, once_at
from aksnav.trace.routing.types import Flavour

APP_ROUTING_NAMESPACE = "app-routing-system"
_NAME_KEYS = ("app.kubernetes.io/name", "app", "k8s-app")
_BY_NAME: dict[str, Flavour] = {
    "ingress-nginx": Flavour.INGRESS_NGINX,
    "ingress-nginx-controller": Flavour.INGRESS_NGINX,
    "nginx-ingress-controller": Flavour.INGRESS_NGINX,
    "traefik": Flavour.TRAEFIK,
    "nginx-ingress": Flavour.NGINX_ORG,
}
_NAME_PART = "ingress-nginx"
# Services of a controller that no request comes through.
_ASIDE = ("-admission", "-metrics", "-webhook")
_SIDE_COMPONENTS = frozenset({"admission-webhook", "default-backend", "defaultbackend"})


def known(flavour: Flavour) -> bool:
    """Return whether this module would recognise an installation of the flavour."""
    return flavour is Flavour.APP_ROUTING_NGINX or flavour in _BY_NAME.values()


def looks(flavour: Flavour) -> frozenset[Flavour]:
    """Return what an installation of a flavour may look like: charts of both NGINX controllers used one name."""
    nginx = frozenset({Flavour.INGRESS_NGINX, Flavour.NGINX_ORG})
    return nginx if flavour in nginx else frozenset({flavour})


def service(row: Service) -> Flavour | None:
    """Return which ingress controller a Service looks like, or None."""
    if row.name.endswith(_ASIDE):
        return None
    if row.namespace == APP_ROUTING_NAMESPACE and row.name.startswith("nginx"):
        return Flavour.APP_ROUTING_NGINX
    return _labels({**row.labels, **(row.selector or {})}) or _name(row.name)


def pod(row: Pod) -> Flavour | None:
    """Return which ingress controller a Pod looks like, or None."""
    return labels(row.namespace, row.labels) or _name(row.name)


def labels(namespace: str, worn: Mapping[str, str]) -> Flavour | None:
    """Return which ingress controller the Pods of a namespace with these labels look like, or None."""
    if namespace == APP_ROUTING_NAMESPACE and worn.get("app", "").startswith("nginx"):
        return Flavour.APP_ROUTING_NGINX
    return _labels(worn)


def running(store: Store) -> frozenset[Flavour]:
    """Return the ingress controllers of which a Pod that has not finished is in the store.

    Asked by label classes, which are few; single Pods are looked at only where a name gives one away.
    """
    return once(store, "controllers by their Pods", ("Pod",), lambda: frozenset(_running(store)))


def _telling(store: Store) -> list[str]:
    """Return the Pods that look like an ingress controller's: it changes when a Pod comes, goes, or is relabelled."""
    return once_at(store, "Pods of controllers", store.pod_classes.version, lambda: _look_alike(store))


def _look_alike(store: Store) -> list[str]:
    classes = store.pod_classes
    telling = [
        ident
        for namespace, labels in classes.all_classes()
        if namespace == APP_ROUTING_NAMESPACE or _labels(labels) is not None
        for ident in classes.pods(namespace, labels)
    ]
    # One search in one text is some ten times cheaper than one in every name.
    if _NAME_PART in "\n".join(store.pods.ids()):
        telling += [ident for ident in store.pods.ids() if _NAME_PART in ident]
    return telling


def _running(store: Store) -> Iterator[Flavour]:
    for ident in _telling(store):
        row = store.pods.get(ident)
        flavour = None if row is None or row.finished else pod(row)
        if flavour is not None:
            yield flavour


def _name(name: str) -> Flavour | None:
    return Flavour.INGRESS_NGINX if _NAME_PART in name and "admission" not in name else None


def _labels(labels: Mapping[str, str]) -> Flavour | None:
    if labels.get("app.kubernetes.io/component") in _SIDE_COMPONENTS:
        return None
    if labels.get("istio", "").startswith("aks-istio-ingressgateway") or labels.get("istio") == "ingressgateway":
        return Flavour.ISTIO_CLASSIC
    return next((_BY_NAME[value] for key in _NAME_KEYS if (value := labels.get(key, "")) in _BY_NAME), None)
