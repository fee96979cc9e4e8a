"""RequestAuthentication: no token passes, a token is checked elsewhere; policies of the Gateway API's gateways.

Source: Istio reference, "RequestAuthentication", "Authorization Policy", "PolicyTargetReference".
"""

from collections.abc import Iterator
from typing import Any

import pytest

from aksnav.model.change import Reading
from aksnav.trace.step import Certainty, Outcome, Step, Trace, Verdict
from tests.unit.trace_istio.row import ANY, GATEWAY
from tests.unit.trace_istio.world import INGRESS, asked, authz, living, tokens, vs, word
from tests.unit.trace_routing.world import Wire
from tests.unit.trace_walk.changed_demo import ChangedDemo

R = vs("r", ANY)
SIDECAR, INSIDE = "http://api.shop.svc.cluster.local/x", "pod/shop/inside"
BEARER = {"authorization": "Bearer x.y.z"}
REQUIRED = {"from": [{"source": {"requestPrincipals": ["*"]}}]}


def said(found: Trace) -> list[str]:
    """Return the RequestAuthentications that a trace names."""

    def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
        for step in steps:
            yield step
            for branch in step.branches:
                yield from walk(branch.steps)

    refs = (step.subject for step in walk(found.steps))
    return [ref.id for ref in refs if ref is not None and ref.kind == "RequestAuthentication"]


def at_gateway(*objects: Wire, headers: dict[str, str] | None = None, path: str = "/x", **more: Any) -> Trace:
    """Return the trace of a request to the add-on's gateway."""
    return asked(living(GATEWAY, R, *objects, **more), f"http://a.com{path}", headers)


def test_a_request_without_a_token_passes_and_has_no_identity() -> None:
    """The step says so, at a gateway and at a sidecar; a policy that wants an identity refuses it."""
    for found in (
        at_gateway(tokens("jwt", INGRESS)),
        asked(living(tokens("jwt"), meshed=True), SIDECAR, source=INSIDE),
    ):
        assert word(found) == "api-1 api-2"
        assert said(found)
    refused = at_gateway(tokens("jwt", INGRESS), authz("who", REQUIRED, namespace=INGRESS))
    assert (word(refused), refused.causes) == ("respond 403", ("G23",))


@pytest.mark.parametrize(
    ("rule", "headers", "path"),
    [
        ({}, BEARER, "/x"),
        ({}, {}, "/x?access_token=x"),
        ({"fromHeaders": [{"name": "X-Token", "prefix": "t "}]}, {"x-token": "t abc"}, "/x"),
        ({"fromParams": ["jwt"]}, {}, "/x?a=1&jwt=x"),
        ({"fromCookies": ["session"]}, {"cookie": "a=1; session=x"}, "/x"),
    ],
)
def test_a_token_that_is_carried_is_not_checked_here(rule: Wire, headers: dict[str, str], path: str) -> None:
    """An invalid one is answered 401: undecided, also where a policy wants an identity."""
    for more in ((), (authz("who", REQUIRED, namespace=INGRESS),)):
        found = at_gateway(tokens("jwt", INGRESS, rule=rule), *more, headers=headers, path=path)
        assert word(found) == "undecided"
        assert "whether RequestAuthentication aks-istio-ingress/jwt accepts the token" in str(found.confidence.because)


@pytest.mark.parametrize(
    ("rule", "headers"),
    [
        ({}, {"authorization": "Basic eA=="}),
        ({"fromHeaders": [{"name": "x-token"}]}, BEARER),
        ({"fromHeaders": [{"name": "x-token", "prefix": "t "}]}, {"x-token": "other"}),
    ],
)
def test_what_no_rule_looks_for_is_no_token(rule: Wire, headers: dict[str, str]) -> None:
    """Where a rule names places, Authorization is none of them."""
    assert word(at_gateway(tokens("jwt", INGRESS, rule=rule), headers=headers)) == "api-1 api-2"


@pytest.mark.parametrize(
    "row",
    [
        tokens("elsewhere", "other"),
        tokens("others", INGRESS, selector={"matchLabels": {"app": "none"}}),
        tokens("waypoint", INGRESS, targetRefs=[{"kind": "Service", "name": "api"}]),
    ],
)
def test_tokens_of_others_are_not_this_workloads(row: Wire) -> None:
    """Another namespace, another selector, a policy for waypoints."""
    found = at_gateway(row, headers=BEARER)
    assert word(found) == "api-1 api-2"
    assert not said(found)


