"""The demo cluster: every object decodes, and what controllers would write agrees with what people declared."""

import hashlib
from typing import Any

import msgspec
import pytest

from aksnav.model.addresses import parse_address, parse_prefix
from aksnav.model.change import Change, Reading
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.service import EndpointSlice, Service
from aksnav.sources import demo
from aksnav.sources.demo.world import ident
from aksnav.store import Store

AT = 1_795_000_000.0
MOST_TOUCHED = 7  # a cluster that is stopped, with its six nodes
Json = dict[str, Any]


def loaded(scenario: str) -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: AT):
        store.apply(change)
    return store


@pytest.fixture(scope="module")
def healthy() -> Store:
    return loaded("healthy")


@pytest.mark.parametrize("scenario", demo.SCENARIOS)
def test_every_object_of_every_scenario_reaches_the_store(scenario: str) -> None:
    """What a scenario shows in wire form is in the store under the same ids, and nothing was undecodable."""
    store, wire = loaded(scenario), demo.wire(scenario)
    for kind, documents in wire.items():
        table = store.tables[kind]
        assert len(table) == len(documents)
        assert not table.undecodable


def test_every_field_that_the_model_keeps_is_kept() -> None:
    """Encoding a decoded object again gives every value that the wire form has under a name the model knows."""
    store = loaded("faulty")
    for kind in ("Service", "EndpointSlice", "Ingress", "NetworkPolicy", "Gateway", "HTTPRoute", "loadBalancers"):
        for document in demo.wire("faulty")[kind]:
            found = store.tables[kind].get(ident(document))
            kept = msgspec.json.decode(msgspec.json.encode(found, enc_hook=dict))
            _covers(kept, _flat(document), kind)


def _flat(document: Json) -> Json:
    rest = {key: value for key, value in document.items() if key not in {"kind", "apiVersion", "metadata", "spec"}}
    return {**rest, **document.get("spec", {})}


def _covers(kept: Any, wire: Any, path: str) -> None:
    """Check that where the model has a field, its value is that of the wire form."""
    if isinstance(kept, dict) and isinstance(wire, dict):
        for key, value in (wire.get("properties", {}) | wire).items():
            if key in kept and value is not None:
                _covers(kept[key], value, f"{path}.{key}")
    elif isinstance(kept, list) and isinstance(wire, list):
        assert len(kept) == len(wire), path
        for index, (one, other) in enumerate(zip(kept, wire, strict=True)):
            _covers(one, other, f"{path}[{index}]")
    else:
        assert kept == wire, path


def test_the_healthy_cluster_has_no_fault_and_the_faulty_one_at_least_ten() -> None:
    """Each fault has a scenario of its own, and the default has all that do not hide another."""
    assert demo.SCENARIOS["healthy"].faults == ()
    assert len(demo.SCENARIOS[demo.DEFAULT].faults) >= 10
    for fault in demo.FAULTS:
        assert demo.SCENARIOS[fault.name].faults == (fault,)


@pytest.mark.parametrize("fault", demo.FAULTS, ids=lambda fault: fault.name)
def test_a_fault_changes_a_few_objects_and_its_subject_exists(fault: demo.Fault) -> None:
    """The object that a fault is to be found on is there, and little else than the fault differs from the healthy."""
    store = loaded(fault.name)
    assert store.get(fault.expected.subject) is not None
    differing = _differences(demo.wire(fault.name), demo.wire("healthy"))
    assert 1 <= len(differing) <= MOST_TOUCHED


def _differences(one: Any, other: Any) -> set[tuple[str, str]]:
    """Return kind and id of every object that is in one only, or not the same in both."""
    sides = [{(kind, ident(item)): item for kind, items in side.items() for item in items} for side in (one, other)]
    return {key for key in sides[0].keys() | sides[1].keys() if sides[0].get(key) != sides[1].get(key)}


def test_every_pod_has_its_own_address_of_its_nodes_range(healthy: Store) -> None:
    """Pods take overlay addresses of their node, those in the host network take the node's own."""
    seen = set()
    for pod in healthy.pods:
        node = healthy.nodes.get(pod.node)
        assert node is not None
        assert pod.host_ip == node.internal_ips[0]
        if pod.template.host_network:
            assert pod.ip == pod.host_ip
            continue
        address, block = parse_address(pod.ip), parse_prefix(node.pod_cidrs[0])
        assert block is not None
        assert address in block
        assert pod.ip not in seen
        seen.add(pod.ip)


def test_every_service_address_is_its_own(healthy: Store) -> None:
    """No two Services share a cluster address, a node port or an outside address."""
    addresses = [ip for service in healthy.services for ip in (*service.virtual_ips, *service.external_addresses)]
    ports = [port.node_port for service in healthy.services for port in service.ports if port.node_port]
    ports += [service.health_check_node_port for service in healthy.services if service.health_check_node_port]
    assert len(addresses) == len(set(addresses))
    assert len(ports) == len(set(ports))


