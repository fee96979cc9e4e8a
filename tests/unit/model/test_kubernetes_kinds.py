"""What each Kubernetes kind keeps of a full object, with the defaults that the API documents."""

import json
from typing import Any

import pytest

from aksnav.model.decode import decode_object
from aksnav.model.kinds import KINDS

Json = dict[str, Any]


def made(kind: str, **parts: Any) -> Any:
    metadata = {"name": "a", "namespace": "ns", **parts.pop("metadata", {})}
    return decode_object(KINDS[kind], json.dumps({"metadata": metadata, **parts}).encode())


def test_metadata_is_kept_without_the_last_applied_configuration() -> None:
    """Kubectl's annotation is as large as the object, and says nothing that the object does not."""
    metadata = {
        "uid": "u",
        "resourceVersion": "5",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "deletionTimestamp": "2026-01-02T00:00:00Z",
        "labels": {"a": "b"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "k": "v"},
    }
    service = made("Service", metadata=metadata, spec={})
    assert (service.uid, service.resource_version, service.generation) == ("u", "5", 3)
    assert service.deleting
    assert dict(service.labels) == {"a": "b"}
    assert service.annotations == {"k": "v"}
    assert not made("Service", metadata={"deletionTimestamp": None}).deleting


def test_a_service_keeps_every_field_that_decides() -> None:
    """A LoadBalancer Service with two families and everything set."""
    service = made(
        "Service",
        spec={
            "type": "LoadBalancer",
            "clusterIP": "10.0.0.1",
            "clusterIPs": ["10.0.0.1", "fd00::1"],
            "ipFamilies": ["IPv4", "IPv6"],
            "ports": [{"name": "https", "port": 443, "targetPort": "web", "nodePort": 30443, "appProtocol": "https"}],
            "selector": {"app": "x"},
            "externalTrafficPolicy": "Local",
            "internalTrafficPolicy": "Cluster",
            "allocateLoadBalancerNodePorts": False,
            "loadBalancerSourceRanges": ["10.0.0.0/8"],
            "externalIPs": ["20.0.0.2"],
            "trafficDistribution": "PreferClose",
            "healthCheckNodePort": 32000,
        },
        status={"loadBalancer": {"ingress": [{"ip": "20.0.0.1", "ipMode": "Proxy"}, {"hostname": "x.example"}]}},
    )
    assert service.virtual_ips == ("10.0.0.1", "fd00::1")
    assert service.external_addresses == ("20.0.0.1", "20.0.0.2")
    assert service.ingress_points[0].ip_mode == "Proxy"
    assert service.ports[0].target == "web"
    assert not service.allocate_load_balancer_node_ports
    assert service.traffic_distribution == "PreferClose"
    assert not service.headless


def test_defaults_of_a_service() -> None:
    """core/v1: targetPort is port, protocol TCP, node ports are allocated; no selector is not an empty one."""
    service = made(
        "Service", spec={"ports": [{"port": 80}], "clusterIP": "None", "allocateLoadBalancerNodePorts": None}
    )
    assert service.ports[0].target == 80
    assert service.ports[0].protocol == "TCP"
    assert service.selector is None
    assert made("Service", spec={"selector": {}}).selector == {}
    assert service.allocate_load_balancer_node_ports
    assert service.headless
    assert service.virtual_ips == ()


def test_a_target_port_of_digits_in_a_string_is_a_name() -> None:
    """IntOrString: a string is the name of a container port, even if the API server would refuse this one."""
    assert made("Service", spec={"ports": [{"port": 80, "targetPort": "8080"}]}).ports[0].target == "8080"
    assert made("Service", spec={"ports": [{"port": 80, "targetPort": 8080}]}).ports[0].target == 8080


@pytest.mark.parametrize(("ports", "kept"), [(None, None), ([], ()), ("absent", None)])
def test_ports_of_a_slice_that_are_absent_are_not_an_empty_list(ports: Any, kept: Any) -> None:
    """discovery/v1: without ports a slice serves no port; a port without a number is every port."""
    parts = {} if ports == "absent" else {"ports": ports}
    assert made("EndpointSlice", addressType="IPv4", endpoints=[], **parts).ports == kept
    assert made("EndpointSlice", ports=[{"port": None}]).ports[0].port is None


