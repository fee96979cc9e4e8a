"""Files and folders as kubectl and az print them."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from aksnav.model.change import Reading
from aksnav.model.kinds import KINDS
from aksnav.model.kubernetes.secret import Secret
from aksnav.sources import demo
from aksnav.sources.capture import CaptureError, changes, open_capture
from aksnav.sources.capture.recognise import kind_of_arm, kind_of_file, kind_of_kubernetes
from aksnav.store import Store

Json = dict[str, Any]
ARM = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers"


def stored(path: Path, *assume_none: str) -> Store:
    store = Store()
    for change in changes(path, assume_none):
        store.apply(change)
    return store


def of_demo(scenario: str = "healthy") -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: 1.0):
        store.apply(change)
    return store


def rows(store: Store, kind: str) -> dict[str, Any]:
    return {row.id: row for row in store.tables[kind]}


def write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".json":
        path.write_text(json.dumps(document, indent=4))
    else:
        path.write_text(yaml.safe_dump(document, sort_keys=False))


def kubectl_list(items: list[Json]) -> Json:
    return {"apiVersion": "v1", "items": items, "kind": "List", "metadata": {"resourceVersion": ""}}


def typed_list(kind: str, items: list[Json]) -> Json:
    bare = [{key: value for key, value in item.items() if key not in {"kind", "apiVersion"}} for item in items]
    group = KINDS[kind].group
    version = f"{group}/v1" if group else "v1"
    return {"apiVersion": version, "kind": f"{kind}List", "metadata": {"resourceVersion": "77"}, "items": bare}


def flattened(value: Any) -> Any:
    """Return an ARM document as az prints it: ``properties`` lifted at every level."""
    if isinstance(value, dict):
        inner = value.get("properties", {})
        return {key: flattened(item) for key, item in {**inner, **value}.items() if key != "properties"}
    return [flattened(item) for item in value] if isinstance(value, list) else value


KUBERNETES = [name for name, kind in KINDS.items() if not kind.azure]
AZURE = [name for name, kind in KINDS.items() if kind.azure]


@pytest.mark.parametrize("suffix", ["json", "yaml"])
@pytest.mark.parametrize("shape", ["list", "typed", "single", "together"])
def test_every_form_that_kubectl_prints_gives_the_same_objects(tmp_path: Path, suffix: str, shape: str) -> None:
    """A List, a typed list without kinds in it, a file for each object, one List of everything: the same content."""
    wire = demo.wire("faulty")
    for kind in KUBERNETES:
        stem = f"{KINDS[kind].plural}.{KINDS[kind].group}".rstrip(".")
        if shape == "list":
            write(tmp_path / f"{stem}.{suffix}", kubectl_list(wire[kind]))
        elif shape == "typed":
            write(tmp_path / f"{stem}.{suffix}", typed_list(kind, wire[kind]))
        elif shape == "single":
            for number, item in enumerate(wire[kind]):
                write(tmp_path / kind / f"{number}.{suffix}", item)
    if shape == "together":
        write(tmp_path / f"all.{suffix}", kubectl_list([item for kind in KUBERNETES for item in wire[kind]]))
    store, expected = stored(tmp_path), of_demo("faulty")
    for kind in KUBERNETES:
        assert rows(store, kind) == rows(expected, kind), kind


def test_several_yaml_documents_in_one_file(tmp_path: Path) -> None:
    """Documents between --- are objects each, and an empty one is nothing."""
    services = demo.wire("healthy")["Service"]
    (tmp_path / "everything.yaml").write_text("---\n" + yaml.safe_dump_all(services, explicit_start=True) + "---\n")
    assert rows(stored(tmp_path), "Service") == rows(of_demo(), "Service")


@pytest.mark.parametrize("shape", ["nested", "flattened"])
@pytest.mark.parametrize("envelope", ["array", "value", "single"])
def test_az_flattened_and_arm_nested_are_equal(tmp_path: Path, shape: str, envelope: str) -> None:
    """``properties`` lifted by az or left as ARM sends it, as an array, under ``value`` or alone: equal structs."""
    for kind in AZURE:
        documents = [item if shape == "nested" else flattened(item) for item in demo.wire("healthy")[kind]]
        if envelope == "single":
            for number, document in enumerate(documents):
                write(tmp_path / f"show-{kind}-{number}.json", document)
        else:
            write(tmp_path / f"az-{kind}.json", documents if envelope == "array" else {"value": documents})
    store, expected = stored(tmp_path), of_demo()
    for kind in AZURE:
        assert rows(store, kind) == rows(expected, kind), kind


def test_interfaces_of_scale_sets_are_interfaces(tmp_path: Path) -> None:
    """``az vmss nic list`` gives no type, and ids under Microsoft.Compute in whatever letter case."""
    ident = f"{ARM}/microsoft.Compute/virtualMachineScaleSets/pool/virtualMachines/0/networkInterfaces/pool"
    write(tmp_path / "x.json", [{"id": ident, "name": "pool", "ipConfigurations": []}])
    assert list(rows(stored(tmp_path), "networkInterfaces")) == [ident.lower()]


def test_an_id_that_ends_in_a_slash_is_that_of_the_same_object(tmp_path: Path) -> None:
    """Of every kind of Azure's: it is recognised, has the id without the slash, and is found in its file again."""
    wire = demo.wire("healthy")
    for kind in AZURE:
        documents = [{name: value for name, value in item.items() if name != "type"} for item in wire[kind]]
        write(tmp_path / f"{kind}.json", [{**item, "id": f"{item['id']}/"} for item in documents])
    capture, expected = open_capture(tmp_path), of_demo()
    for kind in AZURE:
        assert capture.objects.get(kind, {}).keys() == rows(expected, kind).keys(), kind
        for ident in rows(expected, kind):
            assert capture.get_raw(kind, ident) is not None, ident


