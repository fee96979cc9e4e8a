"""The bench's objects and answers are what an API server would send; nothing here is timed."""

import gzip
import json
from typing import Any

import pytest

from tests.bench.api import Answer, Api, Request, Watch, bookmark
from tests.bench.generator import Generator, PodState, Sizes
from tests.bench.world import World

SIZES = Sizes(pods=330, nodes=7, services=20, namespaces=4, ingresses=3, policies=5)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(SIZES, seed=3)


@pytest.fixture
def world() -> World:
    made = World(Generator(SIZES, seed=3))
    made.prepare()
    return made


@pytest.fixture
def api(world: World) -> Api:
    return Api(world, "token", frozenset({"configmaps"}))


def ask(api: Api, target: str, **headers: str) -> Any:
    """The decoded body of an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = api.answer(Request.parse("GET", target, {"authorization": "Bearer token", **named}))
    assert isinstance(answer, Answer)
    body = b"".join(answer.parts)
    return json.loads(gzip.decompress(body) if ("Content-Encoding", "gzip") in answer.headers else body)


def pages(api: Api, target: str, **headers: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    result = [ask(api, target, **headers)]
    while token := result[-1]["metadata"].get("continue"):
        result.append(ask(api, f"{target}&continue={token}", **headers))
    return result


def test_the_same_seed_gives_the_same_bytes(generator: Generator) -> None:
    """Two generators with one seed agree on every kind; another seed gives other Pods."""
    again, other = Generator(SIZES, seed=3), Generator(SIZES, seed=4)
    assert [again.pod(index) for index in range(330)] == [generator.pod(index) for index in range(330)]
    assert again.endpoint_slice(5) == generator.endpoint_slice(5)
    assert other.pod(0) != generator.pod(0)


def test_a_pod_has_the_size_and_the_parts_of_a_real_one(generator: Generator) -> None:
    """About 9.3 KB, two managers, two containers with ports, three volumes, five conditions, a ReplicaSet as owner."""
    raw = generator.pod(17)
    pod = json.loads(raw)
    assert 9_000 < len(raw) < 9_700
    assert [entry["manager"] for entry in pod["metadata"]["managedFields"]] == ["kube-controller-manager", "kubelet"]
    assert [len(container["ports"]) for container in pod["spec"]["containers"]] == [2, 1]
    assert len(pod["spec"]["volumes"]) == 3
    assert [condition["status"] for condition in pod["status"]["conditions"]] == ["True"] * 5
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"


def test_pods_endpoints_services_and_nodes_agree(generator: Generator) -> None:
    """An EndpointSlice names exactly the Pods that its Service selects, with their addresses and nodes."""
    nodes = {node["metadata"]["name"]: node for node in (json.loads(generator.node(index)) for index in range(7))}
    pods = [json.loads(generator.pod(index)) for index in range(330)]
    assert len({pod["status"]["podIP"] for pod in pods}) == 330
    for index in range(20):
        service = json.loads(generator.service(index))
        endpoints = json.loads(generator.endpoint_slice(index))["endpoints"]
        selected = {
            (pod["metadata"]["uid"], pod["status"]["podIP"], pod["spec"]["nodeName"])
            for pod in pods
            if service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
            and pod["metadata"]["namespace"] == service["metadata"]["namespace"]
        }
        assert selected == {(end["targetRef"]["uid"], end["addresses"][0], end["nodeName"]) for end in endpoints}
        assert all(end["nodeName"] in nodes for end in endpoints)
    assert nodes["aks-np0-38291047-vmss000003"]["spec"]["providerID"].startswith("azure:///subscriptions/")


def test_a_pod_that_is_not_ready_says_so_in_its_conditions_and_its_container(generator: Generator) -> None:
    """The readiness flip changes Ready, ContainersReady and the first container, and nothing else but the version."""
    pod = json.loads(generator.pod(3, PodState(version=5, ready=False, changed=b"2026-02-01T00:00:00Z")))
    statuses = {condition["type"]: condition["status"] for condition in pod["status"]["conditions"]}
    assert statuses["Ready"] == statuses["ContainersReady"] == "False"
    assert statuses["PodScheduled"] == "True"
    assert [status["ready"] for status in pod["status"]["containerStatuses"]] == [False, True]
    assert pod["metadata"]["resourceVersion"] == "5"


@pytest.mark.parametrize("limit", [50, 70, 100, 500])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_pages_of_any_size_hold_every_pod_once_in_order(api: Api, limit: int, encoding: str) -> None:
    """Runs that were compressed beforehand and parts of runs join to one list; the gzip checksum holds."""
    found = pages(api, f"/api/v1/pods?limit={limit}", accept_encoding=encoding)
    names = [(item["metadata"]["namespace"], item["metadata"]["name"]) for page in found for item in page["items"]]
    assert len(names) == 330
    assert names == sorted(names)
    assert len(found) == -(-330 // limit)
    assert found[0]["metadata"].get("remainingItemCount", 0) == max(330 - limit, 0)


def test_pages_show_one_moment_even_when_pods_change_between_them(api: Api, world: World) -> None:
    """A page after a change still shows the Pod as it was at the list's version; a new list shows the change."""
    first = ask(api, "/api/v1/pods?limit=100")
    version = world.set_pod(250, ready=False)
    later = ask(api, f"/api/v1/pods?limit=300&continue={first['metadata']['continue']}")
    assert later["items"][150]["metadata"]["resourceVersion"] == "1000000"
    assert later["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert ask(api, "/api/v1/pods")["items"][250]["metadata"]["resourceVersion"] == str(version)


def test_a_change_is_in_the_log_after_the_versions_before_it(api: Api, world: World) -> None:
    """A watch from a version sees the later events only; payloads made again are the same bytes."""
    before = world.set_pod(1, ready=False)
    after = world.set_pod(2, ready=False)
    entries = world.pods.log[world.pods.position(before) :]
    assert [entry.version for entry in entries] == [after]
    payload = entries[0].payload
    entries[0].payload = None
    assert world.entry_payload(world.pods, entries[0]) == payload
    size, _, line = (payload or b"").partition(b"\r\n")
    event = json.loads(line)
    assert int(size, 16) == len(line) - 2
    assert event["object"]["kind"] == "Pod"
    assert event["object"]["metadata"]["resourceVersion"] == str(after)
    assert isinstance(api.answer(_watch(f"resourceVersion={before}")), Watch)


def test_an_endpointslice_follows_the_readiness_of_its_pods(world: World) -> None:
    """After a flip exactly one endpoint of the Service's slice is not ready."""
    world.set_pod(40, ready=False)
    app = world.generator.app_of_pod(40)
    version = world.update_slice(app.number)
    endpoints = json.loads(world.render(world.slices, app.number, version))["endpoints"]
    assert [at for at, end in enumerate(endpoints) if not end["conditions"]["ready"]] == [40 - app.first_pod]


def _watch(query: str) -> Request:
    return Request.parse("GET", f"/api/v1/pods?watch=1&{query}", {"authorization": "Bearer token"})


def test_expired_versions_are_gone(api: Api, world: World) -> None:
    """After a compaction neither a watch nor a list under way can go on from an older version."""
    token = ask(api, "/api/v1/pods?limit=50")["metadata"]["continue"]
    world.set_pod(0, ready=False)
    world.expire()
    assert ask(api, f"/api/v1/pods?limit=50&continue={token}")["code"] == 410
    watch = api.answer(_watch("resourceVersion=1000000"))
    assert isinstance(watch, Answer)
    assert watch.status == 410


def test_the_streaming_list_must_be_asked_for_as_the_api_says(api: Api, world: World) -> None:
    """Without resourceVersionMatch=NotOlderThan it is refused; its end is marked by an annotation."""
    refused = api.answer(_watch("sendInitialEvents=true"))
    assert isinstance(refused, Answer)
    assert refused.status == 422
    begun = api.answer(_watch("sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"))
    assert isinstance(begun, Watch)
    assert begun.initial
    assert begun.bookmarks
    line = bookmark(world.pods, 1_000_000, initial_end=True).split(b"\r\n")[1]
    assert json.loads(line)["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_discovery_speaks_both_forms(api: Api) -> None:
    """The aggregated document and the old lists name the same resources."""
    media = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    aggregated = ask(api, "/apis", accept=media)
    names = {group["metadata"]["name"] for group in aggregated["items"]}
    assert names == {group["name"] for group in ask(api, "/apis")["groups"]}
    listed = {entry["name"] for entry in ask(api, "/apis/networking.k8s.io/v1")["resources"]}
    assert listed == {"ingresses", "ingressclasses", "networkpolicies"}


def test_refusals_are_worded_as_the_api_server_words_them(api: Api) -> None:
    """401 without the token, 403 for a kind that is forbidden, 404 for what is not there, 405 for a write."""
    assert ask(api, "/api/v1/pods", authorization="Bearer other")["code"] == 401
    refused = ask(api, "/api/v1/configmaps")
    assert refused["code"] == 403
    assert refused["message"].startswith('configmaps is forbidden: User "bench" cannot list resource "configmaps"')
    assert ask(api, "/api/v1/namespaces/team-001/pods/none")["code"] == 404
    write = api.answer(Request.parse("DELETE", "/api/v1/pods", {"authorization": "Bearer token"}))
    assert isinstance(write, Answer)
    assert write.status == 405


def test_one_namespace_and_one_object_can_be_asked_for(api: Api) -> None:
    """A namespaced list holds that namespace only, and an object of it can be read by name with its kind."""
    items = ask(api, "/api/v1/namespaces/team-002/pods")["items"]
    assert {item["metadata"]["namespace"] for item in items} == {"team-002"}
    name = items[4]["metadata"]["name"]
    single = ask(api, f"/api/v1/namespaces/team-002/pods/{name}")
    assert single == {"kind": "Pod", "apiVersion": "v1", **items[4]}


def test_rows_are_served_to_clients_that_ask_for_a_table(api: Api) -> None:
    """What kubectl asks for: as many cells as columns, and the metadata with the namespace."""
    table = ask(api, "/api/v1/pods?limit=60", accept="application/json;as=Table;v=v1;g=meta.k8s.io")
    assert len(table["rows"]) == 60
    assert {len(row["cells"]) for row in table["rows"]} == {len(table["columnDefinitions"])}
    assert table["rows"][0]["object"]["metadata"]["namespace"] == "team-000"
