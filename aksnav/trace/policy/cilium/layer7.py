"""What a rule asks of the request behind a connection: HTTP, DNS, Kafka, and the server name of TLS.

A connection that a rule of layer 7 names is turned over to a proxy, which answers a request that no rule admits: HTTP
with 403, a DNS question with REFUSED, a TLS handshake with a reset (Cilium documentation, "Layer 7 Policies", "Limit
TLS Server Name Indication"). Expressions match the whole value; a line of ``headers`` is a name that must be there, or
a name and behind a space the value that it must have (cilium pkg/envoy, getHTTPRule).
"""

from enum import StrEnum
from typing import Any

import msgspec

from aksnav.trace.packet import Packet
from aksnav.trace.policy.cilium import names
from aksnav.trace.policy.cilium.question import Json
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.ternary import Answer, Unknown, every, some


class Layer7(StrEnum):
    """Which protocol a rule of layer 7 judges: it decides how a request that no rule admits is answered."""

    NONE = ""
    HTTP = "http"
    DNS = "dns"
    KAFKA = "kafka"
    TLS = "tls"


class RequestSaid(msgspec.Struct, frozen=True, gc=False):
    """What a rule says of the request behind a connection.

    Attributes:
        answer: True where it asks nothing of it.
        layer7: the protocol that it judges.
        why: the deciding fields, empty where it asks nothing.
        assumptions: what the answer takes for granted.
    """

    answer: Answer
    layer7: Layer7 = Layer7.NONE
    why: str = ""
    assumptions: tuple[str, ...] = ()


_NO_RULE = RequestSaid(True)
_MODELLED = frozenset({"ports", "rules", "serverNames"})
_DNS_PORT = 53
_DEFAULT_PORTS = {"http": 80, "https": 443, "grpc": 80, "grpcs": 443}


def judge_request(element: Json, packet: Packet) -> RequestSaid:
    """Return what an element of toPorts says of the request."""
    special = sorted(name for name, value in element.items() if value and name not in _MODELLED)
    if special:
        return RequestSaid(Unknown(f"toPorts.{special[0]} is not modelled"))
    said = _rules(element.get("rules") or {}, packet)
    if not element.get("serverNames"):
        return said
    # Server names and rules together need TLS that the proxy ends itself, which is not modelled (terminatingTLS).
    return _server_names(element["serverNames"], packet)


def _rules(rules: Json, packet: Packet) -> RequestSaid:
    given = {name: value for name, value in rules.items() if value is not None}
    if not given:
        return _NO_RULE
    if set(given) == {"http"}:
        return _http_rules(given["http"], packet)
    if set(given) == {"dns"}:
        return _dns_rules(given["dns"], packet)
    if set(given) == {"kafka"}:
        return _kafka_rules(given["kafka"])
    return RequestSaid(Unknown(f"rules of {', '.join(sorted(given))} are not modelled"))


def _http_rules(listed: list[Json], packet: Packet) -> RequestSaid:
    if not listed or any(not rule for rule in listed):
        return RequestSaid(True, Layer7.HTTP, "rules.http admits every request")
    if not packet.http:
        unknown = Unknown("HTTP rules decide by the request, and this connection carries none that is known")
        return RequestSaid(unknown, Layer7.HTTP)
    if packet.tls:
        return RequestSaid(Unknown("HTTP rules cannot see into TLS"), Layer7.HTTP)
    said = [_http(rule, packet) for rule in listed]
    answer = some(one for one, _, _ in said)
    shown = f"{packet.method} {_path(packet)}"
    if answer is True:
        number = next(number for number, (one, _, _) in enumerate(said) if one is True)
        return RequestSaid(True, Layer7.HTTP, f"rules.http[{number}] admits {shown}", said[number][2])
    told = "; ".join(f"rules.http[{number}].{field}" for number, (_, field, _) in enumerate(said))
    assumed = tuple(dict.fromkeys(line for _, _, lines in said for line in lines))
    return RequestSaid(answer, Layer7.HTTP, f"{told} does not match {shown}", assumed)


