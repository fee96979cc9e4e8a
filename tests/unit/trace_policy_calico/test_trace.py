"""Rows of the table through the public trace, from Pod to Pod."""

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Outcome, Step, Trace
from tests.unit.trace_edge.world import Json, the_pod
from tests.unit.trace_policy_calico.cluster import API, WEB, allow, both, deny, rule, tier, world
from tests.unit.trace_policy_calico.row import Row
from tests.unit.trace_policy_calico.rows import ROWS

WALKED = [row for row in ROWS if "/" in row.source and row.protocol in {"TCP", "UDP", "SCTP"}]
_OUTCOMES = {"allow": Outcome.DELIVERED, "deny": Outcome.DROPPED, "?": Outcome.UNDECIDED}


def walk(*objects: Json, source: str = API, target: str = WEB, port: int = 80, protocol: str = "TCP") -> Trace:
    """Return the trace of a connection between Pods of one node, so that nothing but policy is on the road."""
    store = world(*objects, other_node="node-1")
    to = f"{protocol.lower()}://{the_pod(store, target).ip}:{port}"
    return trace(store, parse_request(to, source=f"pod/{source}"))


def policy_step(found: Trace) -> Step:
    """Return the last policy step of a trace."""
    return [step for step in found.steps if step.kind is Kind.POLICY][-1]


@pytest.mark.parametrize("row", WALKED, ids=lambda row: f"{row.page}: {row.says}")
def test_a_trace_ends_as_the_reference_says(row: Row) -> None:
    """What is allowed is delivered, what is denied is dropped, and the rest is undecided."""
    found = walk(*row.objects, source=row.source, target=row.target, port=row.port, protocol=row.protocol)
    assert found.outcome is _OUTCOMES[row.want], [step.summary for step in found.steps]


def test_most_rows_are_walked() -> None:
    """Enough of them have a road from Pod to Pod."""
    assert len(WALKED) > len(ROWS) / 2
    assert {row.want for row in WALKED} == set(_OUTCOMES)


def test_a_denied_connection_shows_the_rule_and_its_place() -> None:
    """The deciding rule with tier and order, the command that prints the policy, and the check."""
    step = policy_step(walk(both("default.no", order=5, ingress=[allow(protocol="UDP"), deny()])))
    assert step.cause == "P13"
    assert str(step.subject) == "GlobalNetworkPolicy default.no"
    assert (step.evidence[0].field, step.evidence[0].note) == (".spec.ingress[1]", "tier default, order 5")
    assert step.confirm == "kubectl get globalnetworkpolicies.crd.projectcalico.org default.no -o yaml"
    assert step.fix == "put a rule that admits it before the one of default.no"


def test_every_policy_and_rule_that_was_considered_is_told_with_what_it_does() -> None:
    """One line for each, in the order in which they are asked, with the field that says so."""
    found = walk(
        tier("first", 10),
        both(
            "first.log", tier="first", order=1, ingress=[rule("Log"), rule("Pass", source={"selector": "app == 'api'"})]
        ),
        both("first.late", tier="first", order=2, ingress=[deny()]),
        both("default.bad", order=1, ingress=[allow(http={"methods": ["GET"]})]),
        both("default.no", order=2, ingress=[allow(protocol="UDP"), deny(source={"nets": ["10.244.9.0/24"]}), deny()]),
        both("default.last", order=3, ingress=[allow()]),
        both("shop/default.out", egress=[allow()]),
        both("default.other", selector="app == 'db'", ingress=[]),
    )
    told = {item.rule: item.why for item in policy_step(found).considered}
    peer = "a Pod of shop with labels app=api,role=back"
    assert told == {
        "GlobalNetworkPolicy first.log ingress[0]": "logs, and goes on: it names nothing: everything",
        "GlobalNetworkPolicy first.log ingress[1]": f"passes: source.selector app == 'api' matches {peer}",
        "GlobalNetworkPolicy first.late ingress[0]": "not reached: denies: it names nothing: everything",
        "GlobalNetworkPolicy default.bad ingress[0]": (
            "undecidable: http is for application layer policy, which is not modelled"
        ),
        "GlobalNetworkPolicy default.no ingress[0]": "does not admit: protocol UDP is not TCP",
        "GlobalNetworkPolicy default.no ingress[1]": f"does not deny: source.nets 10.244.9.0/24 does not cover {peer}",
        "GlobalNetworkPolicy default.no ingress[2]": "denies: it names nothing: everything",
        "GlobalNetworkPolicy default.last ingress[0]": "not reached: admits: it names nothing: everything",
        "CalicoNetworkPolicy shop/default.out": "not applicable: selects the Pod, but its types are Egress",
        "GlobalNetworkPolicy default.other": "not applicable: selector app == 'db' does not match the Pod",
    }


def test_a_policy_that_cannot_be_evaluated_is_named_with_its_field() -> None:
    """Nothing else changes: the object is told, the field, and the reason."""
    step = policy_step(walk(both("default.bad", ingress=[allow(source={"selector": "app = 'api'"})])))
    assert str(step.subject) == "GlobalNetworkPolicy default.bad"
    assert step.evidence[0].field == ".spec.ingress[0].source.selector"
    assert "'=' stands alone" in step.missing
