"""Which kinds a cluster serves, and at which version: aggregated discovery, or the older lists where that is absent.

Source: "Discovery API" in the Kubernetes documentation (API concepts): ``/api`` and ``/apis`` answer with one
APIGroupDiscoveryList each since 1.26; a server that does not know the media type answers with the older lists.
"""

from http import HTTPStatus
from typing import TypeVar

import msgspec

from aksnav.model.kinds import KUBERNETES_KINDS, Kind
from aksnav.sources.kubernetes.errors import ApiError
from aksnav.sources.kubernetes.transport import Transport, segment

_AGGREGATED = ";as=APIGroupDiscoveryList"
ACCEPT = ",".join(
    (
        f"application/json;g=apidiscovery.k8s.io;v=v2{_AGGREGATED}",
        f"application/json;g=apidiscovery.k8s.io;v=v2beta1{_AGGREGATED}",
        "application/json",
    )
)


class Resource(msgspec.Struct, frozen=True, gc=False):
    """One kind as this cluster serves it.

    Attributes:
        kind: the kind.
        version: the API version at which it is read.
    """

    kind: Kind
    version: str

    @property
    def prefix(self) -> str:
        """Path of its group and version."""
        return f"/apis/{self.kind.group}/{self.version}" if self.kind.group else f"/api/{self.version}"

    def collection(self, namespace: str = "") -> str:
        """Return the path of the collection, in one namespace or (empty) everywhere."""
        inside = f"/namespaces/{segment(namespace)}" if namespace else ""
        return f"{self.prefix}{inside}/{self.kind.plural}"

    def item(self, namespace: str, name: str) -> str:
        """Return the path of one object."""
        return f"{self.collection(namespace)}/{segment(name)}"


class _Served(msgspec.Struct, gc=False):
    resource: str = ""


class _Version(msgspec.Struct, gc=False):
    version: str
    resources: list[_Served] = []


class _Name(msgspec.Struct, frozen=True, gc=False):
    name: str = ""


class _Group(msgspec.Struct, gc=False):
    metadata: _Name = _Name()
    versions: list[_Version] = []


class _OldVersion(msgspec.Struct, rename="camel", gc=False):
    group_version: str
    version: str


class _OldGroup(msgspec.Struct, gc=False):
    name: str
    versions: list[_OldVersion] = []


class _Answer(msgspec.Struct, gc=False):
    """What ``/api`` or ``/apis`` answers with, of either sort."""

    kind: str = ""
    items: list[_Group] = []
    groups: list[_OldGroup] = []
    versions: list[str] = []


class _Resources(msgspec.Struct, gc=False):
    resources: list[_Name] = []


class _ServerVersion(msgspec.Struct, rename="camel", gc=False):
    git_version: str = ""


T = TypeVar("T")
_ANSWER = msgspec.json.Decoder(_Answer)
_RESOURCES = msgspec.json.Decoder(_Resources)
_SERVER_VERSION = msgspec.json.Decoder(_ServerVersion)


def discover(transport: Transport) -> tuple[Resource, ...]:
    """Return the known kinds that the cluster serves, each at the best version that this program can read.

    Raises:
        ApiError: discovery was refused or failed, or its answer cannot be read.
        LinkError: the server could not be reached.
    """
    served: set[tuple[str, str, str]] = set()
    for root in ("/api", "/apis"):
        answer = _decode(_ANSWER, transport.get(root, accept=ACCEPT), root)
        if answer.kind == "APIGroupDiscoveryList":
            served.update(
                (group.metadata.name, version.version, resource.resource)
                for group in answer.items
                for version in group.versions
                for resource in version.resources
            )
        else:
            served.update(_older(transport, answer))
    return tuple(found for kind in KUBERNETES_KINDS if (found := _offered(kind, served)) is not None)


def _offered(kind: Kind, served: set[tuple[str, str, str]]) -> Resource | None:
    """Return a kind at the first group and version that is served: one of them, so that no object is read twice."""
    for version in kind.versions:
        if (kind.group, version, kind.plural) in served:
            return Resource(kind, version)
    group, version = kind.elsewhere
    if group and (group, version, kind.plural) in served:
        return Resource(msgspec.structs.replace(kind, group=group, versions=(version,)), version)
    return None


def server_version(transport: Transport) -> str:
    """Return the server's version (``v1.34.2``), empty where it does not say.

    Raises:
        ApiError, LinkError: it was refused, or the server could not be reached.
    """
    return _decode(_SERVER_VERSION, transport.get("/version"), "/version").git_version


def _older(transport: Transport, answer: _Answer) -> set[tuple[str, str, str]]:
    """Ask each group and version that has a known kind for its resources."""
    wanted = {(kind.group, version) for kind in KUBERNETES_KINDS for version in kind.versions}
    wanted |= {kind.elsewhere for kind in KUBERNETES_KINDS if kind.elsewhere[0]}
    offered = {("", version): f"/api/{version}" for version in answer.versions}
    for group in answer.groups:
        offered |= {(group.name, item.version): f"/apis/{item.group_version}" for item in group.versions}
    served = set()
    for (group_name, version), path in offered.items():
        if (group_name, version) not in wanted:
            continue
        try:
            listed = _decode(_RESOURCES, transport.get(path), path)
        except ApiError as error:
            if error.code == HTTPStatus.NOT_FOUND:
                continue  # the group went away between the two questions
            raise
        served |= {(group_name, version, resource.name) for resource in listed.resources}
    return served


def _decode(decoder: "msgspec.json.Decoder[T]", body: bytes, path: str) -> T:
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise ApiError(HTTPStatus.OK, f"{path} is not the answer of an API server") from error
