"""Whether a Secret exists: asked by name, read as metadata only; its data never enters this program."""

from typing import ClassVar

from aksnav.model.object import KubernetesObject


class Secret(KubernetesObject, kw_only=True, gc=False):
    """The answer to "does this Secret exist".

    Attributes:
        exists: the API server knows it; False after a 404.
        type: ``kubernetes.io/tls`` and the like where the source could tell without reading data, else an empty string.
        keys: names of the data keys where the source could tell without reading data, else None.
    """

    KIND: ClassVar[str] = "Secret"

    exists: bool = True
    type: str = ""
    keys: tuple[str, ...] | None = None
