"""What Azure refuses, breaks or asks to wait for: every fault touches what it must and nothing else."""

from pathlib import Path
from typing import Any

import pytest

from aksnav.model.change import Reading
from aksnav.model.kinds import AZURE_KINDS
from aksnav.sources.azure.edges import POINTED_BY
from aksnav.sources.azure.errors import ArmError, CredentialError, Where
from aksnav.sources.azure.transport import Arm
from aksnav.sources.demo.world import NODE_GROUP, SUBSCRIPTION
from tests.azure.arm_server import Answer, ArmServer, Asked, error
from tests.azure.conftest import Bench, Token, host, provider_ids

SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{NODE_GROUP.lower()}"
KINDS = {kind.name for kind in AZURE_KINDS}
PERMISSIONS = [
    ("Microsoft.ContainerService/managedClusters/read", {"managedClusters"}),
    ("Microsoft.Network/virtualNetworks/read", {"virtualNetworks"}),
    ("Microsoft.Network/virtualNetworks/usages/read", set()),
    ("Microsoft.Network/networkSecurityGroups/read", {"networkSecurityGroups"}),
    ("Microsoft.Network/routeTables/read", {"routeTables"}),
    ("Microsoft.Network/loadBalancers/read", {"loadBalancers"}),
    ("Microsoft.Network/publicIPAddresses/read", {"publicIPAddresses"}),
    ("Microsoft.Network/networkInterfaces/read", {"networkInterfaces"}),
    ("Microsoft.Compute/virtualMachineScaleSets/networkInterfaces/read", {"networkInterfaces"}),
    ("Microsoft.Network/natGateways/read", {"natGateways"}),
    ("Microsoft.Resources/subscriptions/resourceGroups/read", set()),
    ("Microsoft.Resources/subscriptions/read", set()),
]


def access(bench: Bench, scope: str = "") -> dict[str, Reading]:
    """Return how well each kind can be read."""
    return {kind: bench.store.tables[kind].access(scope).reading for kind in KINDS}


def only(path: str, answer: Answer, times: int = 1_000_000) -> Any:
    """Return a rule that gives an answer to the first requests whose path ends so."""
    left = [times]

    def rule(asked: Asked) -> Answer | None:
        if not asked.path.endswith(path) or not left[0]:
            return None
        left[0] -= 1
        return answer

    return rule


@pytest.mark.parametrize(("action", "denied"), PERMISSIONS)
def test_a_missing_permission_denies_its_kinds_and_no_other(bench: Bench, action: str, denied: set[str]) -> None:
    """Each permission in turn: its kind names the action and the scope, and everything else is read."""
    bench.server.content.denied.add(action)
    bench.read()
    assert {kind for kind, reading in access(bench).items() if reading is Reading.DENIED} == denied
    unknown = {kind for kind, named_by in POINTED_BY.items() if named_by & denied}
    assert {kind for kind, reading in access(bench).items() if reading is Reading.LIVE} == KINDS - denied - unknown
    for kind in denied:
        reason = bench.store.tables[kind].access("").reason
        assert action in reason
        assert f"/subscriptions/{SUBSCRIPTION}" in reason
        assert "(403)" in reason
        assert "\n" not in reason
    assert bench.store.sources["azure"].reading is Reading.LIVE
    assert all(kind in bench.store.sources["azure"].reason for kind in denied)