def test_usages_in_a_file_of_their_own_reach_their_network(tmp_path: Path) -> None:
    """``az network vnet list-usage`` is joined to the virtual network, whichever file is read first."""
    vnet = demo.wire("healthy")["virtualNetworks"][0]
    usages = vnet["properties"].pop("usages")
    write(tmp_path / "a-usage.json", usages)
    write(tmp_path / "b-vnet.json", vnet)
    expected = of_demo().virtual_networks.get(vnet["id"].lower())
    assert expected is not None
    assert rows(stored(tmp_path), "virtualNetworks") == {expected.id: expected}


def test_cluster_info_dump_in_a_folder(tmp_path: Path) -> None:
    """A folder for each namespace with typed lists, empty ones included, and logs beside them."""
    wire = demo.wire("healthy")
    write(tmp_path / "nodes.json", typed_list("Node", wire["Node"]))
    for namespace in ("shop", "payments", "default"):
        for kind in ("Pod", "Service"):
            items = [item for item in wire[kind] if item["metadata"]["namespace"] == namespace]
            write(tmp_path / namespace / f"{kind.lower()}s.json", typed_list(kind, items))
        write(tmp_path / namespace / "events.json", typed_list("Event", []))
    (tmp_path / "shop" / "logs.txt").write_text("{ this is a log")
    store = stored(tmp_path)
    assert {pod.namespace for pod in store.pods} == {"shop", "payments"}
    assert len(store.nodes) == len(wire["Node"])
    assert store.events.access().complete


def test_cluster_info_dump_on_the_standard_output(tmp_path: Path) -> None:
    """JSON documents one after the other with logs between them."""
    wire = demo.wire("healthy")
    name = "logs for container web of pod shop/web ====\n"
    log = f"==== START {name}{{ not JSON\n==== END {name}"
    parts = [json.dumps(typed_list("Node", wire["Node"]), indent=4), json.dumps(typed_list("Pod", wire["Pod"])), log]
    (tmp_path / "dump.txt").write_text("\n".join([*parts, json.dumps(typed_list("Service", wire["Service"]))]))
    store = stored(tmp_path / "dump.txt")
    assert rows(store, "Pod") == rows(of_demo(), "Pod")
    assert rows(store, "Service") == rows(of_demo(), "Service")


