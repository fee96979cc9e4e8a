"""The pipe: every kind comes out as it went in, what is shared goes over once, and garbage is an error."""

import io
import itertools

import msgspec
import pytest

from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import NetworkSecurityGroup
from aksnav.model.change import (
    Change,
    Heartbeat,
    ListEnded,
    ListStarted,
    Reading,
    ReadingChanged,
    Removed,
    ScopeLeft,
    SourceChanged,
    UndecodableFound,
    Upserted,
)
from aksnav.model.kinds import KINDS, AnyObject
from aksnav.model.kubernetes.service import (
    Endpoint,
    EndpointConditions,
    EndpointHints,
    EndpointPort,
    EndpointSlice,
    TargetRef,
    ZoneHint,
)
from aksnav.model.kubernetes.workload import ContainerPort, Pod, PodTemplate, Probe
from aksnav.model.labels import Labels
from aksnav.sources.demo import changes as demo_changes
from aksnav.sources.pipe import (
    CHANGES,
    FRAME_OBJECTS,
    Decoder,
    Encoder,
    PipeError,
    read_frame,
    write_frame,
)


def _over(changes: list[Change]) -> list[Change]:
    decoder = Decoder()
    return [change for body in Encoder().bodies(changes) for change in decoder.changes(body)]


def _pods(count: int) -> list[AnyObject]:
    template = PodTemplate.of(
        Labels.of({"app": "web"}),
        "ReplicaSet",
        "web-1",
        (ContainerPort("c", 8080, "http"),),
        (Probe("c", "http", "http", "/ready", "HTTP"),),
        readiness_gates=("example.com/gate",),
        meshed=True,
        redirected=True,
        dns_policy="None",
        host_aliases=(("db.corp", "10.1.0.9"),),
    )
    return [
        Pod(
            name=f"web-{number}",
            namespace="shop",
            uid=f"u{number}",
            template=template,
            node="node-1",
            host_ip="10.224.0.4",
            ips=("10.244.0.1", "fd00::1"),
            phase="Running",
            ready=number % 2 == 0,
            reason="Running",
            unscheduled="" if number else "0/1 nodes are available",
            restarts=number,
        )
        for number in range(count)
    ]


def test_everything_of_the_demo_comes_out_as_it_went_in() -> None:
    """Every kind of both planes, with all that the demo's objects hold, and the notes between them."""
    sent = list(demo_changes("", lambda: 1_700_000_000.0))
    assert _over(sent) == sent
    kinds = {change.kind for change in sent if isinstance(change, Upserted)}
    assert {"Pod", "Service", "EndpointSlice", "Ingress", "NetworkPolicy", "managedClusters", "loadBalancers"} <= kinds


@pytest.mark.parametrize("kind", [kind for kind in KINDS.values() if not kind.azure], ids=lambda kind: kind.name)
def test_an_object_that_says_nothing_but_its_name_comes_out_as_it_went_in(kind: object) -> None:
    """The defaults of every Kubernetes kind survive, labels included."""
    struct = kind.struct  # type: ignore[attr-defined]  # a Kind
    made = struct(name="x", namespace="y")
    (change,) = _over([Upserted(struct.KIND, [made])])
    assert isinstance(change, Upserted)
    assert change.objects == [made]
    assert change.objects[0].labels is made.labels  # type: ignore[union-attr]  # not of Azure


