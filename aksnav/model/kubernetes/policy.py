"""NetworkPolicy (networking.k8s.io/v1), and Cilium's policies, which are kept as they came, with their CIDR groups."""

from typing import Any, ClassVar

import msgspec

from aksnav.model.labels import LabelSelector
from aksnav.model.object import KubernetesObject


class IPBlock(msgspec.Struct, frozen=True, gc=False):
    """A CIDR with exceptions."""

    cidr: str = ""
    exceptions: tuple[str, ...] = msgspec.field(name="except", default=())


class PolicyPeer(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One element of from or to; selectors that are None are absent, an empty selector selects everything."""

    pod_selector: LabelSelector | None = None
    namespace_selector: LabelSelector | None = None
    ip_block: IPBlock | None = None


class PolicyPort(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """One element of ports: a number or a container port's name, None for every port; end_port makes it a range."""

    protocol: str = "TCP"
    port: int | str | None = None
    end_port: int | None = None


class IngressRule(msgspec.Struct, frozen=True, gc=False):
    """A rule for incoming traffic: an empty or absent list of peers or ports is every peer or port."""

    peers: tuple[PolicyPeer, ...] = msgspec.field(name="from", default=())
    ports: tuple[PolicyPort, ...] = ()


class EgressRule(msgspec.Struct, frozen=True, gc=False):
    """A rule for outgoing traffic: an empty or absent list of peers or ports is every peer or port."""

    peers: tuple[PolicyPeer, ...] = msgspec.field(name="to", default=())
    ports: tuple[PolicyPort, ...] = ()


PolicyRule = IngressRule | EgressRule


class NetworkPolicy(KubernetesObject, kw_only=True, gc=False):
    """A NetworkPolicy; ``policy_types`` is as written (None where absent: then ``types`` applies the default).

    ``unknown`` is the path of the first field in it that nobody here knows, empty where there is none.
    """

    KIND: ClassVar[str] = "NetworkPolicy"

    pod_selector: LabelSelector = LabelSelector()
    policy_types: tuple[str, ...] | None = None
    ingress: tuple[IngressRule, ...] = ()
    egress: tuple[EgressRule, ...] = ()
    unknown: str = ""

    @property
    def types(self) -> tuple[str, ...]:
        """Directions that it isolates.

        networking/v1 policyTypes, absent or empty: Ingress always, and Egress if there is an egress rule.
        """
        if self.policy_types:
            return self.policy_types
        return ("Ingress", "Egress") if self.egress else ("Ingress",)


class CiliumNetworkPolicy(KubernetesObject, kw_only=True, gc=False):
    """A CiliumNetworkPolicy; its rules are kept as they came, to be judged by ``trace.policy``.

    Attributes:
        rules: spec, where ``has_spec`` says that there is one, and then every element of specs.
    """

    KIND: ClassVar[str] = "CiliumNetworkPolicy"

    rules: tuple[dict[str, Any], ...] = ()
    has_spec: bool = False
    conditions: tuple[dict[str, Any], ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of each element of ``rules``."""
        lead = (".spec",) if self.has_spec else ()
        return (*lead, *(f".specs[{number}]" for number in range(len(self.rules) - len(lead))))


class CiliumClusterwideNetworkPolicy(CiliumNetworkPolicy, kw_only=True, gc=False):
    """The same for the whole cluster."""

    KIND: ClassVar[str] = "CiliumClusterwideNetworkPolicy"


class CiliumCIDRGroup(KubernetesObject, kw_only=True, gc=False):
    """CIDRs outside of the cluster under a name and labels, to which policies refer (cilium.io/v2, before v2alpha1)."""

    KIND: ClassVar[str] = "CiliumCIDRGroup"

    external_cidrs: tuple[str, ...] = msgspec.field(name="externalCIDRs", default=())
