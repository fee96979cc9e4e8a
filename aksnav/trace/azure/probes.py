"""Health probes: which probe the load balancer should have, which it has, and whether it can be up.

Sources: cloud-provider-azure pkg/provider/azure_loadbalancer_healthprobe.go and the load balancer documentation
(aks-networking.md 2.a, step 6).
"""

import msgspec

from aksnav.model.azure.network import LoadBalancerProbe, LoadBalancingRule
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Node, Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import probe_road, probe_wish
from aksnav.trace.azure.frontend import Found, annotation, confirm, is_true
from aksnav.trace.packet import Packet
from aksnav.trace.step import ENDS, Considered, Evidence, Kind, Step, Verdict

SHARED = "cluster-service-shared-health-probe"
# Ports that Azure refuses to probe.
_NEVER_PROBED = frozenset({19, 21, 25, 70, 110, 119, 143, 220, 993})
_OK = 200
_ALL_UP = "allprobedup"
# The shared probe asks kube-proxy (upstream) or the sidecar in front of it (AKS): aks-networking.md 2.a, step 6 b.
_PROXY_PORTS = frozenset({10256, 10356})


class ProbeAsked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is needed to judge a rule's probe: the rule, the Service, and the nodes of the pool."""

    found: Found
    rule: LoadBalancingRule
    service: Service
    port: ServicePort
    nodes: tuple[Node, ...]
    packet: Packet


class ProbeAnswer(msgspec.Struct, frozen=True, gc=False):
    """The step, and the nodes to which the load balancer sends new flows as far as objects tell."""

    step: Step
    nodes: tuple[Node, ...]


def judge(store: Store, asked: ProbeAsked) -> ProbeAnswer:
    """Return whether the probe of a rule can be up, and on which nodes."""
    probe = _probe(asked)
    if probe is None:
        return ProbeAnswer(_without_probe(asked), asked.nodes)
    if "port" in probe.untold:
        missing = f".port of probe {probe.name or '(unnamed)'} of load balancer {asked.found.balancer.name}"
        step = _step(asked, probe, Verdict.BLIND, f"which port probe {probe.name} asks is not told")
        return ProbeAnswer(msgspec.structs.replace(step, missing=missing), asked.nodes)
    answer = _judged(store, asked, probe)
    if answer.step.verdict is Verdict.DROP and probe.no_healthy_backends_behavior.lower() == _ALL_UP:
        return _all_up(asked, probe, answer.step)
    return answer


def _all_up(asked: ProbeAsked, probe: LoadBalancerProbe, step: Step) -> ProbeAnswer:
    """Return the answer of a probe that is up nowhere, where the load balancer then sends to every member.

    Source: Azure documentation, load-balancer/load-balancer-custom-probe-overview: noHealthyBackendsBehavior.
    """
    balancer = asked.found.balancer
    fact = Evidence(
        f".probes[?name=='{probe.name}'].noHealthyBackendsBehavior", probe.no_healthy_backends_behavior, balancer.ref
    )
    note = Considered(step.cause, decided=False, why=f"{step.cause}: {step.summary}")
    step = msgspec.structs.replace(
        step,
        verdict=Verdict.PASS,
        summary=f"probe {probe.name} is up on no node, and then every member of the pool gets new connections",
        cause="",
        evidence=(*step.evidence, fact),
        considered=(note, *step.considered),
        fix="",
    )
    return ProbeAnswer(step, asked.nodes)


def _judged(store: Store, asked: ProbeAsked, probe: LoadBalancerProbe) -> ProbeAnswer:
    answer = _expected(store, asked, probe)
    drift = probe_wish.drift(asked.service, asked.port, probe)
    if drift:
        step = answer.step
        answer = ProbeAnswer(msgspec.structs.replace(step, considered=(*step.considered, *drift)), answer.nodes)
    return answer if answer.step.verdict in ENDS else _reached(store, asked, probe, answer)


