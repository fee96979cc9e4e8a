"""Whatever the objects say, each address of a subnet is counted once: size = kept by Azure + used + free."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.trace.addressing.find import holders_of, parse_asked, who_holds
from aksnav.trace.addressing.subnets import kept_by_azure, subnet_uses
from aksnav.trace.addressing.words import Sort
from tests.unit.addressing.cluster import (
    GROUP,
    NODES,
    PODS,
    Json,
    managed,
    network,
    node,
    pod,
    pool,
    store_of,
    subnet,
)

INTERFACES = f"{GROUP}/Microsoft.Network/networkInterfaces"
BALANCER = f"{GROUP}/Microsoft.Network/loadBalancers/kubernetes-internal"
OTHERS = (
    f"{GROUP}/Microsoft.Network/applicationGateways/agw/gatewayIPConfigurations/ip",
    f"{GROUP}/Microsoft.Network/virtualNetworkGateways/vpn/ipConfigurations/default",
    f"{GROUP}/Microsoft.Network/networkInterfaces/vm-7/ipConfigurations/ip",
)
# A host of 10.1.0.0/27 (nodes) or 10.1.1.0/27 (Pods), or one outside of both.
HOSTS = st.integers(0, 31).map(lambda host: f"10.1.0.{host}") | st.integers(0, 31).map(lambda host: f"10.1.1.{host}")
ADDRESSES = HOSTS | st.sampled_from(["10.9.9.9", ""])


def interface(number: int, addresses: list[str], machine: str) -> Json:
    ident = f"{INTERFACES}/nic{number}"
    configs = [
        {
            "id": f"{ident}/ipConfigurations/ip{index}",
            "name": f"ip{index}",
            "privateIPAddress": address,
            "primary": index == 0,
            "subnet": {"id": PODS if address.startswith("10.1.1.") else NODES},
        }
        for index, address in enumerate(addresses)
    ]
    return {"id": ident, "name": f"nic{number}", "ipConfigurations": configs, "virtualMachine": {"id": machine}}


def frontend(index: int, address: str) -> Json:
    ident = f"{BALANCER}/frontendIPConfigurations/f{index}"
    return {"id": ident, "name": f"f{index}", "privateIPAddress": address, "subnet": {"id": NODES}}


@st.composite
def objects(draw: st.DrawFn) -> dict[str, list[Json]]:
    """Draw a cluster: interfaces, frontends, nodes and Pods with addresses that may repeat, counts that may not fit."""
    nics = draw(st.lists(st.lists(ADDRESSES, max_size=4), max_size=4))
    fronts = draw(st.lists(HOSTS, max_size=3))
    nodes = draw(st.lists(HOSTS, max_size=3))
    pods = draw(st.lists(st.tuples(ADDRESSES, st.sampled_from(["Running", "Succeeded"]), st.booleans()), max_size=8))
    model = draw(st.sampled_from([None, "DynamicIndividual", "StaticBlock"]))
    listed = draw(st.none() | st.lists(st.sampled_from(OTHERS), unique=True))
    if listed is not None:
        listed = [*listed, *(f"{INTERFACES}/nic{number}/ipConfigurations/ip0" for number in range(len(nics)))]
    usages: dict[str, int] | None = draw(
        st.none() | st.fixed_dictionaries({NODES: st.integers(0, 40), PODS: st.integers(0, 40)})
    )
    hop = {
        "name": "out",
        "addressPrefix": "0.0.0.0/0",
        "nextHopType": "VirtualAppliance",
        "nextHopIpAddress": draw(HOSTS),
    }
    extra: dict[str, Any] = {"dhcpOptions": {"dnsServers": draw(st.lists(ADDRESSES.filter(bool), max_size=2))}}
    pools = [pool(podSubnetID=PODS if model else None, podIPAllocationMode=model)]
    subnets = [subnet(NODES, "10.1.0.0/27", listed), subnet(PODS, "10.1.1.0/27", [] if listed is not None else None)]
    return {
        "managedClusters": [managed(pools)],
        "virtualNetworks": [network(subnets, ["10.1.0.0/16"], usages, **extra)],
        "networkInterfaces": [
            interface(number, addresses, f"/subscriptions/s/vm/n{number}") for number, addresses in enumerate(nics)
        ],
        "loadBalancers": [
            {
                "id": BALANCER,
                "name": "kubernetes-internal",
                "frontendIPConfigurations": [frontend(index, address) for index, address in enumerate(fronts)],
            }
        ],
        "routeTables": [{"id": f"{GROUP}/Microsoft.Network/routeTables/rt", "name": "rt", "routes": [hop]}],
        "Node": [node(f"n{number}", address) for number, address in enumerate(nodes)],
        "Pod": [
            pod(f"p{number}", address, "n0", phase, hostNetwork=shared)
            for number, (address, phase, shared) in enumerate(pods)
        ],
    }


@settings(max_examples=150, deadline=None)
@given(objects())
def test_holders_partition_every_subnet(wires: dict[str, list[Json]]) -> None:
    """No address is counted twice, none is lost, and nobody holds more than there is."""
    store = store_of(wires)
    for use in subnet_uses(store):
        assert use.used is not None
        assert use.free is not None
        assert use.used >= 0
        assert use.size == use.reserved + use.used + use.free
        assert sum(use.by.values()) == use.used


@settings(max_examples=60, deadline=None)
@given(objects(), HOSTS)
def test_a_range_and_its_addresses_give_the_same_holders(wires: dict[str, list[Json]], host: str) -> None:
    """Whoever is found for an address is found for the subnet that contains it, and for nothing else."""
    store = store_of(wires)
    single = parse_asked(host)
    whole = who_holds(store, parse_asked(f"{host.rpartition('.')[0]}.0/27"))
    assert who_holds(store, single).holders == tuple(item for item in whole.holders if item.address == single.first)


@settings(max_examples=60, deadline=None)
@given(objects())
def test_an_address_that_azure_keeps_is_told_as_such(wires: dict[str, list[Json]]) -> None:
    """The first four and the last one of each subnet, in every answer about the subnet."""
    store = store_of(wires)
    for use in subnet_uses(store):
        kept = [item.address for item in holders_of(store, use) if item.sort is Sort.AZURE]
        (block,) = use.prefixes
        assert kept == [number for number in range(block.first, block.last + 1) if kept_by_azure((block,), number)]
        assert len(kept) == use.reserved
