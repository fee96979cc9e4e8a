"""A rule that can never be reached names the rule that hides it, in the sweep and in the match of a request."""

import pytest

from aksnav.checks.finding import Proof
from aksnav.checks.ingress_rules import rule_findings
from aksnav.checks.routing import certificate_findings
from aksnav.trace.step import Considered
from tests.oracles.around import AGIC, CONTAINERS, NGINX, UNKNOWN_CONTROLLER, Wire, around, ask, matched
from tests.tables.rows import NEW, ing

REGEX = {"use-regex": "true"}

# Controller, Ingresses, check, the hidden path, the Ingress that hides it.
HIDDEN: list[tuple[str, tuple[Wire, ...], str, str, str]] = [
    (
        NGINX,
        (
            ing("I /foo/bar b0", "I /foo/bar/[A-Z0-9]{3} b1", marks=REGEX),
            ing("I /foo/.*/bar/x* b2", name="two", marks=REGEX),
        ),
        "",
        "",
        "",
    ),
    (NGINX, (ing("I /a/b b0", "I /a/.{1} b1", marks=REGEX),), "I25", "/a/b", "shop/one"),
    (NGINX, (ing("I /a/b b0", marks=REGEX), ing("I /a/.{1} b1", name="two", created=NEW)), "I25", "/a/b", "shop/two"),
    (NGINX, (ing("I /a/b b0", "I /a/.{1}$ b1", marks=REGEX),), "", "", ""),
    (NGINX, (ing("P /x b0", "P /x b1"),), "I25", "/x", "shop/one"),
    (NGINX, (ing("P /x b0"), ing("P /x b1", name="two", created=NEW)), "I14", "/x", "shop/one"),
    (NGINX, (ing("P /x b0", "E /x b1", "P /x/y b2", "P / b3"),), "", "", ""),
    (NGINX, (ing("P / b1", host=""), ing(default="b0", name="two", created=NEW)), "I25", "/", "shop/two"),
    (AGIC, (ing("P /foo b0", "P /foo/bar b1"),), "I25", "/foo/bar", "shop/one"),
    (AGIC, (ing("P /foo b0", "E /FOO b1"),), "I25", "/FOO", "shop/one"),
    (AGIC, (ing("P /foo/bar b0", "P /foo b1", "P / b2"),), "", "", ""),
    (AGIC, (ing("P /x b0", uid="1"), ing("P /x b1", name="two", uid="2")), "I14", "/x", "shop/one"),
    (AGIC, (ing("P / b0", uid="1"), ing("P /* b1", name="two", uid="2")), "I14", "/", "shop/two"),
    (UNKNOWN_CONTROLLER, (ing("P /x b0", "P /x/ b1"),), "I25", "/x/", "shop/one"),
    (UNKNOWN_CONTROLLER, (ing("P /x b0", "E /x/ b1", "P /x/y b2"),), "", "", ""),
    (CONTAINERS, (ing("P /x b0"), ing("P /x b1", name="two", created=NEW)), "I14", "/x", "shop/one"),
]


@pytest.mark.parametrize(("controller", "ingresses", "check", "path", "by"), HIDDEN)
def test_a_hidden_rule_names_the_one_that_hides_it(
    controller: str, ingresses: tuple[Wire, ...], check: str, path: str, by: str
) -> None:
    """Exactly one finding with both places, or none where every rule can be reached."""
    found = list(rule_findings(around(ingresses, controller)))
    assert [item.id for item in found] == ([check] if check else [])
    for item in found:
        assert path in item.evidence[0].value
        assert str(item.evidence[1].subject) == f"Ingress {by}"
        assert by in item.summary
        assert item.fix


def test_the_match_of_a_request_says_that_a_rule_is_never_reached() -> None:
    """The rule that was looked at and not chosen has the reason, and the rule that hides it."""
    store = around([ing("P /foo b0", "P /foo/bar b1")], AGIC)
    step = matched(ask(store, "http://h/foo/bar", AGIC))
    why = "can never be reached: /foo* of shop/one stands before it, and takes every path that it would (I25)"
    assert Considered("shop/one h/foo/bar (Prefix)", False, why) in step.considered


def test_what_rests_on_the_order_of_a_load_balancer_is_likely() -> None:
    """Application Gateway's order is its documentation's word; NGINX's is in its configuration."""
    agic = list(rule_findings(around([ing("P /foo b0", "P /foo/bar b1")], AGIC)))
    nginx = list(rule_findings(around([ing("I /a/b b0", "I /a/.{1} b1", marks=REGEX)], NGINX)))
    assert [item.proof for item in (*agic, *nginx)] == [Proof.LIKELY, Proof.PROVEN]


@pytest.mark.parametrize(
    ("objects", "expected"),
    [
        (
            [
                {
                    "kind": "NginxIngressController",
                    "metadata": {"name": "d"},
                    "spec": {},
                    "status": {"conditions": [{"type": "Available", "status": "False", "reason": "NoReplicas"}]},
                }
            ],
            ["I17 NginxIngressController d"],
        ),
        (
            [
                {
                    "kind": "NginxIngressController",
                    "metadata": {"name": "d"},
                    "spec": {},
                    "status": {"conditions": [{"type": "Available", "status": "True"}]},
                }
            ],
            [],
        ),
        ([{"kind": "NginxIngressController", "metadata": {"name": "d"}, "spec": {}}], []),
        (
            [
                {
                    "kind": "AzureIngressProhibitedTarget",
                    "metadata": {"name": "t", "namespace": "d"},
                    "spec": {"hostname": "h"},
                }
            ],
            ["A06 Ingress shop/one"],
        ),
        (
            [
                {
                    "kind": "AzureIngressProhibitedTarget",
                    "metadata": {"name": "t", "namespace": "d"},
                    "spec": {"hostname": "g"},
                }
            ],
            [],
        ),
    ],
)
def test_what_controllers_are_told_by_kinds_of_their_own_is_found(objects: list[Wire], expected: list[str]) -> None:
    """An NGINX of the add-on that is not available, and a rule that AGIC was told to leave out."""
    found = rule_findings(around([ing("P / b0")], AGIC, objects=objects))
    assert [f"{item.id} {item.subject}" for item in found] == expected


@pytest.mark.parametrize(("controller", "check"), [(AGIC, "A09"), (NGINX, "T01")])
def test_a_missing_certificate_is_what_it_means_to_its_controller(controller: str, check: str) -> None:
    """NGINX shows one of its own, AGIC writes no HTTPS listener."""
    found = list(certificate_findings(around([ing("P / b0", tls=("h",))], controller)))
    assert [(item.id, str(item.subject)) for item in found] == [(check, "Ingress shop/one")]
    assert "shop/cert" in found[0].summary