def _expected(store: Store, asked: ProbeAsked, probe: LoadBalancerProbe) -> ProbeAnswer:
    """Return whether a probe is one that can be answered, by its port, protocol and path."""
    if probe.port in _NEVER_PROBED:
        said = f"port {probe.port} is one that Azure never probes"
        return ProbeAnswer(_step(asked, probe, Verdict.DROP, said, "L13", "probe another port"), asked.nodes)
    if asked.service.external_traffic_policy == "Local":
        return _local(store, asked, probe)
    if probe.name.endswith(SHARED) or probe.port in _PROXY_PORTS:
        return _shared(store, asked, probe)
    return ProbeAnswer(_cluster(store, asked, probe), asked.nodes)


def _reached(store: Store, asked: ProbeAsked, probe: LoadBalancerProbe, answer: ProbeAnswer) -> ProbeAnswer:
    """Return the answer without the nodes that the probe does not reach; a drop where it reaches none."""
    away, unsure = probe_road.blocked(store, answer.nodes, probe.port, asked.service, asked.port)
    if unsure:
        step = msgspec.structs.replace(answer.step, assumptions=(*answer.step.assumptions, *unsure))
        answer = ProbeAnswer(step, answer.nodes)
    if not away:
        return answer
    nodes = tuple(node for node in answer.nodes if node.name not in away)
    notes = tuple(
        Considered(f"node {name}", decided=False, why=f"{found.cause}: {found.step.summary}")
        for name, found in sorted(away.items())
    )
    step = msgspec.structs.replace(answer.step, considered=(*answer.step.considered, *notes))
    if nodes:
        return ProbeAnswer(step, nodes)
    first = away[min(away)]
    step = msgspec.structs.replace(
        step,
        verdict=Verdict.DROP,
        summary=f"probe {probe.name} reaches no node, so all of them are down: {first.step.summary}",
        cause=first.cause,
        missing="",
        evidence=(*step.evidence, *first.evidence),
        confirm=first.step.confirm or step.confirm,
        fix=_LET_THROUGH[first.cause],
    )
    return ProbeAnswer(step, ())


_LET_THROUGH = {
    "N04": "allow the tag AzureLoadBalancer before the rule that denies it",
    "P07": "admit the nodes' addresses in the policy, or use the shared probe, which asks the nodes' proxy",
}


def _probe(asked: ProbeAsked) -> LoadBalancerProbe | None:
    wanted = asked.rule.probe
    if wanted is None:
        return None
    return next((item for item in asked.found.balancer.probes if item.id == wanted.id), None)


def _local(store: Store, asked: ProbeAsked, probe: LoadBalancerProbe) -> ProbeAnswer:
    """With externalTrafficPolicy Local the probe asks kube-proxy, which says 200 where a ready endpoint is."""
    service = asked.service
    if probe.port != service.health_check_node_port:
        overridden = annotation(service, f"port_{asked.port.port}_health-probe_port")
        said = (
            f"it asks port {probe.port}, not healthCheckNodePort {service.health_check_node_port}: "
            "nodes without endpoints stay in"
        )
        cause = "L14" if overridden or _has_probe_annotation(service, asked.port) else "L13"
        step = _step(asked, probe, Verdict.PASS, said, note=f"{cause}: {said}")
        return ProbeAnswer(step, asked.nodes)
    slices = store.slices_of(service.id)
    local = {
        endpoint.node_name
        for piece in slices
        for endpoint in piece.endpoints
        if endpoint.ready and endpoint.node_name and not endpoint.conditions.terminating
    }
    access, bad = store.endpoint_slices.access(service.namespace), store.endpoint_slices.undecodable
    broken = next((ident for ident in bad if ident.startswith(f"{service.id}-")), "")
    if broken or not access.complete:
        step = _step(asked, probe, Verdict.BLIND, "which nodes have endpoints cannot be read")
        missing = f"list endpointslices ({access.reason or access.reading.value})"
        blind = msgspec.structs.replace(step, missing=f"EndpointSlice {broken}: {bad[broken]}" if broken else missing)
        return ProbeAnswer(blind, asked.nodes)
    nodes = tuple(node for node in asked.nodes if node.name in local)
    if not nodes:
        said = f"no node of the pool has a ready endpoint of {service.id}: the probe is down on every node"
        fix = "make a Pod of the Service ready, or set externalTrafficPolicy: Cluster"
        step = _step(asked, probe, Verdict.DROP, said, "L15", fix)
        return ProbeAnswer(msgspec.structs.replace(step, evidence=(*step.evidence, *_local_facts(service))), ())
    said = f"it is up on {len(nodes)} of {len(asked.nodes)} nodes: those with a ready endpoint"
    return ProbeAnswer(_step(asked, probe, Verdict.PASS, said), nodes)


