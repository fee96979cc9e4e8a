"""Roads from every kind of source, on the demo cluster and on a small one."""

from typing import Any

import msgspec
import pytest

from aksnav.model.change import Reading, ReadingChanged, Upserted
from aksnav.model.kubernetes.service import Service
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Certainty, Kind, Outcome, Step, Trace, Verdict
from tests.unit.trace_walk.cluster import endpoint, simple, steps_of

VNET_CLIENT = "10.224.1.10"
MQTT = "tcp://20.50.1.9:8883"


@pytest.fixture
def store() -> Store:
    made = Store()
    for change in demo.changes("healthy", lambda: 1_764_000_000.0):
        made.apply(change)
    return made


def ask(store: Store, target: str, source: str = "internet", **options: Any) -> Trace:
    return trace(store, parse_request(target, source, **options))


def kinds(answer: Trace) -> list[Kind]:
    return [step.kind for step in steps_of(answer)]


def one(answer: Trace, kind: Kind) -> Step:
    return next(step for step in steps_of(answer) if step.kind is kind)


def put(store: Store, *objects: Any) -> None:
    for item in objects:
        store.apply(Upserted(item.KIND, [item]))


def service(store: Store, ident: str) -> Service:
    found = store.services.get(ident)
    assert found is not None
    return found


def change(item: Any, **fields: Any) -> Any:
    return msgspec.structs.replace(item, **fields)


def first_pod(store: Store, prefix: str) -> str:
    return next(f"pod/{ident}" for ident in sorted(store.pods.ids()) if ident.startswith(prefix))


def test_dns_of_a_public_address_needs_no_assumption(store: Store) -> None:
    """The label of a public address is served by Azure itself: the name is its address, proven."""
    answer = ask(store, "tcp://contoso-mqtt.westeurope.cloudapp.azure.com:8883")
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)


def test_a_name_that_an_ingress_claims_is_assumed(store: Store) -> None:
    """The assumption names the host, the address, the object that says so, and the command that makes it sure."""
    answer = ask(store, "https://blog.contoso.com/")
    said = "DNS of blog.contoso.com points to 20.50.1.7, because Ingress shop/blog says so"
    assert answer.confidence.because == (f"{said}: no resolver was asked (nslookup blog.contoso.com)",)


def test_resolve_skips_dns(store: Store) -> None:
    """With an address given nothing about names is taken for granted."""
    answer = ask(store, "https://blog.contoso.com/", resolve="20.50.1.7")
    assert one(answer, Kind.DNS_RESOLVE).verdict is Verdict.SKIP
    assert not any("DNS" in line for line in answer.confidence.because)


def test_a_name_that_nobody_claims_is_undecided(store: Store) -> None:
    """It says how to go on: with --resolve."""
    answer = ask(store, "https://elsewhere.example/")
    assert answer.outcome is Outcome.UNDECIDED
    assert "--resolve" in answer.confidence.because[0]


def test_the_clusters_own_names_are_no_names_outside(store: Store) -> None:
    """D07 for a client of the internet, and for one in the network."""
    for source in ("internet", VNET_CLIENT):
        answer = ask(store, "http://web.shop.svc.cluster.local/", source)
        assert (answer.outcome, answer.causes) == (Outcome.UNRESOLVED, ("D07",))


def test_a_host_header_decides_the_route_and_not_the_name(store: Store) -> None:
    """The name is looked up by the URL, the rule is chosen by the Host header."""
    answer = ask(store, "https://20.50.1.7/", headers=["Host: blog.contoso.com"])
    assert [backend.service for backend in answer.backends] == ["blog"]


def test_a_private_address_is_nowhere_on_the_internet(store: Store) -> None:
    """An internal load balancer, a Pod and a node: no road leads there."""
    for target in ("10.224.0.40:80", "10.224.0.6:31935"):
        assert ask(store, target).outcome is Outcome.DROPPED
    assert ask(store, "10.244.2.13:8080").causes == ("R11",)


