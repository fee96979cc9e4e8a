"""What the doctor says of a cluster, of the demo and of a capture, and which ClusterRole it asks for."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from aksnav.cli import main
from aksnav.sources.kubernetes.contexts import log_in
from aksnav.sources.kubernetes.doctor import Cluster, check_kubernetes
from aksnav.sources.kubernetes.pace import RealPace
from aksnav.sources.kubernetes.transport import Transport
from tests.unit import api_server
from tests.unit.api_server import ApiServer, forbidden

PROVIDER_ID = "azure:///subscriptions/s/resourceGroups/mc_x/providers/Microsoft.Compute/virtualMachines/a"


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    """An API server that serves Secrets and ConfigMaps besides."""
    monkeypatch.setattr(api_server, "CORE", (*api_server.CORE, "secrets", "configmaps"))
    with ApiServer(tmp_path) as server:
        yield server


def check(api: ApiServer, *namespaces: str) -> Cluster:
    """Ask the doctor."""
    path = api.kubeconfig()
    transport = Transport(lambda: log_in(None, path), RealPace(threading.Event()))
    try:
        return check_kubernetes(transport, namespaces)
    finally:
        transport.close()


def refuse(*plurals: str, verbs: tuple[str, ...] = ("list", "watch", "get"), only_everywhere: bool = False) -> Any:
    """Return an authorizer that refuses these resources."""

    def allows(attributes: dict[str, str]) -> bool:
        refused = attributes["resource"] in plurals and attributes["verb"] in verbs
        return not refused or (only_everywhere and bool(attributes.get("namespace")))

    return allows


def test_where_everything_may_be_read_no_role_is_asked_for(api: ApiServer) -> None:
    """A reader of everything: every kind is readable or not installed."""
    found = check(api).diagnosis
    assert found.ok
    assert found.role == ""
    assert found.facts["version"] == "v1.34.2"


def test_the_cluster_role_holds_what_is_missing_and_nothing_else(api: ApiServer) -> None:
    """Two kinds of one group in one rule, with the verbs that are missing."""
    api.allows = refuse("nodes", "pods", "ingresses")
    found = check(api).diagnosis
    assert {item.missing for item in found.checks if not item.ok} == {
        "list, watch nodes",
        "list, watch pods",
        "list, watch ingresses.networking.k8s.io",
    }
    assert yaml.safe_load(found.role)["rules"] == [
        {"apiGroups": [""], "resources": ["nodes", "pods"], "verbs": ["list", "watch"]},
        {"apiGroups": ["networking.k8s.io"], "resources": ["ingresses"], "verbs": ["list", "watch"]},
    ]
    assert not found.ok


def test_a_verb_alone_can_be_missing(api: ApiServer) -> None:
    """List without watch: only watch is asked for."""
    api.allows = refuse("services", verbs=("watch",))
    assert yaml.safe_load(check(api).diagnosis.role)["rules"] == [
        {"apiGroups": [""], "resources": ["services"], "verbs": ["watch"]}
    ]


def test_what_may_be_read_in_the_namespaces_of_the_operator_is_readable(api: ApiServer) -> None:
    """-n: a kind that is refused everywhere and allowed there; a kind without namespaces stays missing."""
    api.allows = refuse("pods", "nodes", only_everywhere=True)
    found = check(api, "shop", "web").diagnosis
    pods = next(item for item in found.checks if item.what == "pods")
    assert pods.ok
    assert pods.scope == "shop, web"
    assert [item.what for item in found.checks if not item.ok] == ["nodes"]


def test_secrets_are_optional_and_in_no_role(api: ApiServer) -> None:
    """Nobody is told to ask for the data of every Secret."""
    api.allows = refuse("secrets")
    found = check(api).diagnosis
    assert [item.what for item in found.checks if not item.ok] == ["secrets"]
    assert found.ok
    assert found.role == ""


def test_the_nodes_tell_azure_where_the_cluster_is(api: ApiServer) -> None:
    """Their provider ids go with the diagnosis, as far as they can be read."""
    node = {"metadata": {"name": "a", "resourceVersion": "1"}, "spec": {"providerID": PROVIDER_ID}}
    api.objects["/api/v1/nodes"] = [node]
    assert check(api).provider_ids == (PROVIDER_ID,)
    api.always["/api/v1/nodes"] = forbidden("u", "nodes")
    assert check(api).provider_ids == ()


def test_a_discovery_that_is_refused_asks_about_every_kind(api: ApiServer) -> None:
    """The reviews still say what may be read."""
    api.always["/api"] = forbidden("u", "/api")
    api.allows = refuse("nodes")
    assert [item.what for item in check(api).diagnosis.checks if not item.ok] == ["nodes"]


def test_the_command_says_it_in_lines(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """Text: a word for each kind, the role, and how to bind it; 1 because something is missing."""
    api.allows = refuse("nodes", "secrets")
    assert main(["doctor", "--kubeconfig", api.kubeconfig(), "--no-azure"]) == 1
    said = capsys.readouterr().out
    assert "✖ missing   nodes" in said
    assert "✔ readable  pods" in said
    assert "- optional  secrets" in said
    assert "kind: ClusterRole" in said
    assert "kubectl create clusterrolebinding" in said


def test_the_command_says_it_as_json(api: ApiServer, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON: the same, for scripts."""
    assert main(["doctor", "--kubeconfig", api.kubeconfig(), "--no-azure", "-o", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [item["source"] for item in said["sources"]] == ["kubernetes"]
    assert said["sources"][0]["ok"] is True


def test_a_cluster_that_cannot_be_reached_is_a_connection_error(
    api: ApiServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """2, and one line."""
    config = api.kubeconfig(cluster={"server": "https://127.0.0.1:1"})
    assert main(["doctor", "--kubeconfig", config]) == 2
    error = capsys.readouterr().err
    assert error.startswith("aksnav: 127.0.0.1:1: ")
    assert error.count("\n") == 1


def test_the_demo_speaks_of_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    """0: nothing is missing in it."""
    assert main(["doctor", "--demo", "healthy"]) == 0
    assert "✔ readable  loadBalancers.Microsoft.Network" in capsys.readouterr().out


def test_a_capture_says_which_kinds_it_does_not_speak_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1: a folder with Services alone."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b"}, "spec": {}}
    (tmp_path / "services.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [service]}))
    assert main(["doctor", "--from-capture", str(tmp_path)]) == 1
    said = capsys.readouterr().out
    assert "✔ readable  services" in said
    assert "? not read  pods" in said