def _local_facts(service: Service) -> tuple[Evidence, ...]:
    return (
        Evidence(".spec.externalTrafficPolicy", service.external_traffic_policy, service.ref),
        Evidence(".spec.healthCheckNodePort", str(service.health_check_node_port), service.ref),
    )


def _shared(store: Store, asked: ProbeAsked, probe: LoadBalancerProbe) -> ProbeAnswer:
    """The shared probe asks the proxy of each node: where it, or the Pod before it, is not ready, the node is down.

    Source: aks-networking.md 2.a, step 6 b, and L17; cloud-node-manager has the sidecar that listens on 10356.
    """
    sick = probe_wish.without_answer(store, {node.name for node in asked.nodes})
    nodes = tuple(node for node in asked.nodes if node.name not in sick)
    notes = tuple(
        Considered(f"node {name}", decided=False, why=f"L17: Pod {pod.id} is not ready")
        for name, pod in sorted(sick.items())
    )
    if nodes or not asked.nodes:
        step = _step(asked, probe, Verdict.PASS, "the shared probe asks the proxy of each node")
        return ProbeAnswer(msgspec.structs.replace(step, considered=notes), nodes)
    first = sick[min(sick)]
    said = f"the shared probe is answered on no node: Pod {first.id} is not ready, like those of the other nodes"
    fix = "find out why the Pods of cloud-node-manager or of the proxy are not ready"
    step = _step(asked, probe, Verdict.DROP, said, "L17", fix)
    fact = Evidence(".status.conditions[?(@.type=='Ready')].status", first.reason or "False", Ref("Pod", first.id))
    return ProbeAnswer(msgspec.structs.replace(step, evidence=(*step.evidence, fact), considered=notes), ())


def _has_probe_annotation(service: Service, port: ServicePort) -> bool:
    return any(f"/port_{port.port}_health-probe_" in name for name in service.annotations)


def _cluster(store: Store, asked: ProbeAsked, probe: LoadBalancerProbe) -> Step:
    service, port = asked.service, asked.port
    chosen = annotation(service, f"port_{port.port}_health-probe_port")
    expected = {number for number in (port.node_port, _chosen(service, chosen)) if number}
    if not service.allocate_load_balancer_node_ports and not port.node_port and not chosen:
        said = "the Service has no nodePort to probe (allocateLoadBalancerNodePorts: false)"
        return _step(
            asked, probe, Verdict.DROP, said, "L22", "set allocateLoadBalancerNodePorts: true, or the shared probe"
        )
    known = {item.node_port for item in service.ports if item.node_port} | expected
    if probe.port not in known:
        said = f"it asks port {probe.port}, which is no nodePort of {service.id} ({', '.join(map(str, sorted(known)))})"
        step = _step(asked, probe, Verdict.DROP, said, "L13", "touch the Service so that its probe is written again")
        return msgspec.structs.replace(step, assumptions=(f"nothing else on the nodes answers on port {probe.port}",))
    if probe.protocol.lower() in {"http", "https"}:
        return _http(store, asked, probe)
    return _step(asked, probe, Verdict.PASS, f"{probe.protocol} on port {probe.port}, which any ready Pod answers")


def _chosen(service: Service, text: str) -> int:
    """Return the node port that an annotation chooses: a number, or the port or name of a port of the Service."""
    for port in service.ports:
        if text and text in {str(port.port), port.name}:
            return port.node_port
    return int(text) if text.isdigit() else 0


