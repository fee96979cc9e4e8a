"""The commands with which a sceptic checks a step: each is one that az or kubectl has, with the flags that it needs.

The table is from the reference of the Azure CLI (``az network``, ``az aks``, ``az resource``). Names are quoted, so
that a hostile one stays one word.
"""

import ast
import itertools
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

import aksnav
from aksnav.trace import parse_request, trace
from aksnav.trace.azure.commands import located, of_cluster, of_pool, start_of
from aksnav.trace.step import Step
from tests.azure import (
    test_both_ends,
    test_ways_app_gateway,
    test_ways_edges,
    test_ways_gateway_for_containers,
    test_ways_load_balancer,
    test_ways_nodes,
    test_ways_private_link,
)
from tests.azure.cluster_objects import Objects, base
from tests.azure.ways_in import Way, read, walked

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
    "network application-gateway start": (IDS,),
    "network nsg show": (IDS,),
    "network route-table show": (IDS,),
    "network vnet show": (IDS,),
    "network vnet list-available-ips": (IDS,),
    "network private-dns zone show": (IDS,),
    "network private-dns record-set list": (GROUP, {"-z", "--zone-name"}),
    "network private-endpoint dns-zone-group list": (GROUP, {"--endpoint-name"}),
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
    "aks start": (GROUP, {"-n", "--name"}),
    "aks nodepool show": (GROUP, {"--cluster-name"}, {"-n", "--name"}),
}
WAYS = [
    *test_ways_load_balancer.WAYS,
    *test_ways_nodes.WAYS,
    *test_ways_app_gateway.WAYS,
    *test_ways_gateway_for_containers.WAYS,
    *test_ways_edges.WAYS,
    *test_ways_private_link.WAYS,
]


def every(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield the steps of all branches."""
    for step in steps:
        yield step
        for branch in step.branches:
            yield from every(branch.steps)


# What the helpers write in the place of a call to them.
_WRITES = {"located": "-g G --subscription S", "_named": "-g G --subscription S -n N"}
# Words of help texts and of mending in prose: what is to be asked for, not a line to run.
_PROSE = ("az login", "az role ")


def written() -> Iterator[str]:
    """Yield every az command that stands in the program, with a word in the place of every value."""
    for path in sorted(Path(aksnav.__file__).parent.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            text = ""
            if isinstance(node, ast.JoinedStr):
                text = "".join(map(_part, node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
                text = node.value
            if text.startswith("az ") and not text.startswith(_PROSE):
                yield text


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    call = part.value if isinstance(part, ast.FormattedValue) else part
    name = call.func.id if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) else ""
    return _WRITES.get(name, "list" if isinstance(call, ast.Name) and call.id == "what" else "x")


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


def test_every_command_that_the_program_can_print_has_the_flags_that_it_needs() -> None:
    """Of steps and of findings, to confirm and to mend; none has a placeholder such as GROUP."""
    found = list(written())
    assert len(found) > 40
    for command in found:
        if "az network lb list list" not in command:  # of a part of a load balancer: the rows of the ways show it
            check(command)
        assert "GROUP" not in shlex.split(command)


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
    assert of_pool(f"{cluster}/", "p;x", "maxCount") == (
        "az aks nodepool show -g rg --subscription 0-1 --cluster-name aks -n 'p;x' --query maxCount"
    )
    assert start_of(cluster) == "az aks start -g rg --subscription 0-1 -n aks"
