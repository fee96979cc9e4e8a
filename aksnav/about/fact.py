"""One fact about the cluster, with its proof."""

import msgspec

from aksnav.trace.step import Evidence


class Fact(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One fact about the cluster.

    Attributes:
        name: what it is about, in AKS's word.
        value: what is so; empty where nobody says (foreign text may be in it).
        evidence: the fields that say so.
        missing: what would have to be readable where the value is empty.
        note: what follows from it, in our own words.
    """

    name: str
    value: str = ""
    evidence: tuple[Evidence, ...] = ()
    missing: str = ""
    note: str = ""

    @property
    def known(self) -> bool:
        """Whether anybody said it."""
        return bool(self.value)


def counted(count: int, what: str) -> str:
    """Return a number with its noun: ``1 rule``, ``2 rules``, ``2 addresses``."""
    plural = f"{what}es" if what.endswith("s") else f"{what}s"
    return f"{count} {what if count == 1 else plural}"
