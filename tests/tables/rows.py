"""A row of the project's own routing tables, and short ways to write one."""

from typing import Any, NamedTuple

from tests.oracles.around import NGINX, Wire

OLD, NEW = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


class Row(NamedTuple):
    """One request to one cluster, and what the documents say of it.

    Attributes:
        section: document and section that the row comes from.
        name: what the row is about.
        ingresses: the Ingresses of the cluster.
        url: what is asked for.
        answer: the Service that takes it (with shares in per cent if several), a status, ``refused``, or what is not
            modelled (the beginning is enough).
        controller: controller string of their class.
        headers, method: of the request.
        absent, unready, services: see ``around``.
        objects: more objects.
    """

    section: str
    name: str
    ingresses: tuple[Wire, ...]
    url: str
    answer: str
    controller: str = NGINX
    headers: tuple[str, ...] = ()
    method: str = "GET"
    absent: tuple[str, ...] = ()
    unready: tuple[str, ...] = ()
    services: dict[str, Wire] = {}
    objects: tuple[Wire, ...] = ()

    @property
    def label(self) -> str:
        """The row as a test is called."""
        return f"{self.section}: {self.name}"


def ing(  # noqa: PLR0913 - the parts of an Ingress that rows vary
    *paths: str,
    host: str = "h",
    name: str = "one",
    marks: dict[str, str] | None = None,
    tls: tuple[str, ...] | None = None,
    default: str = "",
    created: str = OLD,
    uid: str = "",
    prefix: str = "nginx.ingress.kubernetes.io/",
    cls: str = "front",
) -> Wire:
    """Return an Ingress with one rule.

    Args:
        paths: each is ``TYPE PATH SERVICE[:PORT]``; none: no rule at all.
        host: of the rule; empty for every host.
        name: of the Ingress in namespace shop.
        marks: annotations, without their prefix.
        tls: the hosts of its TLS section, with Secret cert; None: it has none.
        default: the Service of its default backend.
        created: when it was made.
        uid: its uid.
        prefix: of the annotations.
        cls: its class.
    """
    annotations = {key if "/" in key else prefix + key: value for key, value in (marks or {}).items()}
    spec: Wire = {"rules": [{**({"host": host} if host else {}), "http": {"paths": [_path(item) for item in paths]}}]}
    if not paths:
        spec = {}
    if "kubernetes.io/ingress.class" not in annotations:
        spec["ingressClassName"] = cls
    if tls is not None:
        spec["tls"] = [{"hosts": list(tls), "secretName": "cert"}]
    if default:
        spec["defaultBackend"] = _backend(default)
    metadata = {"name": name, "annotations": annotations, "creationTimestamp": created, "uid": uid}
    return {"metadata": metadata, "spec": spec}


def _path(text: str) -> Wire:
    kind, path, backend = text.split(" ")
    kinds = {"I": "ImplementationSpecific", "P": "Prefix", "E": "Exact"}
    return {"path": path, "pathType": kinds[kind], "backend": _backend(backend)}


def _backend(text: str) -> dict[str, Any]:
    if text.startswith("resource:"):
        return {"resource": {"apiGroup": "k8s.example.com", "kind": "StorageBucket", "name": text.partition(":")[2]}}
    name, _, port = text.partition(":")
    wanted = {"number": int(port or 8080)} if not port or port.isdigit() else {"name": port}
    return {"service": {"name": name, "port": wanted}}
