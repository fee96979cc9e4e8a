"""The server blocks that ingress-nginx writes: which host names each takes, who opened it, and its certificate.

From kubernetes/ingress-nginx internal/ingress/controller/controller.go (createServers, extractTLSSecretName),
internal/ingress/controller/template (buildServerName) and rootfs/etc/nginx/lua/certificate.lua; for the choice among
names: nginx.org, "Server names" (exact, then the longest name with a leading asterisk, then expressions).
"""

import msgspec

from aksnav.model.kubernetes.ingress import Ingress, IngressBackend
from aksnav.trace.ingress.nginx_locations import annotation, enabled, winning_ingresses, winning_order
from aksnav.trace.ingress.rules import Rule, Rules
from aksnav.trace.routing.hostnames import any_labels, choose


class Servers(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The server blocks of a controller.

    Attributes:
        hosts: the rules of each; a host that only canary Ingresses have gets none.
        opened: for each host the Ingress that opened it; its annotations hold for the location ``/`` that every server
            has, and its default backend stands behind that location.
        aliases: for each server-alias the host that it stands for, and the Ingress that says so.
        expressions: aliases that are regular expressions, which are not evaluated.
        canaries: every rule of a canary Ingress, in winning order.
        catch_all: the first Ingress without rules and with a default backend: it has ``/`` of the server for all else.
    """

    hosts: dict[str, tuple[Rule, ...]]
    opened: dict[str, Ingress]
    aliases: dict[str, tuple[str, Ingress]]
    expressions: tuple[str, ...] = ()
    canaries: tuple[Rule, ...]
    catch_all: Ingress | None = None

    def default_rule(self, host: str | None) -> Rule | None:
        """Return the rule of the location ``/`` that a server has when no rule has that path, or None.

        Args:
            host: the host of the server; empty or None for the one that takes all other names.
        """
        owner = self.opened.get(host) if host else self.catch_all
        if owner is None:
            return None
        backend = owner.default_backend or IngressBackend()
        return Rule(
            ingress=owner, field=".spec.defaultBackend", host=host or "", path="/", path_type="Prefix", backend=backend
        )


def servers_of(rules: Rules) -> Servers:
    """Return the server blocks that the rules of a controller give."""
    opened: dict[str, Ingress] = {}
    named: dict[str, tuple[str, Ingress]] = {}
    catch_all: Ingress | None = None
    for row in winning_ingresses(rules.ingresses):
        if enabled(row, "canary"):
            continue
        if catch_all is None and row.default_backend is not None and not row.rules:
            catch_all = row
        for host in dict.fromkeys(rule.host.lower() for rule in row.rules if rule.host):
            opened.setdefault(host, row)
            # Only the first Ingress of a host that has aliases gives it any.
            if annotation(row, "server-alias"):
                named.setdefault(host, (annotation(row, "server-alias"), row))
    aliases: dict[str, tuple[str, Ingress]] = {}
    # Server blocks are written by host name, and of two that claim a name the first one has it.
    for host, (text, row) in sorted(named.items(), key=lambda item: item[0]):
        for alias in text.lower().replace(",", " ").split():
            if alias not in opened:
                aliases.setdefault(alias, (host, row))
    marked = [rule for listed in rules.by_host.values() for rule in listed if enabled(rule.ingress, "canary")]
    return Servers(
        hosts={host: listed for host, listed in rules.by_host.items() if host in opened or not host},
        opened=opened,
        aliases={alias: found for alias, found in aliases.items() if not alias.startswith("~")},
        expressions=tuple(alias for alias in aliases if alias.startswith("~")),
        canaries=tuple(winning_order(marked)),
        catch_all=catch_all,
    )


def server_name(servers: Servers, host: str) -> tuple[str | None, Ingress | None]:
    """Return the rule host that takes a request, and the Ingress with the server-alias that made it so, if one did."""
    if host and host in servers.hosts:
        return host, None
    if host in servers.aliases:
        return servers.aliases[host]
    wild = [alias for alias in servers.aliases if alias.startswith("*.") and any_labels(alias, host)]
    if wild:
        return servers.aliases[max(wild, key=len)]
    return choose(servers.hosts, host), None


class Certificate(msgspec.Struct, frozen=True, gc=False):
    """Which section of which Ingress gives a server its certificate; ``named``: the section names the host."""

    ingress: Ingress
    index: int
    named: bool


def certificate_of(rules: Rules, host: str) -> Certificate | None:
    """Return what gives the certificate for a server name, or None where NGINX shows its default one.

    The server of that host, else the one of the wildcard, has that of its first Ingress with a TLS section: of the
    section that names the host, or of one whose certificate does, which cannot be known here.
    """
    for name in (host, f"*.{host.partition('.')[2]}"):
        for rule in winning_order(rules.by_host.get(name, ())):
            if rule.ingress.tls and not enabled(rule.ingress, "canary"):
                listed = [
                    index
                    for index, entry in enumerate(rule.ingress.tls)
                    if name in {item.lower() for item in entry.hosts}
                ]
                return Certificate(rule.ingress, listed[0] if listed else 0, bool(listed))
    return None
