"""Lists: pages, compression, refusals and expiry, against a server on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aksnav.model.change import ListEnded, ListStarted, Reading, SourceChanged
from aksnav.sources.kubernetes.lister import PAGE
from tests.unit.api_server import PODS, SERVICES, ApiServer, Reply, forbidden, pod, status
from tests.unit.kubernetes_source import watched

LONG = PAGE + 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(tmp_path) as running:
        yield running


def test_a_long_list_comes_in_pages_of_one_version(server: ApiServer) -> None:
    """Two pages and a bit take three requests; the first names no version, the others carry the token."""
    server.objects[PODS] = [pod(f"p{number}") for number in range(2 * PAGE + 20)]
    with watched(server) as running:
        running.live()
        assert len(running.ids()) == 2 * PAGE + 20
    lists = server.asked(PODS, watch=False)
    assert [item.query for item in lists] == [
        {"limit": str(PAGE)},
        {"limit": str(PAGE), "continue": str(PAGE)},
        {"limit": str(PAGE), "continue": str(2 * PAGE)},
    ]
    assert all(item.headers["accept-encoding"] == "gzip" for item in lists)


def test_the_watch_goes_on_from_the_version_of_the_list(server: ApiServer) -> None:
    """The first watch asks for bookmarks and starts at the list's resourceVersion, uncompressed."""
    with watched(server) as running:
        running.live()
        server.watches[PODS].say("ADDED", pod("new", version=1001))
        running.until(lambda: "shop/new" in running.ids())
    first = server.asked(PODS, watch=True)[0]
    assert first.query["resourceVersion"] == "1000"
    assert first.query["allowWatchBookmarks"] == "true"
    assert 300 <= int(first.query["timeoutSeconds"]) <= 360
    assert first.headers["accept-encoding"] == "identity"


def test_a_malformed_pod_does_not_hide_the_others(server: ApiServer) -> None:
    """The Pod that cannot be decoded is named with its reason, and the rest of its page is there."""
    bad = pod("bad")
    bad["spec"]["containers"] = "none"
    server.objects[PODS] = [pod("a"), bad, pod("b")]
    with watched(server) as running:
        running.live()
        assert running.ids() == {"shop/a", "shop/b"}
        assert "containers" in running.store.pods.undecodable["shop/bad"]


def test_a_refused_kind_is_denied_with_verb_resource_scope_and_user(server: ApiServer) -> None:
    """403 on one kind leaves the other kinds alone."""
    server.always[PODS] = forbidden("jo", "pods")
    server.always["/api/v1/nodes"] = forbidden("jo", "nodes")
    with watched(server) as running:
        running.live("Service")
        running.until(lambda: running.reading() == running.reading("Node") == "denied")
        assert running.reason() == 'list pods in all namespaces: forbidden for user "jo" (403)'
        assert running.reason("Node") == 'list nodes at the cluster scope: forbidden for user "jo" (403)'


@pytest.mark.parametrize("by_option", [True, False])
def test_a_refused_kind_is_read_in_the_namespaces_that_are_named(server: ApiServer, by_option: bool) -> None:
    """-n, or else the context's namespace, says where to look; cluster-wide stays denied."""
    server.always[PODS] = forbidden("jo", "pods")
    server.objects["/api/v1/namespaces/shop/pods"] = [pod("a")]
    options = (
        {"namespaces": ("shop",), "kubeconfig": server.kubeconfig(namespace="other")}
        if by_option
        else {"kubeconfig": server.kubeconfig(namespace="shop")}
    )
    with watched(server, **options) as running:
        running.live("Pod", "shop")
        assert running.ids() == {"shop/a"}
        assert running.reading() == "denied"
        assert not running.store.pods.access("").complete
    assert not server.asked("/api/v1/namespaces/other/pods")


