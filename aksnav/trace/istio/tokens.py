"""Tokens (JWT) that requests carry, and who checks them: RequestAuthentication at the proxy of a workload.

Source: Istio reference, "RequestAuthentication": a request without a token passes and has no identity; one whose token
no rule accepts is answered 401. Where no rule says from where a token is taken, it is the header Authorization behind
``Bearer ``, or the query parameter ``access_token``. Tokens themselves are not checked here.
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.kubernetes.istio_security import JWTRule, RequestAuthentication
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio.scope import Workload, applies, by_age, root_unsure, unread
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_UNAUTHORIZED = 401


class Checked(msgspec.Struct, frozen=True, gc=False):
    """What is made of a request's tokens.

    Attributes:
        steps: none where nobody looks for a token.
        carried: the request may carry a token that somebody looks for; else it has no identity of its own.
    """

    steps: tuple[Step, ...] = ()
    carried: bool = False


def check(store: Store, at: Workload, packet: Packet, what: str, subject: Ref | None) -> Checked:
    """Return what the proxy of a workload makes of the tokens of an HTTP request.

    Args:
        store: what is known.
        at: the workload.
        packet: the request.
        what: the workload's name for people.
        subject: the object that stands for it.
    """
    table = store.request_authentications
    rows = [row for row in by_age(store, table) if applies(store, row, at) and row.jwt_rules]
    missing = unread(store, (RequestAuthentication.KIND,)) or root_unsure(store, table)
    anything = bool(packet.headers or packet.query)
    if not rows and (not missing or not anything):
        return Checked()
    found = [(row, place) for row in rows for rule in row.jwt_rules for place in _carried(rule, packet)]
    step = Step(
        kind=Kind.MESH,
        verdict=Verdict.PASS,
        summary=f"{what} finds no token in the request, and lets it through without an identity",
        subject=rows[0].ref if rows else subject,
        version=rows[0].resource_version if rows else "",
        packet=packet,
        evidence=tuple(
            Evidence(".spec.jwtRules[*].issuer", ", ".join(rule.issuer for rule in row.jwt_rules), row.ref)
            for row in rows[:4]
        ),
        assumptions=(
            *((f"nothing in the request is a token to a RequestAuthentication that cannot be read ({missing})",)
              if missing and anything else ()),
            *stale(table),
        ),
        confirm=kubectl.listing(RequestAuthentication.KIND),
    )  # fmt: skip
    if not found:
        return Checked((step,), carried=bool(missing) and anything)
    row, place = found[0]
    step = msgspec.structs.replace(
        step,
        verdict=Verdict.UNSUPPORTED,
        summary=f"{what} checks the token in {place}, and answers {_UNAUTHORIZED} where it does not accept it",
        subject=row.ref,
        version=row.resource_version,
        missing=f"whether RequestAuthentication {row.id} accepts the token in {place}",
    )
    return Checked((step,), carried=True)


def _carried(rule: JWTRule, packet: Packet) -> Iterator[str]:
    """Yield the places of a request that carry what a rule looks for."""
    headers = {name.lower(): value for name, value in packet.headers}
    parameters = {item.partition("=")[0] for item in packet.query.split("&")}
    cookies = {item.partition("=")[0].strip() for item in headers.get("cookie", "").split(";")}
    if not (rule.from_headers or rule.from_params or rule.from_cookies):
        if headers.get("authorization", "").lower().startswith("bearer "):
            yield "header authorization"
        if "access_token" in parameters:
            yield "query parameter access_token"
    for item in rule.from_headers:
        if item.name.lower() in headers and headers[item.name.lower()].startswith(item.prefix):
            yield f"header {item.name.lower()}"
    yield from (f"query parameter {name}" for name in rule.from_params if name in parameters)
    yield from (f"cookie {name}" for name in rule.from_cookies if name in cookies)
