"""What ``az network application-gateway show-backend-health`` prints: it belongs to the gateway that its ids name."""

from typing import Any

import msgspec

from aksnav.model.azure.edge import ApplicationGateway, PoolHealth
from aksnav.model.azure.shape import hoist


def is_backend_health(document: dict[str, Any]) -> bool:
    """Return whether a document is such an answer: it has pools that refer to pools, and no id of its own."""
    pools = document.get("backendAddressPools")
    return (
        "id" not in document
        and isinstance(pools, list)
        and bool(pools)
        and all(isinstance(pool, dict) and "backendAddressPool" in pool for pool in pools)
    )


def give(gateways: dict[str, Any], document: dict[str, Any]) -> bool:
    """Give an Application Gateway the health of its servers; return whether one could be told.

    Args:
        gateways: those of the capture by id.
        document: the answer.

    Raises:
        msgspec.ValidationError: a pool is not one.
    """
    pools = msgspec.convert(hoist(document["backendAddressPools"]), tuple[PoolHealth, ...])
    owner = gateways.get(pools[0].backend_address_pool.id.partition("/backendaddresspools/")[0])
    if not isinstance(owner, ApplicationGateway):
        return False
    owner.backend_health = pools
    return True