def test_what_may_not_be_read_is_assumed_where_the_request_carries_something() -> None:
    """With nothing in it there is nothing to check, whatever stands in the objects that are not read."""
    unread = ("RequestAuthentication",)
    assert not any("RequestAuthentication" in line for line in at_gateway(unread=unread).confidence.because)
    found = at_gateway(unread=unread, headers=BEARER)
    assert any("a RequestAuthentication that cannot be read" in line for line in found.confidence.because)
    wanted = at_gateway(authz("who", REQUIRED, namespace=INGRESS), unread=unread, headers=BEARER)
    assert word(wanted) == "undecided"


def test_policies_of_what_may_be_the_root_namespace_are_no_pass_where_namespaces_cannot_be_read() -> None:
    """istio-system is the root namespace of upstream Istio; whether it is this mesh's is not known."""
    row = authz("all", namespace="istio-system")
    found = at_gateway(row, unread=("Namespace",))
    assert word(found) == "undecided"
    assert "whether istio-system is the root namespace" in str(found.confidence.because)


def of_gateway(row: Wire) -> Trace:
    """Return the trace of the demo's media, at a Gateway of the Gateway API, with one object of Istio's."""
    world = ChangedDemo()
    world.put(row["kind"], row)
    return world.ask("https://media.apps.contoso.com/", resolve="20.50.1.8")


WEB = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "web"}


@pytest.mark.parametrize(
    "spec",
    [
        {"targetRefs": [WEB]},
        {"targetRef": WEB},
        {"selector": {"matchLabels": {"gateway.networking.k8s.io/gateway-name": "web"}}},
        {},
    ],
)
def test_a_policy_for_a_gateway_of_the_gateway_api_is_its_proxys(spec: Wire) -> None:
    """By name, by its Pods' labels, or because it is in its namespace: an ALLOW policy without rules."""
    found = of_gateway(authz("none", namespace="infra", **spec))
    assert (found.outcome, found.status, found.causes) == (Outcome.RESPONDS, 403, ("G23",))


@pytest.mark.parametrize(
    ("spec", "namespace"),
    [
        ({"targetRefs": [{**WEB, "name": "other"}]}, "infra"),
        ({"targetRefs": [WEB]}, "shop"),
        ({"selector": {"matchLabels": {"app": "other"}}}, "infra"),
        ({"targetRefs": [{"kind": "Service", "name": "web"}]}, "infra"),
    ],
)
def test_a_policy_for_another_is_not(spec: Wire, namespace: str) -> None:
    """A reference leads nowhere but into the policy's own namespace."""
    found = of_gateway(authz("none", namespace=namespace, **spec))
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)


def test_an_envoy_filter_for_such_a_gateway_is_said() -> None:
    """What it does is not evaluated."""
    row = {
        "kind": "EnvoyFilter",
        "metadata": {"name": "lua", "namespace": "infra"},
        "spec": {"targetRefs": [WEB], "configPatches": []},
    }
    found = of_gateway(row)
    assert found.outcome is Outcome.UNDECIDED
    assert any(step.verdict is Verdict.UNSUPPORTED and "EnvoyFilter infra/lua" in step.missing for step in found.breaks)


@pytest.mark.parametrize("kind", ["AuthorizationPolicy", "RequestAuthentication", "EnvoyFilter"])
def test_what_cannot_be_read_at_such_a_gateway_is_no_pass(kind: str) -> None:
    """Blind for a policy, assumed for a patch; tokens matter to a request that carries something alone."""
    world = ChangedDemo()
    world.lose(kind, Reading.DENIED)
    found = world.ask("https://media.apps.contoso.com/", resolve="20.50.1.8")
    expected = {
        "AuthorizationPolicy": Certainty.PARTIAL,
        "RequestAuthentication": Certainty.PROVEN,
        "EnvoyFilter": Certainty.ASSUMED,
    }
    assert found.confidence.certainty is expected[kind]
