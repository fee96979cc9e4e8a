"""Services and their endpoints, as the node that translates sees them."""

from typing import Any

import pytest

from aksnav.trace.step import Certainty, Kind, Outcome, Step, Verdict
from tests.unit.trace_walk.cluster import NODE_A, NODE_B, Cluster, destinations, endpoint, simple, steps_of


def the(answer: Any, kind: Kind) -> Step:
    """Return the first step of a kind."""
    return next(step for step in steps_of(answer) if step.kind is kind)


def test_a_pod_reaches_a_service_by_its_short_name() -> None:
    """The name is looked up in the Pod's own namespace, and both endpoints are destinations at the target port."""
    answer = simple().ask("http://web/")
    assert answer.outcome is Outcome.DELIVERED
    (said,) = answer.confidence.because  # nothing is known of who answers names in this cluster
    assert said.startswith("the cluster's DNS answers Pod shop/client: there is no Service kube-system/kube-dns")
    assert destinations(answer) == [("web-1", "10.244.0.11", 8080), ("web-2", "10.244.0.12", 8080)]
    assert [(b.namespace, b.service, b.port, b.weight) for b in answer.backends] == [("shop", "web", 80, 1.0)]


@pytest.mark.parametrize("host", ["web.shop", "web.shop.svc", "web.shop.svc.cluster.local"])
def test_longer_names_of_a_service(host: str) -> None:
    """Every form of the name leads to the same Service."""
    assert simple().ask(f"http://{host}/").outcome is Outcome.DELIVERED


def test_the_packet_shows_what_translation_does() -> None:
    """The step of the translation has the packet with the Service's address before, and the Pod's after."""
    step = the(simple().ask("svc/shop/web:80"), Kind.DNAT)
    assert step.packet_after is not None
    assert (step.packet.port, step.packet_after.port) == (80, 8080)
    assert step.packet.destination != step.packet_after.destination


def test_alike_endpoints_are_one_branch() -> None:
    """Two Pods of one workload are one branch that stands for two, and keeps both destinations."""
    step = the(simple().ask("svc/shop/web:80"), Kind.ENDPOINT)
    assert step.verdict is Verdict.FANOUT
    assert [branch.alike for branch in step.branches] == [2]
    assert step.branches[0].label == "Pod web-1 on node-a and 1 alike"


def test_a_selector_that_matches_nothing_is_s01() -> None:
    """No Pod has the labels: refused, and the Pods that come near say in which label they differ."""
    made = simple()
    made.service("shop/api", "10.0.0.20", selector={"app": "web", "tier": "api"})
    answer = made.ask("svc/shop/api:80")
    assert (answer.outcome, answer.causes) == (Outcome.REFUSED, ("S01",))
    step = answer.breaks[0]
    assert ("tier is (absent), not api") in [item.why for item in step.considered]
    assert step.evidence[0].field == ".spec.selector"


def test_no_ready_endpoint_is_s02_with_each_condition() -> None:
    """All endpoints have ready false: refused, each with its field and the Pod's own word."""
    made = simple()
    made.pod("shop/api-1", "10.244.0.21", ready=False)
    made.service("shop/api", "10.0.0.20")
    made.slice("shop/api", [endpoint("shop/api-1", "10.244.0.21", ready=False, serving=False)])
    answer = made.ask("svc/shop/api:80")
    assert (answer.outcome, answer.causes) == (Outcome.REFUSED, ("S02",))
    fact = answer.breaks[0].evidence[0]
    assert (fact.field, fact.value) == (".endpoints[0].conditions.ready", "false")
    assert fact.subject is not None
    assert fact.subject.kind == "EndpointSlice"


@pytest.mark.parametrize(
    ("pod", "cause"),
    [
        ({"waiting": "CrashLoopBackOff"}, "X01"),
        ({"waiting": "ImagePullBackOff", "phase": "Pending"}, "X04"),
        (
            {
                "phase": "Pending",
                "conditions": [{"type": "PodScheduled", "status": "False", "message": "0/2 nodes: Insufficient cpu"}],
            },
            "X05",
        ),
        ({"probe": {"httpGet": {"port": 9090, "path": "/ready"}}}, "X03"),
    ],
)
def test_the_deeper_cause_stands_behind_s02(pod: dict[str, Any], cause: str) -> None:
    """A crash loop, a missing image, no room, a probe at a port that nobody declares: each is a break of its own."""
    made = simple()
    ip = "" if pod.get("phase") == "Pending" else "10.244.0.21"
    made.pod("shop/api-1", ip, ready=False, **pod)
    made.service("shop/api", "10.0.0.20")
    made.slice("shop/api", [endpoint("shop/api-1", ip, ready=False)] if ip else [])
    assert made.ask("svc/shop/api:80").causes == ("S02", cause)


