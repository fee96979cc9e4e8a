"""What the doctor says of Azure, and which custom role it asks for."""

import json
from typing import Any

import pytest

from aksnav.model.confirmation import ACTIONS
from aksnav.sources.azure.doctor import NEEDED, check_azure
from aksnav.sources.azure.reads import USAGES
from aksnav.sources.demo.world import CLUSTER, GROUP, NODE_GROUP, SUBSCRIPTION, arm_id
from aksnav.sources.diagnosis import Diagnosis
from aksnav.sources.options import Options
from tests.azure.arm_server import error
from tests.azure.conftest import Bench, host, provider_ids

NODES = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{NODE_GROUP.lower()}"
HOME = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{GROUP}"


def check(bench: Bench, credential: Any = None) -> Diagnosis:
    """Ask the doctor."""
    return check_azure(
        Options(kubeconfig="/nonexistent"),
        provider_ids(),
        host(),
        connection=bench.connection(credential),
        pace=bench.pace,
    )


def test_a_reader_of_everything_needs_no_role(bench: Bench) -> None:
    """Every list is named with its scope, and nothing is asked for."""
    found = check(bench)
    assert found.ok
    assert found.role == ""
    assert {item.scope for item in found.checks if item.what == "networkSecurityGroups"} == {NODES, HOME}
    assert len([item for item in found.checks if not item.optional]) == len(bench.server.asked)


def test_what_is_asked_on_request_only_is_named_and_never_asked_for(bench: Bench) -> None:
    """The POSTs of --confirm: named as optional, not tried, and in no role."""
    bench.server.rules.append(lambda _asked: error(403, "AuthorizationFailed"))
    found = check(bench)
    assert {item.missing for item in found.checks if item.optional} == set(ACTIONS.values())
    assert {asked.verb for asked in bench.server.asked} == {"GET"}
    assert not set(json.loads(found.role)["Actions"]) & set(ACTIONS.values())


@pytest.mark.parametrize("action", [action for action in NEEDED if "managedClusters" not in action])
def test_the_role_holds_the_action_that_is_missing_and_no_other(bench: Bench, action: str) -> None:
    """Each permission in turn, on the resource groups where it was refused."""
    bench.server.content.denied.add(action)
    found = check(bench)
    assert {item.missing for item in found.checks if not item.ok and not item.optional} == {action}
    role = json.loads(found.role)
    never_tried = [USAGES] if action == "Microsoft.Network/virtualNetworks/read" else []
    assert role["Actions"] == [action, *never_tried]
    assert role["IsCustom"] is True
    assert all(scope.startswith(f"/subscriptions/{SUBSCRIPTION}/resourcegroups/") for scope in role["AssignableScopes"])
    assert not any("*" in action or "write" in action for action in role["Actions"])


def test_a_cluster_that_may_not_be_read_is_asked_for_on_its_subscription(bench: Bench) -> None:
    """The list of clusters is refused: with it the cluster is found."""
    bench.server.content.denied.add("Microsoft.ContainerService/managedClusters/read")
    role = json.loads(check(bench).role)
    assert role["Actions"] == ["Microsoft.ContainerService/managedClusters/read"]
    assert role["AssignableScopes"] == [f"/subscriptions/{SUBSCRIPTION}"]


def test_a_refusal_that_another_way_made_up_for_is_not_missing(bench: Bench) -> None:
    """The subscription's list is refused, and the node resource group names the cluster: nothing is missing."""
    subscription = f"/subscriptions/{SUBSCRIPTION}/providers"
    bench.server.rules.append(
        lambda asked: error(403, "AuthorizationFailed") if asked.path.startswith(subscription) else None
    )
    bench.server.content.managed_by[NODES] = arm_id(GROUP, f"Microsoft.ContainerService/managedClusters/{CLUSTER}")
    assert check(bench).ok


def test_without_any_role_everything_is_asked_for(bench: Bench) -> None:
    """What was never reached because of a refusal is in the role too."""
    bench.server.rules.append(lambda _asked: error(403, "AuthorizationFailed"))
    found = check(bench)
    assert not found.ok
    assert set(NEEDED) <= set(json.loads(found.role)["Actions"])


def test_a_server_error_is_no_missing_permission(bench: Bench) -> None:
    """500 is said, and no role mends it."""
    bench.server.rules.append(lambda asked: error(500, "Oops") if asked.path.endswith("/loadbalancers") else None)
    found = check(bench)
    bad = [item for item in found.checks if not item.ok and not item.optional]
    assert [item.missing for item in bad] == [""]
    assert "(500 Oops)" in bad[0].reason


class NoLogin:
    """A chain without any credentials."""

    def get_token(self, *_scopes: str, **_kwargs: Any) -> Any:
        """Refuse."""
        from azure.identity import CredentialUnavailableError

        raise CredentialUnavailableError("none")


def test_without_credentials_the_doctor_says_what_to_do(bench: Bench) -> None:
    """No login is no connection error; the role names every action, for whoever gives it."""
    found = check(bench, NoLogin())
    assert found.error.startswith("no Azure credentials: run 'az login'")
    assert not found.unreachable
    assert json.loads(found.role)["Actions"] == list(NEEDED)
    assert json.loads(found.role)["AssignableScopes"] == [f"/subscriptions/{SUBSCRIPTION}"]


def test_an_azure_that_cannot_be_reached_is_told_apart(bench: Bench) -> None:
    """Nobody listens."""
    bench.server.close()
    found = check(bench)
    assert found.unreachable
    assert "cannot be reached" in found.error