def _http(store: Store, asked: ProbeAsked, probe: LoadBalancerProbe) -> Step:
    """An HTTP probe needs exactly 200 from the Pods; what they answer on a path is known from their readiness alone."""
    path, pods = probe.request_path or "/", _pods(store, asked.service)
    said = f"{probe.protocol} GET {path} on port {probe.port} must answer {_OK}"
    if any(item.kind == "http" and item.path.partition("?")[0] == path for pod in pods for item in pod.template.probes):
        return _step(asked, probe, Verdict.PASS, f"{said}: the Pods' readiness probe asks the same path")
    if path != "/":
        step = _step(asked, probe, Verdict.PASS, said)
        return msgspec.structs.replace(step, assumptions=(f"GET {path} answers {_OK} on the nodes",))
    fix = f"set annotation {_PATH} to a path that answers 200 (for ingress-nginx: /healthz)"
    if any(pod.labels.get("app.kubernetes.io/name") == "ingress-nginx" for pod in pods):
        return _step(asked, probe, Verdict.DROP, f"{said}, and ingress-nginx answers 404 there", "L12", fix)
    step = _step(asked, probe, Verdict.BLIND, f"{said}, and nothing says that the Pods do", "L12", fix)
    return msgspec.structs.replace(step, missing=f"what the Pods answer to GET {path} (the load balancer's health)")


_PATH = "service.beta.kubernetes.io/azure-load-balancer-health-probe-request-path"


def _pods(store: Store, service: Service) -> list[Pod]:
    if not service.selector:
        return []
    found = (store.pods.get(ident) for ident in store.pod_classes.matching(service.namespace, service.selector))
    return [pod for pod in found if pod is not None and not pod.finished]


def _without_probe(asked: ProbeAsked) -> Step:
    rule, service, port, untold = asked.rule, asked.service, asked.port, False
    if rule.probe is not None:
        name = rule.probe.arm_id.rpartition("/")[2]
        said = f"the rule names probe {name}, which the load balancer does not have"
        step = _step(asked, None, Verdict.PASS, said, note=said)
        return msgspec.structs.replace(step, assumptions=(f"probe {name} is up on every node: it is not read",))
    if port.protocol != "TCP":
        why = f"{port.protocol} cannot be probed"
    elif is_true(service, f"port_{port.port}_no_probe_rule"):
        why = f"annotation port_{port.port}_no_probe_rule"
    else:
        why = "the rule has none"
        untold = "probe" in rule.untold
    note = "L18: a node that is down keeps getting its share of the traffic"
    step = _step(asked, None, Verdict.PASS, f"no probe: {why}", note=note)
    lines = (f"rule {rule.name} has no probe: it tells of none",) if untold else ()
    return msgspec.structs.replace(step, assumptions=(*step.assumptions, *lines))


def _step(
    asked: ProbeAsked,
    probe: LoadBalancerProbe | None,
    verdict: Verdict,
    said: str,
    cause: str = "",
    fix: str = "",
    note: str = "",
) -> Step:
    balancer = asked.found.balancer
    facts = [
        Evidence(
            f".loadBalancingRules[?name=='{asked.rule.name}'].probe", probe.name if probe else "(none)", balancer.ref
        )
    ]
    if probe is not None:
        field = f".probes[?name=='{probe.name}']"
        facts += [
            Evidence(f"{field}.protocol", probe.protocol, balancer.ref),
            Evidence(f"{field}.port", str(probe.port), balancer.ref),
            Evidence(f"{field}.requestPath", probe.request_path or "(none)", balancer.ref),
        ]
    return Step(
        kind=Kind.LB_PROBE,
        verdict=verdict,
        summary=f"probe {probe.name}: {said}" if probe is not None else said,
        subject=balancer.ref,
        version=balancer.etag,
        packet=asked.packet,
        cause=cause,
        evidence=tuple(facts),
        considered=(Considered(note.partition(":")[0], False, note),) if note else (),
        confirm=confirm(asked.found, "probe"),
        fix=fix,
    )
