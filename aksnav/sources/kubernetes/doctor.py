"""Which Kubernetes kinds this user may read, and the smallest ClusterRole that gives what is missing."""

from collections.abc import Iterable

import msgspec
import yaml

from aksnav.model.decode import decode_page
from aksnav.model.kinds import KINDS, KUBERNETES_KINDS, Kind
from aksnav.model.kubernetes.configmap import NAMESPACE, WANTED, ConfigMap
from aksnav.model.kubernetes.workload import Node
from aksnav.model.object import Undecodable
from aksnav.model.text import plain
from aksnav.sources.diagnosis import Check, Diagnosis
from aksnav.sources.kubernetes.access import Permission, permissions
from aksnav.sources.kubernetes.discovery import Resource, discover, server_version
from aksnav.sources.kubernetes.errors import ApiError
from aksnav.sources.kubernetes.source import NAME, SERVED_EVERYWHERE
from aksnav.sources.kubernetes.transport import Transport

ROLE_NAME = "aksnav-reader"
_NODES = 500


class Cluster(msgspec.Struct, frozen=True, gc=False):
    """What was found of a cluster.

    Attributes:
        diagnosis: what can be read.
        provider_ids: where the nodes say they are, as far as they can be read.
        server_host: host and port of the API server.
    """

    diagnosis: Diagnosis
    provider_ids: tuple[str, ...] = ()
    server_host: str = ""


def check_kubernetes(transport: Transport, namespaces: tuple[str, ...] = ()) -> Cluster:
    """Ask the API server which kinds this user may read.

    Args:
        transport: to ask.
        namespaces: where a namespaced kind may be readable that is not readable everywhere.

    Raises:
        LinkError: the server could not be reached.
        ApiError: it answers to nothing at all.
    """
    served = _served(transport)
    checks = [*_absent(served), *_allowed(transport, served, namespaces)]
    context = transport.login.context
    facts = {
        "context": plain(context.name),
        "server": plain(transport.host),
        "user": plain(context.user),
        "version": plain(_version(transport)),
    }
    diagnosis = Diagnosis(
        source=NAME,
        facts={key: value for key, value in facts.items() if value},
        checks=tuple(check for check, _ in checks),
        role=_role((lacking for _, lacking in checks), {resource.kind.name: resource.kind for resource in served}),
    )
    return Cluster(diagnosis, _provider_ids(transport), transport.host)


def _served(transport: Transport) -> tuple[Resource, ...]:
    try:
        return discover(transport)
    except ApiError as error:
        if not error.denied:
            raise
        return SERVED_EVERYWHERE  # discovery itself is refused: every kind is asked about at its best version


def _version(transport: Transport) -> str:
    try:
        return server_version(transport)
    except ApiError:
        return ""


_Row = tuple[Check, tuple[Permission, ...]]


def _absent(served: tuple[Resource, ...]) -> Iterable[_Row]:
    """Yield the kinds that the cluster does not serve; of an optional one nothing is missed."""
    names = {resource.kind.name for resource in served}
    for kind in KUBERNETES_KINDS:
        if kind.name not in names:
            said = "not installed" if kind.optional else "not served by this cluster"
            yield Check(what=_resource(kind.name), ok=kind.optional, reason=said), ()


def _allowed(transport: Transport, served: tuple[Resource, ...], namespaces: tuple[str, ...]) -> Iterable[_Row]:
    """Yield each kind that is served, with the verbs that this user lacks."""
    kinds = {resource.kind.name: resource.kind for resource in served}
    lacking: dict[str, list[Permission]] = {name: [] for name in kinds}
    for answer in permissions(transport, served):
        if not answer.allowed:
            lacking[answer.kind].append(answer)
    elsewhere = _in_namespaces(transport, [item for item in served if lacking[item.kind.name]], namespaces)
    for name, missing in lacking.items():
        what = _of_group(kinds[name])
        if not missing:
            yield Check(what=what, ok=True), ()
        elif elsewhere.get(name):
            yield Check(what=what, ok=True, scope=", ".join(namespaces), reason="in these namespaces alone"), ()
        elif name == ConfigMap.KIND:
            why = f"only {', '.join(WANTED)} of {NAMESPACE} are read: how names and addresses are translated"
            yield Check(what=what, ok=False, optional=True, missing=f"get {what} in {NAMESPACE}", reason=why), ()
        elif KINDS[name].by_name:  # nobody should be given the data of every Secret to learn which exist
            why = "whether TLS Secrets exist is not known; no role here asks for it, as it gives their data too"
            yield Check(what=what, ok=False, optional=True, missing=f"get {what}", reason=why), ()
        else:
            verbs = ", ".join(item.verb for item in missing)
            why = next((plain(item.reason) for item in missing if item.reason), "")
            yield Check(what=what, ok=False, missing=f"{verbs} {what}", reason=why), tuple(missing)


def _in_namespaces(transport: Transport, wanted: list[Resource], namespaces: tuple[str, ...]) -> dict[str, bool]:
    """Return which kinds may be read in every one of the namespaces."""
    inside = tuple(item for item in wanted if item.kind.namespaced)
    allowed = {item.kind.name: bool(namespaces) for item in inside}
    for namespace in namespaces:
        for answer in permissions(transport, inside, namespace):
            allowed[answer.kind] &= answer.allowed
    return allowed


def _resource(name: str) -> str:
    return _of_group(KINDS[name])


def _of_group(kind: Kind) -> str:
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def _provider_ids(transport: Transport) -> tuple[str, ...]:
    """Return where the nodes say they are; the first page tells the resource group, which is what is looked for."""
    try:
        page = decode_page(KINDS["Node"], transport.get("/api/v1/nodes", {"limit": _NODES}))
    except (ApiError, Undecodable):
        return ()
    return tuple(node.provider_id for node in page.objects if isinstance(node, Node) and node.provider_id)


def _role(lacking: Iterable[tuple[Permission, ...]], served: dict[str, Kind]) -> str:
    """Return a ClusterRole with the verbs that are missing, as YAML; empty if none is."""
    by_rule: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for missing in lacking:
        if missing:
            kind = served[missing[0].kind]
            by_rule.setdefault((kind.group, tuple(item.verb for item in missing)), []).append(kind.plural)
    if not by_rule:
        return ""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ROLE_NAME},
        "rules": [
            {"apiGroups": [group], "resources": sorted(plurals), "verbs": list(verbs)}
            for (group, verbs), plurals in sorted(by_rule.items())
        ],
    }
    return str(yaml.safe_dump(role, sort_keys=False))
