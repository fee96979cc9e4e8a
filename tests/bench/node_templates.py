"""Nodes in wire form, with everything that a cluster writes into them."""

from typing import Any

from tests.bench.template import Template, present


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
                {"manager": "kubelet", **managed, "fieldsV1": present(*labels, "spec/providerID")},
                {
                    "manager": "cloud-node-manager",
                    **managed,
                    "fieldsV1": present("status/addresses", "spec/providerID"),
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
