"""What an NGINX of the application routing add-on is told by its NginxIngressController.

From Azure/aks-app-routing-operator api/v1alpha1 and MicrosoftDocs aks/app-routing-nginx-configuration.md: the default
certificate, the default backend and the errors that it answers, and whether TLS may be passed through.
"""

import msgspec

from aksnav.model.kubernetes.controllers import NginxIngressController
from aksnav.model.kubernetes.ingress import BackendPort
from aksnav.model.kubernetes.service import Service
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.routing import tls
from aksnav.trace.routing.backends import Wanted, resolve
from aksnav.trace.routing.types import Controller, Flavour, Target
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_COMPONENT = "app.kubernetes.io/component"


def settings_of(store: Store, controller: Controller) -> NginxIngressController | None:
    """Return the NginxIngressController of a controller, or None where there is none, or none can be read."""
    if controller.flavour is not Flavour.APP_ROUTING_NGINX:
        return None
    rows = (row for row in store.nginx_controllers if row.class_name in controller.classes)
    return min(rows, key=lambda row: row.id, default=None)


def unread(store: Store, controller: Controller) -> tuple[str, ...]:
    """Return what is taken for granted where the NginxIngressControllers of an add-on cannot be read."""
    access = store.nginx_controllers.access()
    if controller.flavour is not Flavour.APP_ROUTING_NGINX or access.complete:
        return ()
    why = access.reason or access.reading.value
    return (f"the add-on's NGINX has no default certificate, backend or errors of its own (not readable: {why})",)


class Fallback(msgspec.Struct, frozen=True, gc=False):
    """The default backend of a controller: where it leads, who says so, and what that rests on."""

    target: Target
    owner: Ref
    fact: Evidence
    assumptions: tuple[str, ...] = ()


def default_backend(
    store: Store, controller: Controller, settings: NginxIngressController | None, packet: Packet
) -> Fallback | None:
    """Return where the default backend of a controller leads; None: to NGINX's own 404.

    NGINX takes the Service's first port, and its own 404 where the Service has no endpoint (controller.go,
    getDefaultUpstream). The controller's arguments are not read: beside an ingress-nginx the Service that its chart
    makes for the purpose is taken to be in use.
    """
    if settings is not None and settings.default_backend is not None:
        named = settings.default_backend
        fact = Evidence(".spec.defaultBackendService", named.id, settings.ref)
        return _fallback(store, store.services.get(named.id), settings.ref, fact, (), packet)
    beside = _beside(store, controller) if settings is None else None
    if beside is None:
        return None
    fact = Evidence(f".metadata.labels['{_COMPONENT}']", beside.labels.get(_COMPONENT, ""), beside.ref)
    assumed = (f"the controller was started with --default-backend-service={beside.id}",)
    return _fallback(store, beside, beside.ref, fact, assumed, packet)


def unsure_default(store: Store, controller: Controller, settings: NginxIngressController | None) -> str:
    """Return why a controller may have a default backend that is not known, an empty string where it has none."""
    if settings is not None:
        named = settings.default_backend
        return hidden_service(store, named.id) if named is not None else ""
    front = controller.service
    if controller.flavour is not Flavour.INGRESS_NGINX or front is None or _beside(store, controller) is not None:
        return ""
    space = f"{front.namespace}/"
    broken = next((ident for ident in store.services.undecodable if ident.startswith(space)), "")
    return unreadable(store.services, front.namespace) or (hidden_service(store, broken) if broken else "")


def hidden_service(store: Store, ident: str) -> str:
    """Return why a Service may exist that is not in the store, an empty string where it is known not to."""
    if ident in store.services.undecodable:
        return f"Service {ident}: {store.services.undecodable[ident]}"
    return "" if ident in store.services else unreadable(store.services, ident.partition("/")[0])


def _beside(store: Store, controller: Controller) -> Service | None:
    """The one Service in a controller's namespace that its chart labels as the default backend."""
    front = controller.service
    if controller.flavour is not Flavour.INGRESS_NGINX or front is None:
        return None
    found = [
        row
        for row in store.services
        if row.namespace == front.namespace and row.labels.get(_COMPONENT, "") in {"default-backend", "defaultbackend"}
    ]
    return found[0] if len(found) == 1 else None


def _fallback(
    store: Store, service: Service | None, owner: Ref, fact: Evidence, assumed: tuple[str, ...], packet: Packet
) -> Fallback | None:
    if service is None or not service.ports:
        return None
    wanted = Wanted(
        owner=owner,
        version="",
        field=fact.field,
        namespace=service.namespace,
        service=service.name,
        port=BackendPort(number=service.ports[0].port),
        missing_status=404,
        empty_status=404,
        missing_cause="I06",
        port_cause="I07",
    )
    found = resolve(store, wanted, packet)
    return None if found.ended or ingress_answer.is_empty(store, found) else Fallback(found, owner, fact, assumed)


def certificate_step(store: Store, settings: NginxIngressController, name: str, packet: Packet) -> Step | None:
    """Return the handshake with the controller's default certificate, or None where it has none."""
    given = settings.certificate
    if given is None or (given.secret is None and not given.key_vault_uri):
        return None
    if given.secret is None:
        fact = Evidence(".spec.defaultSSLCertificate.keyVaultURI", given.key_vault_uri, settings.ref)
        return _step(settings, fact, packet, f"the certificate of {given.key_vault_uri}", name)
    fact = Evidence(".spec.defaultSSLCertificate.secret.name", given.secret.id, settings.ref)
    fault = tls.secret_fault(store, given.secret.id)
    if fault:
        step = _step(settings, fact, packet, "a self-signed certificate", name)
        summary = f"{step.summary}, as Secret {given.secret.id} {fault}"
        return msgspec.structs.replace(step, cause="T01", summary=summary, fix=f"create Secret {given.secret.id}")
    return _step(settings, fact, packet, f"the default certificate {given.secret.id}", name)


def _step(settings: NginxIngressController, fact: Evidence, packet: Packet, what: str, name: str) -> Step:
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.PASS,
        summary=f"no Ingress brings a certificate for {name}: {settings.ref} shows {what}",
        subject=settings.ref,
        version=settings.resource_version,
        packet=packet,
        evidence=(fact,),
        assumptions=(f"the client accepts {what} for {name}",),
        confirm=kubectl.show(Ref(NginxIngressController.KIND, settings.id), ".spec.defaultSSLCertificate"),
    )
