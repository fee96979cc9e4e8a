"""CiliumCIDRGroup as a kind: both API versions, and what a capture says of it."""

from pathlib import Path

import pytest
import yaml

from aksnav.model.kinds import KINDS, find_kind
from aksnav.sources.capture import changes
from aksnav.store import Store
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.subject import parse_subject
from tests.unit.trace_edge.world import Json
from tests.unit.trace_policy_cilium.around import CLIENT, base, egress, group, leaving, policy, word, world

RULE = policy(egress({"toCIDRSet": [{"cidrGroupRef": "office"}]}))
_VERSIONS = {"EndpointSlice": "discovery.k8s.io/v1", "NetworkPolicy": "networking.k8s.io/v1"}


def captured(folder: Path, *objects: Json) -> Store:
    """Return what a folder of one YAML file says, with the lists of the small cluster."""
    listed = [item for item in (*base(), *objects) if not KINDS[item["kind"]].azure]
    for item in listed:
        default = "cilium.io/v2" if item["kind"].startswith("Cilium") else "v1"
        item.setdefault("apiVersion", _VERSIONS.get(item["kind"], default))
    (folder / "objects.yaml").write_text(yaml.safe_dump_all(listed))
    (folder / "networkpolicies.yaml").write_text("apiVersion: v1\nkind: List\nitems: []\n")
    (folder / "services.yaml").write_text("apiVersion: v1\nkind: List\nitems: []\n")
    store = Store()
    for change in changes(folder, ("CiliumClusterwideNetworkPolicy",)):
        store.apply(change)
    return store


@pytest.mark.parametrize("version", ["cilium.io/v2", "cilium.io/v2alpha1"])
def test_a_group_is_read_in_either_api_version(tmp_path: Path, version: str) -> None:
    """Cilium 1.18 serves v2, earlier ones v2alpha1: the fields are the same."""
    store = captured(tmp_path, RULE, {**group("office", f"{CLIENT}/32"), "apiVersion": version})
    found = store.cilium_cidr_groups.get("office")
    assert found is not None
    assert found.external_cidrs == (f"{CLIENT}/32",)
    assert word(leaving(store, CLIENT)) == "yes"


def test_a_capture_without_groups_leaves_rules_that_refer_to_them_open(tmp_path: Path) -> None:
    """The kind comes with Cilium: that a bundle has none does not say that there is none."""
    found = leaving(captured(tmp_path, RULE), CLIENT)
    assert word(found) == "open"
    assert "CiliumCIDRGroup" in found.missing


def test_the_kind_is_optional_and_has_a_name_to_type() -> None:
    """Where it is not served it is not installed; v2 is read before v2alpha1."""
    kind = find_kind("ccg")
    assert kind is not None
    assert (kind.name, kind.optional, kind.namespaced, kind.versions) == (
        "CiliumCIDRGroup",
        True,
        False,
        ("v2", "v2alpha1"),
    )


def test_who_can_talk_knows_the_ranges_of_groups() -> None:
    """A group's CIDR is an address range of its own among those whom a Pod can reach."""
    store = world(group("office", "203.0.113.0/24", "203.0.113.64/26"), RULE)
    rows = talk(store, parse_subject(store, "pod/shop/web")).rows
    reached = {row.peer.name for row in rows if row.direction is Direction.EGRESS and row.allowed is True}
    assert "203.0.113.0-203.0.113.63" in reached or "203.0.113.0/26" in reached, reached
    assert not reached & {"web", "api", "probe", "any address of the internet"}