@pytest.mark.parametrize(
    ("conditions", "ready", "fallback"),
    [
        ({}, True, False),
        ({"ready": None}, True, False),
        ({"ready": True}, True, False),
        ({"ready": False}, False, False),
        ({"ready": False, "serving": True, "terminating": True}, False, True),
        ({"ready": False, "terminating": True}, False, True),
        ({"ready": False, "serving": False, "terminating": True}, False, False),
    ],
)
def test_conditions_of_an_endpoint(conditions: Json, ready: bool, fallback: bool) -> None:
    """discovery/v1 EndpointConditions: unknown readiness is ready; what serves while it ends is the fallback."""
    piece = made("EndpointSlice", endpoints=[{"addresses": ["10.0.0.4"], "conditions": conditions}])
    assert (piece.endpoints[0].ready, piece.endpoints[0].serving_while_terminating) == (ready, fallback)


def test_a_slice_belongs_to_the_service_of_its_label() -> None:
    """The name of a slice says nothing; without the label it belongs to none."""
    piece = made("EndpointSlice", metadata={"labels": {"kubernetes.io/service-name": "web"}}, endpoints=None)
    assert (piece.service, piece.endpoints) == ("web", ())
    assert made("EndpointSlice").service == ""


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ({}, ("Ingress",)),
        ({"policyTypes": None, "egress": [{}]}, ("Ingress", "Egress")),
        ({"policyTypes": [], "egress": []}, ("Ingress",)),
        ({"policyTypes": ["Egress"], "ingress": [{}]}, ("Egress",)),
        ({"policyTypes": ["Ingress"], "egress": [{}]}, ("Ingress",)),
    ],
)
def test_directions_that_a_policy_isolates(spec: Json, types: tuple[str, ...]) -> None:
    """networking/v1: without policyTypes Ingress always, and Egress if there are egress rules."""
    assert made("NetworkPolicy", spec=spec).types == types


def test_peers_and_ports_of_a_policy_keep_absence_apart_from_emptiness() -> None:
    """An absent selector is not one that selects everything; an absent protocol is TCP, an absent port every port."""
    rule = {
        "from": [{"podSelector": {}}, {"ipBlock": {"cidr": "10.0.0.0/8", "except": None}}],
        "ports": [{"port": None}],
    }
    peers = made("NetworkPolicy", spec={"podSelector": None, "ingress": [rule]}).ingress[0]
    assert peers.peers[0].pod_selector is not None
    assert peers.peers[0].namespace_selector is None
    assert peers.peers[1].ip_block.exceptions == ()
    assert (peers.ports[0].protocol, peers.ports[0].port) == ("TCP", None)
    assert made("NetworkPolicy", spec={"ingress": [{"ports": [{"port": "web"}]}]}).ingress[0].ports[0].port == "web"


def test_an_ingress_path_without_a_type_is_implementation_specific() -> None:
    """A null pathType, an absent http section and a backend that is a resource."""
    paths = [
        {"path": None, "pathType": None, "backend": {"resource": {"kind": "Bucket", "name": "b", "apiGroup": "x"}}}
    ]
    ingress = made("Ingress", spec={"rules": [{"host": "a.example", "http": {"paths": paths}}, {"http": None}]})
    path = ingress.rules[0].http.paths[0]
    assert (path.path, path.path_type) == ("", "ImplementationSpecific")
    assert path.backend.service is None
    assert path.backend.resource.kind == "Bucket"
    assert ingress.rules[1].http.paths == ()
    assert ingress.ingress_class_name is None


def test_defaults_of_gateways_and_routes() -> None:
    """Gateway API: routes of the same namespace, weight 1, kind Service, a path prefix of /."""
    gateway = made("Gateway", spec={"listeners": [{"name": "http", "port": 80, "protocol": "HTTP", "hostname": None}]})
    assert gateway.listeners[0].allowed_routes.namespaces.from_ == "Same"
    route = made(
        "HTTPRoute",
        spec={"parentRefs": [{"name": "web"}], "rules": [{"backendRefs": [{"name": "x"}, {"name": "y", "weight": 0}]}]},
    )
    first, second = route.rules[0].backend_refs
    assert (first.kind, first.weight, first.namespace, second.weight) == ("Service", 1, None, 0)
    match = made("HTTPRoute", spec={"rules": [{"matches": [{}]}]}).rules[0].matches[0]
    assert (match.path.type, match.path.value) == ("PathPrefix", "/")