def test_an_overlay_pod_is_out_of_reach_from_the_network_too(store: Store) -> None:
    """R11: the overlay exists on the nodes only."""
    answer = ask(store, "10.244.2.13:8080", VNET_CLIENT)
    assert (answer.outcome, answer.causes) == (Outcome.DROPPED, ("R11",))


def test_a_pod_reaches_a_load_balancer_address_without_the_load_balancer(store: Store) -> None:
    """The node translates it at once: no Azure step is on the road."""
    answer = ask(store, "https://shop.contoso.com/", first_pod(store, "shop/blog"))
    assert answer.outcome is Outcome.DELIVERED
    assert not {Kind.LB_RULE, Kind.PUBLIC_IP} & set(kinds(answer))


def test_a_private_client_reaches_a_public_address_over_the_internet(store: Store) -> None:
    """Its source is rewritten on the way out, and rules see an address of the internet."""
    answer = ask(store, MQTT, VNET_CLIENT)
    step = one(answer, Kind.SNAT)
    assert step.packet_after is not None
    assert step.packet_after.source_word == "Internet"
    assert Kind.LB_RULE in kinds(answer)


def test_a_node_port_is_asked_at_one_node_and_at_all_of_them(store: Store) -> None:
    """ADDRESS:nodePort is one node; svc/NS/NAME of type NodePort is any node."""
    answer = ask(store, "10.224.0.6:31935", VNET_CLIENT)
    assert (answer.outcome, len(answer.destinations)) == (Outcome.DELIVERED, 1)
    answer = ask(store, "svc/media/studio:1935", VNET_CLIENT)
    assert (answer.outcome, len(answer.destinations)) == (Outcome.DELIVERED, 6)


def test_a_client_in_the_cluster_is_not_held_to_the_external_policy(store: Store) -> None:
    """The policy Local is for outsiders: a Pod reaches every endpoint through any node."""
    answer = ask(store, "10.224.0.6:31935", first_pod(store, "shop/blog"))
    assert (answer.outcome, len(answer.destinations)) == (Outcome.DELIVERED, 6)


def test_local_policy_keeps_the_client_and_cluster_policy_may_not(store: Store) -> None:
    """Local never rewrites the source; Cluster does, for an endpoint on another node (Cilium: only there)."""
    assert Kind.SNAT not in kinds(ask(store, "tcp://20.50.1.7:443"))
    answer = ask(store, MQTT)
    rewritten = [step for step in steps_of(answer) if step.kind is Kind.SNAT]
    assert rewritten
    assert all(step.verdict is Verdict.TRANSFORM for step in rewritten)


def test_a_port_of_a_node_that_nothing_declares_is_undecided(store: Store) -> None:
    """The kubelet's port is a process of the node: the API does not say what listens."""
    assert ask(store, "10.224.0.6:10250", VNET_CLIENT).outcome is Outcome.UNDECIDED


def test_addresses_of_the_clusters_ranges_that_nothing_has_are_dead(store: Store) -> None:
    """S12: everything is read, the address is in the Pod or Service range, and nothing has it."""
    pod = first_pod(store, "shop/blog")
    for target in ("10.244.7.7:80", "10.0.99.99:80"):
        assert ask(store, target, pod).causes == ("S12",)
    store.services.note_undecodable("shop/odd", "spec.ports: not a list")
    assert ask(store, "10.0.99.99:80", pod).outcome is Outcome.UNDECIDED


def test_all_endpoints_gone_is_silence_behind_a_load_balancer(store: Store) -> None:
    """The probe is answered by the same Pods: outside it is dropped, at a node's port it is refused."""
    for piece in store.slices_of("iot/mqtt"):
        gone = tuple(
            change(item, conditions=change(item.conditions, ready=False, serving=False)) for item in piece.endpoints
        )
        put(store, change(piece, endpoints=gone))
    answer = ask(store, MQTT)
    assert answer.outcome is Outcome.DROPPED
    assert "S02" in answer.causes
    assert ask(store, "10.224.0.6:31883", VNET_CLIENT).outcome is Outcome.REFUSED


