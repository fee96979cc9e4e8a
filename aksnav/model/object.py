"""What every object has, of either plane, and how an object is named."""

from typing import ClassVar

import msgspec

from aksnav.model.labels import EMPTY, Labels


class Ref(msgspec.Struct, frozen=True, order=True, gc=False):
    """The name of an object: its kind and its id within the kind.

    Attributes:
        kind: a Kubernetes kind (``Service``) or an ARM type in Azure's own short form (``loadBalancers``).
        id: ``namespace/name``, ``name`` for a cluster-scoped object, or an ARM id in lower case.
    """

    kind: str
    id: str

    @property
    def namespace(self) -> str:
        """Namespace of a namespaced Kubernetes object, else an empty string."""
        return "" if self.id.startswith("/") else self.id.rpartition("/")[0]

    @property
    def name(self) -> str:
        """Last segment of the id."""
        return self.id.rpartition("/")[2]

    def __str__(self) -> str:
        return f"{self.kind} {self.name if self.id.startswith('/') else self.id}"


class KubernetesObject(msgspec.Struct, kw_only=True, rename="camel", gc=False, array_like=False):
    """The fields of metadata that this program uses, flattened beside the spec.

    Attributes:
        created: creation time, RFC 3339 text as the API server sends it (sorts as text).
        deleting: deletionTimestamp is set.
    """

    KIND: ClassVar[str]

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    created: str = ""
    deleting: bool = False
    labels: Labels = EMPTY
    annotations: dict[str, str] = {}

    @property
    def id(self) -> str:
        """``namespace/name``, or ``name`` for a cluster-scoped object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def ref(self) -> Ref:
        """The object's name with its kind."""
        return Ref(self.KIND, self.id)


class AzureObject(msgspec.Struct, kw_only=True, rename="camel", gc=False):
    """What every ARM resource has; ``properties`` is lifted into the resource itself.

    Attributes:
        arm_id: the resource id as Azure wrote it (its letter case differs from call to call).
        untold: lists that ARM always sends and that this object, from a file, does not have: nothing is known of them.
    """

    KIND: ClassVar[str]

    arm_id: str = msgspec.field(name="id")
    name: str = ""
    location: str = ""
    etag: str = ""
    tags: dict[str, str] = {}
    provisioning_state: str = ""
    untold: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The resource id in lower case: ARM ids are compared without regard to case."""
        return self.arm_id.lower()

    @property
    def ref(self) -> Ref:
        """The object's name with its kind."""
        return Ref(self.KIND, self.id)


Object = KubernetesObject | AzureObject


class Undecodable(Exception):  # noqa: N818 - the noun is what it is in the field: an object that cannot be decoded
    """One object that cannot be decoded; the rest of its list is not touched by it.

    Attributes:
        kind: the kind that was asked for.
        id: the object's id as far as it could be read, else an empty string.
        reason: what was wrong, with the field's path.
    """

    def __init__(self, kind: str, ident: str, reason: str) -> None:
        super().__init__(f"{kind} {ident or '(unnamed)'}: {reason}")
        self.kind = kind
        self.id = ident
        self.reason = reason