@pytest.mark.parametrize(
    ("conditions", "ready"),
    [
        ([{"type": "Ready", "status": "True"}], True),
        ([{"type": "Ready", "status": "False"}], False),
        ([{"type": "Ready", "status": "Unknown"}], None),
        ([{"type": "Ready"}], None),
        ([{"type": "DiskPressure", "status": "True"}], None),
        (None, None),
    ],
)
def test_readiness_of_a_node(conditions: Any, ready: bool | None) -> None:
    """Unknown, or absent, is not ready and not unready: nobody knows."""
    assert made("Node", status={"conditions": conditions}).ready is ready


def test_a_node_keeps_its_addresses_in_order() -> None:
    """Internal addresses, primary first; the older field for one Pod CIDR; the pool by either label."""
    addresses = [
        {"type": "InternalIP", "address": "10.0.0.4"},
        {"type": "Hostname", "address": "n"},
        {"type": "InternalIP", "address": "fd00::4"},
    ]
    node = made(
        "Node",
        metadata={"labels": {"agentpool": "np", "topology.kubernetes.io/zone": "z1"}},
        spec={"podCIDR": "10.244.0.0/24", "providerID": "azure:///subscriptions/S"},
        status={"addresses": addresses, "allocatable": {"pods": "110"}},
    )
    assert node.internal_ips == ("10.0.0.4", "fd00::4")
    assert (node.pod_cidrs, node.allocatable_pods, node.pool, node.zone) == (("10.244.0.0/24",), 110, "np", "z1")
    assert made("Node", status={"allocatable": {"pods": 30}}).allocatable_pods == 30
    assert made("Node", status={"allocatable": {"pods": "many"}}).allocatable_pods == 0


def test_events_of_both_apis_say_the_same() -> None:
    """core/v1 and events.k8s.io/v1 name fields differently; the newer one keeps the old ones as deprecated."""
    core = made(
        "Event",
        involvedObject={"kind": "Pod", "namespace": "ns", "name": "p", "uid": "u"},
        reason="BackOff",
        message="again",
        type="Warning",
        count=3,
        lastTimestamp="2026-01-01T00:00:09Z",
        source={"component": "kubelet"},
    )
    newer = made(
        "Event",
        regarding={"kind": "Pod", "namespace": "ns", "name": "p", "uid": "u"},
        reason="BackOff",
        note="again",
        type="Warning",
        deprecatedCount=3,
        deprecatedLastTimestamp="2026-01-01T00:00:09Z",
        deprecatedSource={"component": "kubelet"},
        eventTime=None,
    )
    assert newer == core
    series = made(
        "Event", eventTime="2026-01-01T00:00:01Z", series={"count": 9, "lastObservedTime": "2026-01-01T00:01:00Z"}
    )
    assert (series.count, series.last_seen) == (9, "2026-01-01T00:01:00Z")
    assert made("Event", metadata={"creationTimestamp": "2026-01-01T00:00:05Z"}).last_seen == "2026-01-01T00:00:05Z"


def test_a_cilium_policy_keeps_its_rules_as_they_came() -> None:
    """Spec and specs are one list; an empty list of peers stays apart from none, and null is none."""
    policy = made(
        "CiliumNetworkPolicy",
        spec={"endpointSelector": {}, "ingress": [{"fromEndpoints": []}], "egress": None},
        specs=[{"ingress": [{}]}],
    )
    assert policy.rules == ({"endpointSelector": {}, "ingress": [{"fromEndpoints": []}]}, {"ingress": [{}]})


def test_a_secret_is_its_name_and_the_names_of_its_keys() -> None:
    """Values of a Secret do not get into the object, wherever they stand."""
    secret = made(
        "Secret",
        type="kubernetes.io/tls",
        data={"tls.key": "SECRETKEY", "tls.crt": "x"},
        metadata={"annotations": {"a": "SECRETKEY"}},
    )
    assert secret.keys == ("tls.crt", "tls.key")
    assert secret.exists
    assert "SECRETKEY" not in repr(secret)
    assert made("Secret").keys is None


