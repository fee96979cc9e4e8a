"""The route between the nodes of a kubenet cluster: Pods have addresses that only the route table knows.

Source: AKS documentation, "Use kubenet networking": each node's Pod range is a user-defined route to the node
(aks-networking.md 1.2 and check R03). In every other model the network itself knows the Pods, or the node does.
"""

import msgspec

from aksnav.model.addresses import format_address
from aksnav.store.store import Store
from aksnav.trace.azure import routes
from aksnav.trace.azure.joins import attach_node
from aksnav.trace.azure.network_model import NetworkModel, network_model
from aksnav.trace.azure.next_hop import APPLIANCE, next_hop
from aksnav.trace.place import Crossing, Entry
from aksnav.trace.step import Kind, Step, Verdict


def between(store: Store, crossing: Crossing) -> tuple[Step, ...]:
    """Return what the route table makes of a packet from one node to a Pod of another; nothing where none is needed."""
    if network_model(store).model is not NetworkModel.KUBENET:
        return ()
    taken = crossing.entry_node if crossing.entry is Entry.CLUSTER else None
    here, there, pod = taken or crossing.source.node, crossing.destination.node, crossing.destination.pod
    if here is None or there is None or pod is None or here.name == there.name or pod.template.host_network:
        return ()
    subnet = attach_node(store, here).subnet
    address = crossing.packet.destination
    if subnet is None or address is None:
        return ()
    decision = next_hop(store, subnet, address)
    if decision.unknown:
        return (
            Step(
                kind=Kind.ROUTE,
                verdict=Verdict.BLIND,
                summary=f"the route from subnet {subnet.name} to Pod {pod.id} is not known",
                subject=there.ref,
                packet=crossing.packet,
                missing=decision.unknown,
                fix="grant Reader on the virtual network and its route tables",
            ),
        )
    step = routes.forward_step(store, subnet, crossing.packet, decision)
    if decision.hop == APPLIANCE and decision.address in there.internal_ips:
        return (step,)
    pods = ", ".join(there.pod_cidrs) or format_address(address)
    return (
        msgspec.structs.replace(
            step,
            verdict=Verdict.DROP,
            cause="R03",
            summary=f"{step.summary}, and Pod {pod.id} is on node {there.name}",
            fix=f"associate the cluster's route table with subnet {subnet.name}, with a route for {pods} to "
            f"{', '.join(there.internal_ips)}",
        ),
    )
