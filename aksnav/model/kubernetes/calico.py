"""Calico's own kinds: crd.projectcalico.org/v1, as stored, and projectcalico.org/v3, as its API server has them.

Source: Calico reference, "Resource definitions". Staged policies (StagedNetworkPolicy, StagedGlobalNetworkPolicy,
StagedKubernetesNetworkPolicy) enforce nothing and are not read; nor are Profiles: a Pod's own ones are made of its
namespace and service account, and the namespace's allows everything (Calico reference, "Profile").
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from aksnav.model.object import KubernetesObject

STORED = "crd.projectcalico.org"
SERVED = "projectcalico.org"
DEFAULT_TIER = "default"


class ServiceMatch(msgspec.Struct, frozen=True, gc=False):
    """A Service whose endpoints a rule names; without a namespace it is the policy's own."""

    name: str = ""
    namespace: str = ""


class ServiceAccountMatch(msgspec.Struct, frozen=True, gc=False):
    """Service accounts by name and by label; both given, both must hold."""

    names: tuple[str, ...] = ()
    selector: str = ""


class EntityRule(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One side of a rule; every criterion that is given must hold.

    Attributes:
        unmodelled: names of further criteria that stand there.
    """

    nets: tuple[str, ...] = ()
    not_nets: tuple[str, ...] = ()
    selector: str = ""
    not_selector: str = ""
    namespace_selector: str = ""
    ports: tuple[int | str, ...] = ()
    not_ports: tuple[int | str, ...] = ()
    service_accounts: ServiceAccountMatch | None = None
    services: ServiceMatch | None = None
    unmodelled: tuple[str, ...] = ()


class ICMPFields(msgspec.Struct, frozen=True, gc=False):
    """An ICMP message by type and code; None is any."""

    type: int | None = None
    code: int | None = None


class CalicoRule(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One rule: what it matches, and what it does (Allow, Deny, Pass, Log)."""

    action: str = ""
    protocol: int | str | None = None
    not_protocol: int | str | None = None
    icmp: ICMPFields | None = None
    not_icmp: ICMPFields | None = msgspec.field(name="notICMP", default=None)
    ip_version: int | None = None
    source: EntityRule = EntityRule()
    destination: EntityRule = EntityRule()
    http: dict[str, Any] | None = None
    unmodelled: tuple[str, ...] = ()


class CalicoNetworkPolicy(KubernetesObject, kw_only=True, gc=False):
    """A NetworkPolicy of Calico's.

    Attributes:
        group: API group that it was read from.
        order: lower goes first; None is last.
        written_types: ``types`` as written, None where absent.
        unmodelled: names of fields of its spec that are not known here.
    """

    KIND: ClassVar[str] = "CalicoNetworkPolicy"

    group: str = ""
    tier: str = DEFAULT_TIER
    order: float | None = None
    selector: str = ""
    namespace_selector: str = ""
    service_account_selector: str = ""
    written_types: tuple[str, ...] | None = msgspec.field(name="types", default=None)
    ingress: tuple[CalicoRule, ...] = ()
    egress: tuple[CalicoRule, ...] = ()
    do_not_track: bool = False
    pre_dnat: bool = msgspec.field(name="preDNAT", default=False)
    apply_on_forward: bool = False
    unmodelled: tuple[str, ...] = ()

    @property
    def types(self) -> tuple[str, ...]:
        """Directions that it speaks of; absent, they follow from its rules (Calico reference, "Network policy")."""
        if self.written_types:
            return self.written_types
        if self.egress:
            return ("Ingress", "Egress") if self.ingress else ("Egress",)
        return ("Ingress",)

    @property
    def full_name(self) -> str:
        """The name with its tier before it, as it is stored; Calico's API server leaves ``default.`` out."""
        prefix = f"{self.tier}."
        return self.name if self.name.startswith(prefix) else f"{prefix}{self.name}"

    @property
    def entities(self) -> Iterator[EntityRule]:
        """Both sides of every rule."""
        for rule in (*self.ingress, *self.egress):
            yield rule.source
            yield rule.destination

    @property
    def nets(self) -> Iterator[str]:
        """Every address and CIDR that its rules name."""
        for side in self.entities:
            yield from side.nets
            yield from side.not_nets

    @property
    def services(self) -> Iterator[str]:
        """The id of every Service that its rules name."""
        for side in self.entities:
            if side.services is not None:
                yield f"{side.services.namespace or self.namespace}/{side.services.name}"


class GlobalNetworkPolicy(CalicoNetworkPolicy, kw_only=True, gc=False):
    """The same for the whole cluster, and for host endpoints."""

    KIND: ClassVar[str] = "GlobalNetworkPolicy"


class NetworkSet(KubernetesObject, kw_only=True, gc=False):
    """Addresses with labels, which selectors of its namespace's policies match."""

    KIND: ClassVar[str] = "NetworkSet"

    nets: tuple[str, ...] = ()


class GlobalNetworkSet(NetworkSet, kw_only=True, gc=False):
    """The same for the whole cluster."""

    KIND: ClassVar[str] = "GlobalNetworkSet"


class Tier(KubernetesObject, kw_only=True, gc=False):
    """A group of policies that is asked before or after others; ``default_action`` is Deny where it is empty."""

    KIND: ClassVar[str] = "Tier"

    order: float | None = None
    default_action: str = ""


class HostEndpoint(KubernetesObject, kw_only=True, gc=False):
    """A node's interface that policies may select.

    Attributes:
        expected_ips: the addresses that selectors of rules stand for when they match it.
    """

    KIND: ClassVar[str] = "HostEndpoint"

    node: str = ""
    interface_name: str = ""
    expected_ips: tuple[str, ...] = msgspec.field(name="expectedIPs", default=())
