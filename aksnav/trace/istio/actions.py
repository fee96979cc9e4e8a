"""What a rule does to a request before, or in place of, sending it on (Istio reference, "Virtual Service").

HTTPRedirect, HTTPRewrite, HTTPDirectResponse, HTTPFaultInjection, HTTPMirrorPolicy, Headers; Envoy's fault filter comes
before its router, so that an abort goes before a redirect.
"""

from typing import Any

import msgspec

from aksnav.model.kubernetes.istio import Abort, Redirect, Rewrite
from aksnav.trace import kubectl
from aksnav.trace.istio.matching import Candidate
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_WHOLE = 100.0
_CODES = frozenset({301, 302, 303, 307, 308})
_PORTS = {"http": 80, "https": 443}


class Acted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The request after a rule's actions.

    Attributes:
        packet: as it is sent on.
        steps: what was done; the last one answers where ``ended``.
        aborted: share of requests, 0 to 1, that a fault answers, with the step that does.
    """

    packet: Packet
    steps: tuple[Step, ...] = ()
    ended: bool = False
    aborted: tuple[float, Step] | None = None


def apply(item: Candidate, packet: Packet, port: int) -> Acted:
    """Return what the rule of a match does to a request; ``port`` is the listener's."""
    rule, field = item.rule, f".spec.http[{item.rule_index}]"
    steps = [*_unknown(item, field, packet)]
    aborted = None
    if rule.fault is not None and rule.fault.abort is not None:
        share, step = _abort(item, field, rule.fault.abort, packet)
        if share >= 1.0:
            return Acted(packet=packet, steps=(*steps, step), ended=True)
        aborted = (share, step) if share > 0 else None
    if rule.redirect is not None:
        steps.append(_redirect(item, field, rule.redirect, packet, port))
        return Acted(packet=packet, steps=tuple(steps), ended=True, aborted=aborted)
    if rule.direct_response is not None:
        status = rule.direct_response.status
        fact = Evidence(f"{field}.directResponse.status", str(status), item.row.ref)
        steps.append(_step(item, packet, Verdict.RESPOND, f"answered here with {status}", fact, status=status))
        return Acted(packet=packet, steps=tuple(steps), ended=True, aborted=aborted)
    after = _headers(packet, rule.headers)
    if rule.rewrite is not None:
        if rule.rewrite.uri_regex_rewrite:
            steps.append(_not_modelled(item, packet, f"{field}.rewrite.uriRegexRewrite"))
        after = _rewritten(item, rule.rewrite, after)
    if after != packet:
        fact = Evidence(
            f"{field}.rewrite" if rule.rewrite is not None else f"{field}.headers", f"{after.host}{after.path}"
        )
        step = _step(item, packet, Verdict.TRANSFORM, f"sent on as {after.host}{after.path}", fact)
        steps.append(msgspec.structs.replace(step, packet_after=after))
    steps += [_mirror(item, name, packet) for name in _mirrors(item)]
    return Acted(packet=after, steps=tuple(steps), aborted=aborted)


def _step(
    item: Candidate, packet: Packet, verdict: Verdict, what: str, *facts: Evidence, status: int = 0, missing: str = ""
) -> Step:
    return Step(
        kind=Kind.ROUTE_FILTER,
        verdict=verdict,
        summary=f"{item.name}: {what}",
        subject=item.row.ref,
        version=item.row.resource_version,
        packet=packet,
        status=status,
        evidence=facts,
        missing=missing,
        confirm=kubectl.show(item.row.ref, f".spec.http[{item.rule_index}]"),
    )


def _not_modelled(item: Candidate, packet: Packet, field: str) -> Step:
    what = field.rpartition(".")[2]
    fact = Evidence(field, "set", item.row.ref)
    return _step(
        item, packet, Verdict.UNSUPPORTED, f"{what} is not evaluated", fact, missing=f"{what} of {item.row.ref}"
    )


