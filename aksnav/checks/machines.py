"""Nodes, what AKS runs on them, and the API server: X12, X14, K03, N21, A01, and the limits of private link (C08)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

import msgspec

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import SubResource
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.azure.commands import of_cluster
from aksnav.trace.azure.frontend import annotation, is_true, service_of
from aksnav.trace.azure.joins import attach_node, cluster, subnet_by_id
from aksnav.trace.azure.lb_annotations import field_of
from aksnav.trace.azure.private_link import frontends
from aksnav.trace.azure.subnet_filter import into_subnet
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Verdict

_SYSTEM = "kube-system"
_FIRST_HOST = 4
_PROBES = parse_address("168.63.129.16")
# AKS documentation, concepts-network.md: what an API server in a subnet of the user's has to be let.
_SERVED, _PROBED = (443, 4443), 9988
_NFTABLES_SINCE = 33
_MOST_LINKS, _MOST_NAT = 8, 8
_NAT_COUNT = "azure-pls-ip-configuration-ip-address-count"


def machine_findings(store: Store) -> Iterator[Finding]:
    """Yield X12, X14, K03, N21, A01 and C08."""
    yield from _host_ports(store)
    yield from _not_running(store)
    yield from _link_limits(store)
    managed = cluster(store)
    if managed is not None:
        yield from _proxy_mode(store, managed)
        yield from _api_server(store, managed)


def _host_ports(store: Store) -> Iterator[Finding]:
    """X12: two Pods of one node have the same host port: one of them was bound without the scheduler."""
    for node in store.nodes:
        seen: dict[tuple[str, int], Pod] = {}
        for pod in store.pods_of_node(node.name):
            if pod.finished or pod.deleting:
                continue
            for port in pod.template.ports:
                number = port.port if pod.template.host_network else port.host_port
                other = seen.setdefault((port.protocol, number), pod) if number else pod
                if other.id != pod.id:
                    yield _same_port(pod, other, f"{port.protocol} {number}", node.name)


def _same_port(pod: Pod, other: Pod, port: str, node: str) -> Finding:
    refs = tuple(Ref(item.KIND, item.id) for item in (pod, other))
    return Finding(
        id="X12",
        subject=refs[0],
        summary=f"Pods {pod.id} and {other.id} both want {port} of node {node}: one of the two answers",
        proof=Proof.LIKELY,
        evidence=tuple(Evidence(".spec.containers[*].ports[*].hostPort", port, ref) for ref in refs),
        related=(refs[1],),
        confirm=f"kubectl get pods -A --field-selector spec.nodeName={quote(node)} -o yaml",
        fix="give one of them another port",
    )


def _not_running(store: Store) -> Iterator[Finding]:
    """K03, A01: Pods of AKS without which the API server reaches no node, or AGIC writes nothing."""
    if unreadable(store.pods, _SYSTEM):
        return
    system = [pod for namespace, labels in store.pod_classes.all_classes() if namespace == _SYSTEM
              for pod in map(store.pods.get, store.pod_classes.pods(namespace, labels)) if pod is not None]  # fmt: skip
    for check, name, what, fix in (
        (
            "K03",
            "konnectivity-agent",
            "logs, exec and webhooks time out",
            "let the nodes reach the API server's address",
        ),
        (
            "A01",
            "ingress-appgw-deployment",
            "its Application Gateway keeps old backends",
            "mend AGIC's identity or Pod",
        ),
    ):
        pods = sorted((pod for pod in system if _runs(pod, name)), key=lambda pod: pod.id)
        if pods and not any(pod.ready for pod in pods):
            ref = Ref(pods[0].KIND, pods[0].id)
            field = ".status.conditions[?(@.type=='Ready')].status"
            yield Finding(
                id=check,
                subject=ref,
                summary=f"none of the {len(pods)} Pods of {name} is ready: {what}",
                proof=Proof.LIKELY if check == "K03" else Proof.PROVEN,
                evidence=(Evidence(field, "False", ref, pods[0].reason),),
                related=tuple(Ref(pod.KIND, pod.id) for pod in pods[1:5]),
                confirm=f"kubectl -n {_SYSTEM} describe pod {quote(pods[0].name)}",
                fix=fix,
            )


def _runs(pod: Pod, name: str) -> bool:
    return not pod.finished and (pod.name == name or pod.name.startswith(f"{name}-")) and "autoscaler" not in pod.name


def _proxy_mode(store: Store, managed: ManagedCluster) -> Iterator[Finding]:
    """X14: kube-proxy is to use nftables, which is ready from Kubernetes 1.33 on."""
    mode = str(managed.network_profile.kube_proxy_config.get("mode", ""))
    if mode.lower() != "nftables":
        return
    for node in sorted(store.nodes, key=lambda row: row.name):
        minor = node.kubelet_version.lstrip("v").split(".")[1:2]
        if not minor or not minor[0].isdigit() or int(minor[0]) >= _NFTABLES_SINCE:
            continue
        yield Finding(
            id="X14",
            subject=managed.ref,
            summary=f"kube-proxy uses nftables, and node {node.name} runs Kubernetes {node.kubelet_version}",
            proof=Proof.HINT,
            evidence=(
                Evidence(".networkProfile.kubeProxyConfig.mode", mode, managed.ref),
                Evidence(".status.nodeInfo.kubeletVersion", node.kubelet_version, node.ref),
            ),
            related=(node.ref,),
            confirm=of_cluster(managed.arm_id, "networkProfile.kubeProxyConfig"),
            fix="set the mode to IPTABLES, or upgrade to Kubernetes 1.33",
        )
        return


def _api_server(store: Store, managed: ManagedCluster) -> Iterator[Finding]:
    """N21: the group of the API server's subnet keeps the nodes, or the load balancer's probe, from it."""
    profile: Mapping[str, Any] = managed.api_server_access_profile
    if profile.get("enableVnetIntegration") is not True:
        return
    place = subnet_by_id(store, SubResource(str(profile.get("subnetId") or "")))
    prefix = next(filter(None, map(parse_prefix, place[1].prefixes)), None) if place is not None else None
    if place is None or prefix is None:
        return
    server = min(prefix.first + _FIRST_HOST, prefix.last)
    senders: dict[str, tuple[int, str]] = {}
    for node in store.nodes:
        subnet = attach_node(store, node).subnet
        address = parse_address(node.internal_ips[0]) if node.internal_ips else None
        if subnet is not None and address is not None:
            senders.setdefault(subnet.id, (address, f"node {node.name}"))
    asked = [(*sender, port) for sender in senders.values() for port in _SERVED]
    asked += [(_PROBES, "the load balancer's probe", _PROBED)] if _PROBES is not None else []
    for source, who, port in asked:
        packet = Packet(source=source, destination=server, port=port)
        for step in into_subnet(store, place, packet, f"{who} to the API server in subnet {place[1].name}"):
            if step.verdict is Verdict.DROP:
                fix = f"allow TCP {port} from {'AzureLoadBalancer' if port == _PROBED else 'the nodes'} to {prefix}"
                found = finding_of(msgspec.structs.replace(step, cause="N21", fix=fix))
                if found is not None:
                    yield found


def _link_limits(store: Store) -> Iterator[Finding]:
    """C08: a load balancer has as many private link services as it may, or a Service wants too many NAT addresses.

    Limits: Azure documentation, "Azure subscription and service limits", private link.
    """
    links = Counter(
        ident.partition("/frontendipconfigurations/")[0]
        for link in store.private_link_services
        for ident in {item.id for item in link.load_balancer_frontend_ip_configurations}
    )
    full = next((store.load_balancers.get(ident) for ident, count in links.items() if count >= _MOST_LINKS), None)
    served = {
        service.id
        for link in store.private_link_services
        for found in frontends(store, link)
        if (service := service_of(store, found)) is not None
    }
    for service in sorted(store.services, key=lambda row: row.id):
        if not is_true(service, "azure-pls-create"):
            continue
        count = annotation(service, _NAT_COUNT)
        if count.isdigit() and int(count) > _MOST_NAT:
            yield _limit(
                service,
                f"asks for {count} NAT addresses of {_MOST_NAT}",
                Evidence(field_of(_NAT_COUNT), count, service.ref),
            )
        elif full is not None and service.id not in served:
            many = f"{links[full.id]} private link services of {_MOST_LINKS}"
            fact = Evidence(".privateLinkServices[].loadBalancerFrontendIpConfigurations", many, full.ref)
            yield _limit(service, f"has no private link service: {full.name} has {many}", fact)


def _limit(service: Service, said: str, fact: Evidence) -> Finding:
    return Finding(
        id="C08",
        subject=service.ref,
        summary=f"Service {service.id} {said}",
        proof=Proof.PROVEN,
        evidence=(fact, Evidence(field_of("azure-pls-create"), "true", service.ref)),
        confirm="az network private-link-service list -o table",
        fix="spread the Services over several load balancers, or ask for fewer addresses",
    )
