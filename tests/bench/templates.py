"""Samples of wire-form Kubernetes objects, compiled to byte templates.

A sample is a dictionary as kubectl would print it. In its strings ``@name@`` stands for a value; a string that is
nothing but ``@@name@@`` stands for raw JSON (a number, a boolean, a list). Rendering is one ``bytes %`` operation, so
that 200,000 Pods of 9 KB are made in seconds and not in minutes.
"""

import json
import re
from collections.abc import Mapping
from typing import Any


class Template:
    """One kind of object whose values are filled in by ``render``."""

    def __init__(self, sample: Any) -> None:
        text = json.dumps(sample, separators=(",", ":")).replace("%", "%%")
        text = re.sub(r'"@@(\w+)@@"', r"%(\1)b", text)
        self._format = re.sub(r"@(\w+)@", r"%(\1)b", text).encode()

    def render(self, values: Mapping[bytes, bytes]) -> bytes:
        """The JSON of one object.

        Args:
            values: the values by the names that stand between the marks, already escaped for JSON.
        """
        return self._format % values


def _present(*paths: str) -> dict[str, Any]:
    """The ``fieldsV1`` form of some field paths; ``/`` separates, and a step keeps its ``f:``, ``k:`` or ``v:``."""
    tree: dict[str, Any] = {}
    for path in paths:
        node = tree
        for step in path.split("/"):
            node = node.setdefault(step if step[:2] in ("k:", "v:") or step == "." else f"f:{step}", {})
    return tree


def _container_fields(name: str, ports: list[int]) -> list[str]:
    base = f'spec/containers/k:{{"name":"{name}"}}'
    leaves = [
        "env/.",
        *(f'env/k:{{"name":"{key}"}}/{leaf}' for key in _ENVIRONMENT for leaf in (".", "name", "value")),
        "image",
        "imagePullPolicy",
        *(f"livenessProbe/{leaf}" for leaf in _PROBE_FIELDS),
        "name",
        "ports/.",
        *(
            f'ports/k:{{"containerPort":{port},"protocol":"TCP"}}/{leaf}'
            for port in ports
            for leaf in (".", "containerPort", "name", "protocol")
        ),
        *(f"readinessProbe/{leaf}" for leaf in _PROBE_FIELDS),
        "resources/limits/cpu",
        "resources/limits/memory",
        "resources/requests/cpu",
        "resources/requests/memory",
        "securityContext/allowPrivilegeEscalation",
        "securityContext/readOnlyRootFilesystem",
        *(
            f'volumeMounts/k:{{"mountPath":"{mount}"}}/{leaf}'
            for mount in ("/etc/app", "/var/cache/app")
            for leaf in (".", "mountPath", "name")
        ),
    ]
    return [f"{base}/.", *(f"{base}/{leaf}" for leaf in leaves)]


_ENVIRONMENT = ("APP_ENVIRONMENT", "LOG_LEVEL")
_PROBE_FIELDS = (
    ".",
    "failureThreshold",
    "httpGet/path",
    "httpGet/port",
    "httpGet/scheme",
    "periodSeconds",
    "timeoutSeconds",
)
_CONDITIONS = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


def _managed_pod() -> list[dict[str, Any]]:
    controller = _present(
        "metadata/generateName",
        "metadata/labels/.",
        *(
            f"metadata/labels/{key}"
            for key in ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "tier", "pod-template-hash")
        ),
        "metadata/ownerReferences/.",
        'metadata/ownerReferences/k:{"uid":"@owner_uid@"}',
        *_container_fields("app", [8080, 8443]),
        *_container_fields("metrics", [9102]),
        "spec/dnsPolicy",
        "spec/enableServiceLinks",
        "spec/restartPolicy",
        "spec/schedulerName",
        "spec/securityContext/runAsNonRoot",
        "spec/serviceAccount",
        "spec/serviceAccountName",
        "spec/terminationGracePeriodSeconds",
        'spec/volumes/k:{"name":"config"}/configMap/name',
        'spec/volumes/k:{"name":"cache"}/emptyDir/sizeLimit',
    )
    status = [
        f'status/conditions/k:{{"type":"{kind}"}}/{leaf}'
        for kind in _CONDITIONS[:4]
        for leaf in (".", "lastProbeTime", "lastTransitionTime", "status", "type")
    ]
    kubelet = _present(
        *status,
        "status/containerStatuses",
        "status/hostIP",
        "status/hostIPs",
        "status/phase",
        "status/podIP",
        'status/podIPs/k:{"ip":"@ip@"}/ip',
        "status/startTime",
    )
    common = {"operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    return [
        {"manager": "kube-controller-manager", **common, "time": "@created@", "fieldsV1": controller},
        {"manager": "kubelet", **common, "time": "@changed@", "fieldsV1": kubelet, "subresource": "status"},
    ]


