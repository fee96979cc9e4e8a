"""``aksnav ips``: exit statuses, text and JSON, what cannot be read, and folders of what kubectl and az print."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aksnav.cli import main
from aksnav.model.change import Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.report.ips import answer_lines, bar, percent, plan_lines
from aksnav.trace.addressing.find import parse_asked, who_holds
from aksnav.trace.addressing.plan import plan
from tests.ui.payloads import PAYLOADS, harmless
from tests.unit.addressing.cluster import NODES, loaded, managed, network, node, pod, pool, store_of, subnet


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["ips", *words])
    shown = capsys.readouterr()
    return status, shown.out, shown.err


@pytest.mark.parametrize(
    ("scenario", "status"),
    [("healthy", 0), ("kubenet", 0), ("c04-pod-cidr-small", 1), ("r10-partner-overlap", 1), ("no-azure", 3)],
)
def test_the_status_says_whether_something_runs_out(
    capsys: pytest.CaptureFixture[str], scenario: str, status: int
) -> None:
    """1 where something runs out or overlaps, 3 where that is not known."""
    assert asked(capsys, "--demo", scenario)[0] == status


@pytest.mark.parametrize(
    ("address", "scenario", "status"),
    [
        ("10.224.0.40", "healthy", 0),
        ("10.224.0.50", "healthy", 1),  # everybody in the subnet is known: nobody has it
        ("10.224.1.7", "healthy", 3),  # four holders of the subnet are not read
        ("10.224.0.50", "no-azure", 3),
        ("10.224.0.0/26", "healthy", 0),
    ],
)
def test_the_status_says_whether_a_holder_is_known(
    capsys: pytest.CaptureFixture[str], address: str, scenario: str, status: int
) -> None:
    """1 only where nobody can be missed."""
    assert asked(capsys, address, "--demo", scenario)[0] == status


def test_text_names_use_holders_growth_and_overlaps(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each subnet with a bar, the figures, and by whom."""
    _, out, _ = asked(capsys, "--demo", "pod-subnet")
    lines = out.splitlines()
    pods = next(line for line in lines if line.startswith("  snet-pods"))
    assert "▐·········   3 %  4096 = 5 kept by Azure + 128 used + 3963 free" in pods
    assert "48 Pods, 80 kept for Pods; delegated to Microsoft.ContainerService/managedClusters" in out
    assert "✔ fits to the surge upgrade at the maximum of every pool" in out
    assert "pool apps (Azure CNI pod subnet, dynamic): room for 52 more nodes (36 if they fill with Pods)" in out
    assert "none among the ranges that are known" in out


def test_text_says_at_which_step_it_runs_out(capsys: pytest.CaptureFixture[str]) -> None:
    """With the figures, and what fits before."""
    _, out, _ = asked(capsys, "--demo", "c04-pod-cidr-small")
    assert (
        "✖ runs out at the surge upgrade of every pool: Pod CIDR 10.244.0.0/21: needs 3 /24 blocks, 2 of 8 are" in out
    )
    assert "fits to the surge upgrade of data" in out


def test_without_azure_growth_is_unknown_and_the_reason_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Never does it fit by default."""
    _, out, _ = asked(capsys, "--demo", "no-azure")
    assert "? unknown: Microsoft.ContainerService/managedClusters/read" in out
    assert "✔" not in out


def test_json_has_every_figure_and_every_holder(capsys: pytest.CaptureFixture[str]) -> None:
    """Holders with address, object and field; steps with what they need of each budget."""
    _, out, _ = asked(capsys, "--demo", "azure-cni", "-o", "json")
    found = json.loads(out)
    nodes = next(item for item in found["subnets"] if item["name"] == "snet-nodes")
    assert (nodes["size"], nodes["reserved"], nodes["used"], nodes["free"]) == (1024, 5, 187, 832)
    assert nodes["by"] == {"node": 6, "Pod": 48, "kept for Pods": 132, "load balancer frontend": 1}
    sorts = [item["sort"] for item in nodes["holders"]]
    assert {sort: sorts.count(sort) for sort in set(sorts)} == nodes["by"] | {"Azure": 5}
    assert all(item["field"] for item in nodes["holders"] if item["sort"] != "Azure")
    assert (found["growth"]["state"], found["growth"]["first"]) == ("fits", None)
    step = found["growth"]["steps"][0]
    assert (step["stage"], step["pool"], step["nodes"], step["state"]) == ("next node", "system", 1, "fits")
    assert {item["of"] for item in step["demands"]} >= {"subnet snet-nodes", "nodes of an AKS cluster"}


def test_json_of_an_address_has_holders_and_what_contains_it(capsys: pytest.CaptureFixture[str]) -> None:
    """With the object as other commands name it."""
    _, out, _ = asked(capsys, "10.244.2.13", "--demo", "healthy", "-o", "json")
    found = json.loads(out)
    (holder,) = found["holders"]
    assert holder["subject"]["kind"] == "Pod"
    assert holder["field"] == ".status.podIPs"
    assert [item["prefix"] for item in found["inside"]] == ["10.244.2.0/24", "10.244.0.0/16"]


@pytest.mark.parametrize("text", ["10.1.2.300", "shop", "10.0.0.0/40", "x\x1b[31m"])
def test_what_is_no_address_is_one_line_on_standard_error(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Before anything is read."""
    status, out, err = asked(capsys, text, "--demo", "healthy")
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "not an address and not a CIDR" in err
    assert "\x1b" not in err