def _http(rule: Json, packet: Packet) -> tuple[Answer, str, tuple[str, ...]]:
    """Return whether an HTTP rule admits the request, the field that decides, and what that takes for granted."""
    unknown = sorted(set(rule) - {"method", "path", "host", "headers", "headerMatches"})
    if unknown:
        return Unknown(f"http.{unknown[0]} is not modelled"), unknown[0], ()
    host, assumed = _host(rule.get("host"), packet)
    told: list[tuple[str, Answer]] = [
        ("method", _pattern(rule.get("method"), packet.method)),
        ("path", _pattern(rule.get("path"), _path(packet))),
        ("host", host),
        ("headers", every(_header(str(line), packet) for line in rule.get("headers") or ())),
        ("headerMatches", every(_header_match(item, packet) for item in rule.get("headerMatches") or ())),
    ]
    answer = every(item for _, item in told)
    field = next((name for name, item in told if item is False), "") or next(
        (name for name, item in told if item is not True), "path"
    )
    return answer, field, assumed


def _path(packet: Packet) -> str:
    return f"{packet.path}?{packet.query}" if packet.query else packet.path


def _host(pattern: Any, packet: Packet) -> tuple[Answer, tuple[str, ...]]:
    """Return whether the Host header matches; clients put a port into it that is not their protocol's own.

    Behind a Service the port of the Pod is not the one that the client asked at, so it is taken to be left out.
    """
    given = next((value for key, value in packet.headers if key.lower() == "host"), None)
    answer = _pattern(pattern, packet.host if given is None else given)
    if not pattern or given is not None or packet.port in {0, _DEFAULT_PORTS.get(packet.scheme)}:
        return answer, ()
    other = _pattern(pattern, f"{packet.host}:{packet.port}")
    return answer, () if other == answer else (f"the Host header is {packet.host}, without a port",)


def _pattern(pattern: Any, value: str) -> Answer:
    if not pattern:
        return True
    compiled = compile_safely(str(pattern), value)
    if isinstance(compiled, Refused):
        return Unknown(f"pattern {pattern!r}: {compiled.why}")
    return compiled.fullmatch(value) is not None


def _header(line: str, packet: Packet) -> bool:
    name, space, value = line.partition(" ")
    wanted = (name.rstrip(":") if space else name).lower()
    return any(key.lower() == wanted and (not space or held == value) for key, held in packet.headers)


def _header_match(item: Json, packet: Packet) -> Answer:
    """Return whether a header has a value; with a ``mismatch`` the request is changed or logged, and goes on."""
    if item.get("mismatch"):
        return True
    wanted, value = str(item.get("name", "")).lower(), item.get("value")
    if item.get("secret"):
        return Unknown("headerMatches with the value of a Secret are not modelled")
    return any(key.lower() == wanted and (not value or held == value) for key, held in packet.headers)


def _dns_rules(listed: list[Json], packet: Packet) -> RequestSaid:
    """A DNS rule judges the name that is asked for, whatever the type of record."""
    told = ", ".join(map(names.text, listed)) or "every name"
    if not listed or any(names.text(item).strip("*.") == "" for item in listed):
        return RequestSaid(True, Layer7.DNS, "rules.dns admits every name")
    if packet.port != _DNS_PORT or not packet.host:
        return RequestSaid(True, Layer7.DNS, f"rules.dns {told}", (f"the name that is asked for is one of {told}",))
    if any(names.matches(item, packet.host) for item in listed):
        return RequestSaid(True, Layer7.DNS, f"rules.dns {told} admits {packet.host}")
    return RequestSaid(False, Layer7.DNS, f"rules.dns {told} does not match {packet.host}")


def _kafka_rules(listed: list[Json]) -> RequestSaid:
    if not listed or any(not rule for rule in listed):
        return RequestSaid(True, Layer7.KAFKA, "rules.kafka admits every request")
    unknown = Unknown("Kafka rules decide by topic and role, and the question does not say them")
    return RequestSaid(unknown, Layer7.KAFKA)


def _server_names(listed: list[Any], packet: Packet) -> RequestSaid:
    told = ", ".join(map(str, listed))
    if not packet.tls or not packet.sni:
        return RequestSaid(
            Unknown(f"serverNames {told} decide by the server name of TLS, and none is known"), Layer7.TLS
        )
    if any(names.matches({"matchPattern": str(item)}, packet.sni) for item in listed):
        return RequestSaid(True, Layer7.TLS, f"serverNames {told} admits {packet.sni}")
    return RequestSaid(False, Layer7.TLS, f"serverNames {told} does not match {packet.sni}")
