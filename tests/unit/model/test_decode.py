"""From wire bytes to objects: whole, null, absent and unknown fields of every kind, and what cannot be decoded."""

import json
from typing import Any

import pytest

from aksnav.model.decode import decode_object, decode_page, decode_wire
from aksnav.model.kinds import KINDS, KUBERNETES_KINDS, Kind
from aksnav.model.object import Undecodable

Json = dict[str, Any]
META = {"name": "a", "namespace": "ns", "uid": "u", "resourceVersion": "7", "creationTimestamp": "2026-01-01T00:00:00Z"}
ARM_ID = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Network/loadBalancers/LB"


def bare(kind: Kind) -> Json:
    """Return the smallest object of a kind."""
    if kind.azure:
        return {"id": ARM_ID.replace("loadBalancers", kind.name), "name": "LB"}
    return {"metadata": {"name": "a", **({"namespace": "ns"} if kind.namespaced else {})}}


def decoded(kind: str, wire: Json) -> Any:
    return decode_object(KINDS[kind], json.dumps(wire).encode())


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_an_object_without_anything_but_its_name_is_decoded(kind: Kind) -> None:
    """Absent spec, status and properties are defaults, for every kind."""
    made = decode_wire(kind, bare(kind))
    assert made.id == (ARM_ID.replace("loadBalancers", kind.name).lower() if kind.azure else made.id)
    assert made.id in {"a", "ns/a"} or kind.azure
    assert isinstance(made, kind.struct)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_null_is_the_same_as_absent(kind: Kind) -> None:
    """Kubernetes API conventions: a null field is an absent one; ARM sends null for what is not set."""
    wire = bare(kind)
    nulls = dict.fromkeys(("spec", "status", "properties", "labels", "rules", "ports", "endpoints", "type"))
    null = {**nulls, **wire}
    if not kind.azure:
        null["metadata"] = {**wire["metadata"], "labels": None, "annotations": None, "ownerReferences": None}
    assert decode_wire(kind, null) == decode_wire(kind, wire)


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_fields_of_a_later_version_are_passed_over(kind: Kind) -> None:
    """Unknown fields at every place change nothing."""
    new = {"later": {"deep": [1, {"x": None}]}}
    wire = bare(kind)
    plain = decode_wire(kind, {**wire, "properties": {}} if kind.azure else {**wire, "spec": {}, "status": {}})
    more = {**wire, **new, "properties": new} if kind.azure else {**wire, **new, "spec": new, "status": new}
    if kind.name.startswith("Cilium") or kind.name in {"NetworkPolicy", "CalicoNetworkPolicy", "GlobalNetworkPolicy"}:
        more.pop("spec")  # kept as it came, or by name, to be judged by what knows it
    assert decode_wire(kind, more) == plain