def test_every_state_of_an_endpoint_comes_out_as_it_went_in() -> None:
    """Absent, false and true of all three conditions; hints, host names, a slice without ports and one without ends."""
    states = (None, False, True)
    endpoints = tuple(
        Endpoint(
            addresses=("10.244.0.1", "10.244.0.2"),
            conditions=EndpointConditions(*conditions),
            node_name="node-1",
            zone="westeurope-1",
            hostname="db-0",
            target_ref=TargetRef("Pod", "shop", "web-1", "u1"),
            hints=EndpointHints((ZoneHint("westeurope-1"), ZoneHint("westeurope-2"))),
        )
        for conditions in itertools.product(states, states, states)
    )
    sent: list[Change] = [
        Upserted(
            "EndpointSlice",
            [
                EndpointSlice(name="a", namespace="shop", ports=None, endpoints=endpoints),
                EndpointSlice(name="b", namespace="shop", ports=(EndpointPort(port=None),), endpoints=(Endpoint(),)),
                EndpointSlice(name="c", namespace="shop", labels=Labels.of({"kubernetes.io/service-name": "c"})),
            ],
        )
    ]
    assert _over(sent) == sent


@pytest.mark.parametrize(
    ("struct", "fields"),
    [
        (Endpoint, "addresses conditions node_name zone hostname target_ref hints"),
        (EndpointConditions, "ready serving terminating"),
        (EndpointHints, "for_zones"),
        (ZoneHint, "name"),
        (TargetRef, "kind namespace name uid"),
        (
            Pod,
            (
                "name namespace uid resource_version deleting template node host_ip ips phase ready"
                " ready_reason reason unscheduled restarts id"
            ),
        ),
    ],
)
def test_what_goes_over_as_a_row_has_the_fields_that_the_row_has(struct: type[msgspec.Struct], fields: str) -> None:
    """A field that is new in the model must be added to the row too: this says so."""
    assert struct.__struct_fields__ == tuple(fields.split())


def test_azure_objects_keep_the_letter_case_of_their_ids() -> None:
    """The id goes over as Azure wrote it."""
    sent: list[Change] = [
        Upserted("managedClusters", [ManagedCluster(arm_id="/subscriptions/S/ABC", name="c")]),
        Upserted("networkSecurityGroups", [NetworkSecurityGroup(arm_id="/subscriptions/S/Nsg", name="n")]),
    ]
    assert _over(sent) == sent


def test_notes_of_every_sort_keep_their_place_between_objects() -> None:
    """What is said before a batch is heard before it."""
    pods = _pods(3)
    sent: list[Change] = [
        SourceChanged("kubernetes", Reading.LIVE, "", {"context": "c"}, 1.0),
        ListStarted("Pod", "shop"),
        Upserted("Pod", pods[:2]),
        UndecodableFound("Pod", "shop/bad", "why"),
        Upserted("Pod", pods[2:]),
        Removed("Pod", ["shop/web-0"]),
        ListEnded("Pod", "shop", 2.0),
        Heartbeat("Pod", 3.0),
        ScopeLeft("virtualNetworks", "/subscriptions/s/resourcegroups/hub"),
        ReadingChanged("Node", Reading.DENIED, "", "no", 4.0),
    ]
    assert _over(sent) == sent


def test_pods_of_one_workload_share_template_and_names_on_the_other_side() -> None:
    """Equal templates, namespaces and node names are one object each after the pipe too."""
    (change,) = _over([Upserted("Pod", _pods(10))])
    assert isinstance(change, Upserted)
    pods = [made for made in change.objects if isinstance(made, Pod)]
    assert len({id(pod.template) for pod in pods}) == 1
    assert len({id(pod.namespace) for pod in pods}) == len({id(pod.node) for pod in pods}) == 1
    assert pods[0].template is _pods(1)[0].template  # type: ignore[union-attr]  # they are Pods


def test_what_is_shared_goes_over_once() -> None:
    """The second batch of a workload carries neither labels nor node names."""
    encoder = Encoder()
    first, second = (b"".join(encoder.bodies([Upserted("Pod", _pods(1))])) for _ in range(2))
    assert b"app" in first
    assert b"node-1" in first
    assert b"app" not in second
    assert b"node-1" not in second


