"""What an NGINX of the application routing add-on is told by its NginxIngressController.

From Azure/aks-app-routing-operator api/v1alpha1 and MicrosoftDocs aks/app-routing-nginx-configuration.md: the default
certificate, the default backend and the errors that it answers, and whether TLS may be passed through.
"""

import msgspec

from aksnav.model.kubernetes.controllers import NamespacedName, NginxIngressController
from aksnav.model.kubernetes.ingress import BackendPort
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.ingress import answer as ingress_answer
from aksnav.trace.packet import Packet
from aksnav.trace.routing import tls
from aksnav.trace.routing.backends import Wanted, resolve
from aksnav.trace.routing.types import Controller, Flavour, Target
from aksnav.trace.step import Evidence, Kind, Step, Verdict


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


def default_backend(store: Store, settings: NginxIngressController | None, packet: Packet) -> Target | None:
    """Return where the default backend of a controller leads; None: to NGINX's own 404.

    NGINX takes the Service's first port, and its own 404 where the Service has no endpoint (controller.go,
    getDefaultUpstream).
    """
    named = settings.default_backend if settings is not None else None
    service = store.services.get(named.id) if named is not None else None
    if settings is None or named is None or service is None or not service.ports:
        return None
    wanted = Wanted(
        owner=settings.ref,
        version=settings.resource_version,
        field=".spec.defaultBackendService",
        namespace=named.namespace,
        service=named.name,
        port=BackendPort(number=service.ports[0].port),
        missing_status=404,
        empty_status=404,
        missing_cause="I06",
        port_cause="I07",
    )
    found = resolve(store, wanted, packet)
    return None if found.ended or ingress_answer.is_empty(store, found) else found


def said(settings: NginxIngressController) -> Evidence:
    """Return the fact that a controller has a default backend."""
    named = settings.default_backend or NamespacedName()
    return Evidence(".spec.defaultBackendService", named.id, settings.ref)


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
