"""A connection, as Cilium's policies are asked about it."""

from typing import Any

import msgspec

from aksnav.model.labels import Labels
from aksnav.model.object import Ref
from aksnav.trace.packet import Packet
from aksnav.trace.policy.cilium.facts import Facts
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.rules import Scene, Target
from aksnav.trace.policy.who import Who
from aksnav.trace.ternary import Answer

Json = dict[str, Any]


class Teaching(msgspec.Struct, frozen=True, gc=False):
    """A DNS rule, through which Cilium's proxy learns addresses from the answers to a Pod's questions.

    Attributes:
        ref, field: where it stands.
        patterns: the names that it lets be asked for.
        own: whether it is for the judged Pod.
    """

    ref: Ref
    field: str
    patterns: tuple[Json, ...]
    own: Answer


class Question(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A connection, as Cilium's policies are asked about it.

    Attributes:
        direction: as seen from the judged Pod.
        subject: the judged Pod.
        who: the other end.
        target: the port at the destination.
        packet: the request in it.
        scene: namespaces.
        facts: what policies refer to besides Pods.
        required: whether the other end has every label that fromRequires and toRequires of allow rules ask for;
            ``required_deny`` the same of deny rules.
        teaching: the DNS rules of all policies.
    """

    direction: Direction
    subject: Who
    who: Who
    target: Target
    packet: Packet
    scene: Scene
    facts: Facts = Facts()
    required: Answer = True
    required_deny: Answer = True
    teaching: tuple[Teaching, ...] = ()

    def identity(self, who: Who) -> Labels:
        """Return the labels of a Pod's identity."""
        return self.scene.namespaces.identity(who.namespace, who.labels, who.service_account)