def test_a_node_that_is_not_ready_gets_nothing_where_others_do(store: Store) -> None:
    """Its probe fails; where it is asked itself it is X07."""
    node = next(iter(store.nodes))
    lost = tuple(change(item, status="Unknown") if item.type == "Ready" else item for item in node.conditions)
    put(store, change(node, conditions=lost))
    spread = [step for step in steps_of(ask(store, MQTT)) if step.kind is Kind.LB_POOL][-1]
    assert [item.rule for item in spread.considered] == [f"node {node.name}"]
    answer = ask(store, f"{node.internal_ips[0]}:31883", VNET_CLIENT)
    assert "X07" in answer.causes


def test_a_node_whose_proxy_is_not_ready_is_doubted(store: Store) -> None:
    """X08: the rules that are there may be old, so nothing is proven through this node."""
    pod = next(item for item in store.pods if item.namespace == "kube-system" and item.name.startswith("cilium-"))
    node = store.nodes.get(pod.node)
    assert node is not None
    put(store, change(pod, ready=False))
    answer = ask(store, f"{node.internal_ips[0]}:31883", VNET_CLIENT)
    assert (answer.outcome, answer.causes) == (Outcome.UNDECIDED, ("X08",))


def test_a_pending_load_balancer_is_refused_with_its_event(store: Store) -> None:
    """A Service without an address: nothing to send to."""
    put(store, change(service(store, "iot/mqtt"), status=type(service(store, "iot/mqtt").status)()))
    answer = ask(store, "svc/iot/mqtt:8883")
    assert answer.outcome is Outcome.REFUSED
    assert answer.breaks[0].evidence[0].value == "(empty)"


def test_what_stands_behind_a_break_is_told_and_counts_no_more(store: Store) -> None:
    """Steps behind the end are not reached; further breaks stay, in the order of the road."""
    for group in list(store.security_groups):
        deny = change(group.own_rules[0], name="none", priority=100, access="Deny", direction="Inbound",
                      protocol="*", source_address_prefix="*", source_address_prefixes=(),
                      destination_address_prefix="*", destination_address_prefixes=(),
                      destination_port_range="*", destination_port_ranges=())  # fmt: skip
        put(store, change(group, security_rules=(deny,)))
    for piece in store.slices_of("iot/mqtt"):
        put(store, change(piece, endpoints=()))
    answer = ask(store, MQTT)
    assert answer.outcome is Outcome.DROPPED
    assert answer.breaks[0].kind in {Kind.NSG, Kind.LB_PROBE}
    assert any(step.kind is Kind.ENDPOINT for step in answer.breaks)
    behind = steps_of(answer)[steps_of(answer).index(answer.breaks[0]) + 1 :]
    assert all(step.verdict not in {Verdict.PASS, Verdict.TRANSFORM} for step in behind)


def test_a_source_that_is_not_there_is_undecided(store: Store) -> None:
    """A Pod or node that does not exist sends nothing; it is said so."""
    for source in ("pod/shop/nobody", "node/nobody"):
        answer = ask(store, "svc/shop/web:80", source)
        assert answer.outcome is Outcome.UNDECIDED
        assert "does not exist" in answer.confidence.because[0]


def test_an_address_of_a_pod_is_that_pod(store: Store) -> None:
    """--from with a Pod's address is the Pod: policies and names are its own."""
    pod = next(item for item in store.pods if item.id.startswith("shop/blog"))
    assert one(ask(store, "http://web/", pod.ip), Kind.START_POD).subject is not None


