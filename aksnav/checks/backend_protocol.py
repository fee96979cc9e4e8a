"""I09: an Ingress controller speaks another protocol to a backend than its Pods do."""

from collections.abc import Iterator

from aksnav.checks.finding import Finding, Proof
from aksnav.model.kubernetes.ingress import Ingress, IngressBackend
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.cluster.service import find_port
from aksnav.trace.ingress.agic_listeners import PREFIX as AGIC_PREFIX
from aksnav.trace.ingress.nginx_locations import PREFIX as NGINX_PREFIX
from aksnav.trace.routing.controllers import claims
from aksnav.trace.routing.types import NGINX, Flavour
from aksnav.trace.step import Evidence

_NAME = "backend-protocol"
_PLAIN, _SECURE = frozenset({"", "HTTP", "GRPC"}), frozenset({"HTTPS", "GRPCS"})


def protocol_findings(store: Store) -> Iterator[Finding]:
    """Yield I09: what annotation backend-protocol says, against what the readiness probe of the same port speaks.

    The probe's scheme is the kubelet's own experience with the port: names and numbers of ports prove less.
    """
    for ingress in sorted(store.ingresses, key=lambda row: row.id):
        flavour = claims(store)[ingress.id].flavour
        prefix = NGINX_PREFIX if flavour in NGINX else AGIC_PREFIX if flavour is Flavour.AGIC else ""
        if prefix and ingress.annotations.get(f"{prefix}ssl-passthrough", "") != "true":
            for backend in _backends(ingress):
                yield from _mismatch(store, ingress, backend, f"{prefix}{_NAME}")


def _backends(ingress: Ingress) -> list[IngressBackend]:
    found = [path.backend for rule in ingress.rules for path in rule.http.paths]
    return [*found, ingress.default_backend] if ingress.default_backend is not None else found


def _mismatch(store: Store, ingress: Ingress, backend: IngressBackend, name: str) -> Iterator[Finding]:
    wanted = backend.service
    service = store.services.get(f"{ingress.namespace}/{wanted.name}") if wanted is not None else None
    if wanted is None or service is None or not service.selector:
        return
    said = ingress.annotations.get(name, "").strip().upper()
    found = find_port(service, wanted.port.number, wanted.port.name, "TCP")
    if found is None or said not in _PLAIN | _SECURE:
        return
    for pod, scheme in _schemes(store, service, found[1].target):
        if (scheme == "HTTPS") is (said in _SECURE):
            continue
        ref = Ref(pod.KIND, pod.id)
        yield Finding(
            id="I09",
            subject=ingress.ref,
            summary=f"{ingress.ref} sends {said or 'HTTP'} to Service {service.id} port {wanted.port}, and the "
            f"readiness probe of Pod {pod.id} speaks {scheme} to that port",
            proof=Proof.LIKELY,
            evidence=(
                Evidence(f".metadata.annotations['{name}']", said or "(not set: HTTP)", ingress.ref),
                Evidence(".spec.containers[*].readinessProbe.httpGet.scheme", scheme, ref),
            ),
            related=(service.ref, ref),
            confirm=kubectl.show(ref, ".spec.containers[*].readinessProbe"),
            fix=f"set {name} to {'HTTPS' if scheme == 'HTTPS' else 'HTTP'}",
        )
        return


def _schemes(store: Store, service: Service, target: int | str) -> Iterator[tuple[Pod, str]]:
    """Yield Pods of a Service, with the scheme in which the kubelet asks the port that is meant."""
    for ident in sorted(store.pod_classes.matching(service.namespace, service.selector or {})):
        pod = store.pods.get(ident)
        for probe in pod.template.probes if pod is not None else ():
            numbers = {port.name: port.port for port in pod.template.ports if port.name} if pod is not None else {}
            asked, meant = numbers.get(str(probe.port), probe.port), numbers.get(str(target), target)
            if pod is not None and probe.kind == "http" and asked == meant and not pod.finished:
                yield pod, (probe.scheme or "HTTP").upper()
