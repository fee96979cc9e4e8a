"""Where the programs of the control plane are, with which flags each runs, and how one is started and stopped."""

import os
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

HERE = Path(__file__).parent
NAMES = (
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "kubectl",
)
BUILD_COMMAND = "tests/cluster/build.sh"
SERVICE_CIDR = "10.0.0.0/16"
POD_CIDR = "10.244.0.0/16"
CONTROLLERS = (
    "endpointslice",
    "endpoints",
    "endpointslice-mirroring",
    "namespace",
    "serviceaccount",
    "serviceaccount-token",
    "root-ca-certificate-publisher",
    "deployment",
    "replicaset",
    "statefulset",
    "daemonset",
    "garbage-collector",
    "pod-garbage-collector",
    "node-ipam",
    "node-lifecycle",
)


class StartError(RuntimeError):
    """A program of the control plane did not start or did not become ready; the message holds the end of its log."""


def folder() -> Path:
    """Tell where the programs are expected: ``KUBEBUILDER_ASSETS``, else ``tests/cluster/.bin``."""
    return Path(os.environ.get("KUBEBUILDER_ASSETS") or HERE / ".bin")


def missing() -> list[str]:
    """Name the programs (and ``gateway-api``, the folder of CRDs) that are not in `folder`."""
    bin_folder = folder()
    absent = [name for name in NAMES if not os.access(bin_folder / name, os.X_OK)]
    return absent if (bin_folder / "gateway-api").is_dir() else [*absent, "gateway-api"]


def free_port() -> int:
    """Ask the kernel for a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Guard:
    """A process group that dies with this process, however it ends: nothing is left running after a crash.

    Its leader waits for the end of a pipe that only this process holds open, and then kills the group.
    """

    def __init__(self) -> None:
        self._leader = subprocess.Popen(
            ["/bin/sh", "-c", "read -r _; kill -9 0"], stdin=subprocess.PIPE, process_group=0
        )

    @property
    def group(self) -> int:
        """Number of the process group."""
        return self._leader.pid

    def end(self) -> None:
        """Kill the group."""
        self._leader.communicate()


@dataclass
class Program:
    """One program of the control plane and, while it runs, its process.

    Attributes:
        name: the file's name in `folder`.
        flags: its command line without the program.
        log: file that takes its output, appended to over restarts.
    """

    name: str
    flags: list[str]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self, guard: Guard) -> None:
        """Start it in the guard's process group, so that a Ctrl-C in the terminal reaches the harness alone."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [folder() / self.name, *self.flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.log.parent,
                process_group=guard.group,
            )

    def stop(self) -> None:
        """Kill it: nothing that it holds is kept, and a client sees what it sees when a machine goes away."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def check(self) -> None:
        """Raise `StartError` with the end of its log when it has ended by itself."""
        if self.process is not None and self.process.poll() is not None:
            raise StartError(f"{self.name} ended with status {self.process.returncode}:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""


@dataclass(frozen=True)
class Layout:
    """The files and ports of one control plane."""

    root: Path
    api_port: int
    etcd_port: int
    etcd_peer_port: int

    @classmethod
    def under(cls, root: Path) -> "Layout":
        """Choose free ports for a control plane whose files live under ``root``."""
        return cls(root, free_port(), free_port(), free_port())

    @property
    def url(self) -> str:
        """Address of the API server."""
        return f"https://127.0.0.1:{self.api_port}"

    @property
    def certificate(self) -> Path:
        """The API server's self-signed certificate, which is also the CA of every kubeconfig."""
        return self.root / "pki" / "apiserver.crt"

    @property
    def audit_log(self) -> Path:
        """The audit log, one JSON event a line."""
        return self.root / "audit.log"

    def kubeconfig(self, user: str) -> Path:
        """Kubeconfig file of a user."""
        return self.root / f"{user}.kubeconfig"

    def make_keys(self) -> None:
        """Make the key that signs service account tokens."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
        (self.root / "pki").mkdir(parents=True)
        (self.root / "pki" / "sa.key").write_bytes(pem)


def etcd(layout: Layout) -> Program:
    """Configure the store: loopback, and nothing is synced to disk because nothing is kept."""
    client, peer = (f"http://127.0.0.1:{port}" for port in (layout.etcd_port, layout.etcd_peer_port))
    flags = [
        f"--data-dir={layout.root / 'etcd'}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=8589934592",
        "--max-txn-ops=1024",
        "--max-request-bytes=33554432",
        "--log-level=warn",
    ]
    return Program("etcd", flags, layout.root / "etcd.log")


def api_server(layout: Layout) -> Program:
    """Configure the API server: RBAC, tokens from a file, its own certificate, and an audit log of every request."""
    pki = layout.root / "pki"
    flags = [
        f"--etcd-servers=http://127.0.0.1:{layout.etcd_port}",
        "--etcd-compaction-interval=0",  # compaction is the harness's decision alone
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={layout.api_port}",
        f"--cert-dir={pki}",
        f"--token-auth-file={layout.root / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'sa.key'}",
        f"--service-account-signing-key-file={pki / 'sa.key'}",
        f"--service-cluster-ip-range={SERVICE_CIDR}",
        "--endpoint-reconciler-type=none",
        f"--audit-policy-file={layout.root / 'audit-policy.yaml'}",
        f"--audit-log-path={layout.audit_log}",
        "--audit-log-mode=blocking",
        "--profiling=false",
    ]
    return Program("kube-apiserver", flags, layout.root / "kube-apiserver.log")


def controller_manager(layout: Layout) -> Program:
    """Configure the controllers that give a cluster its EndpointSlices, Pods and default service accounts."""
    pki = layout.root / "pki"
    flags = [
        f"--kubeconfig={layout.kubeconfig('controller-manager')}",
        "--leader-elect=false",
        "--use-service-account-credentials",
        f"--service-account-private-key-file={pki / 'sa.key'}",
        f"--root-ca-file={layout.certificate}",
        "--allocate-node-cidrs",
        f"--cluster-cidr={POD_CIDR}",
        "--controllers=" + ",".join(f"{name}-controller" for name in CONTROLLERS),
        "--node-monitor-grace-period=1h",  # kwok says which node is ready; a busy machine is no lost node
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--secure-port=0",
    ]
    return Program("kube-controller-manager", flags, layout.root / "kube-controller-manager.log")


def scheduler(layout: Layout) -> Program:
    """Configure the scheduler, for the Pods that Deployments and DaemonSets make."""
    flags = [
        f"--kubeconfig={layout.kubeconfig('scheduler')}",
        "--leader-elect=false",
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        "--secure-port=0",
    ]
    return Program("kube-scheduler", flags, layout.root / "kube-scheduler.log")


def kwok(layout: Layout) -> Program:
    """Configure the player of the kubelets; `stages.yaml` says what it does to nodes and Pods."""
    flags = [
        f"--kubeconfig={layout.kubeconfig('kwok')}",
        f"--config={HERE / 'stages.yaml'}",
        "--manage-all-nodes",
        f"--cidr={POD_CIDR}",
        "--node-ip=10.224.0.250",
        "--node-name=kwok",
        "--node-port=0",
        f"--server-address=127.0.0.1:{free_port()}",
    ]
    return Program("kwok", flags, layout.root / "kwok.log")
