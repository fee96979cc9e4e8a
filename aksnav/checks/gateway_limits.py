"""Application Gateways that cannot be changed: full of parts (A10), or AGIC's last writing was refused (A03).

Sources: Azure documentation, includes/application-gateway-limits.md; AGIC, pkg/events (FailedApplyingAppGwConfig is an
event of its own Pod: one configuration for every Ingress, so one that Azure refuses keeps all of them).
"""

from collections.abc import Iterator
from shlex import quote

from aksnav.checks.finding import Finding, Proof
from aksnav.model.azure.edge import ApplicationGateway
from aksnav.model.kubernetes.workload import Event
from aksnav.store import Store
from aksnav.trace.azure.appgw_backend import stale_pools
from aksnav.trace.step import Evidence

_REFUSED = "FailedApplyingAppGwConfig"
_SHOWN = 400
_PATH_RULES = 100
_LIMITS: tuple[tuple[str, str, int], ...] = (
    ("http_listeners", "httpListeners", 200),
    ("backend_address_pools", "backendAddressPools", 100),
    ("backend_http_settings_collection", "backendHttpSettingsCollection", 100),
    ("request_routing_rules", "requestRoutingRules", 400),
    ("frontend_ports", "frontendPorts", 100),
    ("redirect_configurations", "redirectConfigurations", 100),
)


def gateway_limit_findings(store: Store) -> Iterator[Finding]:
    """Yield A10 and A03."""
    refused = max((event for event in store.events if event.reason == _REFUSED), key=_seen, default=None)
    for gateway in sorted(store.application_gateways, key=lambda row: row.id):
        yield from _full(gateway)
        if refused is not None:
            yield from _refused(store, gateway, refused)


def _seen(event: Event) -> str:
    return event.last_seen


def _full(gateway: ApplicationGateway) -> Iterator[Finding]:
    """Yield A10: a part of which there are as many as there may be."""
    counts = [(field, len(getattr(gateway, name)), most) for name, field, most in _LIMITS]
    counts += [
        (f"urlPathMaps[?name=='{item.name}'].pathRules", len(item.path_rules), _PATH_RULES)
        for item in gateway.url_path_maps
    ]
    full = [(field, count, most) for field, count, most in counts if count >= most]
    if not full:
        return
    field, count, most = full[0]
    yield Finding(
        id="A10",
        subject=gateway.ref,
        summary=f"Application Gateway {gateway.name} has {count} {field} of {most}: no change that adds one is taken",
        proof=Proof.PROVEN,
        evidence=tuple(Evidence(f".{name}", f"{have} of {limit}", gateway.ref) for name, have, limit in full),
        confirm=f"az network application-gateway show --ids {quote(gateway.arm_id)} --query 'length({field})'",
        fix="split the Ingresses over several gateways",
    )


def _refused(store: Store, gateway: ApplicationGateway, event: Event) -> Iterator[Finding]:
    """Yield A03: AGIC could not write, and the gateway is still not what the endpoints are."""
    stale = stale_pools(store, gateway)
    if not stale:
        return
    yield Finding(
        id="A03",
        subject=gateway.ref,
        summary=f"{gateway.name} refused what AGIC writes: {len(stale)} pools are not what their Services have",
        proof=Proof.LIKELY,
        evidence=(Evidence(".message", event.message[:_SHOWN], event.ref), *stale[0].evidence),
        confirm=f"kubectl -n {quote(event.about_namespace)} describe pod {quote(event.about_name)}",
        fix="mend the Ingress that the message names: nothing is written before",
    )
