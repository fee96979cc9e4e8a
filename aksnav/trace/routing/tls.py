"""The certificate that a controller shows: whether the Secret behind it exists. Its content is never read."""

import msgspec

from aksnav.model.kubernetes.ingress import Ingress
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.step import Evidence, Kind, Step, Verdict

KEY_VAULT = "kubernetes.azure.com/tls-cert-keyvault-uri"
TLS_TYPE = "kubernetes.io/tls"
_ISSUERS = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer")
_ABSENT = "does not exist"
TLS_KEYS = frozenset({"tls.crt", "tls.key"})


def secret_fault(store: Store, name: str) -> str | None:
    """Return why a Secret cannot serve as a certificate, an empty string if it can, None if that is not known.

    Args:
        store: what is known; Secrets are asked for by name, so one that nobody asked for is not known.
        name: ``namespace/name``.
    """
    found = store.secrets.get(name)
    if found is None:
        known = store.secrets.access(name.partition("/")[0]).complete and name not in store.secrets.undecodable
        return _ABSENT if known else None
    if not found.exists:
        return _ABSENT
    if found.keys is not None:
        lacking = sorted(TLS_KEYS - set(found.keys))
        return f"lacks {' and '.join(lacking)}" if lacking else ""
    if found.type and found.type != TLS_TYPE:
        return f"has type {found.type}, not {TLS_TYPE}"
    return ""


def unread_secret(store: Store, name: str, packet: Packet) -> str:
    """Return what is assumed of a Secret that is not known: with what it takes to read it, and how to look."""
    why = store.secrets.undecodable.get(name) or f"it is not read (get secrets in namespace {name.partition('/')[0]})"
    where = kubectl.show(Ref("Secret", name), ".type")
    return f"Secret {name} exists and holds a certificate for {packet.sni or packet.host}: {why}; {where}"


def synced_from_key_vault(ingress: Ingress, secret: str) -> bool:
    """Return whether the application routing add-on writes a Secret from Key Vault for an Ingress (T05)."""
    return KEY_VAULT in ingress.annotations and secret == f"keyvault-{ingress.name}"


def certificate_step(store: Store, ingress: Ingress, field: str, name: str, packet: Packet) -> Step:
    """Return the step of a TLS handshake that the controller answers with a Secret's certificate, or with its own.

    NGINX and controllers like it show a self-signed certificate where the Secret is missing (T01; T05 where it comes
    from Key Vault, T06 where cert-manager makes it): the handshake goes on for a client that accepts it, so the step
    passes and carries the cause.
    """
    owner = ingress.ref
    fault = secret_fault(store, name)
    ref = Ref("Secret", name)
    made_by = _maker(ingress, ref.name, fault)
    asked = Evidence(field, ref.name, owner)
    confirm = kubectl.show(ref, ".type")
    if fault is None:
        return Step(
            kind=Kind.GATEWAY_LISTENER,
            verdict=Verdict.PASS,
            summary=f"TLS for {packet.sni or packet.host} ends here with Secret {name}, whose existence is not known",
            subject=owner,
            packet=packet,
            evidence=(asked,),
            assumptions=(unread_secret(store, name, packet),),
            confirm=confirm,
        )
    if not fault:
        return Step(
            kind=Kind.GATEWAY_LISTENER,
            verdict=Verdict.PASS,
            summary=f"TLS for {packet.sni or packet.host} ends here with Secret {name}",
            subject=owner,
            packet=packet,
            evidence=(asked, Evidence("Secret", "exists", ref)),
            assumptions=stale(store.secrets),
            confirm=confirm,
        )
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.PASS,
        summary=f"Secret {name} {fault}: TLS for {packet.sni or packet.host} ends here with a self-signed certificate",
        subject=owner,
        packet=packet,
        cause=made_by.cause,
        evidence=(asked, Evidence("Secret", fault, ref), *made_by.facts),
        assumptions=("the client goes on in spite of a certificate that nobody vouches for", *stale(store.secrets)),
        confirm=confirm,
        fix=made_by.fix or f"create Secret {name} of type {TLS_TYPE} in the namespace of the Ingress",
    )


class _Maker(msgspec.Struct, frozen=True, gc=False):
    """Who is to write a Secret that cannot serve: which check it is then, with its field and what mends it."""

    cause: str
    facts: tuple[Evidence, ...] = ()
    fix: str = ""


def _maker(ingress: Ingress, secret: str, fault: str | None) -> _Maker:
    """Return who is to write a Secret: the application routing add-on, cert-manager, or somebody by hand.

    Source of the annotations: cert-manager documentation, "Annotated Ingress resource".
    """
    if synced_from_key_vault(ingress, secret):
        fix = "let the add-on's identity read the certificate in Key Vault"
        return _Maker("T05", (_annotated(ingress, KEY_VAULT),), fix)
    issuer = next((name for name in _ISSUERS if ingress.annotations.get(name)), "")
    if issuer and fault == _ABSENT:
        fix = f"see why cert-manager has not issued it: kubectl -n {ingress.namespace} describe certificate,challenge"
        return _Maker("T06", (_annotated(ingress, issuer),), fix)
    return _Maker("T01")


def _annotated(ingress: Ingress, name: str) -> Evidence:
    return Evidence(f".metadata.annotations['{name}']", ingress.annotations[name], ingress.ref)
