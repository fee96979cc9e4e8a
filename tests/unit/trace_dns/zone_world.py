"""The healthy demo with private zones in it, made by a few words a test."""

from typing import Any

from aksnav.trace.step import Kind, Step, Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo

SUBSCRIPTION = "/subscriptions/8c1f4e02-6d3b-4a57-9f21-3be07c5d9a10"
PROD, HUB = "rg-contoso-prod", "rg-contoso-hub"
NETWORKS = {"prod": (PROD, "vnet-contoso-prod"), "hub": (HUB, "vnet-contoso-hub")}
BLOB = "files.blob.core.windows.net"
PRIVATE_BLOB = "privatelink.blob.core.windows.net"
SOURCES = {
    "internet": "internet",
    "host": "10.224.0.60",
    "hub": "10.100.1.7",
    "on premises": "192.168.7.7",
    "node": "node/aks-apps-27513406-vmss000000",
}


def network(name: str) -> str:
    """Return the id of a network of the demo."""
    group, own = NETWORKS[name]
    return f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{own}"


class ZoneWorld(ChangedDemo):
    """The demo's cluster, to which zones, links and records are added."""

    def zone(self, domain: str, *links: str, group: str = PROD, policy: str = "") -> "ZoneWorld":
        """Add a zone that is linked to networks (``prod``, ``hub``)."""
        ident = self.ident(domain, group)
        self.put(
            "privateDnsZones",
            {"id": ident, "name": domain, "properties": {"numberOfVirtualNetworkLinks": len(links)}},
        )
        for name in links:
            inner: dict[str, Any] = {"virtualNetwork": {"id": network(name)}, "registrationEnabled": False}
            if policy:
                inner["resolutionPolicy"] = policy
            self.put("privateDnsZoneLinks", {"id": f"{ident}/virtualNetworkLinks/{name}", "properties": inner})
        return self

    def record(self, domain: str, name: str, *values: str, kind: str = "A", group: str = PROD) -> "ZoneWorld":
        """Add a record set of a type."""
        by_type: dict[str, dict[str, Any]] = {
            "A": {"aRecords": [{"ipv4Address": value} for value in values]},
            "AAAA": {"aaaaRecords": [{"ipv6Address": value} for value in values]},
            "CNAME": {"cnameRecord": {"cname": "".join(values)}},
        }
        whole = domain if name == "@" else f"{name}.{domain}"
        self.put(
            "privateDnsRecordSets",
            {
                "id": f"{self.ident(domain, group)}/{kind}/{name}",
                "name": name,
                "properties": {"fqdn": f"{whole}.", "ttl": 300, **by_type.get(kind, {})},
            },
        )
        return self

    def servers(self, name: str, *addresses: str) -> "ZoneWorld":
        """Give a network DNS servers of its own."""
        self.get("virtualNetworks", NETWORKS[name][1])["properties"]["dhcpOptions"] = {"dnsServers": [*addresses]}
        return self

    def endpoint(self, fqdn: str = BLOB, address: str = "10.224.1.4", *, grouped: bool = False) -> "ZoneWorld":
        """Add a private endpoint in the nodes' network; ``grouped``: its names stand in its interface alone."""
        base = f"{SUBSCRIPTION}/resourceGroups/{PROD}/providers/Microsoft.Network"
        nic = f"{base}/networkInterfaces/pe.nic"
        configured = [] if grouped else [{"fqdn": fqdn, "ipAddresses": [address]}]
        self.put(
            "privateEndpoints",
            {
                "id": f"{base}/privateEndpoints/pe",
                "name": "pe",
                "properties": {"networkInterfaces": [{"id": nic}], "customDnsConfigs": configured},
            },
        )
        subnet = f"{network('prod')}/subnets/snet-endpoints"
        names = {"fqdns": [fqdn]}
        inner = {
            "privateIPAddress": address,
            "subnet": {"id": subnet},
            "privateLinkConnectionProperties": names,
        }
        self.put(
            "networkInterfaces",
            {"id": nic, "name": "pe.nic", "properties": {"ipConfigurations": [{"name": "c", "properties": inner}]}},
        )
        return self

    def ident(self, domain: str, group: str = PROD) -> str:
        """Return the id of a zone."""
        return f"{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.Network/privateDnsZones/{domain}"

    def asked(self, host: str, source: str = "pod") -> Trace:
        """Return the trace to a name from a place in words."""
        where = SOURCES.get(source) or next(f"pod/{key}" for key in self.objects["Pod"] if key.startswith("shop/web-"))
        return self.ask(f"https://{host}/", where)


def looked_up(found: Trace) -> Step:
    """Return the last step that looks a name up before the road has a destination."""
    return [step for step in found.steps if step.kind is Kind.DNS_RESOLVE][-1]
