"""Properties of Ingress routing under every controller, through the whole road: order, strangers, one answer."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.checks.ingress_rules import rule_findings
from aksnav.trace.step import Kind, Trace, Verdict
from tests.oracles.around import AGIC, APP_ROUTING, CONTAINERS, NGINX, TRAEFIK, UNKNOWN_CONTROLLER, Wire, around, ask
from tests.tables.rows import NEW, OLD, ing
from tests.unit.trace_walk.cluster import steps_of

CONTROLLERS = (NGINX, APP_ROUTING, AGIC, CONTAINERS, UNKNOWN_CONTROLLER, TRAEFIK)
HOSTS = ("h", "*.w.com", "a.w.com", "")
PATHS = ("/", "/x", "/x/", "/x/y", "/xy", "/x*")
MARKS: tuple[dict[str, str], ...] = (
    {},
    {"use-regex": "true"},
    {"rewrite-target": "/z"},
    {"canary": "true", "canary-weight": "30"},
    {"server-alias": "alias"},
    {"appgw.ingress.kubernetes.io/backend-path-prefix": "/p"},
    {"appgw.ingress.kubernetes.io/hostname-extension": "more"},
)
URLS = tuple(f"http://{host}{path}" for host in ("h", "a.w.com", "alias", "o") for path in ("/", "/x", "/x/y", "/Xyz"))
paths = st.builds(
    "{} {} {}".format, st.sampled_from("PEI"), st.sampled_from(PATHS), st.sampled_from(("b0", "b1", "gone"))
)


@st.composite
def ingresses(draw: st.DrawFn) -> list[Wire]:
    """Some Ingresses of one class, of two ages."""
    count = draw(st.integers(1, 4))
    return [
        ing(
            *draw(st.lists(paths, min_size=1, max_size=3)),
            name=f"i{index}",
            host=draw(st.sampled_from(HOSTS)),
            created=draw(st.sampled_from((OLD, NEW))),
            uid=draw(st.sampled_from("123")) + str(index),
            marks=draw(st.sampled_from(MARKS)),
            tls=draw(st.sampled_from((None, None, ("h",)))),
            default=draw(st.sampled_from(("", "b1"))),
        )
        for index in range(count)
    ]


def _ask(listed: list[Wire], controller: str, url: str) -> Trace:
    # One more host, so that an outside load balancer has its port 80 open whatever the Ingresses say.
    known = [*listed, ing("P / b0", name="base", host="base.com", uid="0")]
    return ask(around(known, controller, absent=("gone",), services={"b0": {}, "b1": {}}), url, controller)


@settings(max_examples=60, deadline=None)
@given(ingresses(), st.sampled_from(CONTROLLERS), st.sampled_from(URLS), st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(found: list[Wire], controller: str, url: str, random: Any) -> None:
    """The whole trace is the same, step by step, in whatever order the Ingresses come."""
    turned = list(found)
    random.shuffle(turned)
    assert _ask(turned, controller, url) == _ask(found, controller, url)


@settings(max_examples=60, deadline=None)
@given(ingresses(), st.sampled_from(CONTROLLERS), st.sampled_from(URLS))
def test_an_ingress_for_another_host_changes_nothing(found: list[Wire], controller: str, url: str) -> None:
    """Its rules are for its host alone, whatever its annotations: who takes the request stays the same."""
    stranger = ing(
        "P / b0", "I /.* b1", name="zz", host="stranger.com", created=NEW, uid="9", marks={"use-regex": "true"}
    )
    before, after = _ask(found, controller, url), _ask([*found, stranger], controller, url)
    told = (before.outcome, before.status, before.backends, before.destinations)
    assert (after.outcome, after.status, after.backends, after.destinations) == told


@settings(max_examples=60, deadline=None)
@given(ingresses(), st.sampled_from(CONTROLLERS), st.sampled_from(URLS))
def test_a_match_decides_by_one_rule(found: list[Wire], controller: str, url: str) -> None:
    """Of the rules that were considered one decided, or none did and the request was answered."""
    for step in steps_of(_ask(found, controller, url)):
        if step.kind is Kind.ROUTE_MATCH and step.verdict in {Verdict.PASS, Verdict.TRANSFORM} and step.considered:
            decided = {item.rule for item in step.considered if item.decided and "canary" not in item.rule}
            assert len(decided) <= 1, decided
        if step.kind in {Kind.ROUTE_MATCH, Kind.ROUTE_FILTER} and step.verdict is Verdict.RESPOND:
            assert step.evidence
            assert step.confirm


NAMES = {
    NGINX: (
        *("server-alias", "use-regex", "rewrite-target", "app-root", "permanent-redirect", "permanent-redirect-code"),
        *("temporal-redirect", "ssl-redirect", "force-ssl-redirect", "from-to-www-redirect", "whitelist-source-range"),
        *("denylist-source-range", "canary", "canary-weight", "canary-weight-total", "canary-by-header", "satisfy"),
        *("canary-by-header-pattern", "canary-by-cookie", "custom-http-errors", "default-backend", "mirror-target"),
        *("backend-protocol", "upstream-vhost", "enable-cors", "limit-rps", "service-upstream", "auth-url"),
    ),
    AGIC: (
        *("backend-path-prefix", "backend-hostname", "backend-protocol", "ssl-redirect", "appgw-ssl-certificate"),
        *("use-private-ip", "override-frontend-port", "hostname-extension", "rule-priority", "waf-policy-for-path"),
    ),
    CONTAINERS: ("alb-name", "alb-namespace", "alb-id", "alb-frontend", "alb-ingress-extension"),
}
PREFIXES = {
    NGINX: "nginx.ingress.kubernetes.io/",
    AGIC: "appgw.ingress.kubernetes.io/",
    CONTAINERS: "alb.networking.azure.io/",
}
VALUES = st.one_of(
    st.sampled_from(
        ("true", "false", "", "always", "9" * 5000, "-1", "٣", "10.0.0.0/" + "9" * 5000, "*.", "~^(a+)+$", "$9")
    ),
    st.text(max_size=12),
)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(tuple(NAMES)), st.data(), st.sampled_from(("http://h/x", "https://h/", "http://www.h/")))
def test_no_annotation_breaks_a_trace(controller: str, data: st.DataObject, url: str) -> None:
    """Whatever text an annotation has, the request gets an answer, and so does the sweep."""
    marks = data.draw(st.dictionaries(st.sampled_from(NAMES[controller]), VALUES, min_size=1, max_size=4))
    listed = [
        ing("P / b0", "I /x.* b1", name="one", tls=("h",)),
        ing("P /x b1", name="two", created=NEW, marks=marks, prefix=PREFIXES[controller]),
    ]
    store = around(listed, controller)
    found = ask(store, url, controller, headers=["Cookie: a=always", "X-Try: always"])
    assert found.steps
    list(rule_findings(store))