@pytest.mark.parametrize("scenario", [item.name for item in demo.SCENARIOS.values() if not item.refusals()])
def test_endpoint_slices_are_what_the_controller_would_write(scenario: str) -> None:
    """In broken scenarios too, each slice holds the Pods that its Service selects, ready as they are."""
    store = loaded(scenario)
    for service in store.services:
        if service.selector is None:
            continue
        (found,) = store.slices_of(service.id)
        matched = store.pod_classes.matching(service.namespace, service.selector)
        pods = [ident for ident in matched if (pod := store.pods.get(ident)) is not None and pod.ips]
        assert sorted(f"{e.target_ref.namespace}/{e.target_ref.name}" for e in found.endpoints) == pods
        for endpoint in found.endpoints:
            pod = store.pods.get(f"{endpoint.target_ref.namespace}/{endpoint.target_ref.name}")
            assert pod is not None
            # Services of the demo have one family: their slices hold IPv4 addresses alone.
            assert endpoint.addresses == tuple(ip for ip in pod.ips if ":" not in ip)
            assert endpoint.node_name == pod.node
            assert endpoint.target_ref.uid == pod.uid
            assert endpoint.ready is pod.ready
        _ports_agree(store, service, found)


def _ports_agree(store: Store, service: Service, found: EndpointSlice) -> None:
    by_name = {port.name: port.port for port in found.ports or ()}
    for port in service.ports if found.endpoints else ():
        pod = store.pods.get(f"{service.namespace}/{found.endpoints[0].target_ref.name}")
        assert pod is not None
        named = {item.name: item.port for item in pod.template.ports if item.protocol == port.protocol}
        wanted = port.target if isinstance(port.target, int) else named.get(port.target)
        assert by_name.get(port.name) == wanted


def test_healthy_services_reach_ports_that_their_pods_declare(healthy: Store) -> None:
    """Without a fault every selected Pod is ready and declares the port that the slice names."""
    for service in healthy.services:
        if service.selector is None:
            continue
        (found,) = healthy.slices_of(service.id)
        assert found.endpoints
        assert len(found.ports or ()) == len(service.ports)
        for endpoint in found.endpoints:
            pod = healthy.pods.get(f"{service.namespace}/{endpoint.target_ref.name}")
            assert pod is not None
            assert pod.ready
            assert {port.port for port in found.ports or ()} <= {item.port for item in pod.template.ports}


def test_healthy_routes_lead_to_services_classes_and_secrets_that_exist(healthy: Store) -> None:
    """Every name in an Ingress or HTTPRoute resolves, and every status says so."""
    for item in healthy.ingresses:
        assert item.ingress_class_name in healthy.ingress_classes
        assert item.ingress_points
        for rule in item.rules:
            for path in rule.http.paths:
                assert path.backend.service is not None
                service = healthy.services.get(f"{item.namespace}/{path.backend.service.name}")
                assert service is not None
                assert path.backend.service.port.number in {port.port for port in service.ports}
        for tls in item.tls:
            secret = healthy.secrets.get(f"{item.namespace}/{tls.secret_name}")
            assert secret is not None
            assert secret.exists
            assert secret.keys == ("tls.crt", "tls.key")
    for route in healthy.http_routes:
        assert all(condition.status == "True" for parent in route.status.parents for condition in parent.conditions)
        for ref in route.rules[0].backend_refs:
            assert f"{ref.namespace or route.namespace}/{ref.name}" in healthy.services


def test_a_missing_secret_is_known_to_be_missing() -> None:
    """The answer to a question by name is there also where it is no."""
    secret = loaded("t01-tls-secret-missing").secrets.get("shop/blog-tls")
    assert secret is not None
    assert not secret.exists


def test_the_route_without_leave_is_refused_by_its_controller() -> None:
    """Where a ReferenceGrant is missing, the route's status says RefNotPermitted."""
    route = loaded("g06-no-reference-grant").http_routes.get("infra/media")
    assert route is not None
    refused = [c for c in route.status.parents[0].conditions if c.type == "ResolvedRefs"]
    assert [(c.status, c.reason) for c in refused] == [("False", "RefNotPermitted")]


def test_without_azure_its_kinds_are_unread_and_say_why() -> None:
    """No Azure credentials: no table of Azure claims to be complete."""
    store = loaded("no-azure")
    for name, kind in KINDS.items():
        access = store.tables[name].access()
        assert access.complete is not kind.azure
        assert not kind.azure or "no Azure credentials" in access.reason


def test_with_one_namespace_everything_else_is_denied() -> None:
    """Leave for one namespace: nodes and cluster-scoped kinds are denied, that namespace alone is known."""
    store = loaded("namespace-only")
    assert store.nodes.access().reading is Reading.DENIED
    assert store.pods.access().reading is Reading.DENIED
    assert store.pods.access("shop").reading is Reading.LIVE
    assert "nodes is forbidden" in store.nodes.access().reason
    assert {pod.namespace for pod in store.pods} == {"shop"}


def test_an_unknown_scenario_is_named_with_those_that_there_are() -> None:
    """A typing error is answered with the list."""
    with pytest.raises(LookupError, match="no scenario 'helthy'; there are faulty, healthy"):
        list(demo.changes("helthy", lambda: AT))


def test_the_same_scenario_is_the_same_every_time() -> None:
    """Two builds are equal to the byte: uids, versions, names and addresses come from no clock and no chance."""
    one, other = (hashlib.sha256(msgspec.json.encode(demo.wire())).hexdigest() for _ in range(2))
    assert one == other


def test_the_first_load_carries_the_clocks_time() -> None:
    """Ages count from the clock that was given."""
    changes: list[Change] = list(demo.changes("healthy", lambda: AT))
    assert {change.at for change in changes if hasattr(change, "at")} == {AT}
