"""Properties of Cilium's policies over random rules: order does not matter, an allow only opens, a deny only closes."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.store.store import Store
from tests.unit.trace_edge.world import Json
from tests.unit.trace_policy_cilium.around import (
    API,
    API_SERVER,
    CLIENT,
    OPS,
    OTHER_CLIENT,
    group,
    labelled,
    leaving,
    lookups,
    policy,
    service,
    slices,
    tcp,
    word,
    world,
)

TARGETS = (API, OPS, "node-1", "node-2", CLIENT, OTHER_CLIENT, API_SERVER)
AROUND = [
    group("office", f"{CLIENT}/32", role="vpn"),
    service("shop/db"),
    slices("shop/db", OTHER_CLIENT),
    service("shop/api", {"app": "api"}),
    policy(lookups("*.example.com"), name="dns"),
]
_CIDRS = ["0.0.0.0/0", "203.0.113.0/24", f"{CLIENT}/32", "198.51.100.0/24", "10.0.0.0/8"]
_SETS = [{"cidr": "0.0.0.0/0", "except": ["203.0.113.0/24"]}, {"cidrGroupRef": "office"}, {"cidrGroupRef": "none"},
         {"cidrGroupSelector": {"matchLabels": {"role": "vpn"}}}]  # fmt: skip
_NAMESPACES: Json = {"matchExpressions": [{"key": "io.kubernetes.pod.namespace", "operator": "Exists"}]}
_SELECTORS = [labelled(app="api"), labelled(app="x"), {}, _NAMESPACES]
_ENTITIES = ["all", "world", "cluster", "host", "remote-node", "kube-apiserver"]


def listed(field: str, items: list[Any]) -> st.SearchStrategy[Json]:
    """Return a rule with one peer field of up to two items."""
    return st.lists(st.sampled_from(items), max_size=2).map(lambda got: {field: got})


_PEERS: list[st.SearchStrategy[Json]] = [
    st.just({}),
    listed("toEndpoints", _SELECTORS),
    listed("toEntities", _ENTITIES),
    listed("toCIDR", _CIDRS),
    listed("toCIDRSet", _SETS),
    st.sampled_from(["db", "api", "none"]).map(lambda got: {"toServices": [{"k8sService": {"serviceName": got}}]}),
]
_PORTS = st.sampled_from([{}, {"toPorts": [{"ports": [tcp(8080)]}]}, {"toPorts": [{"ports": [tcp(1, endPort=100)]}]}])
DENYING = st.tuples(st.one_of(_PEERS), _PORTS).map(lambda both: {**both[0], **both[1]})
# Deny rules cannot have names; allow rules may.
ALLOWING = st.one_of(DENYING, st.just({"toFQDNs": [{"matchPattern": "*.com"}]}))


@st.composite
def specs(draw: st.DrawFn) -> Json:
    """Return a rule set of egress rules."""
    found: Json = {}
    if draw(st.booleans()):
        found["egress"] = draw(st.lists(ALLOWING, max_size=3))
    if draw(st.booleans()):
        found["egressDeny"] = draw(st.lists(DENYING, max_size=2))
    if draw(st.integers(0, 3)) == 0:
        found["enableDefaultDeny"] = {"egress": draw(st.booleans())}
    return found


POLICIES = st.lists(st.lists(specs(), min_size=1, max_size=2), min_size=1, max_size=3)


def built(policies: list[list[Json]]) -> Store:
    """Return the cluster with a policy for each list of rule sets."""
    return world(*AROUND, *(policy(*rules, name=f"p{number}") for number, rules in enumerate(policies)))


def told(store: Store) -> dict[str, str]:
    """Return what becomes of a connection to each target."""
    out: dict[str, Any] = {target: word(leaving(store, target)) for target in TARGETS}
    out["name"] = word(leaving(store, "www.example.com", 8080, "http", resolve=OTHER_CLIENT))
    return out


@settings(max_examples=60, deadline=None)
@given(POLICIES, st.randoms(use_true_random=False))
def test_the_order_of_rules_and_policies_does_not_matter(policies: list[list[Json]], chance: Any) -> None:
    """Rules are a union with denies before it: however they are listed, the answer is one."""
    before = told(built(policies))
    shuffled = []
    for rules in policies:
        mixed = [
            {key: chance.sample(item, len(item)) if isinstance(item, list) else item for key, item in spec.items()}
            for spec in rules
        ]
        shuffled.append(chance.sample(mixed, len(mixed)))
    assert told(built(chance.sample(shuffled, len(shuffled)))) == before


@settings(max_examples=60, deadline=None)
@given(POLICIES, ALLOWING)
def test_an_allow_rule_more_never_closes_what_was_open(policies: list[list[Json]], rule: Json) -> None:
    """Where the Pod is isolated already, a further allow rule turns no yes into a no."""
    isolating = [*policies, [{"egress": [{}]}]]
    before, after = told(built(isolating)), told(built([*isolating, [{"egress": [rule]}]]))
    assert [target for target, said in before.items() if said == "yes" and after[target] != "yes"] == []


@settings(max_examples=60, deadline=None)
@given(POLICIES, DENYING)
def test_a_deny_rule_more_never_opens_what_was_closed(policies: list[list[Json]], rule: Json) -> None:
    """A further deny rule turns no no into a yes, and no open question into a yes."""
    before, after = told(built(policies)), told(built([*policies, [{"egressDeny": [rule]}]]))
    assert [target for target, said in before.items() if said != "yes" and after[target] == "yes"] == []
