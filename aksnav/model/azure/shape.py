"""From an ARM resource, nested or flattened, to the flat form that its struct has.

ARM puts most fields under ``properties``, at every level; ``az … -o json`` prints them flattened, and spells some
of them as its Python attributes are camel-cased (``dnsServiceIp`` for ``dnsServiceIP``). Both give the same here.
"""

import re
from typing import Any

# Free-form objects: their keys are user's words or are read as they came.
_AS_IT_CAME = frozenset({"tags", "addonProfiles"})

# Names that ARM spells with a run of capitals, by az's spelling of them.
_ARM_SPELLING = {
    re.sub("API|FQDN|ID|IP|SKU", lambda word: word[0].capitalize(), arm): arm
    for arm in (
        "azurePortalFQDN",
        "backendIPConfigurations",
        "destinationIPAddress",
        "dnsServiceIP",
        "effectiveOutboundIPs",
        "enableFloatingIP",
        "enableIPForwarding",
        "enableNodePublicIP",
        "frontendIPConfiguration",
        "frontendIPConfigurations",
        "gatewayAPI",
        "gatewayAPIImplementations",
        "gatewayIPConfigurations",
        "managedOutboundIPs",
        "networkInterfaceIPConfiguration",
        "osSKU",
        "outboundIPs",
        "podIPAllocationMode",
        "podSubnetID",
        "privateFQDN",
        "privateIPAddress",
        "privateIPAddressVersion",
        "privateIPAllocationMethod",
        "publicIPAddress",
        "publicIPAddressVersion",
        "publicIPAllocationMethod",
        "publicIPPrefix",
        "vnetSubnetID",
    )
}


def hoist(value: Any) -> Any:
    """Return the JSON value in ARM's spelling, with ``properties`` lifted into their owners and without nulls.

    A field that stands both in the resource and in its ``properties`` is the resource's own, unless it is null there.
    """
    if isinstance(value, dict):
        inner = value.get("properties")
        merged = (
            {**inner, **{key: item for key, item in value.items() if key != "properties" and item is not None}}
            if isinstance(inner, dict)
            else value
        )
        return {
            _ARM_SPELLING.get(key, key): (
                {k: v for k, v in item.items() if v is not None}
                if key in _AS_IT_CAME and isinstance(item, dict)
                else hoist(item)
            )
            for key, item in merged.items()
            if item is not None
        }
    if isinstance(value, list):
        return [hoist(item) for item in value]
    return value
