"""What ``aksnav doctor`` finds of a source: what can be read, what is missing, and the role to ask for."""

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Whether one thing can be read.

    Attributes:
        what: the thing, for people.
        ok: it can be read, or it is not installed and cannot be missed.
        optional: little depends on it: it does not count as missing, and no role asks for it.
        missing: the permission that is missing (an ARM action, or verbs on a resource); empty where it is not that.
        scope: where it is missing: an ARM scope, a namespace; empty for everywhere.
        reason: one line on why not, or a remark.
    """

    what: str
    ok: bool
    optional: bool = False
    missing: str = ""
    scope: str = ""
    reason: str = ""


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What was found of one source.

    Attributes:
        source: kubernetes or azure.
        facts: what the source knows of itself.
        checks: in the order in which they were made.
        role: the smallest role that gives what is missing, as YAML (Kubernetes) or JSON (Azure); empty if nothing is.
        error: why nothing could be read at all, one line; empty where something could.
        unreachable: the error is one of the connection, which no role mends.
    """

    source: str
    facts: dict[str, str] = {}
    checks: tuple[Check, ...] = ()
    role: str = ""
    error: str = ""
    unreachable: bool = False

    @property
    def ok(self) -> bool:
        """Whether everything can be read that is not optional."""
        return not self.error and all(check.ok or check.optional for check in self.checks)