def test_an_unset_ready_condition_counts_as_ready() -> None:
    """discovery/v1: ready that is not said is to be read as true."""
    made = simple()
    made.slice("shop/web", [endpoint("shop/web-1", "10.244.0.11", ready=None)])
    assert made.ask("svc/shop/web:80").outcome is Outcome.DELIVERED


def test_serving_terminating_endpoints_are_the_fallback() -> None:
    """KEP-1672: with no ready endpoint those that serve while they terminate get the traffic; with one they do not."""
    made = simple()
    leaving = endpoint("shop/web-1", "10.244.0.11", ready=False, serving=True, terminating=True)
    made.slice("shop/web", [leaving, endpoint("shop/web-2", "10.244.0.12", ready=False, serving=False)])
    assert destinations(made.ask("svc/shop/web:80")) == [("web-1", "10.244.0.11", 8080)]
    made.slice("shop/web", [leaving, endpoint("shop/web-2", "10.244.0.12")])
    assert destinations(made.ask("svc/shop/web:80")) == [("web-2", "10.244.0.12", 8080)]


def test_several_slices_add_up_and_an_address_counts_once() -> None:
    """Endpoints come from every slice of the Service; the same address in two is one destination."""
    made = simple()
    made.slice("shop/web", [endpoint("shop/web-1", "10.244.0.11")], suffix="one")
    made.slice("shop/web", [endpoint("shop/web-2", "10.244.0.12", ready=False)], suffix="two")
    assert len(made.ask("svc/shop/web:80").destinations) == 2


def test_a_named_port_may_mean_different_numbers() -> None:
    """Each slice says which number the name has for its Pods."""
    made = simple()
    made.pod("shop/api-1", "10.244.0.21", ports=[{"containerPort": 8080, "name": "web"}])
    made.pod("shop/api-2", "10.244.0.22", ports=[{"containerPort": 9090, "name": "web"}])
    made.service("shop/api", "10.0.0.20", ports=[{"name": "http", "port": 80, "targetPort": "web"}])
    made.slice("shop/api", [endpoint("shop/api-1", "10.244.0.21")], suffix="one")
    made.slice(
        "shop/api",
        [endpoint("shop/api-2", "10.244.0.22")],
        suffix="two",
        ports=[{"name": "http", "port": 9090, "protocol": "TCP"}],
    )
    assert destinations(made.ask("svc/shop/api:80")) == [("api-1", "10.244.0.21", 8080), ("api-2", "10.244.0.22", 9090)]