def test_a_folder_of_what_kubectl_and_az_print_has_a_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``az`` flattens properties; interfaces are not there, so Azure's own count is what is used."""
    cluster = managed([pool(count=2)])
    flat: dict[str, Any] = {**cluster["properties"], "id": cluster["id"], "name": cluster["name"]}
    flat["type"] = "Microsoft.ContainerService/ManagedClusters"
    vnet = network([subnet(NODES, "10.1.0.0/26")], ["10.1.0.0/16"], {NODES: 59})
    flat_vnet = {**vnet["properties"], "id": vnet["id"], "name": "vnet", "type": "Microsoft.Network/virtualNetworks"}
    flat_vnet["subnets"] = [{"id": NODES, "name": "nodes", "addressPrefix": "10.1.0.0/26"}]
    (tmp_path / "cluster.json").write_text(json.dumps(flat), encoding="utf-8")
    (tmp_path / "vnets.json").write_text(json.dumps([flat_vnet]), encoding="utf-8")
    nodes = {
        "apiVersion": "v1",
        "kind": "List",
        "items": [{"apiVersion": "v1", "kind": "Node", **node("n0", "10.1.0.4")}],
    }
    (tmp_path / "nodes.json").write_text(json.dumps(nodes), encoding="utf-8")
    status, out, _ = asked(capsys, "--from-capture", str(tmp_path))
    assert status == 1
    assert "64 = 5 kept by Azure + 59 used + 0 free" in out
    assert "✖ runs out at the next node of np: subnet nodes: needs 31 addresses, 0 of 59 are free" in out
    assert "? not read: Microsoft.Network/networkInterfaces/read" in out


@pytest.mark.parametrize("payload", PAYLOADS)
def test_names_from_the_cluster_do_nothing_to_a_terminal(payload: str) -> None:
    """Subnets, pools and Pods are named by others."""
    vnet = network([subnet(NODES, "10.1.0.0/26")], ["10.1.0.0/16"], {NODES: 59})
    vnet["properties"]["subnets"][0]["name"] = payload
    store = store_of({"managedClusters": [managed([pool(payload)])], "virtualNetworks": [vnet]})
    found = decode_wire(KINDS["Pod"], pod("p", "10.1.0.9", "n0"))
    store.apply(Upserted("Pod", [msgspec.structs.replace(found, node=payload, reason=payload)]))
    lines = [*plan_lines(plan(store)), *answer_lines(who_holds(store, parse_asked("10.1.0.0/26")))]
    assert any("10.1.0.9" in line.text for line in lines)
    assert all(harmless(line.text) for line in lines)


@pytest.mark.parametrize(
    ("used", "capacity", "shown", "share"),
    [
        (0, 59, "··········", "0 %"),
        (1, 65531, "▐·········", "<1 %"),
        (58, 59, "▐▐▐▐▐▐▐▐▐·", "98 %"),
        (59, 59, "▐▐▐▐▐▐▐▐▐▐", "100 %"),
        (None, 59, "??????????", "?"),
        (0, 0, "▐▐▐▐▐▐▐▐▐▐", "full"),
    ],
)
def test_a_bar_is_empty_or_full_only_where_it_is_so(used: int | None, capacity: int, shown: str, share: str) -> None:
    """A little use shows, and a little that is free shows too; an unknown use is no empty bar."""
    assert (bar(used, capacity), percent(used, capacity)) == (shown, share)


def test_every_scenario_has_a_plan_in_lines() -> None:
    """Whatever cannot be read."""
    for scenario in ("faulty", "no-azure", "namespace-only", "c01-node-subnet-full"):
        assert [line.text for line in plan_lines(plan(loaded(scenario)))]
