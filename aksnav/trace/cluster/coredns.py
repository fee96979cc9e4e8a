"""What the user told CoreDNS besides: server blocks for zones of their own, and plugins in the default block.

Sources: AKS documentation, "Customize CoreDNS" (ConfigMap coredns-custom: keys that end in .server are server blocks,
those in .override are read inside of the default block); CoreDNS manual, plugins forward, hosts and rewrite.
"""

import re
from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.configmap import COREDNS, COREDNS_CUSTOM, NAMESPACE, ConfigMap
from aksnav.store.store import Store
from aksnav.trace.memo import once
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.step import Evidence

_ROOT = "."
_WORDS = re.compile(r'"[^"]*"|\S+')
# Plugins that decide no answer of their own.
_SILENT = frozenset(
    {
        "errors", "log", "cache", "health", "ready", "prometheus", "loop", "reload", "loadbalance", "bufsize", "debug",
        "minimal", "header", "dns64", "acl", "any", "cancel", "whoami", "trace", "nsid", "local", "timeouts", "import",
    }
)  # fmt: skip


# Plugins that CoreDNS asks before the one for the cluster's own names (plugin.cfg of CoreDNS), where they decide.
_BEFORE_KUBERNETES = frozenset({"rewrite", "template", "hosts", "route53", "azure", "clouddns", "k8s_external", "view"})


class Directive(msgspec.Struct, frozen=True, gc=False):
    """One plugin with its arguments and the lines of its block."""

    plugin: str
    words: tuple[str, ...] = ()
    block: tuple[tuple[str, ...], ...] = ()


class Server(msgspec.Struct, frozen=True, gc=False):
    """A server block: its zones, its plugins, and the key of the ConfigMap that it stands in; the default has none."""

    zones: tuple[str, ...]
    directives: tuple[Directive, ...]
    key: str