@pytest.mark.parametrize("ports", [None, [{"name": "other", "port": 1, "protocol": "TCP"}]])
def test_a_named_port_that_no_pod_has_is_s04(ports: list[dict[str, Any]] | None) -> None:
    """The slices have no such port (or null): refused, with the name and what the slice has instead."""
    made = simple()
    made.pod("shop/api-1", "10.244.0.21")
    made.service("shop/api", "10.0.0.20", ports=[{"name": "http", "port": 80, "targetPort": "web"}])
    made.add(
        "EndpointSlice",
        {
            "metadata": {"name": "api-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "api"}},
            "addressType": "IPv4",
            "endpoints": [endpoint("shop/api-1", "10.244.0.21")],
            "ports": ports,
        },
    )
    answer = made.ask("svc/shop/api:80")
    assert (answer.outcome, answer.causes) == (Outcome.REFUSED, ("S04",))
    assert (".spec.ports[0].targetPort", "web") in [(fact.field, fact.value) for fact in answer.breaks[0].evidence]


def test_a_port_without_target_means_the_same_number() -> None:
    """A targetPort that is absent (or 0) is the port itself."""
    made = simple()
    made.pod("shop/api-1", "10.244.0.21", ports=[{"containerPort": 80}])
    made.service("shop/api", "10.0.0.20", ports=[{"port": 80}])
    made.slice("shop/api", [endpoint("shop/api-1", "10.244.0.21")], ports=[{"name": "", "port": 80, "protocol": "TCP"}])
    assert destinations(made.ask("svc/shop/api:80")) == [("api-1", "10.244.0.21", 80)]


def test_a_port_by_its_name() -> None:
    """svc/NS/NAME:NAME finds the port by name; a name that is not there is S20."""
    assert simple().ask("svc/shop/web:http").outcome is Outcome.DELIVERED
    assert simple().ask("svc/shop/web:grpc").causes == ("S20",)


def test_a_port_that_the_service_has_not_is_s20() -> None:
    """Nothing translates a port that is not in the spec: silence by default, a refusal with nftables."""
    assert simple().ask("http://web:81/").outcome is Outcome.DROPPED
    assert simple().ask("http://web:81/").causes == ("S20",)
    refusing = simple()
    refusing.profile(kube_proxy_config={"mode": "NFTABLES"})
    assert refusing.ask("http://web:81/").outcome is Outcome.REFUSED


def test_a_port_in_another_protocol_only_is_s05() -> None:
    """UDP asked of a TCP port."""
    assert simple().ask("udp://web:80").causes == ("S05",)


def test_a_short_target_takes_the_only_protocol_that_there_is() -> None:
    """svc/NS/NAME:53 of a Service with UDP 53 only means UDP."""
    made = simple()
    made.pod("shop/dns-1", "10.244.0.31", ports=[{"containerPort": 53, "protocol": "UDP"}])
    made.service("shop/dns", "10.0.0.30", ports=[{"name": "dns", "port": 53, "protocol": "UDP"}])
    made.slice(
        "shop/dns",
        [endpoint("shop/dns-1", "10.244.0.31")],
        ports=[{"name": "dns", "port": 53, "protocol": "UDP"}],
    )
    assert made.ask("svc/shop/dns:53").outcome is Outcome.DELIVERED


def test_internal_traffic_policy_local_keeps_to_the_node_of_the_client() -> None:
    """S08: no endpoint on the client's node is silence; one there is the only destination."""
    made = simple()
    made.pod("shop/far", "10.244.1.9", node=NODE_B)
    made.service("shop/web", internalTrafficPolicy="Local")
    answer = made.ask("svc/shop/web:80", "pod/shop/far")
    assert (answer.outcome, answer.causes) == (Outcome.DROPPED, ("S08",))
    assert made.ask("svc/shop/web:80", "pod/shop/client").outcome is Outcome.DELIVERED


def test_topology_hints_are_followed_and_said_to_be_taken_for_granted() -> None:
    """Every endpoint has hints and the client's node has a zone: only the zone's endpoint, assumed."""
    made = simple()
    made.node(NODE_A, "10.224.0.4", zone="westeurope-1")
    near = {**endpoint("shop/web-1", "10.244.0.11"), "hints": {"forZones": [{"name": "westeurope-1"}]}}
    far = {**endpoint("shop/web-2", "10.244.0.12"), "hints": {"forZones": [{"name": "westeurope-2"}]}}
    made.slice("shop/web", [near, far])
    answer = made.ask("svc/shop/web:80")
    assert destinations(answer) == [("web-1", "10.244.0.11", 8080)]
    assert answer.confidence.certainty is Certainty.ASSUMED
    assert "hints" in answer.confidence.because[0]


def test_a_service_without_selector_and_endpoints_is_s06() -> None:
    """Nobody writes its slices."""
    made = simple()
    made.service("shop/ext", "10.0.0.40", selector=None)
    assert made.ask("svc/shop/ext:80").causes == ("S06",)


def test_a_stale_manual_endpoint_is_s06_and_one_outside_is_assumed() -> None:
    """An address in the Pod range that no Pod has is stale; one outside of the cluster is taken on trust."""
    made = simple()
    made.profile(pod_cidr="10.244.0.0/16")
    made.service("shop/ext", "10.0.0.40", selector=None)
    made.slice("shop/ext", [{"addresses": ["10.244.9.9"], "conditions": {}}])
    answer = made.ask("svc/shop/ext:80")
    assert (answer.outcome, answer.causes) == (Outcome.DROPPED, ("S06",))
    made.slice("shop/ext", [{"addresses": ["192.168.7.7"], "conditions": {}}])
    step = the(made.ask("svc/shop/ext:80"), Kind.DELIVER)
    assert step.assumptions == ("something answers at 192.168.7.7 port 8080, an address outside of the cluster",)


def test_an_endpoint_whose_pod_has_another_address_is_s12() -> None:
    """The slice lags behind: the Pod that it names has not the address any more."""
    made = simple()
    made.slice("shop/web", [endpoint("shop/web-1", "10.244.0.99")])
    answer = made.ask("svc/shop/web:80")
    assert (answer.outcome, answer.causes) == (Outcome.DROPPED, ("S12",))


def test_an_endpoint_on_a_node_that_is_not_ready_is_x07() -> None:
    """The slice still lists the Pod, and its node is gone."""
    made = simple()
    made.node(NODE_A, "10.224.0.4", ready="Unknown")
    made.pod("shop/near", "10.244.1.9", node=NODE_A)
    assert "X07" in made.ask("svc/shop/web:80").causes


def test_a_family_without_endpoints_is_s11() -> None:
    """The Service has IPv4, its slices IPv6 only."""
    made = simple()
    made.service("shop/six", "10.0.0.60")
    made.slice("shop/six", [{"addresses": ["fd00::9"], "conditions": {}}], family="IPv6")
    assert made.ask("svc/shop/six:80").causes == ("S11",)


def test_a_target_port_that_nobody_declares() -> None:
    """S03: refused where a passing probe is elsewhere, undecided where other ports are declared, else assumed."""
    made = simple()
    made.service("shop/web", ports=[{"name": "http", "port": 80, "targetPort": 9999}])
    ports = [{"name": "http", "port": 9999, "protocol": "TCP"}]
    made.slice("shop/web", [endpoint("shop/web-1", "10.244.0.11")], ports=ports)
    answer = made.ask("svc/shop/web:80")
    assert (answer.outcome, answer.causes) == (Outcome.UNDECIDED, ("S03",))
    made.pod("shop/web-1", "10.244.0.11", probe={"httpGet": {"port": "http", "path": "/"}})
    answer = made.ask("svc/shop/web:80")
    assert (answer.outcome, answer.causes, answer.confidence.certainty) == (
        Outcome.REFUSED,
        ("S03",),
        Certainty.ASSUMED,
    )
    fields = [fact.field for fact in answer.breaks[0].evidence]
    assert ".spec.ports[0].targetPort" in fields
    made.pod("shop/web-1", "10.244.0.11", ports=[])
    answer = made.ask("svc/shop/web:80")
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)