def test_a_kind_that_no_file_speaks_of_is_not_readable(tmp_path: Path) -> None:
    """Silence is never "none": required kinds are unread, kinds that come with a CRD are not installed."""
    write(tmp_path / "svc.yaml", kubectl_list(demo.wire("healthy")["Service"]))
    store = stored(tmp_path)
    assert store.services.access().reading is Reading.LIVE
    assert store.network_policies.access().reading is Reading.UNREAD
    assert not store.network_policies.access().complete
    assert store.security_groups.access().reading is Reading.UNREAD
    assert store.http_routes.access().reading is Reading.ABSENT
    assert store.http_routes.access().complete


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        (
            "networkpolicies.yaml",
            "apiVersion: v1\nitems: []\nkind: List\nmetadata:\n  resourceVersion: ''\n",
            "NetworkPolicy",
        ),
        ("k8s-pods.json", '{"apiVersion": "v1", "items": [], "kind": "List", "metadata": {}}', "Pod"),
        ("az-network-nsg-list.json", "[]", "networkSecurityGroups"),
        ("az-network-vnet-list.json", '{"value": []}', "virtualNetworks"),
        ("anything.json", '{"apiVersion": "v1", "kind": "ServiceList", "metadata": {}, "items": null}', "Service"),
        ("az-network-lb-list.yaml", "[]\n", "loadBalancers"),
    ],
)
def test_an_empty_list_says_that_there_are_none_of_what_its_name_says(
    tmp_path: Path, name: str, content: str, kind: str
) -> None:
    """An empty list has no object to tell its kind: the file's name does, or the typed list itself."""
    (tmp_path / name).write_text(content)
    store = stored(tmp_path)
    assert store.tables[kind].access().complete
    assert len(store.tables[kind]) == 0


@pytest.mark.parametrize(
    ("stem", "kind"),
    [
        ("networkpolicies", "NetworkPolicy"),
        ("network-policies", "NetworkPolicy"),
        ("k8s-pods", "Pod"),
        ("kubectl_get_svc_all", "Service"),
        ("shop-ingresses", "Ingress"),
        ("ingress-classes", "IngressClass"),
        ("ingressclasses", "IngressClass"),
        ("endpointslices", "EndpointSlice"),
        ("endpoint-slices", "EndpointSlice"),
        ("HTTPRoutes", "HTTPRoute"),
        ("httproutes.gateway.networking.k8s.io", "HTTPRoute"),
        ("gateway.networking.k8s.io_httproutes", None),
        ("gateways.networking.istio.io", "IstioGateway"),
        ("referencegrants", "ReferenceGrant"),
        ("ciliumnetworkpolicies", "CiliumNetworkPolicy"),
        ("az-network-nsg-list", "networkSecurityGroups"),
        ("az-network-public-ip-list", "publicIPAddresses"),
        ("az-network-route-table-list", "routeTables"),
        ("networkSecurityGroups", "networkSecurityGroups"),
        ("az-aks-list", "managedClusters"),
        ("az-network-vnet-subnet-list", None),
        ("az-network-nsg-rule-list", None),
        ("az-network-route-table-route-list", None),
        ("service-accounts", None),
        ("serviceaccounts", None),
        ("virtual-services", "VirtualService"),
        ("cilium-nodes", None),
        ("pod-disruption-budgets", None),
        ("global-network-policies", "GlobalNetworkPolicy"),
        ("networkpolicies.crd.projectcalico.org", "CalicoNetworkPolicy"),
        ("networkpolicies.projectcalico.org", "CalicoNetworkPolicy"),
        ("tiers.projectcalico.org", "Tier"),
        ("all", None),
        ("", None),
    ],
)
def test_what_a_files_name_says(stem: str, kind: str | None) -> None:
    """Only a name that leaves no doubt says of what an empty list has none."""
    assert kind_of_file(stem) == kind


def test_what_a_document_says_of_itself() -> None:
    """API groups tell kinds of one name apart, and ARM ids go before everything."""
    assert kind_of_kubernetes("Service", "v1") == "Service"
    assert kind_of_kubernetes("Service", "serving.knative.dev/v1") is None
    assert kind_of_kubernetes("Gateway", "networking.istio.io/v1") == "IstioGateway"
    assert kind_of_kubernetes("Gateway", "example.com/v1") is None
    assert kind_of_kubernetes("Gateway", "gateway.networking.k8s.io/v1beta1") == "Gateway"
    assert kind_of_kubernetes("NetworkPolicy", "crd.projectcalico.org/v1") == "CalicoNetworkPolicy"
    assert kind_of_kubernetes("NetworkPolicy", "projectcalico.org/v3") == "CalicoNetworkPolicy"
    assert kind_of_kubernetes("NetworkPolicy", "networking.k8s.io/v1") == "NetworkPolicy"
    assert kind_of_kubernetes("StagedNetworkPolicy", "projectcalico.org/v3") is None
    assert kind_of_kubernetes("Event", "events.k8s.io/v1") == "Event"
    assert kind_of_arm({"type": "Microsoft.ContainerService/ManagedClusters"}) == "managedClusters"
    assert kind_of_arm({"id": f"{ARM}/Microsoft.Network/virtualNetworks/v/subnets/s"}) is None
    assert kind_of_arm({"id": f"{ARM}/microsoft.network/virtualnetworks/v"}) == "virtualNetworks"


