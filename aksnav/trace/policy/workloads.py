"""The workload that a Pod belongs to, by name: what people deploy, and what policies are written for."""

from enum import StrEnum

import msgspec

from aksnav.model.kubernetes.workload import Pod

HASH = "pod-template-hash"
BARE = "Pods"


class Workload(msgspec.Struct, frozen=True, order=True, gc=False):
    """Pods that were deployed together.

    Attributes:
        namespace: of its Pods.
        kind: Deployment, DaemonSet, StatefulSet, another owner's kind, or ``Pods`` for Pods without an owner.
        name: the owner's name; for Pods without an owner, their labels.
    """

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace} {self.kind} {self.name}"


def workload_of(pod: Pod) -> Workload:
    """Return the workload of a Pod.

    A Deployment's ReplicaSet is named after it and the hash that its Pods carry as label pod-template-hash (Kubernetes
    documentation, "Deployments"); a ReplicaSet whose Pods do not carry it is nobody's but its own.
    """
    template = pod.template
    kind, name = template.owner_kind, template.owner_name
    if not kind:
        return Workload(pod.namespace, BARE, str(pod.labels) or "(no labels)")
    suffix = f"-{pod.labels.get(HASH, '')}"
    if kind == "ReplicaSet" and len(suffix) > 1 and name.endswith(suffix) and len(name) > len(suffix):
        return Workload(pod.namespace, "Deployment", name.removesuffix(suffix))
    return Workload(pod.namespace, kind, name)


class Sort(StrEnum):
    """What a group of peers is."""

    WORKLOAD = "workload"
    NODE = "node"
    INTERNET = "internet"
    BLOCK = "ipBlock"
    ADDRESS = "address"


class Group(msgspec.Struct, frozen=True, order=True, gc=False):
    """Peers that are told in one line.

    Attributes:
        sort: what they are.
        namespace: of a workload.
        kind, name: of a workload (``Deployment``, ``web``); of others the name alone.
        where: which of them, where that decides: those on the Pod's own node, or those on others.
    """

    sort: Sort
    namespace: str
    kind: str
    name: str
    where: str = ""

    def __str__(self) -> str:
        said = " ".join(filter(None, (self.namespace, self.kind, self.name)))
        return f"{said} ({self.where})" if self.where else said


def group_of(pod: Pod) -> Group:
    """Return how a Pod is told: by its workload."""
    found = workload_of(pod)
    return Group(Sort.WORKLOAD, found.namespace, found.kind, found.name)