def test_a_pod_is_flat_and_shares_its_template() -> None:
    """Two Pods of one workload have one template object; addresses, readiness and reason are their own."""
    parts: Json = {
        "spec": {
            "nodeName": "n1",
            "serviceAccountName": "sa",
            "initContainers": [
                {"name": "proxy", "restartPolicy": "Always", "ports": [{"containerPort": 15000}]},
                {"name": "once"},
            ],
            "containers": [
                {
                    "name": "app",
                    "ports": [{"name": "web", "containerPort": 8080}],
                    "readinessProbe": {"httpGet": {"port": "web", "path": "/ok"}},
                }
            ],
        },
    }
    owner = [{"kind": "Node", "name": "x"}, {"kind": "ReplicaSet", "name": "rs", "controller": True}]
    meta = {"labels": {"app": "x"}, "ownerReferences": owner}
    ready = {
        "phase": "Running",
        "podIP": "10.1.0.9",
        "podIPs": [{"ip": "10.1.0.9"}, {"ip": "fd00::9"}],
        "conditions": [{"type": "Ready", "status": "True"}],
    }
    waiting = {
        "phase": "Running",
        "podIP": "10.1.0.8",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
        "containerStatuses": [{"restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}],
    }
    one = made("Pod", metadata=meta, status=ready, **parts)
    two = made("Pod", metadata={**meta, "name": "b"}, status=waiting, **parts)
    assert one.template is two.template
    assert (one.template.owner_kind, one.template.owner_name) == ("ReplicaSet", "rs")
    assert [(port.port, port.sidecar) for port in one.template.ports] == [(15000, True), (8080, False)]
    assert (one.ips, one.ready, one.reason, one.ready_reason) == (("10.1.0.9", "fd00::9"), True, "Running", "")
    assert (two.ips, two.ready, two.reason, two.restarts) == (("10.1.0.8",), False, "CrashLoopBackOff", 4)
    assert two.ready_reason == "ContainersNotReady"


@pytest.mark.parametrize(("port", "kept"), [(8080, 8080), ("8080", 8080), ("web", "web"), ("", "")])
def test_a_probe_on_a_number_in_a_string_asks_that_number(port: Any, kept: Any) -> None:
    """The kubelet looks for a container port of the name, and takes the text for a number where there is none."""
    container = {"name": "app", "readinessProbe": {"tcpSocket": {"port": port}}}
    assert made("Pod", spec={"containers": [container]}).template.probes[0].port == kept


def test_kinds_of_azures_ingress_controllers_keep_what_decides() -> None:
    """NginxIngressController with everything set, and an AzureIngressProhibitedTarget."""
    told = made(
        "NginxIngressController",
        spec={
            "ingressClassName": "public",
            "controllerNamePrefix": "nginx",
            "loadBalancerAnnotations": {"a": "b"},
            "defaultSSLCertificate": {"secret": {"name": "c", "namespace": "tls"}, "forceSSLRedirect": True},
            "defaultBackendService": {"namespace": "shop", "name": "errors"},
            "customHTTPErrors": [404, 503],
            "enableSSLPassthrough": True,
            "scaling": {"minReplicas": 2},
        },
        status={
            "conditions": [{"type": "Available", "status": "True"}],
            "managedResourceRefs": [{"kind": "Service", "name": "nginx", "namespace": "app-routing-system"}],
        },
    )
    assert told.class_name == "public"
    assert told.certificate.secret.id == "tls/c"
    assert told.certificate.force_redirect
    assert told.default_backend.id == "shop/errors"
    assert (told.error_codes, told.passthrough) == ((404, 503), True)
    assert told.status.managed_resource_refs[0].name == "nginx"
    assert made("NginxIngressController", spec={}).class_name == "a"
    target = made("AzureIngressProhibitedTarget", spec={"hostname": "h", "paths": ["/x/*"]})
    assert (target.hostname, target.paths) == ("h", ("/x/*",))