def test_a_namespace_that_may_not_be_listed_is_asked_for_by_name(server: ApiServer) -> None:
    """Its labels matter to policies; one that may not even be got is denied by name, and listing stays denied."""
    server.always["/api/v1/namespaces"] = forbidden("jo", "namespaces")
    labels = {"kubernetes.io/metadata.name": "shop"}
    server.always["/api/v1/namespaces/shop"] = Reply(body={"metadata": {"name": "shop", "labels": labels}})
    server.always["/api/v1/namespaces/back"] = forbidden("jo", "namespaces")
    with watched(server, namespaces=("shop", "back")) as running:
        running.until(
            lambda: running.reading("Namespace", "back") == "denied" and "back" in running.reason("Namespace", "back")
        )
        assert running.ids("Namespace") == {"shop"}
        assert dict(running.store.tables["Namespace"].get("shop").labels) == labels  # type: ignore[union-attr]  # it is there
        assert running.reading("Namespace") == "denied"
        assert running.reading("Namespace", "shop") == "live"
        assert running.reason("Namespace", "back") == 'get namespaces back: forbidden for user "jo" (403)'


def test_a_refused_namespace_is_denied_by_its_own_name(server: ApiServer) -> None:
    """Where even the named namespace is refused, the reason names it."""
    server.always[PODS] = forbidden("jo", "pods")
    server.always["/api/v1/namespaces/shop/pods"] = forbidden("jo", "pods")
    with watched(server, namespaces=("shop",)) as running:
        running.until(
            lambda: running.reading("Pod", "shop") == "denied" and "namespace shop" in running.reason("Pod", "shop")
        )
        assert running.reason("Pod", "shop") == 'list pods in namespace shop: forbidden for user "jo" (403)'


def test_an_expired_page_starts_the_list_again_without_emptying_the_table(server: ApiServer) -> None:
    """410 on a continue token: a new list from the first page, and one ListEnded at its end."""
    server.objects[PODS] = [pod(f"p{number}") for number in range(LONG)]
    server.replies[PODS].extend([_first_page(server), status(410, "token expired", "Expired")])
    with watched(server) as running:
        running.live()
        assert len(running.ids()) == LONG
        assert running.removed() == []
        of_pods = [
            change for change in running.changes if isinstance(change, ListStarted | ListEnded) and change.kind == "Pod"
        ]
        assert [type(change) for change in of_pods] == [ListStarted, ListStarted, ListEnded]
    assert [item.query.get("continue") for item in server.asked(PODS, watch=False)] == [
        None,
        str(PAGE),
        None,
        str(PAGE),
    ]


def test_a_list_whose_pages_expire_twice_is_asked_for_in_one_answer(server: ApiServer) -> None:
    """As client-go's pager does it: a full list, without a limit, when the pages cannot keep up with compaction."""
    server.objects[PODS] = [pod(f"p{number}") for number in range(LONG)]
    expired = status(410, "token expired", "Expired")
    server.replies[PODS].extend([_first_page(server), expired, _first_page(server), expired])
    with watched(server) as running:
        running.live()
        assert len(running.ids()) == LONG
    assert "limit" not in server.asked(PODS, watch=False)[-1].query


def test_retry_after_is_the_least_that_is_waited_and_the_pages_before_are_kept(server: ApiServer) -> None:
    """429 in the middle of a list repeats that page alone, after what Retry-After says."""
    server.objects[PODS] = [pod(f"p{number}") for number in range(LONG)]
    server.replies[PODS].extend([_first_page(server), Reply(429, {}, {"Retry-After": "17"})])
    with watched(server) as running:
        running.live()
        assert len(running.ids()) == LONG
        assert 17.0 in running.pace.rests
    assert [item.query.get("continue") for item in server.asked(PODS, watch=False)] == [None, str(PAGE), str(PAGE)]


def test_a_server_that_stays_unable_fails_the_kind_and_is_asked_again(server: ApiServer) -> None:
    """Five times 503 is a failure with its reason; the sixth try works and the kind is live."""
    server.objects[PODS] = [pod("a")]
    server.replies[PODS].extend([status(503, "etcd is away")] * 5)
    with watched(server) as running:
        running.live()
        said = [change for change in running.changes if getattr(change, "reading", None) is Reading.FAILED]
        assert [change.reason for change in said] == ["list pods in all namespaces: etcd is away (503)"]  # type: ignore[union-attr]  # chosen by that attribute
        assert 0.8 * 0.75 in running.pace.rests


