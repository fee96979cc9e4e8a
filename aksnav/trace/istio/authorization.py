"""What AuthorizationPolicies do with a request at a proxy: CUSTOM, then DENY, then ALLOW.

Source: Istio reference, "Authorization Policy"; concepts, "Security" (implicit enablement, TCP protocols). Values of a
field are alternatives, several fields must all hold. HTTP fields on a connection that is no HTTP: an ALLOW rule
with them never matches, a DENY rule is read without them.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address, parse_prefix
from aksnav.model.kubernetes.istio_security import AuthOperation, AuthorizationPolicy, AuthRule, AuthSource
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio.scope import Workload, applies, by_age, root_unsure, unread
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.hostnames import bare
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict
from aksnav.trace.ternary import Answer, Unknown, every, some

_FORBIDDEN = 403
_EVERYTHING = ("0.0.0.0/0", "::/0")
TRUST_DOMAIN = "cluster.local"


class Asking(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A request as the proxy sees it.

    Attributes:
        packet: the request; its port is the workload's.
        http: the proxy reads HTTP in it.
        peer: namespace and service account of the client's certificate; None where it shows none.
        peer_unknown: why the client's certificate is not known, else empty.
        addresses: that the connection may come from; None for any.
        forwarded: addresses of the client as X-Forwarded-For tells them, None where that is not known.
        tokens: the request carries something that may be a token; without one it has no identity of its own.
    """

    packet: Packet
    http: bool
    peer: tuple[str, str] | None = None
    peer_unknown: str = ""
    addresses: tuple[int, ...] | None = None
    forwarded: tuple[int, ...] | None = None
    tokens: bool = True


class Judged(msgspec.Struct, frozen=True, gc=False):
    """The step of the policies, None where there are none; whether it ends the road."""

    step: Step | None
    ended: bool = False


def at_gateway(
    store: Store, controller: Controller, at: Workload, packet: Packet, *, http: bool, tokens: bool = True
) -> Judged:
    """Return what the policies of an ingress gateway do with a request from outside of the mesh."""
    service = controller.service
    port = _pod_port(controller, packet.port)
    addresses = _seen(store, controller, packet)
    asking = Asking(
        packet=msgspec.structs.replace(packet, port=port),
        http=http,
        addresses=addresses,
        forwarded=addresses,
        tokens=tokens,
    )
    subject = service.ref if service is not None else None
    return judge(store, at, asking, f"the gateway {controller.label}", subject)


def _pod_port(controller: Controller, port: int) -> int:
    """The port of the gateway's Pods behind a port of its Service: that is what policies compare."""
    listed = controller.service.ports if controller.service is not None else ()
    target = next((item.target for item in listed if item.port == port), port)
    if isinstance(target, int):
        return target
    declared = (item.port for pod in controller.pods[:1] for item in pod.template.ports if item.name == target)
    return next(declared, port)


def _seen(store: Store, controller: Controller, packet: Packet) -> tuple[int, ...] | None:
    """The addresses that the gateway may see the client at: a node's behind externalTrafficPolicy Cluster."""
    service = controller.service
    balanced = service is not None and service.type in {"LoadBalancer", "NodePort"}
    local = service is not None and service.external_traffic_policy == "Local"
    inside = packet.source is not None and bool(store.pods_at(packet.source))
    if balanced and not local and not inside:
        nodes = [number for row in store.nodes for number in map(parse_address, row.internal_ips) if number is not None]
        return tuple(nodes) or None
    return (packet.source,) if packet.source is not None else None


def applying(store: Store, at: Workload) -> tuple[AuthorizationPolicy, ...]:
    """Return the policies of a workload, oldest first."""
    return tuple(row for row in by_age(store, store.authorization_policies) if applies(store, row, at))


def judge(store: Store, at: Workload, asking: Asking, what: str, subject: Ref | None) -> Judged:
    """Return what the policies of a workload do with a request.

    Args:
        store: what is known.
        at: the workload.
        asking: the request.
        what: the workload's name for people.
        subject: the object that stands for it.
    """
    rows = applying(store, at)
    missing = unread(store, ("AuthorizationPolicy",)) or root_unsure(store, store.authorization_policies)
    if not rows:
        if not missing:
            return Judged(None)
        return Judged(
            _step(store, rows, (), asking, Verdict.BLIND, f"policies of {what} cannot be read", subject, missing)
        )
    said: list[Considered] = []
    asked: dict[str, list[tuple[AuthorizationPolicy, Answer, str]]] = {}
    for row in rows:
        action = row.action.upper() or "ALLOW"
        hit, field = _matches(row, action, asking)
        asked.setdefault(action, []).append((row, hit, field))
        said.append(_considered(row, action, hit, field))
    return _decide(store, rows, asked, tuple(said), asking, what, subject, missing)


