"""A finding: a check that holds of an object, with the field that proves it."""

from enum import StrEnum

import msgspec

from aksnav.model.object import Ref
from aksnav.trace.step import Evidence


class Proof(StrEnum):
    """How much the objects alone say: they prove it, they make it likely, or they hint at it."""

    PROVEN = "proven"
    LIKELY = "likely"
    HINT = "hint"


class Check(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry of the catalogue.

    Attributes:
        id: a letter and two digits, kept for good.
        title: what is wrong.
        symptom: what a client or an operator sees.
        proof: how sure the static evidence makes it.
        evidence: which fields prove it, in words.
        fix: one line.
        source: document or code that the rule comes from.
        checked: this program looks for it, in traces or in the sweep.
        unread: where it does not: what would have to be read.
    """

    id: str
    title: str
    symptom: str
    proof: Proof
    evidence: str
    fix: str
    source: str
    checked: bool = False
    unread: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A check that holds.

    Attributes:
        id: the check's id.
        subject: the object that is to be mended.
        summary: one line that names objects and numbers.
        evidence: at least one field with its value.
        related: other objects that are touched.
        confirm: a command with which a sceptic checks it.
        fix: one line.
    """

    id: str
    subject: Ref
    summary: str
    proof: Proof
    evidence: tuple[Evidence, ...]
    related: tuple[Ref, ...] = ()
    confirm: str = ""
    fix: str = ""