def test_a_kind_that_is_not_served_is_absent_if_optional_and_failed_if_not(server: ApiServer) -> None:
    """Discovery decides: Gateways may be missing (not installed), EndpointSlices may not."""
    del server.groups["discovery.k8s.io"]
    with watched(server) as running:
        running.live()
        assert running.reading("Gateway") == "absent"
        assert running.reading("EndpointSlice") == "failed"
        assert running.reason("EndpointSlice") == "endpointslices.discovery.k8s.io is not served by this cluster"


def test_a_definition_that_goes_away_empties_its_kind(server: ApiServer) -> None:
    """404 on an optional kind: its objects went with its definition, and the kind is absent."""
    path = "/apis/gateway.networking.k8s.io/v1/gatewayclasses"
    server.groups["gateway.networking.k8s.io"] = ("gatewayclasses",)
    server.objects[path] = [{"metadata": {"name": "agc"}, "spec": {"controllerName": "x/y"}}]
    with watched(server) as running:
        running.live("GatewayClass")
        assert running.ids("GatewayClass") == {"agc"}
        server.always[path] = status(404, "the server could not find the requested resource")
        server.watches[path].say("ERROR", status(410, "", "Expired").body)
        running.until(lambda: running.reading("GatewayClass") == "absent")
        assert running.ids("GatewayClass") == set()


def test_a_server_without_aggregated_discovery_is_understood(server: ApiServer) -> None:
    """The lists of groups and resources of older servers lead to the same kinds."""
    server.aggregated = False
    names = [{"name": name} for name in ("pods", "services", "nodes", "namespaces", "events")]
    server.replies["/api/v1"].append(Reply(body={"kind": "APIResourceList", "resources": names}))
    for group, resources in server.groups.items():
        listed = [{"name": name} for name in resources]
        server.replies[f"/apis/{group}/v1"].append(Reply(body={"kind": "APIResourceList", "resources": listed}))
    with watched(server) as running:
        for kind in ("Pod", "Service", "Ingress", "EndpointSlice"):
            running.live(kind)
        assert running.reading("Gateway") == "absent"


def test_events_are_kept_for_reasons_of_networking_only(server: ApiServer) -> None:
    """An event that says nothing of the network never gets as far as the store, from a list or from a watch."""
    path = "/api/v1/events"
    server.objects[path] = [_event("pulled", "Pulled"), _event("sandbox", "FailedCreatePodSandBox")]
    with watched(server) as running:
        running.live("Event")
        server.watches[path].say("ADDED", _event("created", "Created"))
        server.watches[path].say("ADDED", _event("lb", "SyncLoadBalancerFailed"))
        running.until(lambda: "shop/lb" in running.ids("Event"))
        assert running.ids("Event") == {"shop/sandbox", "shop/lb"}


def test_everything_is_read_once_for_a_command_that_does_not_stay(server: ApiServer) -> None:
    """``once``: every kind is listed, nothing is watched, and wait comes back."""
    server.objects[PODS] = [pod("a")]
    server.always[SERVICES] = forbidden("jo", "services")
    with watched(server, once=True) as running:
        assert running.source.wait(15.0)
        assert running.ids() == {"shop/a"}
        assert running.reading("Service") == "denied"
    assert not [item for item in server.requests if "watch" in item.query]


def test_the_source_says_who_and_where_it_is(server: ApiServer) -> None:
    """Facts: context, host, version and user."""
    with watched(server) as running:
        running.live()
        said = [change for change in running.changes if isinstance(change, SourceChanged)]
        assert said[0].reading is Reading.LIVE
        expected = {"context": "test", "server": f"127.0.0.1:{server.port}", "version": "v1.34.2", "user": "u"}
        assert expected.items() <= said[0].facts.items()


def _first_page(server: ApiServer) -> Reply:
    items = server.objects[PODS][:PAGE]
    return Reply(body={"metadata": {"resourceVersion": "900", "continue": str(PAGE)}, "items": items})


def _event(name: str, reason: str) -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "shop"}, "reason": reason, "involvedObject": {"kind": "Pod"}}