@pytest.mark.parametrize("kind", KUBERNETES_KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("metadata", [None, {}, {"name": ""}, {"name": None}, {"name": 7}, "x", [], 3])
def test_an_object_without_a_name_is_none(kind: Kind, metadata: Any) -> None:
    """What has no name cannot be shown, linked or asked for: it is undecodable, and says why."""
    with pytest.raises(Undecodable) as caught:
        decoded(kind.name, {"metadata": metadata})
    assert caught.value.kind == kind.name
    assert caught.value.reason


WRONG: list[tuple[str, Json, str]] = [
    ("Service", {"spec": []}, "$.spec"),
    ("Service", {"spec": {"clusterIP": 5}}, "clusterIP"),
    ("Service", {"spec": {"ports": [{"port": "http"}]}}, "ports[0].port"),
    ("Service", {"spec": {"selector": {"app": 5}}}, "selector"),
    ("Service", {"spec": {"ports": {}}}, "ports"),
    ("Node", {"status": "up"}, "$.status"),
    ("Node", {"status": {"addresses": ["10.0.0.4"]}}, "$.status.addresses"),
    ("Node", {"status": {"addresses": {}}}, "$.status.addresses"),
    ("Node", {"status": {"conditions": [{"status": "True"}]}}, "conditions[0]"),
    ("Node", {"status": {"nodeInfo": []}}, "$.status.nodeInfo"),
    ("EndpointSlice", {"endpoints": [{"addresses": "10.0.0.4"}]}, "endpoints[0].addresses"),
    ("EndpointSlice", {"endpoints": [{"conditions": {"ready": "true"}}]}, "endpoints[0].conditions.ready"),
    ("Ingress", {"spec": {"rules": [{"http": []}]}}, "rules[0].http"),
    ("NetworkPolicy", {"spec": {"ingress": [{"from": [{"ipBlock": "10.0.0.0/8"}]}]}}, "ipBlock"),
    ("NetworkPolicy", {"spec": {"podSelector": {"matchLabels": ["x"]}}}, "matchLabels"),
    ("HTTPRoute", {"spec": {"rules": [{"backendRefs": [{"port": 80}]}]}}, "backendRefs[0]"),
    ("Gateway", {"spec": {"listeners": [{"name": "x", "port": "80", "protocol": "HTTP"}]}}, "listeners[0].port"),
    ("ReferenceGrant", {"spec": {"from": [{"kind": "HTTPRoute"}]}}, "from[0]"),
    ("CiliumNetworkPolicy", {"spec": []}, "$.spec"),
    ("CiliumNetworkPolicy", {"specs": {}}, "$.specs"),
    ("CiliumNetworkPolicy", {"specs": ["x"]}, "rules[0]"),
    ("Event", {"involvedObject": "Pod x"}, "$.involvedObject"),
    ("Pod", {"spec": {"containers": [{"ports": [{"containerPort": "http"}]}]}}, "containers[0].ports[0].containerPort"),
    ("Pod", {"status": {"podIPs": "10.0.0.1"}}, "podIPs"),
]


@pytest.mark.parametrize(("kind", "part", "path"), WRONG)
def test_a_wrong_type_is_named_with_its_object_and_field(kind: str, part: Json, path: str) -> None:
    """An object of an unexpected shape is undecodable: kind, name and field are told, and no other error gets out."""
    wire = {"metadata": {"name": "a", "namespace": "ns"}, **part}
    with pytest.raises(Undecodable) as caught:
        decoded(kind, wire)
    assert caught.value.id == "ns/a"
    assert path in caught.value.reason


@pytest.mark.parametrize("labels", [{"a": 1}, {"a": None, "b": []}, ["a"], "a=b"])
@pytest.mark.parametrize("kind", ["Pod", "Service", "Namespace"])
def test_labels_that_are_no_strings_are_undecodable(kind: str, labels: Any) -> None:
    """Labels of any other shape take the object out, not the program down."""
    with pytest.raises(Undecodable) as caught:
        decoded(kind, {"metadata": {"name": "a", "labels": labels}})
    assert caught.value.id == "a"


@pytest.mark.parametrize("kind", ["Pod", "Service", "EndpointSlice", "HTTPRoute"])
@pytest.mark.parametrize("bad", [{"labels": {"x": 5}}, {"name": ""}, {"name": 5}])
def test_one_malformed_object_leaves_the_rest_of_its_page(kind: str, bad: Json) -> None:
    """The page is read with its token and version; what cannot be decoded is counted by name."""
    items = [{"metadata": {**META, "name": "a"}}, {"metadata": {**META, "name": "b", **bad}}, {"metadata": {**META}}]
    body = {"metadata": {"resourceVersion": "99", "continue": "token"}, "items": items}
    page = decode_page(KINDS[kind], json.dumps(body).encode())
    assert [item.id for item in page.objects] == ["ns/a", "ns/a"]
    assert [item.kind for item in page.undecodable] == [kind]
    assert (page.resource_version, page.continue_token) == ("99", "token")


@pytest.mark.parametrize("kind", ["Pod", "Service"])
def test_items_null_is_an_empty_page_and_no_list_is_an_error(kind: str) -> None:
    """A list of nothing may say null; a Status object or broken JSON is no list."""
    empty = decode_page(KINDS[kind], b'{"metadata":{"resourceVersion":"3","continue":null},"items":null}')
    assert (empty.objects, empty.undecodable, empty.continue_token) == ([], [], "")
    for body in (b"[]", b'{"metadata":', b"\xff\xfe", b'{"kind":"Status"}', b""):
        with pytest.raises(Undecodable, match="not a list"):
            decode_page(KINDS[kind], body)


@pytest.mark.parametrize("kind", ["Pod", "HTTPRoute", "Service", "loadBalancers"])
def test_json_nested_without_end_is_undecodable(kind: str) -> None:
    """An object with more levels than the interpreter's stack has is set aside like any other malformed one."""
    deep = b'{"metadata":{"name":"a","namespace":"ns"},"id":"/x","spec":{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}}"
    with pytest.raises(Undecodable):
        decode_object(KINDS[kind], deep)


def test_bad_text_in_a_document_is_undecodable() -> None:
    """Bytes that are no UTF-8, and documents that end early."""
    for kind in ("Pod", "Service"):
        for raw in (b'{"metadata":{"name":"\xff"}}', b'{"metadata":', b"", b"null", b"7"):
            with pytest.raises(Undecodable):
                decode_object(KINDS[kind], raw)