def test_assume_none_says_by_hand_that_there_are_none(tmp_path: Path) -> None:
    """A kind that is assumed away is complete and empty; one that a file speaks of is not touched by it."""
    write(tmp_path / "svc.yaml", kubectl_list(demo.wire("healthy")["Service"]))
    store = stored(tmp_path, "netpol", "nsg", "svc")
    assert store.network_policies.access().complete
    assert store.security_groups.access().complete
    assert len(store.services) > 0
    with pytest.raises(LookupError, match="there is no kind 'nothing'"):
        open_capture(tmp_path, ["nothing"])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("svc.json", '{\n "kind": "Service",\n "metadata": {,}\n}', "svc.json, line 3: not JSON"),
        ("svc.json", '{"kind": "Service", "metadata"', "svc.json, line 1: not JSON"),
        ("svc.yaml", "kind: Service\nmetadata:\n  name: [web\nspec: {}\n", "svc.yaml, line 4: not YAML"),
        ("svc.yaml", "kind: Service\n\tmetadata: x\n", "svc.yaml, line 2: not YAML"),
        ("svc.yaml", "", "svc.yaml: it is empty"),
        ("svc.json", "No resources found", "svc.json, line 1: not JSON"),
        ("svc.json", "\x00\x01\x02", "svc.json, line 1: not JSON"),
        ("svc.yaml", "a: \x1b[31m\n", "svc.yaml: not YAML"),
        pytest.param("svc.json", "[" * 100_000, "svc.json: not JSON", id="deep"),
        pytest.param("svc.yaml", "[" * 100_000, "svc.yaml, line 1: not YAML", id="deep-flow"),
        pytest.param("svc.yaml", "a: " + "{a: " * 100_000, "svc.yaml, line 1: not YAML", id="deep-map"),
        pytest.param("svc.yaml", "- " * 100_000 + "x", "svc.yaml, line 1: not YAML", id="deep-sequence"),
        pytest.param("svc.yaml", "? " * 100_000 + "x", "svc.yaml, line 1: not YAML", id="deep-keys"),
        pytest.param(
            "svc.yaml", "\n".join(f"{' ' * n}a:" for n in range(3_000)), "svc.yaml, line 501: not YAML", id="deep-block"
        ),
    ],
)
def test_a_file_that_cannot_be_parsed_is_one_clear_line(tmp_path: Path, name: str, content: str, said: str) -> None:
    """File, line and reason, for a file alone and in a folder: nothing is passed over in silence."""
    write(tmp_path / "pods.json", kubectl_list(demo.wire("healthy")["Pod"]))
    (tmp_path / name).write_text(content)
    for path in (tmp_path, tmp_path / name):
        with pytest.raises(CaptureError) as raised:
            open_capture(path)
        assert said in str(raised.value)
        assert "\n" not in str(raised.value)


def test_a_path_that_is_not_there_and_a_folder_without_files(tmp_path: Path) -> None:
    """Nothing to read is an error that says so."""
    with pytest.raises(CaptureError, match="no such file or folder"):
        open_capture(tmp_path / "gone")
    with pytest.raises(CaptureError, match=r"no \.yaml, \.yml or \.json file"):
        open_capture(tmp_path)
    (tmp_path / "values.yaml").write_text("replicas: 3\n")
    with pytest.raises(CaptureError, match="holds nothing that aksnav knows"):
        open_capture(tmp_path)


