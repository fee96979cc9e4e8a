"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, read the way Cilium's agents read them."""

from aksnav.trace.policy.cilium.facts import Facts, facts
from aksnav.trace.policy.cilium.policies import CiliumPolicies

__all__ = ["CiliumPolicies", "Facts", "facts"]
