"""Ways into a cluster and what comes of each: a capture is written for it, read, and its trace looked at."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from aksnav.model.change import Change
from aksnav.sources.capture import open_capture
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome, Step, Trace, Verdict
from aksnav.trace.verdict import is_answer
from tests.azure.cluster_objects import Objects, base

KUBERNETES = {"Service", "EndpointSlice", "Pod", "Node", "Namespace", "Ingress", "IngressClass"}
EMPTY = ("networkpolicies", "events", "ingresses", "ingressclasses", "pods")


def written(folder: Path, made: Objects) -> Path:
    """Write the objects as kubectl and az print them, and return the folder."""
    for index, wire in enumerate(made.values()):
        document = dict(wire)
        kind = document["kind"]
        if kind[0].islower():
            del document["kind"]
        else:
            document.setdefault("apiVersion", "discovery.k8s.io/v1" if kind == "EndpointSlice" else "v1")
        (folder / f"{index:02}.json").write_text(json.dumps(document))
    for kind in EMPTY:
        (folder / f"{kind}.json").write_text(json.dumps({"kind": "List", "apiVersion": "v1", "items": []}))
    for kind in ("az-network-route-table-list", "az-network-nat-gateway-list"):
        (folder / f"{kind}.json").write_text("[]")
    return folder


def read(folder: Path, made: Objects) -> Store:
    """Return the store of a capture with these objects."""
    store = Store()
    apply(store, open_capture(written(folder, made)).changes())
    return store


def apply(store: Store, changes: Iterable[Change]) -> None:
    """Apply changes to a store."""
    for change in changes:
        store.apply(change)


class Way(msgspec.Struct, kw_only=True, gc=False):
    """A way in and what comes of it.

    Attributes:
        name: for the test's own name.
        bend: what is done to the base, in order.
        to, source: the request.
        outcome, status: what becomes of it.
        steps: the kinds of its steps, along the first branch, up to the one that ends it; () is not looked at.
        causes: check ids of the trace.
        field, value: the deciding field, and a part of its value.
        resolve: an address in place of DNS.
    """

    name: str
    bend: tuple[Callable[[Objects], None], ...] = ()
    to: str = "https://20.50.1.7"
    source: str = "internet"
    outcome: Outcome = Outcome.DELIVERED
    status: int = 0
    steps: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    field: str = ""
    value: str = ""
    resolve: str = ""


LB = ("az.lb.frontend", "az.lb.rule", "az.lb.probe", "az.lb.backendpool")
POD = ("k8s.policy", "k8s.pod.port", "deliver")
NODE = ("node.nodeport", "k8s.service.port", "k8s.endpoint", "nat.dnat", "nat.snat", *POD)
FILTERED = ("az.nsg", "az.nsg")


def road(steps: tuple[Step, ...]) -> list[Step]:
    """Return the steps along the first branch that ends the request, or else the first, up to the step that ends it."""
    out: list[Step] = []
    for step in steps:
        if step.verdict is Verdict.NOT_REACHED:
            break
        out.append(step)
        if step.branches:
            out += road(step.branches[0].steps)
    return out


def walked(folder: Path, way: Way) -> Trace:
    """Return the trace of a way in, out of a capture that is written for it."""
    made = base()
    for change in way.bend:
        change(made)
    return trace(read(folder, made), parse_request(way.to, source=way.source, resolve=way.resolve))


def checked(folder: Path, way: Way) -> Trace:
    """Return the trace of a way in, after its verdict, steps, causes and deciding field were looked at."""
    found = walked(folder, way)
    told = [(step.kind.value, step.verdict.value, step.summary) for step in road(found.steps)]
    assert (found.outcome, found.status) == (way.outcome, way.status), told
    if way.steps:
        assert tuple(kind for kind, _, _ in told) == way.steps
    assert found.causes == way.causes, told
    if way.field:
        facts = [fact for step in road(found.steps) for fact in step.evidence if way.field in fact.field]
        assert any(way.value in fact.value for fact in facts), facts
    for step in road(found.steps):
        if step.verdict in {Verdict.DROP, Verdict.REJECT, Verdict.RESPOND} and not is_answer(step):
            assert step.evidence, step.summary
            assert step.confirm, step.summary
            assert step.fix, step.summary
        if step.verdict in {Verdict.BLIND, Verdict.UNSUPPORTED}:
            assert step.missing, step.summary
    return found