def _considered(row: AuthorizationPolicy, action: str, hit: Answer, field: str) -> Considered:
    why = hit.why if isinstance(hit, Unknown) else f"{field} matches" if hit else "no rule matches"
    return Considered(f"AuthorizationPolicy {row.id} ({action})", hit is True and action != "AUDIT", why)


def _decide(  # noqa: PLR0913 - what a verdict needs
    store: Store,
    rows: Sequence[AuthorizationPolicy],
    asked: dict[str, list[tuple[AuthorizationPolicy, Answer, str]]],
    said: tuple[Considered, ...],
    asking: Asking,
    what: str,
    subject: Ref | None,
    missing: str,
) -> Judged:
    def step(verdict: Verdict, text: str, why: str = "", by: tuple[AuthorizationPolicy, str] | None = None) -> Judged:
        made = _step(store, rows, said, asking, verdict, text, subject, why, by)
        return Judged(made, verdict in {Verdict.RESPOND, Verdict.REJECT})

    for row, hit, field in asked.get("DENY", ()):
        if hit is True:
            return step(_denial(asking), f"AuthorizationPolicy {row.id} denies the request to {what}", by=(row, field))
    unsure = next((hit.why for _, hit, _ in asked.get("DENY", ()) if isinstance(hit, Unknown)), "")
    allowing = asked.get("ALLOW", [])
    allowed = some(hit for _, hit, _ in allowing) if allowing else True
    if allowed is False and not missing:
        names = ", ".join(row.id for row, _, _ in allowing)
        first = allowing[0][0]
        field = ".spec.rules" if first.rules else ".spec"
        return step(
            _denial(asking),
            f"no rule of the ALLOW policies of {what} ({names}) takes the request: it is denied",
            by=(first, field),
        )
    custom = next((row for row, hit, _ in asked.get("CUSTOM", ()) if hit is not False), None)
    if custom is not None:
        provider = custom.provider.get("name", "(none)")
        why = f"external authorization {provider} of AuthorizationPolicy {custom.id}"
        return step(Verdict.UNSUPPORTED, f"{why} may refuse the request", why)
    why = unsure or (allowed.why if isinstance(allowed, Unknown) else "")
    if why:
        return step(Verdict.UNSUPPORTED, f"whether the policies of {what} let the request through is not decided", why)
    if missing:
        return step(Verdict.BLIND, f"not every policy of {what} can be read", missing)
    return step(Verdict.PASS, f"the policies of {what} let the request through")


def _denial(asking: Asking) -> Verdict:
    return Verdict.RESPOND if asking.http else Verdict.REJECT


def _step(  # noqa: PLR0913 - what a step needs
    store: Store,
    rows: Sequence[AuthorizationPolicy],
    said: tuple[Considered, ...],
    asking: Asking,
    verdict: Verdict,
    text: str,
    subject: Ref | None,
    why: str = "",
    by: tuple[AuthorizationPolicy, str] | None = None,
) -> Step:
    ended = verdict in {Verdict.RESPOND, Verdict.REJECT}
    facts = (
        (
            Evidence(".spec.action", by[0].action, by[0].ref),
            Evidence(by[1], _rules(by[0]), by[0].ref),
        )
        if by is not None
        else tuple(Evidence(".spec.action", row.action, row.ref) for row in rows[:5])
    )
    end = f" with {_FORBIDDEN} (RBAC: access denied)" if verdict is Verdict.RESPOND else "; the connection is closed"
    return Step(
        kind=Kind.MESH,
        verdict=verdict,
        summary=text + (end if ended else ""),
        subject=by[0].ref if by is not None else rows[0].ref if rows else subject,
        version=by[0].resource_version if by is not None else "",
        packet=asking.packet,
        cause="G23" if ended else "",
        status=_FORBIDDEN if verdict is Verdict.RESPOND else 0,
        evidence=facts,
        considered=said,
        assumptions=stale(store.authorization_policies),
        missing=why if not ended else "",
        confirm=kubectl.listing(AuthorizationPolicy.KIND, by[0].namespace if by is not None else ""),
        fix="add a rule that takes the request to an ALLOW policy, or narrow the one that denies it" if ended else "",
    )


def _rules(row: AuthorizationPolicy) -> str:
    if not row.rules:
        return "(no rules: an ALLOW policy without rules lets nothing through)"
    return f"{len(row.rules)} rules"


def _matches(row: AuthorizationPolicy, action: str, asking: Asking) -> tuple[Answer, str]:
    unsure: tuple[Answer, str] = (False, "")
    for index, rule in enumerate(row.rules):
        hit = _rule(rule, action, asking, row.namespace)
        if hit is True:
            return True, f".spec.rules[{index}]"
        if isinstance(hit, Unknown) and unsure[0] is False:
            unsure = (Unknown(f"{hit.why} (.spec.rules[{index}] of AuthorizationPolicy {row.id})"), "")
    return unsure


