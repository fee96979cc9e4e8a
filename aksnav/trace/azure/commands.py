"""Flags of az that name where a resource is, for the commands with which a sceptic checks a step.

A group alone is looked for in the subscription that az is set to, and the network is often in another one.
"""

from shlex import quote

from aksnav.trace.azure.joins import group_of


def located(arm_id: str) -> str:
    """Return ``-g GROUP --subscription SUBSCRIPTION`` of a resource, quoted for a shell; nothing without one.

    Args:
        arm_id: of the resource, or of a part of it.
    """
    head, _, group = group_of(arm_id).partition("/resourcegroups/")
    return f"-g {quote(group)} --subscription {quote(head.rpartition('/')[2])}" if group else ""


def of_cluster(arm_id: str, query: str) -> str:
    """Return the command that shows something of a managed cluster: ``az aks show`` takes no ``--ids``.

    Args:
        arm_id: of the cluster.
        query: in JMESPath.
    """
    return f"az aks show {_named(arm_id)} --query {quote(query)}"


def start_of(arm_id: str) -> str:
    """Return the command that starts a managed cluster, by its id."""
    return f"az aks start {_named(arm_id)}"


def of_pool(arm_id: str, pool: str, query: str) -> str:
    """Return the command that shows something of a node pool.

    Args:
        arm_id: of the cluster.
        pool: its name.
        query: in JMESPath.
    """
    name = arm_id.rstrip("/").rpartition("/")[2]
    return (
        f"az aks nodepool show {located(arm_id)} --cluster-name {quote(name)} -n {quote(pool)} --query {quote(query)}"
    )


def _named(arm_id: str) -> str:
    return f"{located(arm_id)} -n {quote(arm_id.rstrip('/').rpartition('/')[2])}"


def routes_of(subnet: str) -> str:
    """Return the command that shows the route table of a subnet, by its id; of every subnet where that is empty."""
    if subnet:
        return f"az network vnet subnet show --ids {quote(subnet)} --query routeTable"
    return "az network vnet list --query '[].subnets[].{id:id,routes:routeTable.id}' -o table"
