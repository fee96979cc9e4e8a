"""Both halves together: the nodes of a Kubernetes API server lead to what Azure Resource Manager holds."""

import json
from pathlib import Path

import pytest

from aksnav.model.change import Reading
from aksnav.sources.azure import source
from aksnav.sources.azure.transport import Arm
from aksnav.sources.demo import wire
from aksnav.sources.feed import load_once
from aksnav.sources.options import Options
from aksnav.store import Store
from tests.azure.conftest import Bench
from tests.unit.api_server import ApiServer, forbidden


def load(api: ApiServer) -> Store:
    """Read everything once, as a headless command does."""
    store = Store()
    for change in load_once(Options(kubeconfig=api.kubeconfig())):
        store.apply(change)
    return store


@pytest.fixture(autouse=True)
def loopback(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the session's own Azure source reach the Resource Manager of the test."""
    monkeypatch.setattr(source, "Arm", lambda: Arm(bench.connection()))


def test_the_nodes_lead_to_azure(tmp_path: Path) -> None:
    """Their provider ids name the resource group, and the cluster is the one whose nodes are in it."""
    with ApiServer(tmp_path) as api:
        api.objects["/api/v1/nodes"] = json.loads(json.dumps(wire("healthy")["Node"]))
        store = load(api)
    assert len(store.nodes) == 6
    assert len(store.load_balancers) == 2
    assert store.sources["azure"].reading is Reading.LIVE
    assert store.sources["azure"].facts["foundBy"] == "the resource group of its nodes"


def test_without_the_nodes_azure_is_asked_for_the_servers_name(tmp_path: Path) -> None:
    """Nodes that may not be listed: the Kubernetes half works, and Azure says what it looked for."""
    with ApiServer(tmp_path) as api:
        api.always["/api/v1/nodes"] = forbidden("u", "nodes")
        store = load(api)
    assert store.nodes.access().reading is Reading.DENIED
    assert store.services.access().reading is Reading.LIVE
    assert "has the host name 127.0.0.1" in store.sources["azure"].reason
    assert not store.load_balancers.access().complete