def test_an_object_that_cannot_be_decoded_does_not_stop_the_others(tmp_path: Path) -> None:
    """It is named with its field, and its neighbours are there."""
    pods = [
        *demo.wire("healthy")["Pod"],
        {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": 7, "namespace": "x"}},
    ]
    services = demo.wire("healthy")["Service"]
    broken: Json = {"kind": "Service", "apiVersion": "v1", "metadata": {"name": "bad", "namespace": "shop"}}
    write(tmp_path / "pods.json", kubectl_list(pods))
    write(tmp_path / "svc.yaml", kubectl_list([*services, broken | {"spec": {"ports": "none"}}]))
    store = stored(tmp_path)
    assert rows(store, "Pod") == rows(of_demo(), "Pod")
    assert rows(store, "Service") == rows(of_demo(), "Service")
    assert "ports" in store.services.undecodable["shop/bad"]
    assert list(store.pods.undecodable) == ["x/7"]


def test_of_a_secret_only_name_type_and_key_names_are_taken(tmp_path: Path) -> None:
    """Data, annotations and what kubectl applied last stay in the file."""
    applied = {"kubectl.kubernetes.io/last-applied-configuration": '{"data": {"tls.key": "c2VjcmV0"}}'}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "shop-tls", "namespace": "shop", "annotations": applied},
        "type": "kubernetes.io/tls",
        "data": {"tls.key": "c2VjcmV0", "tls.crt": "Y2VydA=="},
    }
    write(tmp_path / "secrets.json", kubectl_list([secret]))
    capture = open_capture(tmp_path)
    found = capture.objects["Secret"]["shop/shop-tls"]
    assert isinstance(found, Secret)
    assert found.keys == ("tls.crt", "tls.key")
    assert b"c2VjcmV0" not in msgspec.json.encode(found, enc_hook=dict)
    assert b"c2VjcmV0" not in (capture.get_raw("Secret", "shop/shop-tls") or b"c2VjcmV0")


HOSTILE = "\x1b]0;owned\x07[red]\u202e</x>\u2028{{7*7}}\u200b"


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_hostile_text_comes_through_unchanged(tmp_path: Path, suffix: str) -> None:
    """What others wrote is kept to the character; making it harmless is the screen's work."""
    service = demo.wire("healthy")["Service"][0]
    service["metadata"]["annotations"] = {"note": HOSTILE}
    write(tmp_path / f"svc.{suffix}", service)
    (found,) = stored(tmp_path).services
    assert found.annotations["note"] == HOSTILE


def test_times_stay_text(tmp_path: Path) -> None:
    """An unquoted YAML timestamp is the text that Kubernetes sent, not a date."""
    (tmp_path / "ns.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n  creationTimestamp: 2026-09-01T08:12:30Z\n"
    )
    (found,) = stored(tmp_path).namespaces
    assert found.created == "2026-09-01T08:12:30Z"


def test_powershells_utf16_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    """Files that ``>`` of PowerShell wrote are read like any other."""
    text = json.dumps(kubectl_list(demo.wire("healthy")["Service"]))
    (tmp_path / "svc.json").write_bytes(text.encode("utf-16"))
    (tmp_path / "pods.json").write_bytes(
        b"\xef\xbb\xbf" + json.dumps(kubectl_list(demo.wire("healthy")["Pod"])).encode()
    )
    store = stored(tmp_path)
    assert rows(store, "Service") == rows(of_demo(), "Service")
    assert rows(store, "Pod") == rows(of_demo(), "Pod")


def test_anchors_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    """A document of a few lines that would fill the memory, or contains itself, is an error."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    for text in ("\n".join(lines), "kind: &x\n  self: *x\n"):
        (tmp_path / "bomb.yaml").write_text(text)
        with pytest.raises(CaptureError, match=r"bomb\.yaml: its anchors make it too large"):
            open_capture(tmp_path)


def test_the_wire_form_of_an_object_is_found_in_its_file_again(tmp_path: Path) -> None:
    """Out of a List, a typed list, or an ARM array, each by its id; kinds of one name are told apart."""
    wire = demo.wire("healthy")
    write(tmp_path / "svc.yaml", kubectl_list(wire["Service"]))
    write(tmp_path / "ing.json", typed_list("Ingress", wire["Ingress"]))
    write(tmp_path / "nsg.json", [flattened(item) for item in wire["networkSecurityGroups"]])
    capture = open_capture(tmp_path)
    service = msgspec.json.decode(capture.get_raw("Service", "shop/web") or b"")
    assert service["spec"]["clusterIP"] == "10.0.64.10"
    ingress = msgspec.json.decode(capture.get_raw("Ingress", "shop/shop") or b"")
    assert ingress["kind"] == "Ingress"
    group = wire["networkSecurityGroups"][0]["id"]
    found = msgspec.json.decode(capture.get_raw("networkSecurityGroups", group.lower()) or b"")
    assert found["id"] == group
    assert capture.get_raw("Service", "shop/nothing") is None
