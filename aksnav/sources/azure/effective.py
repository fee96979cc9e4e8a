"""What the effective routes and rules of an interface do with one packet.

Both lists are Azure's own and complete: the longest prefix decides among routes, the lowest priority among rules, in
each group; every group must let the packet pass (aks-networking.md 3.1, 3.2).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.confirmation import Question, Reply
from aksnav.model.text import plain

Json = Mapping[str, Any]
LONGEST = 200
ANY = frozenset({"*", "all", "any", "0-65535"})


def of_routes(question: Question, body: Json) -> Reply:
    """Return the next hop of the active route with the longest prefix that holds the destination."""
    best: tuple[int, Json, str] | None = None
    for route in body.get("value") or []:
        for text in route.get("addressPrefix") or []:
            prefix = parse_prefix(str(text))
            active = str(route.get("state", "")).lower() == "active"
            if prefix is None or not active or not _holds(prefix_texts=[text], address=question.destination):
                continue
            if best is None or prefix.length > best[0]:
                best = prefix.length, route, str(text)
    if best is None:
        return Reply(question=question, facts=(("active routes", "none holds the destination"),))
    _, route, text = best
    address = ", ".join(str(item) for item in route.get("nextHopIpAddress") or [])
    value = plain(f"{route.get('nextHopType') or ''} {address}".strip(), 120)
    return Reply(question=question, value=value, facts=((plain(f"{text} ({route.get('source', '')})", 80), value),))


def of_rules(question: Question, body: Json) -> Reply:
    """Return what the effective rules of every group say together of the packet, and the rule of each that decides."""
    facts: list[tuple[str, str]] = []
    words: list[str] = []
    for group in body.get("value") or []:
        name = str((group.get("networkSecurityGroup") or {}).get("id", "")).rpartition("/")[2]
        rule = _first(question, group.get("effectiveSecurityRules") or [])
        words.append(str(rule.get("access") or "") if rule is not None else "")
        said = "no rule fits" if rule is None else f"{rule.get('priority')} {_name(rule)} {rule.get('access')}"
        facts.append((plain(name, 80), plain(said, LONGEST)))
    lower = [word.lower() for word in words]
    value = "Deny" if "deny" in lower else "Allow" if lower and set(lower) == {"allow"} else ""
    return Reply(question=question, value=value, facts=tuple(facts))


def _first(question: Question, rules: Iterable[Json]) -> Json | None:
    mine = [rule for rule in rules if str(rule.get("direction", "")).lower() == question.direction.lower()]
    mine.sort(key=lambda rule: int(rule.get("priority") or 0))
    return next((rule for rule in mine if _fits(question, rule)), None)


def _name(rule: Json) -> str:
    return str(rule.get("name", "")).rpartition("/")[2]


def _fits(question: Question, rule: Json) -> bool:
    protocol = str(rule.get("protocol", "")).lower()
    if protocol not in ANY and protocol != question.protocol.lower():
        return False
    ports = _listed(rule, "destinationPortRange", "destinationPortRanges")
    if not any(_port_in(question.port, text) for text in ports):
        return False
    return _end_fits(question.source, rule, "source") and _end_fits(question.destination, rule, "destination")


def _end_fits(end: str, rule: Json, side: str) -> bool:
    """Return whether an address, or the tag Internet, is among the prefixes of a rule, in their expanded form first."""
    name = side.capitalize()
    expanded = [str(item) for item in rule.get(f"expanded{name}AddressPrefix") or []]
    written = _listed(rule, f"{side}AddressPrefix", f"{side}AddressPrefixes")
    if any(text.lower() in {*ANY, "0.0.0.0/0", end.lower()} for text in written):
        return True
    return _holds(prefix_texts=expanded or written, address=end)


def _listed(rule: Json, one: str, many: str) -> list[str]:
    return [str(item) for item in rule.get(many) or []] or [str(rule.get(one) or "*")]


def _holds(*, prefix_texts: Iterable[Any], address: str) -> bool:
    number = parse_address(address)
    prefixes = (parse_prefix(str(text)) for text in prefix_texts)
    return number is not None and any(prefix is not None and number in prefix for prefix in prefixes)


def _port_in(port: int, text: str) -> bool:
    low, _, high = text.partition("-")
    if text in ANY:
        return True
    return low.isdigit() and int(low) <= port <= int(high if high.isdigit() else low)
