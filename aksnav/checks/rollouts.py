"""Rollouts that do not come to an end: X10. Deployments are not read; their events and their Pods say it.

Source: Kubernetes documentation, "Deployments" (a new ReplicaSet's Pods that do not become ready keep the old ones);
pkg/controller/deployment/sync.go (the message of a ScalingReplicaSet event).
"""

import re
from collections.abc import Iterator
from shlex import quote

from aksnav.checks.finding import Finding, Proof
from aksnav.model.kubernetes.workload import Event, Pod
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.step import Evidence

_SCALED_UP = re.compile(r"^Scaled up replica set (\S+)(?: from \d+)? to \d+")
# What a container waits for that time alone does not bring.
_STUCK = frozenset(
    {
        "CrashLoopBackOff",
        "ImagePullBackOff",
        "ErrImagePull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
_WAITING = ".status.containerStatuses[*].state.waiting.reason"


def rollout_findings(store: Store) -> Iterator[Finding]:
    """Yield X10: no Pod of the ReplicaSet that was scaled up last can become ready, and those of an older one serve."""
    newest = _newest(store)
    pods = {namespace: _by_deployment(store, namespace) for namespace in {namespace for namespace, _ in newest}}
    for (namespace, deployment), (event, name) in sorted(newest.items()):
        mine = pods[namespace].get(deployment, [])
        new = [pod for pod in mine if pod.template.owner_name == name]
        old = [pod for pod in mine if pod.template.owner_name != name and pod.ready]
        if new and old and all(pod.reason in _STUCK and not pod.ready for pod in new):
            yield _stuck(event, deployment, name, new, old)


def _newest(store: Store) -> dict[tuple[str, str], tuple[Event, str]]:
    """Return, by namespace and Deployment, the last event that scaled a ReplicaSet up, and the ReplicaSet's name."""
    found: dict[tuple[str, str], tuple[Event, str]] = {}
    for event in sorted(store.events, key=lambda item: item.last_seen):
        said = _SCALED_UP.match(event.message) if event.reason == "ScalingReplicaSet" else None
        if said is not None and event.about_kind == "Deployment":
            found[event.about_namespace, event.about_name] = event, said[1]
    return found


def _by_deployment(store: Store, namespace: str) -> dict[str, list[Pod]]:
    """Return the Pods of a namespace by Deployment: their ReplicaSet has its name, and a hash without a hyphen."""
    found: dict[str, list[Pod]] = {}
    for ident in store.pod_classes.matching(namespace, {}):
        pod = store.pods.get(ident)
        if pod is not None and pod.template.owner_kind == "ReplicaSet" and not pod.finished and not pod.deleting:
            found.setdefault(pod.template.owner_name.rpartition("-")[0], []).append(pod)
    return found


def _stuck(event: Event, deployment: str, newest: str, new: list[Pod], old: list[Pod]) -> Finding:
    first, serving = new[0], old[0]
    olds = ", ".join(sorted({pod.template.owner_name for pod in old}))
    return Finding(
        id="X10",
        subject=Ref("Deployment", f"{event.about_namespace}/{deployment}"),
        summary=f"the rollout of {deployment} is stuck: no Pod of {newest} can start ({first.reason}), {olds} serves",
        proof=Proof.PROVEN,
        evidence=(
            Evidence(_WAITING, first.reason, Ref(first.KIND, first.id), f"like all {len(new)} of {newest}"),
            Evidence(".metadata.ownerReferences[*].name", serving.template.owner_name, Ref(serving.KIND, serving.id)),
            Evidence(".message", event.message, event.ref),
        ),
        related=tuple(Ref(pod.KIND, pod.id) for pod in new[:5]),
        confirm=f"kubectl -n {quote(event.about_namespace)} rollout status deployment/{quote(deployment)}",
        fix=f"mend what keeps the Pods of {newest} from starting, or kubectl rollout undo",
    )