class Custom(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What CoreDNS was told of a name.

    Attributes:
        addresses: that the hosts plugin gives it.
        alias: the name that it is rewritten to.
        asks: servers that are asked in place of the node's.
        opaque: a plugin that decides and is not modelled, else empty.
        first: it is asked before the plugin for the cluster's own names: in a server block, which does not have that
            plugin, or by a plugin that stands before it in the default block (CoreDNS, plugin.cfg).
        evidence: the key that says so.
        unread: where it says nothing of the name, why that is not certain, else empty.
    """

    addresses: tuple[int, ...] = ()
    alias: str = ""
    asks: tuple[str, ...] = ()
    opaque: str = ""
    first: bool = False
    evidence: tuple[Evidence, ...] = ()
    unread: str = ""

    @property
    def silent(self) -> bool:
        """Whether it says nothing of the name."""
        return not (self.addresses or self.alias or self.asks or self.opaque)


def customised(store: Store, host: str) -> Custom:
    """Return what CoreDNS was told of a name; the longest zone that holds it decides.

    Args:
        store: what is known.
        host: lower case, without a dot at its end.
    """
    unread = _unread(store)
    row = store.config_maps.get(f"{NAMESPACE}/{COREDNS_CUSTOM}")
    if row is None:
        return Custom(unread=unread)
    servers, broken = once(store, "coredns-custom", ("ConfigMap",), lambda: _servers(row))
    holding = [(len(zone), server) for server in servers for zone in server.zones if _holds(zone, host)]
    if not holding:
        return Custom(unread=broken or unread)
    _, server = max(holding, key=lambda item: item[0])
    found = _told(row, server, host)
    return msgspec.structs.replace(found, unread=broken or unread) if found.silent else found


def _unread(store: Store) -> str:
    """Return why what CoreDNS was told is not known as it is now, or an empty string; one that is not there is known.

    CoreDNS reads both: AKS's own Corefile, and what its user adds to it.
    """
    access = store.config_maps.access(NAMESPACE)
    for name in (COREDNS_CUSTOM, COREDNS):
        ident = f"{NAMESPACE}/{name}"
        if not access.complete:
            return f"ConfigMap {ident} cannot be read ({access.reason or access.reading.value})"
        if ident in store.config_maps.undecodable:
            return f"ConfigMap {ident} cannot be read ({store.config_maps.undecodable[ident]})"
    return "" if access.fresh else f"ConfigMap {NAMESPACE}/{COREDNS_CUSTOM} is as it was last read: the source is stale"


def _holds(zone: str, host: str) -> bool:
    return zone in {_ROOT, host} or host.endswith(f".{zone}")


def _servers(row: ConfigMap) -> tuple[list[Server], str]:
    """Return the server blocks, and why some could not be understood."""
    found: list[Server] = []
    broken = ""
    for key, text in sorted(row.data.items()):
        try:
            if key.endswith(".server"):
                found += [Server(zones, directives, key) for zones, directives in _blocks(text)]
            elif key.endswith(".override"):
                found.append(Server((_ROOT,), tuple(_directives(_lines(text))), key))
        except ValueError as error:
            broken = f"ConfigMap {row.id} .data['{key}'] cannot be understood: {error}"
    overrides = [server for server in found if server.key.endswith(".override")]
    joined = Server(
        (_ROOT,),
        tuple(item for server in overrides for item in server.directives),
        " ".join(server.key for server in overrides),
    )
    return [*(server for server in found if server not in overrides), *([joined] if overrides else [])], broken


def _lines(text: str) -> list[list[str]]:
    listed = [_WORDS.findall(line.partition("#")[0]) for line in text.splitlines()]
    return [line for line in listed if line]


def _blocks(text: str) -> Iterator[tuple[tuple[str, ...], tuple[Directive, ...]]]:
    """Yield zones and plugins of the server blocks in a text.

    Raises:
        ValueError: braces do not match.
    """
    lines = _lines(text)
    index = 0
    while index < len(lines):
        head = lines[index]
        if head[-1] != "{":
            raise ValueError("a server block has no opening brace")
        end = _closing(lines, index)
        zones = tuple(_zone(word.rstrip(",")) for word in head[:-1])
        yield zones, tuple(_directives(lines[index + 1 : end]))
        index = end + 1


def _closing(lines: list[list[str]], start: int) -> int:
    depth = 0
    for index in range(start, len(lines)):
        depth += sum(word == "{" for word in lines[index]) - sum(word == "}" for word in lines[index])
        if not depth:
            return index
    raise ValueError("a brace is not closed")


def _directives(lines: list[list[str]]) -> Iterator[Directive]:
    index = 0
    while index < len(lines):
        words = lines[index]
        if words[-1] != "{":
            yield Directive(words[0], tuple(words[1:]))
            index += 1
            continue
        end = _closing(lines, index)
        yield Directive(words[0], tuple(words[1:-1]), tuple(map(tuple, lines[index + 1 : end])))
        index = end + 1


def _zone(word: str) -> str:
    """Return a zone without scheme and port, in lower case and without a dot at its end."""
    bare = word.rpartition("://")[2].partition(":")[0].lower().rstrip(".")
    return bare or _ROOT


def _told(row: ConfigMap, server: Server, host: str) -> Custom:
    """Return what a server block says of a name: plugins in the order in which CoreDNS asks them."""
    by_name: dict[str, list[Directive]] = {}
    for item in server.directives:
        by_name.setdefault(item.plugin, []).append(item)
    for item in by_name.get("rewrite", ()):
        alias, unclear = _rewritten(item, host)
        if alias or unclear:
            return _by(row, server, item, Custom(alias=alias, opaque=unclear))
    for item in by_name.get("hosts", ()):
        addresses = _of_hosts(item, host)
        if addresses:
            return _by(row, server, item, Custom(addresses=addresses))
        if item.words or (not any(line[0] == "fallthrough" for line in item.block)):
            opaque = "hosts, whose file is not read" if item.words else "hosts without fallthrough: the name is unknown"
            return _by(row, server, item, Custom(opaque=opaque))
    for item in server.directives:  # each of these is asked before forward, wherever it stands in the text
        if item.plugin not in _SILENT and item.plugin not in {"rewrite", "hosts", "forward", "}"}:
            return _by(row, server, item, Custom(opaque=item.plugin))
    for item in by_name.get("forward", ()):
        zone, *asks = item.words or ("",)
        if asks and _holds(_zone(zone), host):
            return _by(row, server, item, Custom(asks=tuple(asks)))
    return Custom()


def _by(row: ConfigMap, server: Server, item: Directive, found: Custom) -> Custom:
    """Return what a plugin says with where it stands."""
    first = not server.key.endswith(".override") or item.plugin in _BEFORE_KUBERNETES
    return msgspec.structs.replace(found, first=first, evidence=(_fact(row, server, item),))


def _fact(row: ConfigMap, server: Server, item: Directive) -> Evidence:
    text = " ".join((item.plugin, *item.words, *(word for line in item.block for word in line)))
    return Evidence(f".data['{server.key}']", text[:200], row.ref)


def _rewritten(item: Directive, host: str) -> tuple[str, str]:
    """Return the name that a rewrite gives, and what of it is not modelled where it may apply."""
    words = [word for word in item.words if word not in {"stop", "continue"}]
    if not words:  # a block has a line for the question, and further ones for the answer
        words = next((list(line) for line in item.block if line[0] == "name"), [])
    if not words or words[0] != "name":
        return "", ""
    how, rest = ("exact", words[1:]) if len(words) == 3 else (words[1], words[2:])  # noqa: PLR2004 - name FROM TO
    if len(rest) < 2:  # noqa: PLR2004 - FROM TO
        return "", ""
    if how == "regex":
        return _by_expression(rest[0].strip('"'), rest[1], host)
    old, new = rest[0].rstrip(".").lower(), rest[1].rstrip(".").lower()
    if how == "exact":
        return (new, "") if host == old else ("", "")
    if how == "suffix":
        return (host[: -len(old)] + new, "") if host.endswith(old) else ("", "")
    if how == "prefix":
        return (new + host[len(old) :], "") if host.startswith(old) else ("", "")
    if how == "substring":
        return (host.replace(old, new), "") if old in host else ("", "")
    return "", f"rewrite name {how}, which is not evaluated"


def _by_expression(pattern: str, template: str, host: str) -> tuple[str, str]:
    """Return the name that a rewrite by an expression gives (CoreDNS, plugin/rewrite/name.go, regexNameRule).

    The expression is looked for in the full name with its last dot; its groups stand in the template as ``{1}``.
    """
    known = compile_safely(pattern, f"{host}.")
    if isinstance(known, Refused):
        return "", f"rewrite name regex, by an expression that is not evaluated: {known.why}"
    found = known.search(f"{host}.")
    if found is None:
        return "", ""
    for number, text in enumerate((found[0], *found.groups(""))):
        template = template.replace(f"{{{number}}}", text)
    return template.rstrip(".").lower(), ""


def _of_hosts(item: Directive, host: str) -> tuple[int, ...]:
    found = []
    for line in item.block:
        number = parse_address(line[0])
        if number is not None and host in {word.lower().rstrip(".") for word in line[1:]}:
            found.append(number)
    return tuple(found)