def test_unready_pods_that_are_published_are_delivered_on_an_assumption() -> None:
    """publishNotReadyAddresses: the slice says ready, the Pod does not (S13 is a hint, not a break)."""
    made = simple()
    made.pod("shop/web-1", "10.244.0.11", ready=False)
    made.slice("shop/web", [endpoint("shop/web-1", "10.244.0.11")])
    answer = made.ask("svc/shop/web:80")
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)


@pytest.mark.parametrize("kind", ["EndpointSlice", "Service", "Pod", "NetworkPolicy"])
def test_a_table_that_cannot_be_read_is_never_a_pass(kind: str) -> None:
    """A kind that is refused and a row that is not there: undecided, with what is missing."""
    made = simple()
    made.profile(network_policy="azure")
    table = made.store.tables[kind]
    table.remove(list(table.ids()))
    made.deny(kind, "list is forbidden")
    made.pod("shop/client", "10.244.0.9")
    answer = made.ask("svc/shop/web:80")
    assert answer.outcome is Outcome.UNDECIDED
    assert answer.confidence.certainty is Certainty.PARTIAL
    assert "forbidden" in answer.confidence.because[0]


def test_a_slice_that_cannot_be_decoded_is_never_a_pass() -> None:
    """One broken slice of the Service hides endpoints: undecided, by its name; another Service's does not matter."""
    made = simple()
    made.spoil("EndpointSlice", "shop/api-broken")
    assert made.ask("svc/shop/web:80").outcome is Outcome.DELIVERED
    made.spoil("EndpointSlice", "shop/web-broken")
    answer = made.ask("svc/shop/web:80")
    assert answer.outcome is Outcome.UNDECIDED
    assert "shop/web-broken" in answer.confidence.because[0]


def test_a_service_that_does_not_exist_is_d07() -> None:
    """By object or by name: no such Service."""
    made = simple()
    assert made.ask("svc/shop/nothing:80").causes == ("D07",)
    answer = made.ask("http://nothing/")
    assert (answer.outcome, answer.causes) == (Outcome.UNRESOLVED, ("D07",))
    assert "nothing.shop.svc.cluster.local" in [item.rule for item in answer.breaks[0].considered]


