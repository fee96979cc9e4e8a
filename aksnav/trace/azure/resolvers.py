"""DNS servers that anybody on the internet can ask: none of them sees a private zone.

Sources: the operators' own pages (Google Public DNS, Cloudflare 1.1.1.1, Quad9, Cisco OpenDNS); Azure documentation,
dns/private-dns-overview.md (private zones answer at 168.63.129.16, which is reached from virtual networks alone).
"""

from collections.abc import Sequence

from aksnav.model.addresses import parse_address

_KNOWN = frozenset(
    map(
        parse_address,
        (
            *("8.8.8.8", "8.8.4.4", "2001:4860:4860::8888", "2001:4860:4860::8844"),
            *("1.1.1.1", "1.0.0.1", "2606:4700:4700::1111", "2606:4700:4700::1001"),
            *("9.9.9.9", "149.112.112.112", "2620:fe::fe", "2620:fe::9"),
            *("208.67.222.222", "208.67.220.220", "2620:119:35::35", "2620:119:53::53"),
        ),
    )
)


def of_the_internet(servers: Sequence[str]) -> bool:
    """Return whether a network asks servers of its own, and every one of them is a resolver of the internet."""
    return bool(servers) and all(parse_address(server) in _KNOWN for server in servers)
