"""Pods in wire form, with everything that a cluster writes into them."""

from typing import Any

from tests.bench.template import Template, present


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
    controller = present(
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
    kubelet = present(
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
