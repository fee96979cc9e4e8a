"""What happens to the demo while it is watched."""

from itertools import islice

import msgspec

from aksnav.model.change import Change, Heartbeat, Reading, Removed, Upserted
from aksnav.sources import demo
from aksnav.sources.demo.script import ROUND
from aksnav.store import Store

MOMENTS = 60


def played(scenario: str, until: float) -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: 0.0):
        store.apply(change)
    for seconds, changes in demo.script(scenario):
        if seconds > until:
            break
        for change in changes:
            store.apply(change)
    return store


def test_time_and_resource_versions_only_grow() -> None:
    """Moments come in order, and no object ever goes back to an older version."""
    last_time, versions = 0.0, dict[str, int]()
    for seconds, changes in islice(demo.script("healthy"), MOMENTS):
        assert seconds > last_time
        last_time = seconds
        for change in changes:
            if isinstance(change, Upserted) and change.kind in {"Pod", "EndpointSlice"}:
                for found in change.objects:
                    version = int(found.resource_version)  # type: ignore[union-attr]  # not an Azure object
                    assert version > versions.get(found.id, 0)
                    versions[found.id] = version
    assert last_time > 2 * ROUND


def test_the_script_is_the_same_every_time() -> None:
    """Two runs give equal changes: nothing depends on a clock."""

    def run() -> list[tuple[float, list[Change]]]:
        return list(islice(demo.script("faulty"), MOMENTS))

    assert run() == run()


def test_every_slice_agrees_with_its_pods_at_every_moment() -> None:
    """While it rolls out, a slice never names a Pod that is not there."""
    store = played("healthy", -1.0)
    for _, changes in islice(demo.script("healthy"), MOMENTS):
        for change in changes:
            store.apply(change)
        for name in ("shop/web", "shop/search"):
            (found,) = store.slices_of(name)
            for endpoint in found.endpoints:
                pod = store.pods.get(f"shop/{endpoint.target_ref.name}")
                assert pod is not None
                assert endpoint.ready is (pod.ready and not pod.deleting)


def test_a_round_replaces_the_pods_and_leaves_everything_else_as_it_was() -> None:
    """After a round there are as many Pods, those of shop/web are new, the security rule has gone again."""
    before, after = played("healthy", -1.0), played("healthy", ROUND)
    old = {pod.id for pod in before.pods}
    new = {pod.id for pod in after.pods}
    assert len(old) == len(new)
    assert {ident.rpartition("-")[0].rpartition("-")[0] for ident in old ^ new} == {"shop/web"}
    assert all(pod.ready for pod in after.pods)
    assert [group.own_rules for group in after.security_groups] == [group.own_rules for group in before.security_groups]


def test_in_the_middle_of_a_round_https_is_shut_and_a_pod_has_faltered_before() -> None:
    """The two troubles of a round, at their times."""
    shut = played("healthy", 70.0)
    assert any(rule.name == "deny-https-for-a-test" for group in shut.security_groups for rule in group.own_rules)
    faltering = played("healthy", 50.0)
    assert [pod.id.rpartition("-")[0].rpartition("-")[0] for pod in faltering.pods if not pod.ready] == ["shop/search"]


def test_what_cannot_be_read_does_not_change_either() -> None:
    """Without Azure no Azure object comes; with one namespace its heartbeat is for that namespace."""
    for _, changes in islice(demo.script("no-azure"), MOMENTS):
        assert not any(change.kind == "networkSecurityGroups" for change in changes)  # type: ignore[union-attr]
    _, changes = next(demo.script("namespace-only", start=100.0))
    beats = {(beat.kind, beat.scope): beat.at for beat in changes if isinstance(beat, Heartbeat)}
    assert beats["Pod", "shop"] == 102.0
    assert ("Node", "") not in beats


def test_an_object_can_be_asked_for_in_wire_form_as_of_any_time() -> None:
    """A Pod that a roll-out brings is not there before, is there after, and goes with the next one."""
    gone = next(
        change.ids[0] for _, changes in demo.script("healthy") for change in changes if isinstance(change, Removed)
    )
    assert demo.get_raw("Pod", gone, "healthy") is not None
    assert demo.get_raw("Pod", gone, "healthy", seconds=ROUND) is None
    store = played("healthy", ROUND)
    (found,) = store.slices_of("shop/web")
    raw = demo.get_raw("Pod", f"shop/{found.endpoints[0].target_ref.name}", "healthy", seconds=ROUND)
    assert raw is not None
    assert raw["status"]["podIP"] == found.endpoints[0].addresses[0]
    assert msgspec.json.decode(msgspec.json.encode(raw)) == raw


def test_heartbeats_keep_the_tables_fresh() -> None:
    """A table is right as of the last moment, whether it changed or not."""
    store = Store()
    for change in demo.changes("healthy", lambda: 10.0):
        store.apply(change)
    seconds, changes = next(demo.script("healthy", start=10.0))
    for change in changes:
        store.apply(change)
    access = store.gateways.access()
    assert (access.reading, access.at) == (Reading.LIVE, 10.0 + seconds)
