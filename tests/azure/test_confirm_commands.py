"""The commands with which a sceptic checks a step: each is one that az or kubectl has, with the flags that it needs.

The table is from the reference of the Azure CLI (``az network``, ``az aks``, ``az resource``). Names are quoted, so
that a hostile one stays one word.
"""

import itertools
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.azure.commands import located, of_cluster
from aksnav.trace.step import Step
from tests.azure import (
    test_both_ends,
    test_ways_gateways,
    test_ways_load_balancer,
    test_ways_nodes,
    test_ways_private_link,
)
from tests.azure.ways_in import Objects, Way, base, read, walked

GROUP = {"-g", "--resource-group"}
IDS = {"--ids"}
# Command, and the sets of flags of which each has to have one; other flags are optional.
NEEDED: dict[str, tuple[set[str], ...]] = {
    "network lb show": (IDS,),
    "network lb rule list": (GROUP, {"--lb-name"}),
    "network lb probe list": (GROUP, {"--lb-name"}),
    "network lb address-pool list": (GROUP, {"--lb-name"}),
    "network lb outbound-rule list": (GROUP, {"--lb-name"}),
    "network lb inbound-nat-rule list": (GROUP, {"--lb-name"}),
    "network lb list": (),
    "network public-ip show": (IDS,),
    "network public-ip list": (),
    "network nsg rule list": (GROUP, {"--nsg-name"}),
    "network nsg list": (),
    "network route-table route list": (GROUP, {"--route-table-name"}),
    "network vnet subnet show": (IDS,),
    "network vnet list": (),
    "network vnet peering list": (GROUP, {"--vnet-name"}),
    "network vnet-gateway list": (GROUP,),
    "network nat gateway show": (IDS,),
    "network application-gateway show": (IDS,),
    "network application-gateway show-backend-health": (IDS,),
    "network application-gateway list": (),
    "network private-endpoint show": (IDS,),
    "network private-link-service show": (IDS,),
    "network private-link-service list": (),
    "network firewall list": (),
    "network alb list": (),
    "network alb frontend show": (IDS,),
    "network manager list-effective-security-admin-rule": (GROUP, {"--virtual-network-name", "--vnet-name"}),
    "resource show": (IDS,),
    "aks show": (GROUP, {"-n", "--name"}),
    "aks list": (),
}
WAYS = [
    *test_ways_load_balancer.WAYS,
    *test_ways_nodes.WAYS,
    *test_ways_gateways.WAYS,
    *test_ways_private_link.WAYS,
]


def every(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield the steps of all branches."""
    for step in steps:
        yield step
        for branch in step.branches:
            yield from every(branch.steps)


def check(command: str) -> None:
    """Check one az command against the table."""
    words = shlex.split(command)
    verb = " ".join(word for word in words[1 : next((n for n, w in enumerate(words) if w.startswith("-")), len(words))])
    assert verb in NEEDED, command
    flags = {word for word in words if word.startswith("-")}
    for needed in NEEDED[verb]:
        assert needed & flags, command
    for flag, value in itertools.pairwise(words):
        if flag in {"--ids", "-g", "-n", "--lb-name", "--nsg-name", "--route-table-name", "--vnet-name"}:
            assert value, command
            assert not value.startswith("-"), command


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_every_command_of_az_has_the_flags_that_it_needs(tmp_path: Path, way: Way) -> None:
    """No placeholder, no empty name: as it is written it can be run."""
    for step in every(walked(tmp_path, way).steps):
        if step.confirm.startswith("az "):
            check(step.confirm)


def test_a_hostile_name_stays_one_word(tmp_path: Path) -> None:
    """Names come from others: a shell must not run them."""
    name = "lb'; $(touch x) `y`\n--all"

    def bend(made: Objects) -> None:
        made["lb"]["name"] = made["subnet-nsg"]["name"] = made["aks-nsg"]["name"] = name
        test_both_ends.table("own", "10.99.0.0/16", "None")(made)
        test_both_ends.at_nodes("own")(made)
        made["rt-name"] = made.pop("own")
        made["rt-name"]["name"] = name

    made = base()
    bend(made)
    commands = [step.confirm for step in every(trace(read(tmp_path, made), parse_request("https://20.50.1.7")).steps)]
    named = [shlex.split(command) for command in commands if "touch" in command]
    assert len(named) > 3
    assert all(name in words for words in named)


def test_a_group_is_named_with_its_subscription() -> None:
    """A hub's network is often in another subscription than the one that az is set to."""
    hub = "/subscriptions/0-1/resourceGroups/Hub Net/providers/Microsoft.Network/virtualNetworks/v"
    assert located(hub.lower()) == "-g 'hub net' --subscription 0-1"
    assert located("/nonsense") == ""
    cluster = "/subscriptions/0-1/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks"
    assert of_cluster(cluster, "networkProfile") == "az aks show -g rg --subscription 0-1 -n aks --query networkProfile"
