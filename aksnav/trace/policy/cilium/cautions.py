"""What the deciding rule of a Cilium policy takes for granted of the Cilium that runs here."""

import re
from collections.abc import Iterator

from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.policy.cilium.question import Json

_FIELD = re.compile(r"^(\.spec|\.specs\[\d+\])\.(ingress|egress|ingressDeny|egressDeny)\[(\d+)\]$")
# Levels of networkProfile.advancedNetworking.security.advancedNetworkPolicies: L7 includes FQDN, which is the default.
_LEVELS = {"fqdn": frozenset({"FQDN"}), "l7": frozenset({"FQDN", "L7"})}


def rule_at(store: Store, ref: Ref, field: str) -> Json:
    """Return a rule of a Cilium policy as the policy has it, an empty object where there is none."""
    table = store.tables.get(ref.kind) if ref.kind.startswith("Cilium") else None
    policy = table.get(ref.id) if table is not None else None
    found = _FIELD.match(field)
    if policy is None or found is None:
        return {}
    rule: Json = policy.rules[policy.paths.index(found[1])][found[2]][int(found[3])]
    return rule


def advanced(store: Store, rule: Json) -> Iterator[str]:
    """Yield what a rule of names or of layer 7 takes for granted.

    AKS lets Cilium judge names and requests with Advanced Container Networking Services alone: where their security
    features are off, such policies are blocked (AKS documentation, "Set up FQDN filtering feature for Container Network
    Security in Advanced Container Networking Services", limitations).
    """
    managed = cluster(store)
    profile = managed.network_profile if managed is not None else None
    given = (profile.advanced_networking if profile is not None else {}) or {}
    security = given.get("security") or {}
    enabled = bool(given.get("enabled")) and bool(security.get("enabled"))
    level = str(security.get("advancedNetworkPolicies") or "FQDN").lower()
    known = _LEVELS.get(level, frozenset()) if enabled else frozenset()
    for what in _needed(rule):
        if what not in known:
            yield (
                f"Advanced Container Networking Services let Cilium judge {what} rules here "
                "(.networkProfile.advancedNetworking.security.advancedNetworkPolicies does not say so)"
            )


def _needed(rule: Json) -> set[str]:
    found = {"FQDN"} if rule.get("toFQDNs") else set()
    for element in rule.get("toPorts") or ():
        rules = element.get("rules") or {}
        if rules.get("dns") is not None:
            found.add("FQDN")
        if element.get("serverNames") or any(rules.get(name) is not None for name in ("http", "kafka", "l7")):
            found.add("L7")
    return found
