"""The certificate of a server: a Secret beside the gateway's Pods (Istio reference, "Gateway", ServerTLSSettings).

Istio takes ``tls.crt`` and ``tls.key``, or ``cert`` and ``key`` (istio/istio pilot/pkg/credentials/kube/secrets.go).
Envoy closes connections while it has not got the certificate; the Secret is looked for where the workload runs, not
where the Gateway is (AKS, "Istio ingress gateway troubleshooting").
"""

from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio.scope import Place, Workload
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.tls import TLS_KEYS, unread_secret
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_GENERIC_KEYS = frozenset({"cert", "key"})
_ASKING = frozenset({"MUTUAL", "ISTIO_MUTUAL"})


def fault(store: Store, name: str) -> str | None:
    """Return why a Secret cannot serve as a credential, an empty string if it can, None if that is not known."""
    found = store.secrets.get(name)
    if found is None:
        known = store.secrets.access(name.partition("/")[0]).complete and name not in store.secrets.undecodable
        return "does not exist" if known else None
    if not found.exists:
        return "does not exist"
    if found.keys is None:
        return "" if found.type == "kubernetes.io/tls" else None
    keys = set(found.keys)
    return "" if keys >= TLS_KEYS or keys >= _GENERIC_KEYS else "has neither tls.crt and tls.key nor cert and key"


def handshake(store: Store, place: Place, at: Workload, packet: Packet) -> Step:
    """Return the step of a TLS handshake at a server that ends TLS: with its certificate, or G19."""
    tls = place.server.tls
    names = tls.credentials if tls is not None else ()
    mode = tls.mode if tls is not None else ""
    faults, assumed, facts = [], [], [Evidence(f"{place.field}.tls.mode", mode, place.gateway.ref)]
    for name in names:
        ident = f"{at.namespace}/{name}"
        why = fault(store, ident)
        facts.append(Evidence(f"{place.field}.tls.credentialName", name, place.gateway.ref, f"Secret {ident}"))
        if why is None:
            assumed.append(unread_secret(store, ident, packet))
        elif why:
            faults.append(f"Secret {ident} {why}")
            facts.append(Evidence("Secret", why, Ref("Secret", ident)))
    if not names and mode != "ISTIO_MUTUAL":
        assumed.append(f"the gateway's Pods hold the files that {place.field}.tls of {place.gateway.ref} names")
    if mode in _ASKING:
        assumed.append(f"the client shows a certificate that {place.name} accepts (mode {mode})")
    broken = bool(names) and len(faults) == len(names)
    elsewhere = sorted(
        row.id for row in store.secrets if row.exists and row.name in names and row.namespace != at.namespace
    )
    if broken and elsewhere:
        facts.append(Evidence("Secrets of that name", ", ".join(elsewhere), note="in other namespaces"))
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT if broken else Verdict.PASS,
        summary=f"{place.name} has no certificate: {'; '.join(faults)}; the handshake is cut off"
        if broken
        else f"TLS for {packet.sni or packet.host} ends at {place.name}",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        cause="G19" if broken else "",
        evidence=tuple(facts),
        assumptions=(*assumed, *stale(store.secrets)),
        confirm=kubectl.show(place.gateway.ref, f"{place.field}.tls"),
        fix=f"create the Secret in namespace {at.namespace}, where the gateway runs" if broken else "",
    )