def _rule(rule: AuthRule, action: str, asking: Asking, namespace: str) -> Answer:
    parts: list[Answer] = []
    if rule.from_:
        parts.append(some(every(_source(item.source, action, asking, namespace)) for item in rule.from_))
    if rule.to:
        parts.append(some(every(_operation(item.operation, action, asking)) for item in rule.to))
    if rule.when:
        keys = ", ".join(str(item.get("key", "")) for item in rule.when)
        parts.append(Unknown(f"conditions (when) on {keys} are not evaluated"))
    return every(parts)


def _source(source: AuthSource, action: str, asking: Asking, namespace: str) -> Iterator[Answer]:
    if source.unmodelled:
        yield Unknown(f"source field {source.unmodelled[0]} is not evaluated")
    peer = asking.peer
    name = f"{TRUST_DOMAIN}/ns/{peer[0]}/sa/{peer[1]}" if peer is not None else None
    for wanted, refused, value in (
        (source.principals, source.not_principals, name),
        (source.namespaces, source.not_namespaces, peer[0] if peer is not None else None),
        (
            tuple(item if "/" in item else f"{namespace}/{item}" for item in source.service_accounts),
            tuple(item if "/" in item else f"{namespace}/{item}" for item in source.not_service_accounts),
            f"{peer[0]}/{peer[1]}" if peer is not None else None,
        ),
    ):
        if (wanted or refused) and asking.peer_unknown:
            yield Unknown(asking.peer_unknown)
            continue
        yield from _both(wanted, refused, lambda item, value=value: value is not None and _text(item, value))  # type: ignore[misc]  # the default binds the value of this turn
    if source.request_principals or source.not_request_principals:
        yield from _of_http(action, asking, (_principal(source, asking),))
    yield from _both(source.ip_blocks, source.not_ip_blocks, lambda item: _within(item, asking.addresses, "connection"))
    yield from _both(
        source.remote_ip_blocks,
        source.not_remote_ip_blocks,
        lambda item: _within(item, asking.forwarded, "client"),
    )


def _principal(source: AuthSource, asking: Asking) -> Answer:
    """Whether a token's identity is the one wanted: a request without a token has none, not even for ``*``."""
    if asking.tokens:
        return Unknown("tokens (requestPrincipals) are not read")
    return not source.request_principals


def _operation(wanted: AuthOperation, action: str, asking: Asking) -> Iterator[Answer]:
    if wanted.unmodelled:
        yield Unknown(f"operation field {wanted.unmodelled[0]} is not evaluated")
    packet = asking.packet
    yield from _both(wanted.ports, wanted.not_ports, lambda item: item == str(packet.port))
    host, path = bare(packet.host), packet.path
    answers: list[Answer] = [
        *_both(wanted.hosts, wanted.not_hosts, lambda item: _host(item, packet.host, host)),
        *_both(wanted.methods, wanted.not_methods, lambda item: _text(item, packet.method)),
        *_both(wanted.paths, wanted.not_paths, lambda item: _path(item, path)),
    ]
    yield from _of_http(action, asking, answers)


def _of_http(action: str, asking: Asking, answers: Sequence[Answer]) -> Iterator[Answer]:
    """Answers of HTTP fields: on a connection that is none, an ALLOW rule fails and a DENY rule goes without them."""
    if asking.http:
        yield from answers
    elif answers and action == "ALLOW":
        yield False


def _both(wanted: Sequence[str], refused: Sequence[str], test: Callable[[str], Answer]) -> Iterator[Answer]:
    if wanted:
        yield some(test(item) for item in wanted)
    if refused:
        hit = some(test(item) for item in refused)
        yield hit if isinstance(hit, Unknown) else not hit


def _text(wanted: str, value: str) -> bool:
    """Whether a value is the one wanted: exactly, by its beginning (``a*``), its end (``*a``), or at all (``*``)."""
    if wanted == "*":
        return bool(value)
    if wanted.endswith("*"):
        return value.startswith(wanted[:-1])
    return value.endswith(wanted[1:]) if wanted.startswith("*") else value == wanted


def _host(wanted: str, given: str, host: str) -> bool:
    return _text(wanted.lower(), given.lower()) or _text(wanted.lower(), host)


def _path(wanted: str, path: str) -> Answer:
    if "{" in wanted:
        return Unknown(f"path template {wanted} is not evaluated")
    return _text(wanted, path)


def _within(block: str, addresses: tuple[int, ...] | None, whose: str) -> Answer:
    prefix = parse_prefix(block) or _single(block)
    if prefix is None:
        return Unknown(f"{block} is no address block")
    if addresses is None:
        return True if block in _EVERYTHING else Unknown(f"the address of the {whose}, for block {block}")
    hits = {address in prefix for address in addresses}
    if len(hits) == 1:
        return hits.pop()
    return Unknown(f"which of {len(addresses)} addresses the {whose} has, for block {block}")


def _single(text: str) -> Prefix | None:
    address = parse_address(text)
    if address is None:
        return None
    shown = format_address(address)
    return parse_prefix(f"{shown}/{128 if ':' in shown else 32}")
