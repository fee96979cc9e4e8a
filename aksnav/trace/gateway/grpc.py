"""gRPC requests and the matches of a GRPCRoute (Gateway API v1: GRPCMethodMatch; gRPC over HTTP/2: Request-Headers)."""

from aksnav.model.kubernetes.gateway import GRPCMatch
from aksnav.trace.gateway.values import UNKNOWN, compare, expression
from aksnav.trace.packet import Packet

SCHEMES = frozenset({"grpc", "grpcs"})
CONTENT_TYPE = "application/grpc"


def is_grpc(packet: Packet) -> bool:
    """Return whether a request is one of gRPC: by its scheme, or the content type that the protocol asks for."""
    return packet.scheme in SCHEMES or dict(packet.headers).get("content-type", "").startswith(CONTENT_TYPE)


def called(path: str) -> tuple[str, str]:
    """Return the service and method that the path of a gRPC request names; empty ones where it is of no such form."""
    service, slash, method = path.removeprefix("/").partition("/")
    return (service, method) if service and slash and method and "/" not in method else ("", "")


def describe(match: GRPCMatch) -> str:
    """Return a match in words."""
    wanted = match.method
    where = f"{wanted.type or 'Exact'} {wanted.service or '*'}/{wanted.method or '*'}"
    parts = [where if wanted.service or wanted.method else "every method"]
    return ", ".join([*parts, *(f"header {item.name}: {item.value}" for item in match.headers)])


def has_expression(match: GRPCMatch) -> bool:
    """Return whether a match has a regular expression in it."""
    return any(part == "RegularExpression" for part in (match.method.type, *(item.type for item in match.headers)))


def matches(match: GRPCMatch, packet: Packet, *, expressions: bool) -> str:
    """Return why a match does not take a request; an empty string if it does; ``? why`` if that is not evaluated."""
    service, method = called(packet.path)
    wanted = match.method
    headers = dict(reversed(packet.headers))
    asked = {item.name.lower(): item for item in reversed(match.headers)}.values()  # of one name the first counts
    words = [
        _part(wanted.type, wanted.service, service, "service", expressions=expressions),
        _part(wanted.type, wanted.method, method, "method", expressions=expressions),
        *(compare(item, headers.get(item.name.lower()), "header", expressions=expressions) for item in asked),
    ]
    sure = next((word for word in words if word and not word.startswith(UNKNOWN)), "")
    if sure:
        return sure
    if not is_grpc(packet):
        return f"{UNKNOWN}it is no gRPC request, and a GRPCRoute is for those"
    return next((word for word in words if word), "")


def _part(kind: str, wanted: str, value: str, what: str, *, expressions: bool) -> str:
    if not wanted:
        return ""
    if kind in {"", "Exact"}:
        return "" if wanted == value else f"the {what} is not {wanted}"
    return expression(kind, wanted, value, what, expressions=expressions)
