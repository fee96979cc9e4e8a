"""Reading again: what is known stays, what is gone goes, and the pace is kept."""

from typing import Any

from aksnav.model.change import ListStarted, Reading, SourceChanged
from aksnav.model.kinds import AZURE_KINDS
from aksnav.sources.azure.source import PERIOD
from aksnav.trace.readable import stale
from tests.azure.arm_server import Answer, error
from tests.azure.conftest import START, Bench, host, provider_ids


def test_what_is_gone_goes_and_what_is_new_comes(bench: Bench) -> None:
    """A second round replaces the first."""
    bench.read()
    balancers = bench.server.content.objects["loadBalancers"]
    gone = balancers.pop(0)
    balancers.append({**gone, "id": gone["id"] + "-2", "name": gone["name"] + "-2"})
    bench.read()
    assert gone["id"].lower() not in bench.store.load_balancers
    assert (gone["id"] + "-2").lower() in bench.store.load_balancers


def test_a_table_is_never_empty_between_two_lists(bench: Bench) -> None:
    """What is known stays until the new list is complete."""
    bench.read()
    least = {kind.name: len(bench.store.tables[kind.name]) for kind in AZURE_KINDS}
    seen: list[bool] = []

    def take(change: Any) -> None:
        bench.store.apply(change)
        seen.append(all(len(bench.store.tables[kind]) >= count for kind, count in least.items()))

    bench.take = take  # type: ignore[method-assign]  # the bench hands its method to the source
    bench.made().hints(provider_ids(), host())
    bench.read()
    assert all(seen)


def test_a_failed_refresh_leaves_what_is_known_stale_with_its_age(bench: Bench) -> None:
    """The rows stay, and say as of when they are."""
    bench.read()
    bench.pace.time += 60
    bench.server.rules.append(lambda _asked: Answer(reset=True))
    bench.read()
    for kind in AZURE_KINDS:
        access = bench.store.tables[kind.name].access("")
        assert access.reading is Reading.STALE
        assert access.at == START
        assert "cannot be reached" in access.reason
    assert len(bench.store.load_balancers) == 2
    assert bench.store.sources["azure"].reading is Reading.STALE


def test_one_list_that_fails_is_stale_alone(bench: Bench) -> None:
    """The others are fresh."""
    bench.read()
    bench.pace.time += 60
    bench.server.rules.append(lambda asked: error(500, "Oops") if asked.path.endswith("/loadbalancers") else None)
    bench.read()
    assert bench.store.load_balancers.access("").reading is Reading.STALE
    assert bench.store.load_balancers.access("").at == START
    assert bench.store.public_ips.access("").reading is Reading.LIVE
    assert bench.store.public_ips.access("").at == START + 60


def test_a_permission_that_is_taken_away_is_no_stale_list(bench: Bench) -> None:
    """Denied is denied, whatever was known before; and it heals when the permission is given back."""
    bench.read()
    bench.server.content.denied.add("Microsoft.Network/loadBalancers/read")
    bench.read()
    assert bench.store.load_balancers.access("").reading is Reading.DENIED
    bench.server.content.denied.clear()
    bench.read()
    assert bench.store.load_balancers.access("").reading is Reading.LIVE


def test_a_round_that_breaks_off_claims_no_more_than_it_read(bench: Bench) -> None:
    """The first list came, the second did not: the first is not called complete, as more groups may have some."""
    bench.server.rules.append(
        lambda asked: Answer(reset=True) if asked.path.endswith("/networksecuritygroups") else None
    )
    bench.read()
    assert len(bench.store.load_balancers) == 2
    assert not bench.store.load_balancers.access("").complete
    assert not bench.store.security_groups.access("").complete


def test_a_network_that_the_cluster_no_longer_uses_goes(bench: Bench) -> None:
    """The peering to the hub was removed."""
    bench.read()
    assert len(bench.store.virtual_networks) == 2
    networks = bench.server.content.objects["virtualNetworks"]
    networks[0] = {**networks[0], "properties": {**networks[0]["properties"], "virtualNetworkPeerings": []}}
    bench.read()
    assert [row.name for row in bench.store.virtual_networks] == ["vnet-contoso-prod"]
    assert bench.store.virtual_networks.access("").reading is Reading.LIVE
    assert not [scope for scope in bench.store.virtual_networks.scopes() if "rg-contoso-hub" in scope]
    assert stale(bench.store.virtual_networks) == ()


def test_what_is_out_of_sight_because_a_list_failed_stays(bench: Bench) -> None:
    """The hub is found through the network's peering: when the network's list fails, the hub is stale and not gone."""
    bench.read()
    bench.server.rules.append(lambda asked: error(500, "Oops") if asked.path.endswith("/virtualnetworks") else None)
    bench.read()
    assert len(bench.store.virtual_networks) == 2
    scopes = bench.store.virtual_networks.scopes()
    assert {access.reading for access in scopes.values()} == {Reading.STALE}


def test_a_cluster_that_cannot_be_read_again_stays_the_one_that_is_meant(bench: Bench) -> None:
    """Without nodes to go by, a server error on the cluster does not end the rest."""
    bench.made().hints((), host())
    bench.read()
    bench.server.rules.append(lambda asked: error(500, "Oops") if "/managedclusters" in asked.path else None)
    bench.read()
    assert len(bench.store.clusters) == 1
    assert bench.store.clusters.access("").reading is Reading.STALE
    assert bench.store.load_balancers.access("").reading is Reading.LIVE
    assert bench.store.virtual_networks.access("").reading is Reading.LIVE