def test_a_pod_that_may_not_ask_dns_resolves_nothing() -> None:
    """D05: the DNS Service has no endpoint, so no name is resolved; an address still works."""
    made = simple()
    made.service(
        "kube-system/kube-dns",
        "10.0.0.2",
        selector={"k8s-app": "kube-dns"},
        ports=[{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}],
    )
    answer = made.ask("http://web/")
    assert (answer.outcome, answer.causes) == (Outcome.UNRESOLVED, ("D05",))
    assert made.ask("10.0.0.10:80").outcome is Outcome.DELIVERED


def test_a_policy_that_forbids_dns_is_p06() -> None:
    """Egress is isolated and UDP 53 is not in it."""
    made = simple()
    made.profile(network_policy="azure")
    made.pod("kube-system/coredns-1", "10.244.0.53", labels={"k8s-app": "kube-dns"},
             ports=[{"containerPort": 53, "protocol": "UDP"}])  # fmt: skip
    made.service("kube-system/kube-dns", "10.0.0.2", selector={"k8s-app": "kube-dns"},
                 ports=[{"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53}])  # fmt: skip
    made.slice("kube-system/kube-dns", [endpoint("kube-system/coredns-1", "10.244.0.53")],
               ports=[{"name": "dns", "port": 53, "protocol": "UDP"}])  # fmt: skip
    assert made.ask("http://web/").outcome is Outcome.DELIVERED
    made.add(
        "NetworkPolicy",
        {
            "metadata": {"name": "egress", "namespace": "shop"},
            "spec": {
                "podSelector": {"matchLabels": {"app": "client"}},
                "policyTypes": ["Egress"],
                "egress": [{"ports": [{"port": 8080, "protocol": "TCP"}]}],
            },
        },
    )
    answer = made.ask("http://web/")
    assert (answer.outcome, answer.causes) == (Outcome.UNRESOLVED, ("P06",))


def test_kube_proxy_masquerades_even_for_its_own_node(store: Store) -> None:
    """Cluster policy under kube-proxy: the source is the node's, also for an endpoint on it; under Cilium it is not."""
    answer = ask(store, "10.224.0.6:31883", VNET_CLIENT)
    cilium = len([step for step in steps_of(answer) if step.kind is Kind.SNAT])
    managed = next(iter(store.clusters))
    profile = change(managed.network_profile, network_dataplane="azure", network_policy="azure")
    put(store, change(managed, network_profile=profile))
    answer = ask(store, "10.224.0.6:31883", VNET_CLIENT)
    assert len([step for step in steps_of(answer) if step.kind is Kind.SNAT]) >= cilium


def test_a_host_port_leads_to_its_pod() -> None:
    """From inside: the Pod that has the host port is the destination, at its own port."""
    made = simple()
    made.pod("shop/agent", "10.244.0.77", ports=[{"containerPort": 8125, "hostPort": 18125, "protocol": "UDP"}])
    answer = made.ask("udp://10.224.0.4:18125")
    assert [(place.pod, place.port) for place in answer.destinations] == [("agent", 8125)]
    made.pod("shop/exporter", "10.224.0.4", ports=[{"containerPort": 9100}], host_network=True)
    answer = made.ask("10.224.0.4:9100")
    assert [(place.pod, place.ip) for place in answer.destinations] == [("exporter", "10.224.0.4")]


def test_pods_directly() -> None:
    """pod/NS/NAME is its address; one that does not run is X01, one that is not there is refused."""
    made = simple()
    assert made.ask("pod/shop/web-1:8080").outcome is Outcome.DELIVERED
    assert made.ask("pod/shop/web-9:8080").outcome is Outcome.REFUSED
    made.pod("shop/web-1", "10.244.0.11", ready=False, waiting="CrashLoopBackOff")
    assert made.ask("pod/shop/web-1:8080").causes == ("X01",)
    made.pod("shop/web-1", "10.244.0.11", ready=False)
    answer = made.ask("pod/shop/web-1:8080")
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    made.pod("shop/web-1", "", ready=False, phase="Pending")
    assert made.ask("pod/shop/web-1:8080").outcome in {Outcome.DROPPED, Outcome.UNDECIDED}


def test_a_stale_source_is_said_to_be_stale() -> None:
    """What is known from before is used, and the answer says that it hangs on it."""
    made = simple()
    made.store.apply(ReadingChanged("EndpointSlice", Reading.STALE, reason="connection lost"))
    answer = made.ask("svc/shop/web:80")
    assert (answer.outcome, answer.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    assert "stale" in answer.confidence.because[0]


def test_nothing_that_is_read_yet_decides_anything() -> None:
    """An empty store that has not been filled: everything is undecided, nothing fails."""
    store = Store()
    for target in ("https://shop.contoso.com/", "svc/shop/web:80", "pod/shop/web-1:80", "10.0.0.1:80", MQTT):
        for source in ("internet", "pod/shop/client", "node/n", "10.1.2.3"):
            assert ask(store, target, source).outcome in {Outcome.UNDECIDED, Outcome.DROPPED}


def test_an_ingress_that_leads_to_its_own_controller_ends(store: Store) -> None:
    """A rule that sends to the controller's own Service: undecided, and it says that it is without end."""
    ingress = store.ingresses.get("shop/blog")
    assert ingress is not None
    controller = service(store, "app-routing-system/nginx")
    own = change(controller, namespace="shop", name="loop", cluster_ip="10.0.0.99", cluster_ips=("10.0.0.99",),
                 type="ClusterIP", status=type(controller.status)(), selector=None)  # fmt: skip
    put(store, own)
    for piece in store.slices_of(controller.id):
        labels = type(piece.labels).of({"kubernetes.io/service-name": "loop"})
        ends = tuple(
            change(item, target_ref=change(item.target_ref, namespace=piece.namespace)) for item in piece.endpoints
        )
        put(store, change(piece, namespace="shop", name=f"loop-{piece.name}", labels=labels, endpoints=ends))
    path = ingress.rules[0].http.paths[0]
    backend = change(path.backend, service=change(path.backend.service, name="loop"))
    rule = change(ingress.rules[0], http=change(ingress.rules[0].http, paths=(change(path, backend=backend),)))
    quiet = {**ingress.annotations, "nginx.ingress.kubernetes.io/ssl-redirect": "false"}
    put(store, change(ingress, rules=(rule,), annotations=quiet))
    answer = ask(store, "https://blog.contoso.com/", resolve="20.50.1.7")
    assert answer.outcome is Outcome.UNDECIDED
    assert any("TRACE_TOO_LONG" in step.missing for step in answer.breaks)


@pytest.mark.parametrize("count", [1, 40])
def test_many_alike_nodes_and_pods_are_few_branches(store: Store, count: int) -> None:
    """However many nodes and Pods there are, branches say how many they stand for, and no destination is lost."""
    template = next(item for item in store.nodes if item.name.startswith("aks-data"))
    pod = next(item for item in store.pods if item.id.startswith("iot/mqtt"))
    piece = store.slices_of("iot/mqtt")[0]
    ends = list(piece.endpoints)
    for number in range(count):
        node = change(
            template, name=f"extra-{number}", addresses=(("InternalIP", f"10.224.3.{number}"),), provider_id=""
        )
        twin = change(pod, name=f"mqtt-{number}", node=node.name, ips=(f"10.244.60.{number}",))
        target = change(ends[0].target_ref, name=twin.name)
        ends.append(change(ends[0], addresses=twin.ips, node_name=node.name, target_ref=target))
        put(store, node, twin)
    put(store, change(piece, endpoints=tuple(ends)))
    answer = ask(store, "svc/iot/mqtt:8883", "node/aks-data-30488152-vmss000001")
    places = {place.ip for place in answer.destinations} | {
        fact.value for step in steps_of(answer) if step.kind is Kind.DELIVER for fact in step.evidence
    }
    assert {f"10.244.60.{number}" for number in range(count)} <= places
    assert len(steps_of(answer)) < 60
