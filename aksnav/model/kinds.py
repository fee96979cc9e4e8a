"""The closed list of kinds that aksnav knows, of either plane, and where each is found."""

from aksnav.model.azure.kinds import AZURE_KINDS
from aksnav.model.kind import AnyObject, Kind
from aksnav.model.kubernetes.kinds import KUBERNETES_KINDS

__all__ = ["AZURE_KINDS", "KINDS", "KUBERNETES_KINDS", "AnyObject", "Kind", "find_kind"]

KINDS: dict[str, Kind] = {kind.name: kind for kind in (*KUBERNETES_KINDS, *AZURE_KINDS)}


def find_kind(word: str) -> Kind | None:
    """Return the kind that a user means by its name, plural or alias, in any letter case; None if there is none."""
    lowered = word.lower()
    for kind in KINDS.values():
        if lowered in kind.words:
            return kind
    return None
