"""From an ARM resource, nested or flattened, to the flat form that its struct has.

ARM puts most fields under ``properties``, at every level; ``az … -o json`` prints them flattened, and spells some
of them as its Python attributes are camel-cased (``dnsServiceIp`` for ``dnsServiceIP``). Both give the same here.
What a file leaves out is not what Azure leaves out: parts without their id get the one that they have in ARM, and
lists that ARM always sends are named where they are missing (``untold``).
"""

import re
from collections.abc import Callable
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


# Lists that ARM sends whether they hold anything or not (azure-rest-api-specs, examples of Microsoft.Network): where
# one is missing, the object was cut, and that nothing is in it is no fact.
_ALWAYS_SENT = {
    "loadBalancers": ("frontendIPConfigurations", "loadBalancingRules", "probes", "backendAddressPools"),
    "routeTables": ("routes",),
    "virtualNetworks": ("addressSpace", "virtualNetworkPeerings"),
}
# A pool without members has neither of these, or an empty one.
_MEMBERS = ("backendIPConfigurations", "loadBalancerBackendAddresses")
# Nor has a NAT gateway without addresses.
_ADDRESSES = ("publicIpAddresses", "publicIpPrefixes")
_ARM = "/subscriptions/"


def _lacking(*names: str) -> Callable[[dict[str, Any]], list[str]]:
    """Return what tells which of these fields a part does not have."""
    return lambda part: [name for name in names if name not in part]


def _without_all(*names: str) -> Callable[[dict[str, Any]], list[str]]:
    """Return what tells these fields of a part that has none of them: ARM sends one or the other."""
    return lambda part: [] if any(name in part for name in names) else list(names)


def _frontend(part: dict[str, Any]) -> list[str]:
    """Return the address that a frontend does not tell: ARM sends a public one, or a private one beside the subnet."""
    if any(name in part for name in ("publicIPAddress", "publicIPPrefix", "privateIPAddress")):
        return []
    return ["privateIPAddress" if "subnet" in part else "publicIPAddress"]


# What the parts of a resource do not tell. A rule without a probe has none, or it was cut: ARM leaves the field out.
_PARTS: dict[str, dict[str, Callable[[dict[str, Any]], list[str]]]] = {
    "loadBalancers": {
        "backendAddressPools": _without_all(*_MEMBERS),
        "frontendIPConfigurations": _frontend,
        "loadBalancingRules": _lacking("protocol", "frontendPort", "probe"),
        "probes": _lacking("port"),
    },
    "managedClusters": {"agentPoolProfiles": _lacking("count")},
    "virtualNetworks": {
        "subnets": _lacking("delegations"),
        "virtualNetworkPeerings": _without_all("remoteVirtualNetworkAddressSpace", "remoteAddressSpace"),
    },
}


def shaped(kind: str, wire: Any) -> Any:
    """Return a resource in the flat form of its struct, with the ids of its parts and the lists that it does not tell.

    Args:
        kind: ARM type in Azure's short form.
        wire: the resource as ARM or az prints it.
    """
    made = hoist(wire)
    if not isinstance(made, dict):
        return made
    _name_parts(made)
    for collection, lacks in _PARTS.get(kind, {}).items():
        listed = made.get(collection)
        for part in listed if isinstance(listed, list) else ():
            if isinstance(part, dict) and "untold" not in part and (names := lacks(part)):
                part["untold"] = names
    missing = [name for name in _ALWAYS_SENT.get(kind, ()) if name not in made]
    if kind == "natGateways" and not any(name in made for name in _ADDRESSES):
        missing = list(_ADDRESSES)
    # A capture of ours says itself what was missing when it was made.
    return {**made, "untold": missing} if missing and "untold" not in made else made


def _name_parts(owner: dict[str, Any]) -> None:
    """Give the parts of a resource that have a name and no id the id that ARM gives them: OWNER/COLLECTION/NAME."""
    for key, value in owner.items():
        for part in value if isinstance(value, list) else ():
            if not isinstance(part, dict):
                continue
            name, ident = part.get("name"), owner.get("id")
            if not part.get("id") and name and isinstance(name, str) and isinstance(ident, str) and ident:
                part["id"] = f"{ident}/{key}/{name}"
            _name_parts(part)


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
    if isinstance(value, str) and value.endswith("/") and value[: len(_ARM)].lower() == _ARM:
        return value.rstrip("/")  # an id with a slash too many names the same resource
    return value
