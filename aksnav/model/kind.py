"""What there is to know of a kind: its struct, where its API has it, and what a user calls it."""

import msgspec

from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import AzureObject, KubernetesObject

AnyObject = KubernetesObject | AzureObject | Pod


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One kind.

    Attributes:
        name: Kubernetes kind or ARM type, as in ``Ref.kind``.
        struct: the class that its objects decode to.
        group: API group (empty for core), or the ARM provider.
        versions: API versions that this program can read, best first (Kubernetes).
        plural: resource name in the API.
        namespaced: objects live in namespaces.
        optional: not every cluster has it: it comes with a CustomResourceDefinition, or it is an Azure resource that
            stands in front of some clusters. Where nothing speaks of it, that is no gap.
        aliases: what a user may type behind a colon.
        by_name: never listed or watched; single objects are asked for by name (Secret, ConfigMap).
        manifest: ``kind`` in a manifest, where it is another word than the name (two groups may have one kind).
        elsewhere: another group and its version that serve the same objects, read where the first is not served.
    """

    name: str
    struct: type[AnyObject]
    plural: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True
    optional: bool = False
    aliases: tuple[str, ...] = ()
    by_name: bool = False
    manifest: str = ""
    elsewhere: tuple[str, str] = ("", "")

    @property
    def azure(self) -> bool:
        """Whether Azure Resource Manager serves it."""
        return self.group.startswith("Microsoft.")

    @property
    def words(self) -> frozenset[str]:
        """What a user may call it, in lower case; a plural that another kind has as well is left to the other."""
        plural = () if self.manifest else (self.plural.lower(),)
        return frozenset((self.name.lower(), *plural, *self.aliases))