def _unknown(item: Candidate, field: str, packet: Packet) -> list[Step]:
    """Steps of what is not evaluated: a delegate, and the answer to a CORS preflight."""
    found = []
    if item.rule.delegate:
        name = f"{item.rule.delegate.get('namespace') or item.row.namespace}/{item.rule.delegate.get('name', '')}"
        step = _not_modelled(item, packet, f"{field}.delegate")
        found.append(
            msgspec.structs.replace(
                step,
                summary=f"{item.name} leaves the request to VirtualService {name}, which is not followed",
                evidence=(Evidence(f"{field}.delegate.name", name, item.row.ref),),
                missing=f"delegate VirtualService {name} of VirtualService {item.row.id}",
            )
        )
    names = {name for name, _ in packet.headers}
    if item.rule.cors_policy and packet.method == "OPTIONS" and names >= {"origin", "access-control-request-method"}:
        found.append(_not_modelled(item, packet, f"{field}.corsPolicy"))
    return found


def _abort(item: Candidate, field: str, abort: Abort, packet: Packet) -> tuple[float, Step]:
    """The share of requests that are answered with an error on purpose; without a percentage all of them."""
    share = 1.0 if abort.percentage is None else min(max(abort.percentage.value / _WHOLE, 0.0), 1.0)
    if not abort.http_status:
        return 1.0, _not_modelled(item, packet, f"{field}.fault.abort")
    percent = f"{share * _WHOLE:g} %"
    facts = (
        Evidence(f"{field}.fault.abort.httpStatus", str(abort.http_status), item.row.ref),
        Evidence(f"{field}.fault.abort.percentage.value", percent, item.row.ref),
    )
    what = f"{percent} of the requests are answered {abort.http_status} on purpose (fault injection)"
    return share, _step(item, packet, Verdict.RESPOND, what, *facts, status=abort.http_status)


def _redirect(item: Candidate, field: str, wanted: Redirect, packet: Packet, port: int) -> Step:
    status = wanted.redirect_code or 301
    if status not in _CODES:
        return _not_modelled(item, packet, f"{field}.redirect.redirectCode")
    scheme = (wanted.scheme or ("https" if packet.scheme in {"https", "grpcs"} else "http")).lower()
    number = port if wanted.derive_port == "FROM_REQUEST_PORT" else wanted.port
    host = wanted.authority or (packet.host.partition(":")[0] if number or wanted.scheme else packet.host)
    shown = f":{number}" if number and number != _PORTS.get(scheme) else ""
    path = wanted.uri or packet.path + (f"?{packet.query}" if packet.query else "")
    where = f"{scheme}://{host}{shown}{path}"
    facts = (
        Evidence(f"{field}.redirect.redirectCode", str(status), item.row.ref),
        Evidence("Location", where),
    )
    return _step(item, packet, Verdict.RESPOND, f"sends the client to {where} with {status}", *facts, status=status)


def _rewritten(item: Candidate, wanted: Rewrite, packet: Packet) -> Packet:
    """The matched prefix is replaced, as text; a path that matched as a whole is replaced as a whole."""
    path, uri = packet.path, item.match.uri
    if wanted.uri:
        prefix = "/" if uri is None or (uri.exact is None and uri.regex is None) else packet.path
        if uri is not None and uri.prefix is not None:
            prefix = uri.prefix
        path = wanted.uri + packet.path[len(prefix) :]
    return msgspec.structs.replace(packet, path=path, host=wanted.authority or packet.host)


def _headers(packet: Packet, wanted: dict[str, Any]) -> Packet:
    request = wanted.get("request")
    if not isinstance(request, dict):
        return packet
    changed = {**_texts(request.get("add")), **_texts(request.get("set"))}
    removed = {str(name).lower() for name in request.get("remove") or ()}
    kept = [(name, value) for name, value in packet.headers if name not in removed and name not in changed]
    host = next((value for name, value in changed.items() if name in {"host", ":authority"}), packet.host)
    added = [(name, value) for name, value in changed.items() if name not in {"host", ":authority"}]
    return msgspec.structs.replace(packet, host=host, headers=(*kept, *added))


def _texts(value: object) -> dict[str, str]:
    return {str(name).lower(): str(text) for name, text in value.items()} if isinstance(value, dict) else {}


def _mirrors(item: Candidate) -> list[str]:
    listed = [item.rule.mirror, *(one.get("destination") for one in item.rule.mirrors)]
    return [str(one["host"]) for one in listed if isinstance(one, dict) and one.get("host")]


def _mirror(item: Candidate, name: str, packet: Packet) -> Step:
    fact = Evidence(f".spec.http[{item.rule_index}].mirror.host", name, item.row.ref)
    return _step(item, packet, Verdict.PASS, f"copies of requests go to {name}, whose answers are dropped", fact)
