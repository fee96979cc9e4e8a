"""Host names as Istio reads them: short names, wildcards, the namespace before a server's host.

Sources: istio/istio pkg/config/host (names.go, Intersection), pkg/config/model (ResolveShortnameToFQDN); Istio
reference, "Gateway" (Server.hosts) and "Virtual Service" (hosts).
"""

from collections.abc import Collection, Iterable, Iterator

from aksnav.trace.routing.hostnames import any_labels

DOMAIN = "svc.cluster.local"
EVERY = "*"
_LABELS_OF_A_SERVICE = 2


def fqdn(host: str, namespace: str) -> str:
    """Return a host in full: only a name without a dot is taken for a Service of the object's own namespace."""
    lowered = host.lower()
    return lowered if lowered == EVERY or "." in lowered else f"{lowered}.{namespace}.{DOMAIN}"


def service_id(name: str) -> str:
    """Return the ``namespace/name`` of the Service with a full name, empty where it is no Service's."""
    head = name.removesuffix(f".{DOMAIN}")
    parts = head.split(".")
    return f"{parts[1]}/{parts[0]}" if head != name and len(parts) == _LABELS_OF_A_SERVICE else ""


def covers(pattern: str, host: str) -> bool:
    """Return whether a pattern (``*``, ``*.a.com``, ``a.com``) has a host among its hosts."""
    return pattern == EVERY or (host != EVERY and any_labels(pattern, host))


def of_namespace(hosts: Iterable[str], own: str, asking: str) -> Iterator[str]:
    """Yield the hosts of a server that VirtualServices of a namespace may use, without their namespace.

    Args:
        hosts: as the server has them, with ``*/``, ``./``, ``namespace/`` or nothing before each.
        own: namespace of the Gateway.
        asking: namespace of the VirtualService.
    """
    for host in hosts:
        namespace, slash, name = host.rpartition("/")
        if not slash or namespace == EVERY or asking == (own if namespace == "." else namespace):
            yield name.lower()


def plain(hosts: Iterable[str]) -> tuple[str, ...]:
    """Return the hosts of a server without their namespaces."""
    return tuple(dict.fromkeys(host.rpartition("/")[2].lower() for host in hosts))


def intersection(server: Iterable[str], wanted: Collection[str]) -> tuple[str, ...]:
    """Return the hosts that a server and a VirtualService share: of two that overlap the narrower one."""
    shared: list[str] = []
    for mine in server:
        for other in wanted:
            if covers(mine, other) or mine == other:
                shared.append(other)
            elif covers(other, mine):
                shared.append(mine)
    return tuple(dict.fromkeys(shared))


def narrowest(patterns: Iterable[str], host: str) -> str | None:
    """Return the pattern that takes a host as Envoy chooses it: the name itself, the longest wildcard, then ``*``.

    Envoy: config.route.v3.VirtualHost.domains, and FilterChainMatch.server_names for TLS.
    """
    fitting = [item for item in patterns if covers(item, host) or item == host]
    return max(fitting, key=lambda item: (not item.startswith(EVERY), len(item)), default=None)
