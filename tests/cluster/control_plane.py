"""A real control plane for the tests: etcd, kube-apiserver, its controllers and scheduler, and kwok as the kubelets.

Everything listens on 127.0.0.1 and lives in a temporary folder that goes away with it.
"""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Self

import yaml

from tests.cluster import access, programs
from tests.cluster.access import AuditEvent
from tests.cluster.api_client import ApiClient, until
from tests.cluster.etcd import Etcd
from tests.cluster.programs import Guard, Layout, Program

START_TIMEOUT = 60.0


class KubectlError(RuntimeError):
    """kubectl failed; the message is what it wrote to stderr."""


class ControlPlane:
    """One control plane; a context manager that starts and stops it.

    Attributes:
        layout: its files and ports.
        api: the harness's own client, which may do everything and is ``harness`` in the audit log.
    """

    def __init__(self, *, controllers: bool = True) -> None:
        """Choose ports and write the files; no program runs yet.

        Args:
            controllers: run the controllers, the scheduler and kwok too. Without them objects stay as they were
                written, which is what a benchmark over a filled store wants.
        """
        absent = programs.missing()
        if absent:
            raise programs.StartError(
                f"not found in {programs.folder()}: {', '.join(absent)}; build them with {programs.BUILD_COMMAND}"
            )
        self.layout = Layout.under(Path(tempfile.mkdtemp(prefix="aksnav-cluster-")))
        atexit.register(self.stop)
        self._guard = Guard()
        self.layout.make_keys()
        access.write_files(self.layout)
        self._etcd = programs.etcd(self.layout)
        self._api_server = programs.api_server(self.layout)
        self._others = (
            [programs.controller_manager(self.layout), programs.scheduler(self.layout), programs.kwok(self.layout)]
            if controllers
            else []
        )
        self.api = self.client(access.HARNESS)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything, wait until the API server is ready, and create roles and the Gateway API's kinds.

        Raises:
            StartError: a program ended by itself; the message holds the end of its log.
        """
        try:
            self._etcd.start(self._guard)
            self.start_api_server()
            for program in self._others:
                program.start(self._guard)
            self.apply(access.cluster_roles())
            self.apply(programs.folder() / "gateway-api")
            until(self._kinds_served, START_TIMEOUT, "the Gateway API's kinds are served")
            for program in self._programs:
                program.check()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything and remove its files."""
        atexit.unregister(self.stop)
        for program in reversed(self._programs):
            program.stop()
        self._guard.end()
        shutil.rmtree(self.layout.root, ignore_errors=True)

    @property
    def _programs(self) -> list[Program]:
        return [self._etcd, self._api_server, *self._others]

    def start_api_server(self) -> None:
        """Start the API server, on the same port and the same data as before, and wait until it is ready."""
        self._api_server.start(self._guard)
        until(self._ready, START_TIMEOUT, "the API server is ready")

    def stop_api_server(self) -> None:
        """Kill the API server and leave everything else running: every open watch ends."""
        self._api_server.stop()

    def compact(self) -> int:
        """Make every watch and continued list from before now answer 410 Gone, and return the oldest revision left.

        The watch cache of a running API server goes on serving what etcd has forgotten (it keeps 75 seconds at the
        least, whatever ``--watch-cache-sizes`` says), so that the API server is restarted: open watches end too.
        """
        self.stop_api_server()
        store = Etcd(self.layout.etcd_port)
        revision = store.compact()
        store.close()
        self.start_api_server()
        return revision

    def client(self, user: str) -> ApiClient:
        """Make a client of one of `access.USERS`."""
        return ApiClient(f"127.0.0.1:{self.layout.api_port}", self.layout.certificate, access.token(user))

    def kubeconfig(self, user: str, namespace: str = "") -> Path:
        """Return the kubeconfig file of one of `access.USERS`.

        Args:
            user: ``administrator``, ``reader``, ``namespace-only`` or ``nothing``.
            namespace: for ``namespace-only``, the namespace that it may read from now on (which must exist) and that
                its context names. Until then it may read nothing.
        """
        if namespace:
            self.apply([access.namespace_binding(namespace)])
            return access.write_kubeconfig(self.layout, user, namespace)
        return self.layout.kubeconfig(user)

    def audit_mark(self) -> int:
        """Return where the audit log ends now, for `audit_events`."""
        return self.layout.audit_log.stat().st_size

    def audit_events(self, user: str, since: int = 0) -> list[AuditEvent]:
        """Return what a user has asked for, since a mark."""
        return access.read_audit_log(self.layout.audit_log, user, since)

    def kubectl(self, *arguments: str, stdin: str = "", user: str = access.HARNESS) -> str:
        """Run kubectl as a user and return its stdout.

        Raises:
            KubectlError: it failed.
        """
        command = [
            str(programs.folder() / "kubectl"),
            f"--kubeconfig={self.layout.kubeconfig(user)}",
            f"--cache-dir={self.layout.root / 'kubectl-cache'}",
            *arguments,
        ]
        environment = os.environ | {"KUBERC": "off"}  # the preferences of whoever runs the tests stay out
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, manifests: Path | str | list[dict[str, Any]]) -> None:
        """Apply manifests as ``kubectl apply`` does.

        Args:
            manifests: a file or a folder of files, YAML text, or the objects.
        """
        if isinstance(manifests, Path):
            self.kubectl("apply", "-f", str(manifests))
        else:
            text = manifests if isinstance(manifests, str) else yaml.safe_dump_all(manifests)
            self.kubectl("apply", "-f", "-", stdin=text)

    def create_namespace(self, name: str) -> None:
        """Create a namespace and wait until Pods can be created in it (its default service account is there)."""
        self.kubectl("create", "namespace", name)
        self.wait_for_namespace(name)

    def wait_for_namespace(self, name: str) -> None:
        """Wait until Pods can be created in a namespace."""
        path = f"/api/v1/namespaces/{name}/serviceaccounts/default"
        until(lambda: self.api.get(path).code == 200, what=f"the default service account of {name}")

    def patch(
        self, resource: str, name: str, patch: dict[str, Any], namespace: str = "", *, status: bool = False
    ) -> None:
        """Merge a patch into an object, or into its status subresource."""
        where = ["-n", namespace] if namespace else []
        subresource = ["--subresource=status"] if status else []
        self.kubectl("patch", resource, name, *where, *subresource, "--type=merge", "-p", json.dumps(patch))

    def patch_status(self, resource: str, name: str, status: dict[str, Any], namespace: str = "") -> None:
        """Merge fields into an object's status, as the controllers would that do not run here (lists are replaced)."""
        self.patch(resource, name, {"status": status}, namespace, status=True)

    def set_ready(self, pod: str, namespace: str, *, ready: bool) -> None:
        """Turn a Pod's readiness off or on: kwok follows the annotation."""
        annotation = {"test.aksnav/ready": "true" if ready else "false"}
        self.patch("pod", pod, {"metadata": {"annotations": annotation}}, namespace)

    def wait_for_readiness(self, pod: str, namespace: str, *, ready: bool) -> None:
        """Wait until the API server has a Pod as ready or not (after a restart kwok may take seconds to follow)."""
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}"

        def reached() -> bool:
            conditions = self.api.get(path).body.get("status", {}).get("conditions", [])
            return ("Ready", str(ready)) in [(entry["type"], entry["status"]) for entry in conditions]

        until(reached, START_TIMEOUT, f"Pod {namespace}/{pod} is {'ready' if ready else 'not ready'}")

    def delete(self, resource: str, name: str, namespace: str = "", *, wait: bool = True) -> None:
        """Delete an object, and wait until it is gone unless told otherwise."""
        where = ["-n", namespace] if namespace else []
        self.kubectl("delete", resource, name, *where, f"--wait={str(wait).lower()}", "--timeout=60s")

    def _ready(self) -> bool:
        self._etcd.check()
        self._api_server.check()
        return self.layout.certificate.exists() and self.api.get("/readyz").code == 200

    def _kinds_served(self) -> bool:
        answer = self.api.get("/apis/gateway.networking.k8s.io/v1")
        names = {entry["name"] for entry in answer.body["resources"]} if answer.code == 200 else set()
        return {"gatewayclasses", "gateways", "httproutes", "grpcroutes"} <= names
