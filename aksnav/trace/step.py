"""Steps, the tree that they form, and the trace that they add up to."""

from enum import StrEnum

import msgspec

from aksnav.model.object import Ref
from aksnav.trace.packet import Packet
from aksnav.trace.request import Request


class Kind(StrEnum):
    """Every kind of step; the list is closed, scripts depend on it."""

    START_INTERNET = "start.internet"
    START_POD = "start.pod"
    START_NODE = "start.node"
    START_VNET = "start.vnet"
    START_ONPREM = "start.onprem"
    DNS_RESOLVE = "dns.resolve"
    PUBLIC_IP = "az.publicip"
    LB_FRONTEND = "az.lb.frontend"
    LB_RULE = "az.lb.rule"
    LB_PROBE = "az.lb.probe"
    LB_POOL = "az.lb.backendpool"
    APPGW_LISTENER = "az.appgw.listener"
    APPGW_RULE = "az.appgw.rule"
    APPGW_BACKEND = "az.appgw.backend"
    AGC_FRONTEND = "az.agc.frontend"
    PRIVATE_ENDPOINT = "az.privateendpoint"
    PRIVATE_LINK_SERVICE = "az.pls"
    ADMIN_RULE = "az.adminrule"
    NSG = "az.nsg"
    ROUTE = "az.route"
    PEERING = "az.peering"
    NAT_GATEWAY = "az.natgateway"
    FIREWALL = "edge.firewall"
    NODE_PORT = "node.nodeport"
    HOST_PORT = "node.hostport"
    GATEWAY_LISTENER = "k8s.gateway.listener"
    ROUTE_MATCH = "k8s.route.match"
    ROUTE_FILTER = "k8s.route.filter"
    CONTROLLER_POD = "k8s.controller.pod"
    SERVICE_PORT = "k8s.service.port"
    ENDPOINT = "k8s.endpoint"
    POLICY = "k8s.policy"
    MESH = "k8s.mesh"
    POD_PORT = "k8s.pod.port"
    SNAT = "nat.snat"
    DNAT = "nat.dnat"
    DELIVER = "deliver"


class Verdict(StrEnum):
    """What one step does with the packet.

    PASS lets it through unchanged. DROP is silence (the client times out). REJECT is an answer that refuses (reset, no
    such name). RESPOND is an HTTP status that is produced here. TRANSFORM rewrites it. FANOUT splits it over branches.
    SKIP does not apply here, for a reason. BLIND could not be read. UNSUPPORTED is not modelled. NOT_REACHED stands
    behind a step that ended the road.
    """

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    DROP = "drop"
    REJECT = "reject"
    RESPOND = "respond"
    TRANSFORM = "transform"
    FANOUT = "fanout"
    SKIP = "skip"
    BLIND = "blind"
    UNSUPPORTED = "unsupported"
    NOT_REACHED = "not-reached"


ENDS = frozenset({Verdict.DROP, Verdict.REJECT, Verdict.RESPOND})
UNKNOWN = frozenset({Verdict.BLIND, Verdict.UNSUPPORTED})


class Evidence(msgspec.Struct, frozen=True, gc=False):
    """One fact on which a step stands.

    Attributes:
        field: path of the field in the object, as kubectl or az would print it.
        value: its value in text form (foreign text: to be made harmless before it is shown).
        subject: the object that has the field; None: the step's own subject.
        note: what the fact means here, in our own words.
    """

    field: str
    value: str
    subject: Ref | None = None
    note: str = ""


class Considered(msgspec.Struct, frozen=True, gc=False):
    """A rule that was looked at.

    Attributes:
        rule: its name.
        decided: it decided.
        why: why it did, or why not.
        effect: of a policy or its rule: not-applicable, admits, does-not-admit, denies, undecidable; empty for others.
        field: path of the field that says so, where one does.
    """

    rule: str
    decided: bool
    why: str
    effect: str = ""
    field: str = ""


class Branch(msgspec.Struct, frozen=True, gc=False):
    """One way on from a fan-out.

    Attributes:
        label: who is on this branch, in our own words and names.
        steps: its road.
        weight: share of new requests, 0 to 1; None where nobody can say.
        alike: how many branches this one stands for (nodes or endpoints that differ in nothing that decides).
        node: name of the node that it leads over, where it is one of several; empty otherwise.
    """

    label: str
    steps: tuple["Step", ...]
    weight: float | None = None
    alike: int = 1
    node: str = ""


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One step of the road.

    Attributes:
        kind: what it is.
        verdict: what it does.
        summary: one line that names objects and numbers.
        subject: the object that decides.
        version: resourceVersion or etag of the subject.
        packet: the packet as it arrives here.
        packet_after: the packet as it leaves, where the step changes it.
        cause: check id where the verdict is neither PASS nor SKIP (``S02``).
        status: HTTP status where the verdict is RESPOND, else 0.
        evidence: deciding fields.
        considered: every rule that was looked at, in the order of evaluation.
        assumptions: what is taken for granted and not proven.
        missing: for BLIND: the permission or object that is missing; for UNSUPPORTED: the feature.
        confirm: a command with which a sceptic checks this step.
        fix: one line.
        addition: JSON of an object that, added to the cluster, would let the packet pass here: proven by evaluating it.
        branches: for FANOUT.
    """

    kind: Kind
    verdict: Verdict
    summary: str
    subject: Ref | None = None
    version: str = ""
    packet: Packet = Packet()
    packet_after: Packet | None = None
    cause: str = ""
    status: int = 0
    evidence: tuple[Evidence, ...] = ()
    considered: tuple[Considered, ...] = ()
    assumptions: tuple[str, ...] = ()
    missing: str = ""
    confirm: str = ""
    fix: str = ""
    addition: str = ""
    branches: tuple[Branch, ...] = ()


class Outcome(StrEnum):
    """What becomes of the request as a whole."""

    DELIVERED = "delivered"
    RESPONDS = "responds"
    DROPPED = "dropped"
    REFUSED = "refused"
    UNRESOLVED = "unresolved"
    SPLIT = "split"
    UNDECIDED = "undecided"


class Certainty(StrEnum):
    """How sure the outcome is."""

    PROVEN = "proven"
    ASSUMED = "assumed"
    PARTIAL = "partial"


class Confidence(msgspec.Struct, frozen=True, gc=False):
    """How sure the outcome is, and what it hangs on: assumptions, or the steps that are blind or unsupported."""

    certainty: Certainty
    because: tuple[str, ...] = ()


class Backend(msgspec.Struct, frozen=True, gc=False, order=True):
    """A Service port that the request is sent to, with its share (0 to 1, None where nobody can say)."""

    namespace: str
    service: str
    port: int
    weight: float | None = None


class Destination(msgspec.Struct, frozen=True, gc=False, order=True):
    """Where it is delivered: a Pod, or an address without one (then namespace and pod are empty)."""

    namespace: str
    pod: str
    ip: str
    port: int


class Trace(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a request.

    Attributes:
        steps: the road; a FANOUT step is the last of its list and goes on in its branches.
        outcome, status, confidence: the verdict (status where the outcome is RESPONDS).
        breaks: every step that ends or may end the road, in the order of the road: the first one first.
        causes: the check ids of the breaks, without repetition, and then those of faults that did not stop it.
    """

    request: Request
    steps: tuple[Step, ...]
    outcome: Outcome
    status: int = 0
    confidence: Confidence
    breaks: tuple[Step, ...] = ()
    causes: tuple[str, ...] = ()
    backends: tuple[Backend, ...] = ()
    destinations: tuple[Destination, ...] = ()
