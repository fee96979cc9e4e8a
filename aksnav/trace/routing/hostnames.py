"""Host names as rules match them: Ingress wildcards take one label, Gateway API wildcards take one or more."""

from collections.abc import Collection


def bare(host: str) -> str:
    """Return a Host header without its port, in lower case (RFC 9110: host is case-insensitive)."""
    lowered = host.lower()
    if lowered.startswith("["):
        return lowered.partition("]")[0] + "]"
    return lowered.partition(":")[0].rstrip(".")


def one_label(pattern: str, host: str) -> bool:
    """Return whether a host matches an Ingress host: equal, or one label in the place of the ``*``.

    networking.k8s.io/v1 IngressRule.host; an empty pattern is every host.
    """
    pattern = pattern.lower()
    if not pattern:
        return True
    if not pattern.startswith("*."):
        return pattern == host
    label, dot, rest = host.partition(".")
    return bool(label and dot) and rest == pattern[2:]


def any_labels(pattern: str, host: str) -> bool:
    """Return whether a host matches a Gateway API hostname: equal, or a suffix with at least one label before it.

    gateway.networking.k8s.io/v1 Hostname; an empty pattern is every host.
    """
    pattern = pattern.lower()
    if not pattern:
        return True
    if not pattern.startswith("*."):
        return pattern == host
    return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1


def choose(patterns: Collection[str], host: str) -> str | None:
    """Return the Ingress host that takes a request: exact, else a wildcard of one label, else the empty one."""
    if host in patterns and host:
        return host
    _, dot, rest = host.partition(".")
    wildcard = f"*.{rest}"
    if dot and wildcard in patterns and one_label(wildcard, host):
        return wildcard
    return "" if "" in patterns else None


def intersect(listener: str, route: str) -> str | None:
    """Return the more specific of two Gateway API hostnames that intersect, or None if they do not.

    gateway.networking.k8s.io/v1 HTTPRouteSpec.hostnames; an empty one intersects with everything.
    """
    listener, route = listener.lower(), route.lower()
    if not listener or not route:
        return listener or route
    if listener == route:
        return route
    if route.startswith("*."):
        if listener.startswith("*."):
            longer, shorter = (listener, route) if len(listener) > len(route) else (route, listener)
            return longer if longer.endswith(shorter[1:]) else None
        return listener if any_labels(route, listener) else None
    return route if any_labels(listener, route) else None


def specificity(pattern: str) -> tuple[int, int]:
    """Return what orders hostnames: characters of one without a wildcard, then characters at all; more is first."""
    return (0 if pattern.startswith("*") or not pattern else len(pattern), len(pattern))
