"""Namespaces, Services with their slices, Ingresses and policies in wire form."""

from typing import Any

from tests.bench.template import Template, present

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
        "managedFields": [{**_MANAGED, "apiVersion": api, "fieldsV1": present(*fields)}],
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
                    "fieldsV1": present(
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