def test_an_object_that_could_not_be_decoded_and_is_gone_is_forgotten(bench: Bench) -> None:
    """What is set aside goes with the object."""
    balancers = bench.server.content.objects["loadBalancers"]
    balancers.append({"id": balancers[0]["id"] + "-odd", "properties": {"probes": 7}})
    bench.read()
    assert len(bench.store.load_balancers.undecodable) == 1
    balancers.pop()
    bench.read()
    assert bench.store.load_balancers.undecodable == {}


def test_a_scope_that_heals_after_a_refusal_is_live_again(bench: Bench) -> None:
    """What is read by id is live again too."""
    rule = bench.server.rules
    rule.append(lambda asked: error(403, "AuthorizationFailed") if "vnet-contoso-hub" in asked.path else None)
    bench.read()
    assert bench.store.virtual_networks.access("").reading is Reading.DENIED
    rule.clear()
    bench.read()
    assert {access.reading for access in bench.store.virtual_networks.scopes().values()} == {Reading.LIVE}


def test_it_reads_every_sixty_seconds_with_jitter(bench: Bench) -> None:
    """Between two rounds lie sixty seconds and up to a fifth more, and the next one is announced."""
    rounds = 3

    def stop_after() -> None:
        if len(bench.pace.rests) == rounds:
            bench.source.stop()

    bench.pace.at_rest = stop_after
    bench.source.start()
    assert bench.source.wait(60)
    assert bench.pace.rests == [PERIOD * 1.1] * rounds
    assert [change.facts["next"] for change in sources(bench) if change.reading is Reading.LIVE]
    lists = [item for item in bench.changes if isinstance(item, ListStarted) and item.kind == "loadBalancers"]
    assert len(lists) == rounds


def test_a_long_wait_that_azure_asks_for_holds_against_a_refresh(bench: Bench) -> None:
    """ctrl+r during a wait of 300 seconds does not ask earlier."""
    bench.server.rules.append(
        lambda asked: (
            error(429, "TooManyRequests", **{"Retry-After": "300"})
            if asked.path.endswith("/loadbalancers") and bench.pace.time < START + 300
            else None
        )
    )

    def in_between() -> None:
        bench.source.refresh()
        if bench.pace.time > START + 300:
            bench.source.stop()

    bench.pace.at_rest = in_between
    bench.source.start()
    assert bench.source.wait(60)
    assert bench.pace.rests[0] == 300.0
    assert bench.store.load_balancers.access("").reading is Reading.LIVE


def test_a_refresh_during_a_wait_of_a_round_is_not_forgotten(bench: Bench) -> None:
    """Azure asks for five seconds in the middle of a round; the next round follows that one at once."""
    left = [error(429, "TooManyRequests", **{"Retry-After": "5"})]
    bench.server.rules.append(lambda asked: left.pop() if left and asked.path.endswith("/loadbalancers") else None)
    woken: list[bool] = []

    def in_between() -> None:
        woken.append(bench.source._wake.is_set())
        if len(bench.pace.rests) == 1:
            bench.source.refresh()
            bench.pace.time -= 3  # which cuts the rest short
        elif len(bench.pace.rests) > 2:
            bench.source.stop()

    bench.pace.at_rest = in_between
    bench.source.start()
    assert bench.source.wait(60)
    assert bench.pace.rests[:2] == [5.0, 3.0]
    assert woken == [False, False, True]


def test_reading_once_ends_by_itself(bench: Bench) -> None:
    """What a headless command needs: one round, then the end."""
    source = bench.made(once=True)
    source.hints(provider_ids(), host())
    source.start()
    assert source.wait(60)
    assert source.fatal == ""
    assert bench.pace.rests == []
    assert "next" not in bench.store.sources["azure"].facts


def test_nothing_is_asked_before_the_nodes_have_said_where_they_are(bench: Bench) -> None:
    """Without --cluster it waits for the Kubernetes half, and says so."""
    source = bench.made(once=True)
    source.start()
    assert not source.wait(0)
    assert bench.server.asked == []
    source.hints(provider_ids(), host())
    assert source.wait(60)
    assert sources(bench)[0].reading is Reading.PENDING
    assert len(bench.store.load_balancers) == 2


def test_after_stop_nothing_is_said(bench: Bench) -> None:
    """Stopping ends a source that waits for hints, in silence."""
    source = bench.made()
    source.start()
    source.stop()
    count = len(bench.changes)
    source.hints(provider_ids(), host())
    assert source.wait(10)
    assert len(bench.changes) == count
    assert bench.server.asked == []


def test_one_object_is_read_as_azure_sends_it(bench: Bench) -> None:
    """get_raw asks Azure now, for objects of every kind, those of scale sets too."""
    import msgspec

    wanted = bench.server.content.objects
    for kind in ("managedClusters", "loadBalancers", "networkSecurityGroups", "publicIPAddresses"):
        item = wanted[kind][0]
        assert msgspec.json.decode(bench.source.get_raw(kind, item["id"].lower())) == item
    nic = wanted["networkInterfaces"][0]
    nic_id = nic["id"].lower()
    assert msgspec.json.decode(bench.source.get_raw("networkInterfaces", nic_id))["id"] == nic["id"]


def sources(bench: Bench) -> list[SourceChanged]:
    """Return what was said of the source itself."""
    return [change for change in bench.changes if isinstance(change, SourceChanged)]
