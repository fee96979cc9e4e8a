"""Who may do what on the control plane of the tests, and what the audit log says they did."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster.programs import Layout

HARNESS = "harness"
# The users that tests hand to the program under test: the audit log tells them apart.
TEST_USERS = ("administrator", "reader", "namespace-only", "nothing")
# Every user with a group; the harness and the programs of the control plane are the others.
USERS = dict.fromkeys(TEST_USERS, "") | dict.fromkeys(
    ("administrator", HARNESS, "kwok", "controller-manager", "scheduler"), "system:masters"
)
NAMESPACED = {
    "": ["pods", "services", "endpoints", "configmaps", "events", "serviceaccounts", "replicationcontrollers"],
    "apps": ["deployments", "replicasets", "daemonsets", "statefulsets"],
    "discovery.k8s.io": ["endpointslices"],
    "networking.k8s.io": ["ingresses", "networkpolicies"],
    "gateway.networking.k8s.io": ["gateways", "httproutes", "grpcroutes", "referencegrants", "backendtlspolicies"],
}
CLUSTER_WIDE = {
    "": ["namespaces", "nodes"],
    "apiextensions.k8s.io": ["customresourcedefinitions"],
    "networking.k8s.io": ["ingressclasses", "servicecidrs", "ipaddresses"],
    "gateway.networking.k8s.io": ["gatewayclasses"],
    "policy.networking.k8s.io": ["*"],
    "cilium.io": ["*"],
    "crd.projectcalico.org": ["*"],
    "networking.istio.io": ["*"],
    "security.istio.io": ["*"],
    "alb.networking.azure.io": ["*"],
    "approuting.kubernetes.azure.com": ["*"],
    "appgw.ingress.k8s.io": ["*"],
    "acn.azure.com": ["*"],
}
READ = ["get", "list", "watch"]
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "None", "users": ["kwok", "controller-manager", "scheduler", "system:apiserver"]},
        {"level": "None", "userGroups": ["system:serviceaccounts"]},
        {"level": "Metadata"},
    ],
}


class AuditEvent(NamedTuple):
    """One request, as the audit log has it.

    Attributes:
        verb: the API's verb (``list``, ``watch``, ``patch``), or the HTTP method's where no resource is meant.
        resource: plural name, with ``/`` and the subresource where there is one; else the path.
        code: HTTP status of the response, 0 where the log has none.
    """

    verb: str
    resource: str
    code: int


def _rules(resources: dict[str, list[str]]) -> list[dict[str, list[str]]]:
    return [{"apiGroups": [group], "resources": names, "verbs": READ} for group, names in resources.items()]


def cluster_roles() -> list[dict[str, Any]]:
    """Build the roles of ``reader`` (everything that is read, Secrets never) and of ``namespace-only``."""
    rbac = "rbac.authorization.k8s.io"
    user = {"apiGroup": rbac, "kind": "User", "name": "reader"}
    return [
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "test-reader"},
            "rules": [*_rules(NAMESPACED), *_rules(CLUSTER_WIDE)],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "test-namespace-reader"},
            "rules": _rules(NAMESPACED),
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "test-reader"},
            "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "test-reader"},
            "subjects": [user],
        },
    ]


def namespace_binding(namespace: str) -> dict[str, Any]:
    """Build the binding that lets ``namespace-only`` read one namespace."""
    rbac = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{rbac}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "test-namespace-reader", "namespace": namespace},
        "roleRef": {"apiGroup": rbac, "kind": "ClusterRole", "name": "test-namespace-reader"},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": "namespace-only"}],
    }


def token(user: str) -> str:
    """Return the bearer token of a user of the throw-away control plane."""
    return f"token-of-{user}"


def write_files(layout: Layout) -> None:
    """Write the token file, the audit policy and a kubeconfig for each user."""
    tokens = "".join(f'{token(user)},{user},{user},"{group}"\n' for user, group in USERS.items())
    (layout.root / "tokens.csv").write_text(tokens)
    (layout.root / "audit-policy.yaml").write_text(json.dumps(AUDIT_POLICY))
    for user in USERS:
        write_kubeconfig(layout, user)


def write_kubeconfig(layout: Layout, user: str, namespace: str = "") -> Path:
    """Write a kubeconfig with one context, named after the user, and return its path."""
    context = {"cluster": "test", "user": user} | ({"namespace": namespace} if namespace else {})
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": user,
        "clusters": [
            {"name": "test", "cluster": {"server": layout.url, "certificate-authority": str(layout.certificate)}}
        ],
        "users": [{"name": user, "user": {"token": token(user)}}],
        "contexts": [{"name": user, "context": context}],
    }
    path = layout.kubeconfig(user)
    path.write_text(json.dumps(config, indent=1))
    path.chmod(0o600)
    return path


def asked_by_the_program(path: Path) -> set[tuple[str, str]]:
    """Read every verb and resource that the program under test has asked for, as whichever user (see its User-Agent).

    Args:
        path: the audit log.
    """
    with path.open("rb") as log:
        entries = [json.loads(line) for line in log.read().split(b"\n")[:-1]]
    return {
        (entry["verb"], (entry.get("objectRef") or {}).get("resource", ""))
        for entry in entries
        if entry.get("userAgent", "").startswith("aksnav/")
    }


def read_audit_log(path: Path, user: str, since: int = 0) -> list[AuditEvent]:
    """Read what a user has asked for, one event a request (a watch is logged when it starts and again when it ends).

    Args:
        path: the audit log.
        user: user name.
        since: byte offset from which the log is read.
    """
    with path.open("rb") as log:
        log.seek(since)
        lines = log.read().split(b"\n")[:-1]  # what follows the last newline is still being written
    events: dict[str, AuditEvent] = {}
    for line in lines:
        entry = json.loads(line)
        if entry["user"]["username"] != user:
            continue
        target = entry.get("objectRef") or {}
        resource = "/".join(filter(None, (target.get("resource"), target.get("subresource"))))
        code = (entry.get("responseStatus") or {}).get("code", 0)
        events[entry["auditID"]] = AuditEvent(entry["verb"], resource or entry["requestURI"].partition("?")[0], code)
    return list(events.values())
