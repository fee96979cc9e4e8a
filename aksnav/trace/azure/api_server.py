"""The public address of the cluster's API server: which clients of the internet may connect to it (K01).

Source: AKS documentation, "Secure access to the API server using authorized IP address ranges" (ranges of a public
cluster; the cluster's own outbound addresses are let in by themselves).
"""

from aksnav.model.addresses import format_address, parse_address, parse_prefix
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure.commands import of_cluster
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def refused(store: Store, host: str, packet: Packet) -> Step | None:
    """Return the step of a client of the internet that the authorized ranges of an API server do not hold.

    None where nothing says so: another name, no ranges, a client without an address, or one that they hold; a range
    that is no prefix (a service tag) may hold anybody.

    Args:
        store: what is known.
        host: lower case, without a dot at its end.
        packet: its source is the client's own public address.
    """
    managed = next((item for item in store.clusters if item.fqdn.lower().rstrip(".") == host), None)
    source = packet.source
    if managed is None or source is None or not is_public(source) or _own(store, source):
        return None
    listed = managed.api_server_access_profile.get("authorizedIPRanges")
    texts = [str(item) for item in listed] if isinstance(listed, list) else []
    prefixes = [prefix for text in texts if (prefix := parse_prefix(text)) is not None]
    if not texts or len(prefixes) < len(texts) or any(source in prefix for prefix in prefixes):
        return None
    return _step(store, managed, packet, format_address(source), texts)


def _own(store: Store, source: int) -> bool:
    """Return whether an address is one of the public addresses that are known, the cluster's outbound ones included."""
    return any(parse_address(item.ip_address) == source for item in store.public_ips)


def _step(store: Store, managed: ManagedCluster, packet: Packet, source: str, texts: list[str]) -> Step:
    return Step(
        kind=Kind.FIREWALL,
        verdict=Verdict.DROP,
        summary=f"the API server of {managed.name} is open to {len(texts)} ranges, and none holds {source}",
        subject=managed.ref,
        version=managed.etag,
        packet=packet,
        cause="K01",
        evidence=(
            Evidence(".apiServerAccessProfile.authorizedIPRanges", ", ".join(texts)),
            Evidence(".fqdn", managed.fqdn),
        ),
        assumptions=stale(store.clusters),
        confirm=of_cluster(managed.arm_id, "apiServerAccessProfile.authorizedIPRanges"),
        fix=f"add {source} to the ranges: az aks update --api-server-authorized-ip-ranges",
    )
