"""Which endpoints a selector of Cilium's policies means, and whom an entity names.

Source: Cilium documentation, "Layer 3 Policies", "Using Kubernetes Constructs in Policy", "Limiting Identity-Relevant
Labels"; cilium pkg/k8s/apis/cilium.io/utils (where a selector gets the policy's own namespace) and
pkg/policy/api/entity.go.
"""

import re
from typing import Any

import msgspec

from aksnav.model.labels import LabelSelector, Requirement
from aksnav.trace.policy.cilium.question import Question
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.namespaces import CILIUM_NAMESPACE, CILIUM_NAMESPACE_LABELS
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.ternary import Answer, Unknown, every

ENTITIES = frozenset({
    "all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "init", "ingress", "unmanaged", "remote-node",
    "health", "none", "kube-apiserver",
})  # fmt: skip
# Identities that no Pod, node or address of a store has: starting endpoints, Cilium's own, and none at all.
_NEVER = frozenset({"none", "health", "init", "ingress", "unmanaged"})
_RESERVED = "reserved"
_SOURCES = frozenset({"k8s", "any"})
_IDENTITY_KEYS = ("io.cilium.k8s.", CILIUM_NAMESPACE, "app.kubernetes.io")
# Labels that identities leave out by default ("Limiting Identity-Relevant Labels").
_LEFT_OUT = re.compile(
    r"io\.kubernetes|kubernetes\.io|statefulset\.kubernetes\.io/pod-name|apps\.kubernetes\.io/pod-index|"
    r"batch\.kubernetes\.io/(job-completion-index|controller-uid)|.*beta\.kubernetes\.io|k8s\.io|"
    r"pod-template-generation|pod-template-hash|controller-revision-hash|annotation|controller-uid|etcd_node"
)


class Selector(msgspec.Struct, frozen=True, gc=False):
    """A selector, with the sources taken off its keys.

    Attributes:
        labels: what it asks of the Pod's identity.
        of_namespace: what it asks of the labels of the Pod's namespace; None where it asks nothing.
        reserved: reserved identities that it names.
        scope: the only namespace in which it selects, empty for every one.
        unknown: why it cannot be evaluated although it is valid, else empty.
    """

    labels: LabelSelector = LabelSelector()
    of_namespace: LabelSelector | None = None
    reserved: tuple[str, ...] = ()
    scope: str = ""
    unknown: str = ""


class Invalid(msgspec.Struct, frozen=True, gc=False):
    """Why something in a policy is not valid: Cilium's agents refuse the whole policy for it."""

    why: str


def parse_selector(raw: Any, namespace: str, *, always: bool = False) -> Selector | Invalid:
    """Return a selector.

    Args:
        raw: as the policy has it.
        namespace: the policy's own, empty for a clusterwide one: what a selector means that names no namespace.
        always: it selects in the policy's namespace whatever it says (endpointSelector).
    """
    try:
        given = msgspec.convert({} if raw is None else raw, LabelSelector)
    except msgspec.ValidationError as error:
        return Invalid(f"a selector cannot be read: {error}")
    bad = given.invalid()
    if bad:
        return Invalid(bad)
    lines = [*(Requirement(key, "In", (value,)) for key, value in given.match_labels.items()), *given.match_expressions]
    plain: list[Requirement] = []
    spaces: list[Requirement] = []
    reserved: list[str] = []
    unknown = ""
    for line in lines:
        source, colon, rest = line.key.partition(":")
        name = rest if colon else line.key
        if colon and source == _RESERVED:
            reserved.append(name)
            unknown = unknown or _reserved_problem(name, line)
        elif colon and source not in _SOURCES:
            unknown = unknown or f"labels of source {source!r} are not modelled"
        elif name.startswith(CILIUM_NAMESPACE_LABELS):
            spaces.append(Requirement(name.removeprefix(CILIUM_NAMESPACE_LABELS), line.operator, line.values))
        else:
            plain.append(Requirement(name, line.operator, line.values))
            unknown = unknown or left_out(name)
    if reserved and (plain or spaces):
        unknown = unknown or "a selector of reserved and of other labels is not modelled"
    elsewhere = bool(spaces) or any(line.key == CILIUM_NAMESPACE for line in plain)
    return Selector(
        LabelSelector({}, tuple(plain)),
        LabelSelector({}, tuple(spaces)) if spaces else None,
        tuple(reserved),
        namespace if always or not elsewhere else "",
        unknown,
    )