def headless(port: int = 80) -> Cluster:
    """Return a cluster with a headless Service whose port is 80 and whose Pods listen on 8080."""
    made = simple()
    made.service("shop/db", "None", selector={"app": "web"}, ports=[{"name": "http", "port": port, "targetPort": 8080}])
    made.slice(
        "shop/db",
        [{**endpoint("shop/web-1", "10.244.0.11"), "hostname": "web-1"}, endpoint("shop/web-2", "10.244.0.12")],
    )
    return made


def test_a_headless_service_translates_no_port() -> None:
    """S09: the Service's port is not the Pods'; the Pods' own port works, and so does a port by its name."""
    assert headless().ask("http://db/").causes == ("S09",)
    assert headless().ask("http://db/").outcome is Outcome.REFUSED
    assert headless().ask("http://db:8080/").outcome is Outcome.DELIVERED
    assert headless().ask("svc/shop/db:http").outcome is Outcome.DELIVERED
    assert headless(8080).ask("svc/shop/db:8080").outcome is Outcome.DELIVERED


def test_a_headless_name_may_mean_one_pod() -> None:
    """hostname.service.namespace is the one endpoint with this host name."""
    answer = headless().ask("http://web-1.db.shop.svc.cluster.local:8080/")
    assert destinations(answer) == [("web-1", "10.244.0.11", 8080)]


def test_a_headless_host_name_that_no_endpoint_has_is_no_name() -> None:
    """D07, and a headless Service without a ready endpoint is no name either."""
    answer = headless().ask("http://web-9.db.shop.svc.cluster.local:8080/")
    assert (answer.outcome, answer.causes) == (Outcome.UNRESOLVED, ("D07",))
    made = headless()
    made.slice("shop/db", [endpoint("shop/web-1", "10.244.0.11", ready=False)])
    answer = made.ask("http://db:8080/")
    assert (answer.outcome, answer.causes) == (Outcome.UNRESOLVED, ("S02",))


def test_a_headless_service_without_ports_leads_to_its_pods() -> None:
    """Its name stands for the Pods, whatever port is asked; the slices have no port at all."""
    made = simple()
    made.service("shop/peers", "None", selector={"app": "web"}, ports=[])
    made.slice("shop/peers", [endpoint("shop/web-1", "10.244.0.11")], ports=[])
    assert destinations(made.ask("tcp://peers:8080")) == [("web-1", "10.244.0.11", 8080)]
    made.slice("shop/peers", [], ports=[])
    assert made.ask("tcp://peers:8080").outcome is Outcome.UNRESOLVED


def test_a_pod_name_is_its_address() -> None:
    """a-b-c-d.namespace.pod.cluster.local."""
    assert simple().ask("http://10-244-0-11.shop.pod.cluster.local:8080/").outcome is Outcome.DELIVERED


def test_an_external_name_is_looked_up_again() -> None:
    """The alias of another Service leads there; that of an unknown name is undecided; an address is S10."""
    made = simple()
    made.service("shop/alias", "", type="ExternalName", externalName="web.shop.svc.cluster.local", ports=[])
    answer = made.ask("http://alias/")
    assert answer.outcome is Outcome.DELIVERED
    assert len(answer.destinations) == 2
    made.service("shop/alias", "", type="ExternalName", externalName="db.example.com", ports=[])
    assert made.ask("http://alias/").outcome is Outcome.UNDECIDED
    made.service("shop/alias", "", type="ExternalName", externalName="10.1.2.3", ports=[])
    assert made.ask("http://alias/").causes == ("S10",)


def test_aliases_of_each_other_end_undecided() -> None:
    """A loop of names ends, and says why."""
    made = simple()
    made.service("shop/a", "", type="ExternalName", externalName="b.shop.svc.cluster.local", ports=[])
    made.service("shop/b", "", type="ExternalName", externalName="a.shop.svc.cluster.local", ports=[])
    answer = made.ask("http://a/")
    assert answer.outcome is Outcome.UNDECIDED
    assert "TRACE_TOO_LONG" in answer.breaks[-1].summary


def test_a_cluster_address_leads_nowhere_from_outside() -> None:
    """S16, from the internet and from a private network."""
    for source in ("internet", "10.200.0.7"):
        answer = simple().ask("10.0.0.10:80", source)
        assert (answer.outcome, answer.causes) == (Outcome.DROPPED, ("S16",))