def test_a_large_batch_goes_over_in_frames_of_500_objects() -> None:
    """So that whoever decodes one frame is soon done; small batches share a frame."""
    encoder, decoder = Encoder(), Decoder()
    bodies = list(encoder.bodies([Upserted("Pod", _pods(1200)), Heartbeat("Pod", 1.0)]))
    sizes = [sum(len(c.objects) for c in decoder.changes(body) if isinstance(c, Upserted)) for body in bodies]
    assert sizes == [FRAME_OBJECTS, FRAME_OBJECTS, 200]
    assert len(list(encoder.bodies([Heartbeat("Pod", 1.0), Upserted("Pod", _pods(3)), Heartbeat("Node", 1.0)]))) == 1


def test_neighbouring_batches_of_a_kind_are_joined() -> None:
    """A watch brings one event at a time; the order of what happens to one object stays."""
    pods = _pods(3)
    sent: list[Change] = [Upserted("Pod", [pod]) for pod in pods]
    sent += [Removed("Pod", ["shop/web-0"]), Removed("Pod", ["shop/web-1"]), Upserted("Pod", pods[:1])]
    assert _over(sent) == [
        Upserted("Pod", pods),
        Removed("Pod", ["shop/web-0", "shop/web-1"]),
        Upserted("Pod", pods[:1]),
    ]
    assert sent[0] == Upserted("Pod", pods[:1])


def test_frames_come_back_whole_from_a_stream() -> None:
    """Tag and body of each, then None at the end."""
    stream = io.BytesIO()
    write_frame(stream, CHANGES, b"one")
    write_frame(stream, CHANGES, b"")
    stream.seek(0)
    assert [read_frame(stream) for _ in range(3)] == [(CHANGES, b"one"), (CHANGES, b""), None]


@pytest.mark.parametrize(
    "raw", [b"\x01\x00", b"\x01\x00\x00\x00\x09abc", b"Traceback (most recent", b"\x01\xff\xff\xff\xff"]
)
def test_a_stream_that_is_cut_or_is_not_frames_is_an_error(raw: bytes) -> None:
    """Whatever a broken child prints is not taken for a frame, and nothing waits for bytes that cannot come."""
    with pytest.raises(PipeError):
        read_frame(io.BytesIO(raw))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode([[], [], [], [["Pod", [[1]]]]]),
        msgspec.msgpack.encode([[], [], [], [["Nothing", []]]]),
        msgspec.msgpack.encode([[], [], [[5, "", "", [], [], False, "", []]], []]),
        msgspec.msgpack.encode([[], [], [], [["", {"type": "Nothing"}]]]),
    ],
)
def test_a_body_that_no_encoder_made_is_an_error(body: bytes) -> None:
    """Wrong types, unknown kinds and references into nowhere."""
    with pytest.raises(PipeError):
        Decoder().changes(body)


def test_endpoints_that_came_packed_are_read_and_compared_as_those_that_did_not() -> None:
    """A slice that comes again unchanged is equal to itself; another state, and no endpoints at all, are not."""
    ready, unready = Endpoint(addresses=("10.0.0.1",)), Endpoint(("10.0.0.1",), EndpointConditions(ready=False))
    encoder, decoder = Encoder(), Decoder()

    def over(*endpoints: Endpoint) -> EndpointSlice:
        change = Upserted("EndpointSlice", [EndpointSlice(name="a", namespace="shop", endpoints=endpoints)])
        ((came,),) = [decoder.changes(body) for body in encoder.bodies([change])]
        assert isinstance(came, Upserted)
        assert isinstance(came.objects[0], EndpointSlice)
        return came.objects[0]

    first, again, other, none = over(ready, unready), over(ready, unready), over(unready, ready), over()
    assert first == again != other
    assert tuple(first.endpoints) == (ready, unready) == tuple(reversed(other.endpoints))
    assert (first.endpoints[1], len(first.endpoints), bool(first.endpoints)) == (unready, 2, True)
    assert (list(none.endpoints), bool(none.endpoints)) == ([], False)
    assert first == _over([Upserted("EndpointSlice", [first])])[0].objects[0]  # type: ignore[union-attr]  # it came as it went