def test_a_refused_list_is_refused_in_its_own_resource_group_alone(bench: Bench) -> None:
    """The hub may be closed to the operator while the cluster's own groups are open."""
    hub = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-contoso-hub"
    bench.server.rules.append(only("vnet-contoso-hub", error(403, "AuthorizationFailed")))
    bench.read()
    networks = bench.store.virtual_networks
    assert networks.access(hub).reading is Reading.DENIED
    assert networks.access(f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg-contoso-prod").reading is Reading.LIVE
    assert networks.access("").reading is Reading.DENIED
    assert [row.name for row in networks] == ["vnet-contoso-prod"]


def test_usages_that_are_refused_are_named_and_leave_the_network_readable(bench: Bench) -> None:
    """Without the usages permission the network is there and its usage is not known."""
    bench.server.content.denied.add("Microsoft.Network/virtualNetworks/usages/read")
    bench.read()
    assert all(network.usages is None for network in bench.store.virtual_networks)
    assert "virtualNetworks/usages/read" in bench.store.sources["azure"].facts["notRead"]


def test_everything_refused_is_said_of_every_kind_and_of_the_source(bench: Bench) -> None:
    """Without any role the source is denied, and no table claims to be complete."""
    bench.server.rules.append(lambda _asked: error(403, "AuthorizationFailed"))
    bench.read()
    assert bench.store.sources["azure"].reading is Reading.DENIED
    assert not any(bench.store.tables[kind].access("").complete for kind in KINDS)
    assert "give --cluster" in bench.store.sources["azure"].reason


def test_a_list_is_read_over_all_its_pages(bench: Bench) -> None:
    """Every page behind a nextLink is read."""
    bench.server.content.page_size = 1
    bench.read()
    assert set(access(bench).values()) == {Reading.LIVE}
    assert len(bench.store.interfaces) == 6
    assert any("$skiptoken" in asked.query for asked in bench.server.asked)


def test_a_list_that_breaks_off_midway_is_no_list(bench: Bench) -> None:
    """A nextLink that is not found: nothing of the list counts as all there is."""
    bench.server.content.page_size = 1

    def second_page(asked: Asked) -> Answer | None:
        late = asked.path.endswith("/loadbalancers") and "$skiptoken" in asked.query
        return error(404, "NotFound") if late else None

    bench.server.rules.append(second_page)
    bench.read()
    found = bench.store.load_balancers.access(SCOPE)
    assert found.reading is Reading.FAILED
    assert "Microsoft.Network/loadBalancers/read" in found.reason
    assert "(404 NotFound)" in found.reason
    assert bench.store.load_balancers.access("").reading is Reading.FAILED
    assert bench.store.public_ips.access("").reading is Reading.LIVE


@pytest.mark.parametrize(
    "answer",
    [
        error(404, "ResourceGroupNotFound"),
        error(500, "InternalServerError"),
        Answer(503, b"<html>"),
        Answer(200, b"not json"),
        Answer(200, []),
        Answer(200, {"value": "no list"}),
        Answer(200, {"value": [7]}),
    ],
    ids=["404", "500", "503", "no JSON", "an array", "no list", "no objects"],
)
def test_an_answer_that_is_no_list_fails_its_scope_alone(bench: Bench, answer: Answer) -> None:
    """A server's fault is one line on one kind; the round goes on."""
    bench.server.rules.append(only("/loadbalancers", answer))
    bench.read()
    found = bench.store.load_balancers.access("")
    assert found.reading is Reading.FAILED
    assert found.reason
    assert "\n" not in found.reason
    assert {kind for kind, reading in access(bench).items() if reading is not Reading.LIVE} == {"loadBalancers"}


def test_an_object_that_cannot_be_decoded_does_not_stop_its_list(bench: Bench) -> None:
    """It is set aside by its id."""
    broken: dict[str, Any] = {
        "id": f"{SCOPE}/providers/Microsoft.Network/loadBalancers/odd",
        "properties": {"probes": 7},
    }
    bench.server.content.objects["loadBalancers"].append(broken)
    bench.read()
    table = bench.store.load_balancers
    assert list(table.undecodable) == [broken["id"].lower()]
    assert len(table) == 2
    assert table.access("").reading is Reading.LIVE


def test_a_short_retry_after_is_waited_for_and_said(bench: Bench) -> None:
    """429 with one second: the wait is what Azure asked for, it is said before, and then everything is read."""
    bench.server.rules.append(only("/loadbalancers", error(429, "TooManyRequests", **{"Retry-After": "1"}), 2))
    bench.read()
    assert bench.pace.rests == [1.0, 1.0]
    said = [change for change in bench.changes if "asks to wait 1 s" in getattr(change, "reason", "")]
    assert len(said) == 2
    assert set(access(bench).values()) == {Reading.LIVE}


def test_a_long_retry_after_ends_the_round_and_puts_off_the_next(bench: Bench) -> None:
    """429 with 300 seconds: nothing waits in silence; the state says it, and the next round is as far away."""
    bench.server.rules.append(only("/loadbalancers", error(429, "TooManyRequests", **{"Retry-After": "300"})))
    bench.read()
    assert bench.pace.rests == []
    assert bench.store.load_balancers.access("").reading is Reading.FAILED
    assert "Azure asks to wait 300 s" in bench.store.load_balancers.access("").reason
    assert "Azure asks to wait 300 s" in bench.store.sources["azure"].reason
    assert len([path for path in bench.server.paths() if path.endswith("/loadbalancers")]) == 1


def test_azure_that_throttles_again_and_again_is_given_up_on(bench: Bench) -> None:
    """A round does not wait for ever."""
    bench.server.rules.append(only("/loadbalancers", error(429, "TooManyRequests", **{"Retry-After": "2"})))
    bench.read()
    assert bench.pace.rests == [2.0] * 6
    assert bench.store.load_balancers.access("").reading is Reading.FAILED


def test_a_connection_that_breaks_once_is_tried_again(bench: Bench) -> None:
    """One reset is no fault."""
    bench.server.rules.append(only("/loadbalancers", Answer(reset=True), 1))
    bench.read()
    assert set(access(bench).values()) == {Reading.LIVE}
    assert bench.pace.rests == []


def test_a_connection_that_keeps_breaking_ends_the_round(bench: Bench) -> None:
    """What was not reached is failed with the reason, and other lists are not tried against a dead server."""
    bench.server.rules.append(only("/loadbalancers", Answer(reset=True)))
    bench.read()
    assert bench.store.load_balancers.access("").reading is Reading.FAILED
    assert bench.store.public_ips.access("").reading is Reading.FAILED
    assert bench.store.sources["azure"].reading is Reading.FAILED
    assert "cannot be reached" in bench.store.sources["azure"].reason
    assert not [path for path in bench.server.paths() if path.endswith("/publicipaddresses")]


def test_no_server_at_all_is_one_line(bench: Bench) -> None:
    """Nobody listens: every kind is failed, with what to do."""
    bench.server.close()
    bench.read()
    assert set(access(bench).values()) == {Reading.FAILED}
    reason = bench.store.sources["azure"].reason
    assert reason.endswith("cannot be reached: Connection refused; check the network, and HTTPS_PROXY")


def test_a_token_that_runs_out_is_replaced(bench: Bench) -> None:
    """A token in its last minute is not used for the next request."""
    bench.token = Token(lives=60)
    bench.made().hints(provider_ids(), host())
    bench.read()
    assert set(access(bench).values()) == {Reading.LIVE}
    assert bench.token.asked > 1
    assert bench.server.asked[-1].token == f"token-{bench.token.asked}"


def test_a_token_that_is_not_accepted_makes_everything_unread(bench: Bench) -> None:
    """401: sign in again."""
    bench.server.rules.append(lambda _asked: error(401, "ExpiredAuthenticationToken", "The access token has expired."))
    bench.read()
    assert set(access(bench).values()) == {Reading.UNREAD}
    assert "run 'az login'" in bench.store.sources["azure"].reason
    assert "ExpiredAuthenticationToken" in bench.store.sources["azure"].reason


class NoLogin:
    """A chain without any credentials, as azure-identity words it."""

    def get_token(self, *_scopes: str, **_kwargs: Any) -> Any:
        """Refuse."""
        from azure.identity import CredentialUnavailableError

        raise CredentialUnavailableError("DefaultAzureCredential failed to retrieve a token.\nEnvironment: none.\n")


def test_without_credentials_nothing_is_sent_and_every_kind_says_so(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    """No login: UNREAD for every kind, one line on what to do, and nothing on the terminal."""
    bench.made(credential=NoLogin()).hints(provider_ids(), host())
    bench.read()
    assert bench.server.asked == []
    assert set(access(bench).values()) == {Reading.UNREAD}
    assert bench.store.sources["azure"].reading is Reading.UNREAD
    assert bench.store.sources["azure"].reason.startswith("no Azure credentials: run 'az login'")
    assert bench.store.sources["azure"].facts["calls"] == "0"
    assert capfd.readouterr() == ("", "")


class Broken:
    """A credential that fails in a way that nobody foresaw."""

    def get_token(self, *_scopes: str, **_kwargs: Any) -> Any:
        """Fail."""
        raise RuntimeError("boom\n\x1b[31m")


def test_what_nobody_foresaw_is_one_line_on_the_azure_half(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    """No traceback: every kind is failed with the reason, and the source lives on."""
    bench.made(credential=Broken()).hints(provider_ids(), host())
    bench.read()
    assert set(access(bench).values()) == {Reading.FAILED}
    assert bench.store.sources["azure"].reason.startswith("RuntimeError: boom")
    assert bench.store.sources["azure"].reason.isprintable()
    assert capfd.readouterr() == ("", "")


def test_the_default_chain_without_any_login_is_quiet(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The real DefaultAzureCredential, with nothing to find: one line, no log output."""
    from azure.identity import DefaultAzureCredential

    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "dev")  # leaves out the managed identity, which asks the network
    from aksnav.sources.azure.transport import Connection

    chain = DefaultAzureCredential(exclude_interactive_browser_credential=True, exclude_broker_credential=True)
    arm = Arm(Connection(chain, "https://127.0.0.1:9"))
    operations = arm.containers("s").managed_clusters
    with pytest.raises(CredentialError, match=r"^no Azure credentials: run 'az login'"):
        arm.many(Where("a", "b"), operations.list)
    arm.close()
    chain.close()
    assert capfd.readouterr() == ("", "")


def test_only_gets_leave(bench: Bench, server: ArmServer) -> None:
    """A POST of the clients, begun on purpose, is refused before it leaves."""
    arm = Arm(bench.connection())
    where = Where("Microsoft.Network/loadBalancers/loadBalancingRules/health/action", "/x")
    operations = arm.network(SUBSCRIPTION).load_balancer_load_balancing_rules
    with pytest.raises(ArmError, match="only reads"):
        arm.one(where, lambda: operations.begin_health("rg", "lb", "rule"))
    arm.close()
    assert server.asked == []
    assert arm.calls == 0


def test_a_provider_that_is_not_registered_is_not_registered_by_reading(bench: Bench) -> None:
    """azure-mgmt-core answers 409 MissingSubscriptionRegistration with a POST: it does not leave."""
    message = "The subscription is not registered to use namespace 'Microsoft.Network'."
    bench.server.rules.append(only("/loadbalancers", error(409, "MissingSubscriptionRegistration", message)))
    bench.read()
    assert {asked.verb for asked in bench.server.asked} == {"GET"}
    found = bench.store.load_balancers.access("")
    assert found.reading is Reading.FAILED
    assert "not registered in the subscription" in found.reason


def test_a_next_link_to_another_host_is_not_followed(bench: Bench) -> None:
    """The token goes to Resource Manager and to nobody else."""
    body = {"value": [], "nextLink": "https://localhost:1/steal"}
    bench.server.rules.append(only("/loadbalancers", Answer(body=body)))
    bench.read()
    assert bench.store.load_balancers.access("").reading is Reading.FAILED
    assert "another host" in bench.store.load_balancers.access("").reason


def test_the_interfaces_of_scale_sets_are_asked_for_in_the_one_version_that_has_them(bench: Bench) -> None:
    """One list for each scale set, with the api-version that Azure has for it, and one for the others."""
    bench.read()
    asked = [item for item in bench.server.asked if item.path.endswith("/networkinterfaces")]
    versions = {item.query["api-version"] for item in asked if "/virtualmachinescalesets/" in item.path}
    assert versions == {"2018-10-01"}
    assert len([item for item in asked if "/virtualmachinescalesets/" in item.path]) == 3
    assert len(asked) == 4


def test_a_scale_set_that_is_gone_meanwhile_is_no_fault(bench: Bench) -> None:
    """A pool that was deleted after the nodes were read."""
    ids = [*provider_ids(), provider_ids()[0].replace("virtualMachineScaleSets/aks-", "virtualMachineScaleSets/old-")]
    bench.source.hints(ids, host())
    bench.server.rules.append(
        lambda asked: error(404, "ResourceNotFound") if "/virtualmachinescalesets/old-" in asked.path else None
    )
    bench.read()
    assert bench.store.interfaces.access("").reading is Reading.LIVE


def test_hostile_text_in_an_error_is_harmless(bench: Bench) -> None:
    """What an error body says reaches a screen as one printable line."""
    bench.server.rules.append(only("/loadbalancers", error(400, "\x1b]52;c;eA==\x07\nX", "\u202egnp")))
    bench.read()
    reason = bench.store.load_balancers.access("").reason
    assert reason.isprintable()