def _probe(path: str, port: str) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "timeoutSeconds": 2,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }


def _container(name: str, image: str, ports: list[dict[str, Any]], port: str) -> dict[str, Any]:
    return {
        "name": name,
        "image": image,
        "ports": ports,
        "env": [
            {"name": "APP_ENVIRONMENT", "value": "production"},
            {"name": "LOG_LEVEL", "value": "info"},
        ],
        "resources": {"limits": {"cpu": "500m", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        "volumeMounts": [
            {"name": "config", "readOnly": True, "mountPath": "/etc/app"},
            {"name": "cache", "mountPath": "/var/cache/app"},
            {
                "name": "kube-api-access-@suffix@",
                "readOnly": True,
                "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
            },
        ],
        "livenessProbe": _probe("/healthz", port),
        "readinessProbe": _probe("/readyz", port),
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "IfNotPresent",
        "securityContext": {
            "capabilities": {"drop": ["ALL"]},
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
        },
    }


def _pod_spec() -> dict[str, Any]:
    token = {
        "name": "kube-api-access-@suffix@",
        "projected": {
            "sources": [
                {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {
                    "downwardAPI": {
                        "items": [
                            {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
                        ]
                    }
                },
            ],
            "defaultMode": 420,
        },
    }
    tolerate = {"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
    return {
        "volumes": [
            {"name": "config", "configMap": {"name": "@app@-config", "defaultMode": 420}},
            {"name": "cache", "emptyDir": {"sizeLimit": "256Mi"}},
            token,
        ],
        "containers": [
            _container(
                "app",
                "registry.contoso.example/@app@:1.@minor@.0",
                [
                    {"name": "http", "containerPort": 8080, "protocol": "TCP"},
                    {"name": "https", "containerPort": 8443, "protocol": "TCP"},
                ],
                "http",
            ),
            _container(
                "metrics",
                "registry.contoso.example/metrics-exporter:2.7.1",
                [{"name": "metrics", "containerPort": 9102, "protocol": "TCP"}],
                "metrics",
            ),
        ],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "serviceAccountName": "@app@",
        "serviceAccount": "@app@",
        "nodeName": "@node@",
        "securityContext": {"runAsNonRoot": True},
        "schedulerName": "default-scheduler",
        "tolerations": [
            {"key": "node.kubernetes.io/not-ready", **tolerate},
            {"key": "node.kubernetes.io/unreachable", **tolerate},
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _container_status(name: str, image: str, container: str, ready: str, restarts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "state": {"running": {"startedAt": "@created@"}},
        "lastState": {},
        "ready": ready,
        "restartCount": restarts,
        "image": image,
        "imageID": "registry.contoso.example/@app@@sha256:@digest@",
        "containerID": f"containerd://{container}",
        "started": True,
    }


def _pod_status() -> dict[str, Any]:
    steady = {"status": "True", "lastProbeTime": None, "lastTransitionTime": "@created@"}
    return {
        "phase": "Running",
        "conditions": [
            {"type": "PodReadyToStartContainers", **steady},
            {"type": "Initialized", **steady},
            "@@ready_condition@@",
            "@@containers_ready_condition@@",
            {"type": "PodScheduled", **steady},
        ],
        "hostIP": "@host_ip@",
        "hostIPs": [{"ip": "@host_ip@"}],
        "podIP": "@ip@",
        "podIPs": [{"ip": "@ip@"}],
        "startTime": "@created@",
        "containerStatuses": [
            _container_status(
                "app", "registry.contoso.example/@app@:1.@minor@.0", "@digest@", "@@ready@@", "@@restarts@@"
            ),
            _container_status(
                "metrics", "registry.contoso.example/metrics-exporter:2.7.1", "@other_digest@", "@@true@@", 0
            ),
        ],
        "qosClass": "Burstable",
    }


def _pod_metadata() -> dict[str, Any]:
    return {
        "name": "@name@",
        "generateName": "@app@-@hash@-",
        "namespace": "@namespace@",
        "uid": "@uid@",
        "resourceVersion": "@version@",
        "creationTimestamp": "@created@",
        "labels": {
            "app.kubernetes.io/name": "@app@",
            "app.kubernetes.io/part-of": "@namespace@",
            "pod-template-hash": "@hash@",
            "tier": "@tier@",
        },
        "annotations": {"checksum/config": "@digest@", "prometheus.io/scrape": "true", "prometheus.io/port": "9102"},
        "ownerReferences": [
            {
                "apiVersion": "apps/v1",
                "kind": "ReplicaSet",
                "name": "@app@-@hash@",
                "uid": "@owner_uid@",
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
        "managedFields": _managed_pod(),
    }


POD_METADATA = Template(_pod_metadata())
POD_BODY = Template({"spec": _pod_spec(), "status": _pod_status()})
POD_READY = Template({"type": "@type@", "status": "True", "lastProbeTime": None, "lastTransitionTime": "@changed@"})
POD_NOT_READY = Template(
    {
        "type": "@type@",
        "status": "False",
        "lastProbeTime": None,
        "lastTransitionTime": "@changed@",
        "reason": "ContainersNotReady",
        "message": "containers with unready status: [app]",
    }
)


def _node_labels() -> dict[str, str]:
    return {
        "agentpool": "@pool@",
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": "Standard_D8ds_v5",
        "beta.kubernetes.io/os": "linux",
        "failure-domain.beta.kubernetes.io/region": "westeurope",
        "failure-domain.beta.kubernetes.io/zone": "westeurope-@zone@",
        "kubernetes.azure.com/agentpool": "@pool@",
        "kubernetes.azure.com/cluster": "mc_rg-prod-weu_aks-prod-weu_westeurope",
        "kubernetes.azure.com/consolidated-additional-properties": "@uid@",
        "kubernetes.azure.com/kubelet-identity-client-id": "11111111-2222-3333-4444-555555555555",
        "kubernetes.azure.com/mode": "@mode@",
        "kubernetes.azure.com/network-policy": "cilium",
        "kubernetes.azure.com/node-image-version": "AKSUbuntu-2204gen2containerd-202601.13.0",
        "kubernetes.azure.com/nodenetwork-vnetguid": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        "kubernetes.azure.com/nodepool-type": "VirtualMachineScaleSets",
        "kubernetes.azure.com/os-sku": "Ubuntu",
        "kubernetes.azure.com/podnetwork-type": "overlay",
        "kubernetes.azure.com/role": "agent",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "@name@",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "Standard_D8ds_v5",
        "storageprofile": "managed",
        "topology.disk.csi.azure.com/zone": "westeurope-@zone@",
        "topology.kubernetes.io/region": "westeurope",
        "topology.kubernetes.io/zone": "westeurope-@zone@",
    }


def _node_condition(kind: str, status: str, reason: str, message: str) -> dict[str, str]:
    return {
        "type": kind,
        "status": status,
        "lastHeartbeatTime": "@changed@",
        "lastTransitionTime": "@created@",
        "reason": reason,
        "message": message,
    }


def _node() -> dict[str, Any]:
    resources = {"cpu": "8", "ephemeral-storage": "129886128Ki", "memory": "32863716Ki", "pods": "250"}
    labels = [f"metadata/labels/{key}" for key in _node_labels()]
    managed = {"operation": "Update", "apiVersion": "v1", "time": "@created@", "fieldsType": "FieldsV1"}
    images = [
        {"names": [f"mcr.microsoft.com/oss/kubernetes/image-{number}:v1.{number}.0"], "sizeBytes": 90_000_000 + number}
        for number in range(25)
    ]
    return {
        "metadata": {
            "name": "@name@",
            "uid": "@uid@",
            "resourceVersion": "@version@",
            "creationTimestamp": "@created@",
            "labels": _node_labels(),
            "annotations": {
                "csi.volume.kubernetes.io/nodeid": '{"disk.csi.azure.com":"@name@","file.csi.azure.com":"@name@"}',
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "managedFields": [
                {"manager": "kubelet", **managed, "fieldsV1": _present(*labels, "spec/providerID")},
                {
                    "manager": "cloud-node-manager",
                    **managed,
                    "fieldsV1": _present("status/addresses", "spec/providerID"),
                },
            ],
        },
        "spec": {"podCIDR": "@pod_cidr@", "podCIDRs": ["@pod_cidr@"], "providerID": "@provider_id@"},
        "status": {
            "capacity": resources,
            "allocatable": {**resources, "cpu": "7820m", "memory": "28362916Ki"},
            "conditions": [
                _node_condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "sufficient memory"),
                _node_condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "no disk pressure"),
                _node_condition("PIDPressure", "False", "KubeletHasSufficientPID", "sufficient PID"),
                _node_condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "addresses": [{"type": "InternalIP", "address": "@ip@"}, {"type": "Hostname", "address": "@name@"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": "@digest@",
                "systemUUID": "@uid@",
                "bootID": "@uid@",
                "kernelVersion": "5.15.0-1098-azure",
                "osImage": "Ubuntu 22.04.5 LTS",
                "containerRuntimeVersion": "containerd://1.7.29-1",
                "kubeletVersion": "v1.34.2",
                "kubeProxyVersion": "",
                "operatingSystem": "linux",
                "architecture": "amd64",
            },
            "images": images,
        },
    }


NODE = Template(_node())

_MANAGED = {"manager": "helm", "operation": "Update", "time": "@created@", "fieldsType": "FieldsV1"}


def _metadata(
    name: str, *fields: str, api: str, namespaced: bool = True, labels: dict[str, str] | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        **({"namespace": "@namespace@"} if namespaced else {}),
        "uid": "@uid@",
        "resourceVersion": "@version@",
        "creationTimestamp": "@created@",
        **({"labels": labels} if labels else {}),
        "managedFields": [{**_MANAGED, "apiVersion": api, "fieldsV1": _present(*fields)}],
    }


_APP_LABELS = {"app.kubernetes.io/name": "@app@", "app.kubernetes.io/part-of": "@namespace@"}

NAMESPACE = Template(
    {
        "metadata": _metadata(
            "@name@",
            "metadata/labels/kubernetes.io/metadata.name",
            api="v1",
            namespaced=False,
            labels={"kubernetes.io/metadata.name": "@name@", "team": "@team@"},
        ),
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }
)

SERVICE = Template(
    {
        "metadata": _metadata(
            "@app@", "spec/internalTrafficPolicy", "spec/ports", "spec/selector", api="v1", labels=_APP_LABELS
        ),
        "spec": {
            "ports": "@@ports@@",
            "selector": {"app.kubernetes.io/name": "@app@"},
            "clusterIP": "@cluster_ip@",
            "clusterIPs": ["@cluster_ip@"],
            "type": "@type@",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        "status": {"loadBalancer": "@@load_balancer@@"},
    }
)

ENDPOINT = Template(
    {
        "addresses": ["@ip@"],
        "conditions": {"ready": "@@ready@@", "serving": "@@ready@@", "terminating": False},
        "targetRef": {"kind": "Pod", "namespace": "@namespace@", "name": "@pod@", "uid": "@uid@"},
        "nodeName": "@node@",
        "zone": "westeurope-@zone@",
    }
)

ENDPOINT_SLICE = Template(
    {
        "metadata": {
            "name": "@name@",
            "generateName": "@app@-",
            "namespace": "@namespace@",
            "uid": "@uid@",
            "resourceVersion": "@version@",
            "generation": 3,
            "creationTimestamp": "@created@",
            "labels": {
                "app.kubernetes.io/name": "@app@",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": "@app@",
            },
            "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "@changed@"},
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "Service",
                    "name": "@app@",
                    "uid": "@service_uid@",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
            "managedFields": [
                {
                    "manager": "kube-controller-manager",
                    "operation": "Update",
                    "apiVersion": "discovery.k8s.io/v1",
                    "time": "@changed@",
                    "fieldsType": "FieldsV1",
                    "fieldsV1": _present(
                        "addressType", "endpoints", "metadata/labels/kubernetes.io/service-name", "ports"
                    ),
                }
            ],
        },
        "addressType": "IPv4",
        "endpoints": "@@endpoints@@",
        "ports": [
            {"name": "http", "protocol": "TCP", "port": 8080},
            {"name": "metrics", "protocol": "TCP", "port": 9102},
        ],
    }
)

INGRESS_CLASS = Template(
    {
        "metadata": _metadata("nginx", "spec/controller", api="networking.k8s.io/v1", namespaced=False),
        "spec": {"controller": "k8s.io/ingress-nginx"},
    }
)

INGRESS = Template(
    {
        "metadata": _metadata(
            "@app@", "spec/ingressClassName", "spec/rules", "spec/tls", api="networking.k8s.io/v1", labels=_APP_LABELS
        ),
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": ["@app@.@namespace@.contoso.example"], "secretName": "@app@-tls"}],
            "rules": [
                {
                    "host": "@app@.@namespace@.contoso.example",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "@app@", "port": {"name": "http"}}},
                            }
                        ]
                    },
                }
            ],
        },
        "status": {"loadBalancer": {"ingress": [{"ip": "20.50.1.7"}]}},
    }
)

NETWORK_POLICY = Template(
    {
        "metadata": _metadata(
            "@app@",
            "spec/ingress",
            "spec/podSelector",
            "spec/policyTypes",
            api="networking.k8s.io/v1",
            labels=_APP_LABELS,
        ),
        "spec": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "@app@"}},
            "ingress": [
                {
                    "from": [
                        {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "@peer@"}}},
                        {"namespaceSelector": {"matchLabels": {"team": "@team@"}}},
                    ],
                    "ports": [{"protocol": "TCP", "port": "http"}],
                }
            ],
            "policyTypes": ["Ingress"],
        },
    }
)
