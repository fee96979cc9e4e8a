"""The sweep: every check, of every object. It asks the functions that a trace asks, so that both say the same."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from aksnav.checks.backend_protocol import protocol_findings
from aksnav.checks.balancing import balancing_findings
from aksnav.checks.capacity import growth_findings, node_room_findings, rule_findings, subnet_findings
from aksnav.checks.dns import zone_findings
from aksnav.checks.edge import gateway_findings, load_balancer_findings, private_link_findings
from aksnav.checks.enforcement import enforcement_findings
from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.checks.gateway_limits import gateway_limit_findings
from aksnav.checks.istio import istio_findings
from aksnav.checks.machines import machine_findings
from aksnav.checks.network import peer_findings, pool_findings
from aksnav.checks.nodes import cluster_findings, node_findings
from aksnav.checks.paths import path_findings
from aksnav.checks.policies import dns_findings, dns_namespaces, policy_findings
from aksnav.checks.private_names import private_name_findings
from aksnav.checks.ranges import range_findings
from aksnav.checks.rollouts import rollout_findings
from aksnav.checks.routing import routing_findings
from aksnav.checks.services import local_policy_findings, nameserver_findings, service_findings
from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.store import Store
from aksnav.trace import trace
from aksnav.trace.policy.judge import OTHER_CLIENT
from aksnav.trace.request import Origin
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.linked import unread_endpoints
from aksnav.trace.routing.types import EntryPoint
from aksnav.trace.routing.viewpoint import seen_from
from aksnav.trace.step import Kind, Outcome

_FOR_SOME = "N05"
_NOT_THERE = "D03"
_ORDER = {Proof.PROVEN: 0, Proof.LIKELY: 1, Proof.HINT: 2}


def sweep(store: Store) -> list[Finding]:
    """Return everything that is wrong, each check once for an object (where it is surest), proven ones first."""
    return in_order(list(sweeping(store))[-1])


def sweeping(store: Store) -> Iterator[Mapping[tuple[str, str], Finding]]:
    """Sweep in pieces of some milliseconds, between which the store may change; yield what was found so far.

    It is the same mapping each time, by check and object; at the end it holds the whole sweep.
    """
    found: dict[tuple[str, str], Finding] = {}
    for piece in _pieces(store):
        for finding in piece:
            key = finding.id, f"{finding.subject.kind} {finding.subject.id}"
            if key not in found or _ORDER[finding.proof] < _ORDER[found[key].proof]:
                found[key] = finding
        yield found


def in_order(found: Mapping[tuple[str, str], Finding]) -> list[Finding]:
    """Return findings, proven ones first."""
    return sorted(found.values(), key=lambda item: (_ORDER[item.proof], item.id, item.subject))


def _pieces(store: Store) -> Iterator[Iterator[Finding]]:
    """Yield the work of a sweep: what is many is asked one by one, of the objects that are there now."""
    yield from (way_in_findings(store, point) for point in entry_points(store))
    yield from (service_findings(store, service) for service in list(store.services))
    yield from (dns_findings(store, namespace) for namespace in dns_namespaces(store))
    yield from (check(store) for check in CHECKS)


def way_in_findings(store: Store, point: EntryPoint) -> Iterator[Finding]:
    """Yield what breaks a way in, as its trace says.

    Where the client is one that was made up for an internal way in, a policy that does not admit it is no fault: a hint
    where it may be a real one (a host of the network), nothing where it is just some Pod or node. That a way in is open
    to some ranges of the internet only (N05, or an ipBlock of a policy) is a hint as well: it may be meant so.
    """
    request = seen_from(store, point)
    made_up = request.source != point.request.source
    for step in trace(store, request).breaks:
        found = finding_of(step)
        if found is None:
            continue
        if request.source.address is None and (found.id == _FOR_SOME or OTHER_CLIENT in step.assumptions):
            yield msgspec.structs.replace(found, proof=Proof.HINT)
        elif made_up and found.id == _NOT_THERE:
            continue  # that a client's network sees the zone is asked of the nodes' network, which is not made up
        elif not (made_up and step.kind is Kind.POLICY):
            yield found
        elif request.source.origin is Origin.ADDRESS:
            yield msgspec.structs.replace(found, proof=Proof.HINT)


def blind_spots(store: Store) -> list[str]:
    """Return, one line each, what the sweep could not look at: a clean sweep says nothing about these."""
    lines = []
    for name, table in store.tables.items():
        if KINDS[name].by_name:
            continue
        for scope, access in (table.scopes() or {"": table.access()}).items():
            if access.reading in {Reading.LIVE, Reading.ABSENT}:
                continue
            where = f" in {scope}" if scope else ""
            lines.append(f"{KINDS[name].plural}{where}: {access.reading}{': ' if access.reason else ''}{access.reason}")
        lines += [f"{KINDS[name].plural} {ident}: cannot be decoded: {why}" for ident, why in table.undecodable.items()]
    return lines


def undecided_ways(store: Store) -> list[str]:
    """Return, one line each, the ways in of which nobody can say what becomes of a request, and why."""
    lines = []
    for point in entry_points(store):
        found = trace(store, seen_from(store, point))
        if found.outcome is Outcome.UNDECIDED:
            lines.append(f"way in {point.text} is undecided: {next(iter(found.confidence.because), 'no reason given')}")
    return [*lines, *unread_endpoints(store)]


CHECKS: tuple[Callable[[Store], Iterator[Finding]], ...] = (
    local_policy_findings,
    nameserver_findings,
    routing_findings,
    istio_findings,
    policy_findings,
    pool_findings,
    range_findings,
    peer_findings,
    subnet_findings,
    growth_findings,
    node_room_findings,
    rule_findings,
    node_findings,
    cluster_findings,
    load_balancer_findings,
    private_link_findings,
    gateway_findings,
    path_findings,
    enforcement_findings,
    balancing_findings,
    machine_findings,
    protocol_findings,
    zone_findings,
    private_name_findings,
    gateway_limit_findings,
    rollout_findings,
)
