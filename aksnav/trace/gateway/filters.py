"""What filters of a route do to a request (Gateway API v1: HTTPRouteFilter, GRPCRouteFilter)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from aksnav.model.kubernetes.gateway import AnyRoute, HTTPRoute
from aksnav.trace import kubectl
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_PORTS = {"http": 80, "https": 443}
_DEFAULT_REDIRECT = 302


class Filtered(msgspec.Struct, frozen=True, gc=False):
    """The request after the filters, the steps that they are, and whether the last of them answers it."""

    packet: Packet
    steps: tuple[Step, ...]
    ended: bool = False


class Scene(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where filters stand: the route, the path of the list in it, the prefix that matched, the listener's port.

    Attributes:
        services: whether a Service (``namespace/name``) exists; None where that is not known.
    """

    route: AnyRoute
    field: str
    prefix: str
    listener_port: int
    services: Callable[[str], bool | None] = lambda _: None


# Filters that a GRPCRoute has as well (GRPCRouteFilterType); an HTTPRoute has them all.
_SHARED = frozenset({"RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "ExtensionRef"})


def apply(filters: Sequence[Mapping[str, Any]], packet: Packet, scene: Scene) -> Filtered:
    """Return what a list of filters does to a request, in the order of the list.

    A redirect and a rewrite in one list contradict each other (HTTPRouteRule.filters, IncompatibleFilters).
    """
    steps: list[Step] = []
    known = {str(item.get("type", "")) for item in filters}
    if known >= {"RequestRedirect", "URLRewrite"}:
        steps.append(_incompatible(packet, scene))
        return Filtered(packet, tuple(steps))
    for index, item in enumerate(filters):
        kind = str(item.get("type", ""))
        field = f"{scene.field}[{index}]"
        if not isinstance(scene.route, HTTPRoute) and kind not in _SHARED:
            steps.append(_unsupported(item, kind, packet, scene, field))
        elif kind == "RequestRedirect":
            steps.append(_redirect(_body(item, "requestRedirect"), packet, scene, field))
            return Filtered(packet, tuple(steps), ended=True)
        if kind == "URLRewrite":
            after = _rewrite(_body(item, "urlRewrite"), packet, scene.prefix)
            steps.append(_step(kind, scene, field, packet, after, f"URLRewrite: {after.host}{after.path}"))
            packet = after
        elif kind == "RequestHeaderModifier":
            after = _headers(_body(item, "requestHeaderModifier"), packet)
            steps.append(
                _step(kind, scene, field, packet, after, "RequestHeaderModifier changes the request's headers")
            )
            packet = after
        elif kind == "ResponseHeaderModifier":
            steps.append(_step(kind, scene, field, packet, packet, "ResponseHeaderModifier changes the answer alone"))
        elif kind == "RequestMirror":
            steps.append(_mirror(_body(item, "requestMirror"), packet, scene, field))
        elif kind == "CORS" and not _preflight(packet):
            steps.append(_step(kind, scene, field, packet, packet, "CORS changes the headers of the answer alone"))
        else:
            steps.append(_unsupported(item, kind, packet, scene, field))
    return Filtered(packet, tuple(steps))


def _body(item: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = item.get(key)
    return found if isinstance(found, Mapping) else {}


def _step(kind: str, scene: Scene, field: str, packet: Packet, after: Packet, summary: str) -> Step:
    changed = after != packet
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.TRANSFORM if changed else Verdict.PASS,
        summary=summary,
        subject=scene.route.ref,
        version=scene.route.resource_version,
        packet=packet,
        packet_after=after if changed else None,
        evidence=(Evidence(f"{field}.type", kind, scene.route.ref),),
        confirm=kubectl.show(scene.route.ref, field),
    )


def _mirror(body: Mapping[str, Any], packet: Packet, scene: Scene, field: str) -> Step:
    """A copy of the request; where the Service is not there, no copy is made and the request goes on all the same."""
    backend = _body(body, "backendRef")
    name = f"{backend.get('namespace', scene.route.namespace)}/{backend.get('name', '')}"
    fraction = _body(body, "fraction")
    part = f"{body['percent']} % of the requests" if isinstance(body.get("percent"), int) else "every request"
    if isinstance(fraction.get("numerator"), int):
        part = f"{fraction['numerator']} of {fraction.get('denominator', 100)} requests"
    step = _step(
        "RequestMirror", scene, field, packet, packet, f"a copy of {part} goes to {name}, whose answers are dropped"
    )
    if scene.services(name) is not False:
        return step
    return msgspec.structs.replace(
        step,
        cause="G05",
        summary=f"the mirror {name} does not exist: no copy is made, and the request goes on",
        evidence=(*step.evidence, Evidence(f"{field}.requestMirror.backendRef.name", name, scene.route.ref)),
        fix=f"create Service {name}, or remove the mirror",
    )


def _preflight(packet: Packet) -> bool:
    """Return whether a request is a CORS preflight, which the Gateway answers by itself (Fetch, CORS-preflight)."""
    names = {name for name, _ in packet.headers}
    return packet.method == "OPTIONS" and names >= {"origin", "access-control-request-method"}


def _incompatible(packet: Packet, scene: Scene) -> Step:
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.UNSUPPORTED,
        summary="RequestRedirect and URLRewrite in one rule contradict each other: the rule is not valid",
        subject=scene.route.ref,
        version=scene.route.resource_version,
        packet=packet,
        evidence=(Evidence(scene.field, "RequestRedirect, URLRewrite", scene.route.ref),),
        missing="filters RequestRedirect and URLRewrite together (IncompatibleFilters)",
        confirm=kubectl.show(scene.route.ref, scene.field),
        fix="keep one of the two",
    )


def _unsupported(item: Mapping[str, Any], kind: str, packet: Packet, scene: Scene, field: str) -> Step:
    extension = _body(item, "extensionRef")
    name = f"ExtensionRef {extension.get('kind', '')} {extension.get('name', '')}" if kind == "ExtensionRef" else kind
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.UNSUPPORTED,
        summary=f"filter {name or '(no type)'} may answer in place of the backend",
        subject=scene.route.ref,
        version=scene.route.resource_version,
        packet=packet,
        evidence=(Evidence(f"{field}.type", kind, scene.route.ref),),
        missing=f"{scene.route.KIND} filter {name or '(no type)'} of {scene.route.id}",
        confirm=kubectl.show(scene.route.ref, field),
    )