def _reserved_problem(name: str, line: Requirement) -> str:
    if name not in ENTITIES:
        return f"reserved label {name!r} is not modelled"
    # An identity has its reserved label with an empty value.
    means_it = line.operator == "Exists" or (line.operator == "In" and line.values in {("",), ()})
    return "" if means_it else f"{line.operator} on reserved label {name!r} is not modelled"


def left_out(key: str) -> str:
    """Return why a label is no part of identities, an empty string where it is one."""
    if key.startswith(_IDENTITY_KEYS) or not _LEFT_OUT.match(key):
        return ""
    return f"label {key} is no part of Cilium's identities unless cilium-config says so, which is not read"


def endpoint(selector: Selector, who: Who, question: Question) -> Answer:
    """Return whether a selector matches; without a namespace label it means the policy's own namespace."""
    if selector.unknown:
        return Unknown(selector.unknown)
    if selector.reserved:
        return every(entity(name, question) for name in selector.reserved)
    if who.sort is not Sort.POD:
        return Unknown(f"{who.name} may be a Pod: {who.unsure}") if who.unsure else False
    if selector.scope and who.namespace != selector.scope:
        return False
    if not selector.labels.matches(question.identity(who)):
        return False
    if selector.of_namespace is None:
        return True
    return question.scene.namespaces.matches(selector.of_namespace, who.namespace)


def entity(name: str, question: Question) -> Answer:
    """Return whether the other end is of an entity (Cilium documentation, "Entities based")."""
    who = question.who
    if name == "all":
        return True
    if name in _NEVER:
        return False
    outside = who.sort in {Sort.ADDRESS, Sort.ANY_CLIENT}
    if outside and who.unsure and name != "kube-apiserver":
        return Unknown(f"{who.name} may be a Pod or a node: {who.unsure}")
    answers: dict[str, Answer] = {
        "world": outside,
        "world-ipv4": outside and who.v4,
        "world-ipv6": outside and not who.v4,
        "host": who.sort is Sort.OWN_NODE,
        "remote-node": who.sort is Sort.OTHER_NODE,
    }
    if name in answers:
        return answers[name]
    # The API server is an address outside of the cluster on AKS, and still of the entity cluster.
    return who.in_cluster or _api_server(question) if name == "cluster" else _api_server(question)


def _api_server(question: Question) -> Answer:
    who, facts = question.who, question.facts
    if who.sort in {Sort.POD, Sort.ANY_CLIENT} or who.address is None:
        return False
    if who.address in facts.api_server:
        if question.direction is Direction.INGRESS:
            # Cilium documentation, "Entities based": on AKS the control plane's traffic is tunnelled through nodes.
            return Unknown("on AKS what the API server sends comes from a node, not from the API server's address")
        return True
    if facts.api_server_missing:
        return Unknown(f"the addresses of the API server are not known: {facts.api_server_missing}")
    return False


def node(selector: Selector, question: Question, *, accepted: bool) -> Answer:
    """Return whether a selector of fromNodes or toNodes matches.

    Nodes have labels of their own in Cilium's eyes only with enable-node-selector-labels, which AKS does not set. Where
    it is not set the agents refuse the policy; one that is marked as valid was not refused.
    """
    who = question.who
    if not who.in_cluster and who.unsure:
        return Unknown(f"{who.name} may be a node: {who.unsure}")
    if who.sort not in {Sort.OWN_NODE, Sort.OTHER_NODE}:
        return False
    if not accepted or who.sort is Sort.OWN_NODE:
        return Unknown("selectors of nodes need enable-node-selector-labels, and cilium-config is not read")
    labels = question.facts.nodes.get(who.address) if who.address is not None else None
    if labels is None:
        return Unknown(f"the labels of {who.name} are not known")
    return selector.labels.matches(labels)
