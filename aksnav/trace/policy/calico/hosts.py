"""Host endpoints: nodes' interfaces that Calico's policies may select. What they do there is not modelled, by name.

Source: Calico reference, "Host endpoint"; Calico documentation, "Policy for hosts" (applyOnForward: traffic of Pods is
subject to a host endpoint's policies where one of them asks for forwarded traffic, and else passes it).
"""

from aksnav.model.kubernetes.calico import HostEndpoint
from aksnav.store.store import Store
from aksnav.trace.memo import once
from aksnav.trace.policy.calico import selector
from aksnav.trace.policy.calico.policies import once_each
from aksnav.trace.readable import unreadable


def host_endpoint(store: Store, node: str) -> HostEndpoint | None:
    """Return a host endpoint of a node, None where it has none."""
    return _by_node(store).get(node) if node else None


def forwarding(store: Store, node: str) -> str:
    """Return which host endpoint of a node has policies for the traffic of its Pods; an empty string for none."""
    found = host_endpoint(store, node)
    if found is None:
        return ""
    asking = once(store, "forwarding", ("HostEndpoint", "GlobalNetworkPolicy"), lambda: _forwarding(store))
    return f"Calico's {found.ref} with GlobalNetworkPolicy {asking[found.id]}" if found.id in asking else ""


def unread(store: Store) -> tuple[str, ...]:
    """Return what is taken for granted of host endpoints where they cannot be listed."""
    missing = unreadable(store.host_endpoints)
    return (f"Calico has no host endpoints: {missing}",) if missing else ()


def _by_node(store: Store) -> dict[str, HostEndpoint]:
    rows = store.host_endpoints
    return once(store, "host endpoints", ("HostEndpoint",), lambda: {row.node: row for row in rows if row.node})


def _forwarding(store: Store) -> dict[str, str]:
    """Return, for each host endpoint that is selected for forwarded traffic, the policy that selects it."""
    found: dict[str, str] = {}
    for policy in once_each(store):
        if policy.namespace or not (policy.apply_on_forward or policy.pre_dnat or policy.do_not_track):
            continue
        node = selector.parse(policy.selector)
        for row in store.host_endpoints:
            # A selector that cannot be read may select it; one of namespaces or service accounts selects Pods alone.
            if isinstance(node, selector.Invalid) or (
                not policy.namespace_selector
                and not policy.service_account_selector
                and selector.evaluate(node, row.labels.get) is True
            ):
                found.setdefault(row.id, policy.id)
    return found