def _redirect(body: Mapping[str, Any], packet: Packet, scene: Scene, field: str) -> Step:
    where = location(body, packet, scene.prefix, scene.listener_port)
    code = body.get("statusCode")
    status = code if isinstance(code, int) else _DEFAULT_REDIRECT
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.RESPOND,
        summary=f"{scene.route.KIND} {scene.route.id} sends the client to {where} with {status}",
        subject=scene.route.ref,
        version=scene.route.resource_version,
        packet=packet,
        status=status,
        evidence=(
            Evidence(f"{field}.type", "RequestRedirect", scene.route.ref),
            Evidence("Location", where),
            Evidence(f"{field}.requestRedirect.statusCode", str(code or "(default 302)"), scene.route.ref),
        ),
        confirm=kubectl.show(scene.route.ref, field),
    )


def location(body: Mapping[str, Any], packet: Packet, prefix: str, listener_port: int) -> str:
    """Return the Location header of a redirect (HTTPRequestRedirectFilter: scheme, hostname, path, port).

    Without a port, a given scheme has its well-known port, else the listener's port is used; 80 with http and 443 with
    https are left out.
    """
    scheme = str(body.get("scheme") or ("https" if packet.scheme in {"https", "grpcs"} else "http")).lower()
    host = str(body.get("hostname") or packet.host.partition(":")[0])
    given = body.get("port")
    port = given if isinstance(given, int) else (_PORTS.get(scheme, 0) if body.get("scheme") else listener_port)
    suffix = "" if not port or _PORTS.get(scheme) == port else f":{port}"
    path = _new_path(_body(body, "path"), packet.path, prefix)
    query = f"?{packet.query}" if packet.query else ""
    return f"{scheme}://{host}{suffix}{path}{query}"


def _rewrite(body: Mapping[str, Any], packet: Packet, prefix: str) -> Packet:
    host = str(body.get("hostname") or packet.host)
    return msgspec.structs.replace(packet, host=host, path=_new_path(_body(body, "path"), packet.path, prefix))


def _new_path(body: Mapping[str, Any], path: str, prefix: str) -> str:
    if body.get("type") == "ReplaceFullPath":
        return str(body.get("replaceFullPath") or "/")
    if body.get("type") == "ReplacePrefixMatch":
        return replace_prefix(path, prefix, str(body.get("replacePrefixMatch") or ""))
    return path


def replace_prefix(path: str, prefix: str, replacement: str) -> str:
    """Return a path with its matched prefix replaced (the table of HTTPPathModifier.replacePrefixMatch)."""
    rest = path[len(prefix.rstrip("/")) :]
    new = replacement.rstrip("/") + rest
    return new if new.startswith("/") else f"/{new}"


def _headers(body: Mapping[str, Any], packet: Packet) -> Packet:
    held: dict[str, str] = dict(packet.headers)
    for entry in _entries(body.get("set")):
        held[entry[0]] = entry[1]
    for name, value in _entries(body.get("add")):
        held[name] = f"{held[name]},{value}" if name in held else value
    removed = body.get("remove")
    for name in removed if isinstance(removed, list) else ():
        held.pop(str(name).lower(), None)
    host = held.pop("host", packet.host)
    return msgspec.structs.replace(packet, headers=tuple(held.items()), host=host)


def _entries(value: object) -> list[tuple[str, str]]:
    listed = value if isinstance(value, list) else []
    return [
        (str(item.get("name", "")).lower(), str(item.get("value", ""))) for item in listed if isinstance(item, dict)
    ]
