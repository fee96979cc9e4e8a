"""Whom a Pod asks for names: its own /etc/hosts first, then the servers that its dnsPolicy gives it.

Source: Kubernetes documentation, "DNS for Services and Pods" (ClusterFirst is as Default in the node's network, where
ClusterFirstWithHostNet asks the cluster's DNS; None has dnsConfig alone), "Adding entries to Pod /etc/hosts".
"""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.trace.cluster.dns import Answer, Resolution
from aksnav.trace.kubectl import show
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict

_OF_NODE = "Default"
_OWN = "None"


def asks_cluster(pod: Pod) -> bool:
    """Return whether a Pod asks the cluster's DNS with a search path; else it has its node's resolver."""
    said = pod.template.dns_policy
    return said != _OF_NODE and (bool(said) or not pod.template.host_network)


def in_hosts_file(pod: Pod, host: str, packet: Packet) -> Resolution | None:
    """Return the address that a Pod's hostAliases give a name: no server is asked; None where they do not have it."""
    texts = [text for name, text in pod.template.host_aliases if name == host]
    numbers = dict.fromkeys(number for number in map(parse_address, texts) if number is not None)
    if not numbers:
        return None
    ref = Ref(Pod.KIND, pod.id)
    shown = ", ".join(map(format_address, numbers))
    step = Step(
        kind=Kind.DNS_RESOLVE,
        verdict=Verdict.PASS,
        summary=f"{host} is {shown} in the /etc/hosts of Pod {pod.id}",
        subject=ref,
        version=pod.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.hostAliases", f"{shown} {host}"),),
        confirm=show(ref, ".spec.hostAliases"),
    )
    return Resolution(step=step, answers=tuple(Answer(label=format_address(at), address=at) for at in numbers))


def with_own_servers(pod: Pod, found: Resolution) -> Resolution:
    """Return a resolution with what it takes for granted of a Pod that names its servers itself."""
    if pod.template.dns_policy != _OWN or found.step.verdict is Verdict.BLIND:
        return found
    note = f"the servers and the search path of Pod {pod.id} (dnsPolicy None) answer as the cluster's DNS does"
    step = msgspec.structs.replace(found.step, assumptions=(*found.step.assumptions, note))
    return msgspec.structs.replace(found, step=step)
