"""May this user read what is wanted? SelfSubjectAccessReview for each kind, for ``aksnav doctor``."""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.configmap import NAMESPACE, ConfigMap
from aksnav.model.text import plain
from aksnav.sources.kubernetes.discovery import Resource
from aksnav.sources.kubernetes.transport import Transport

VERBS = ("list", "watch")


class Permission(msgspec.Struct, frozen=True, gc=False):
    """The answer for one verb on one kind.

    Attributes:
        kind: name of the kind.
        verb: list, watch or get.
        namespace: where, empty for everywhere.
        allowed: the authorizer says yes.
        reason: what the authorizer gives as its reason, often nothing.
    """

    kind: str
    verb: str
    namespace: str
    allowed: bool
    reason: str = ""


class _Status(msgspec.Struct, gc=False):
    allowed: bool = False
    reason: str = ""


class _Review(msgspec.Struct, gc=False):
    status: _Status


_REVIEW = msgspec.json.Decoder(_Review)


def permissions(transport: Transport, served: tuple[Resource, ...], namespace: str = "") -> Iterator[Permission]:
    """Yield, for every kind that is served, whether its verbs are allowed in a namespace (empty: everywhere).

    Secrets and ConfigMaps are asked about with ``get``, which is all that is done with them.

    Raises:
        ApiError: the review itself was refused, or its answer cannot be read.
        LinkError: the server could not be reached.
    """
    for resource in served:
        kind = resource.kind
        scope = namespace if kind.namespaced else ""
        if kind.name == ConfigMap.KIND:
            scope = NAMESPACE  # none is read anywhere else
        for verb in ("get",) if kind.by_name else VERBS:
            attributes = {"verb": verb, "group": kind.group, "resource": kind.plural, "namespace": scope}
            body = {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
            status = _REVIEW.decode(transport.review_access(msgspec.json.encode(body))).status
            yield Permission(kind.name, verb, scope, status.allowed, plain(status.reason))
