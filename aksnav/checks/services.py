"""Services asked by themselves, whether or not a way in leads to them: the trace's own rules on every port."""

from collections.abc import Iterator
from shlex import quote

import msgspec

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.addresses import parse_address
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.cluster import nameserver
from aksnav.trace.cluster.service import Via, endpoints
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence


def service_findings(store: Store, service: Service) -> Iterator[Finding]:
    """Yield what is wrong with the endpoints of a Service (S01, S02, S04, S14, D05 and what is behind them)."""
    if service.type == "ExternalName":
        return
    address = next((number for ip in service.virtual_ips if (number := parse_address(ip)) is not None), None)
    for port in service.ports:
        packet = Packet(destination=address, port=port.port, protocol=port.protocol)
        decision = endpoints(store, service, port, packet, Via(anywhere=True))
        for step in (decision.step, *decision.further):
            found = finding_of(step)
            if found is None:
                continue
            if service.id == nameserver.SERVICE and step is decision.step:
                summary = f"the cluster's DNS has no endpoint: {found.summary}"
                found = msgspec.structs.replace(found, id="D05", summary=summary)
            yield found
        yield from _mixed(store, service, port)


def nameserver_findings(store: Store) -> Iterator[Finding]:
    """Yield D05: no Service has the address that AKS gives to Pods as their name server."""
    step = nameserver.nobody(store, Packet())
    found = finding_of(step) if step is not None else None
    if found is not None:
        yield found


def _mixed(store: Store, service: Service, port: ServicePort) -> Iterator[Finding]:
    """Yield S14: the selector takes Pods of two workloads, and one of them declares other ports than is sent to.

    Declaring is informational: that those Pods listen there all the same is what a connection would tell.
    """
    if not isinstance(port.target, int):
        return
    groups: dict[str, list[Pod]] = {}
    for pod in _behind(store, service):
        groups.setdefault(_workload(pod), []).append(pod)
    target, taking, other = port.target or port.port, "", None
    for name, pods in sorted(groups.items()):
        declared = {item.port for item in pods[0].template.ports if item.protocol == port.protocol}
        if target in declared:
            taking = name
        elif declared and other is None:
            other = (name, pods, ", ".join(map(str, sorted(declared))))
    if not taking or other is None:
        return
    name, pods, shown = other
    chosen = ", ".join(f"{key}={value}" for key, value in (service.selector or {}).items())
    yield Finding(
        id="S14",
        subject=service.ref,
        summary=f"Service {service.id} sends to port {target} of {taking} and of {name}, which declares {shown}",
        proof=Proof.LIKELY,
        evidence=(
            Evidence(".spec.selector", chosen, service.ref),
            Evidence(f".spec.ports[{service.ports.index(port)}].targetPort", str(target), service.ref),
            Evidence(".spec.containers[*].ports[*].containerPort", shown, Ref(Pod.KIND, pods[0].id), f"of {name}"),
        ),
        related=tuple(Ref(Pod.KIND, pod.id) for pod in pods[:5]),
        confirm=f"kubectl -n {quote(service.namespace)} get pods -l {quote(chosen.replace(', ', ','))} --show-labels",
        fix=f"add a label to the selector that only the Pods of {taking} have",
    )


def _behind(store: Store, service: Service) -> Iterator[Pod]:
    """Yield the Pods that are ready endpoints of a Service with a selector."""
    for piece in store.slices_of(service.id) if service.selector else ():
        for item in piece.endpoints:
            pod = store.pods.get(f"{service.namespace}/{item.target_ref.name}") if item.ready else None
            if pod is not None and pod.template.owner_name:
                yield pod


def _workload(pod: Pod) -> str:
    """Return the workload of a Pod for people: the Deployment of a ReplicaSet, else its owner."""
    owner, kind = pod.template.owner_name, pod.template.owner_kind
    return f"Deployment {owner.rpartition('-')[0]}" if kind == "ReplicaSet" else f"{kind} {owner}"


def local_policy_findings(store: Store) -> Iterator[Finding]:
    """Yield S08 and S07: nodes without an endpoint of a Service whose traffic policy keeps connections to their node.

    A load balancer probes nodes and leaves those without an endpoint out; for a Service of type NodePort nobody does.
    """
    kept = [
        (service, via)
        for service in store.services
        for via in (Via(), Via(external=True))
        if via.local(service) and (not via.external or service.type == "NodePort")
    ]
    nodes = sorted((node for node in store.nodes if _takes_packets(node)), key=lambda node: node.name) if kept else []
    for service, via in kept:
        yield from _kept_to_a_node(store, service, via, nodes)


def _takes_packets(node: Node) -> bool:
    return node.ready is True and node.labels.get("type") != "virtual-kubelet"


def _kept_to_a_node(store: Store, service: Service, via: Via, nodes: list[Node]) -> Iterator[Finding]:
    homes = {
        item.node_name
        for piece in store.slices_of(service.id)
        for item in piece.endpoints
        if item.ready or item.serving_while_terminating
    }
    without = [node for node in nodes if node.name not in homes]
    for port in service.ports if homes and without else ():
        packet = Packet(port=port.port, protocol=port.protocol)
        found = finding_of(endpoints(store, service, port, packet, msgspec.structs.replace(via, node=without[0])).step)
        if found is not None and found.id in {"S07", "S08"}:
            more = f", like {len(without) - 1} other nodes" if len(without) > 1 else ""
            yield msgspec.structs.replace(found, proof=Proof.LIKELY, summary=found.summary + more)
