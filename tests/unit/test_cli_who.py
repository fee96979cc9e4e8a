"""``aksnav who``: exit statuses, the three outputs, usage errors, and folders of what kubectl prints."""

import json
from pathlib import Path

import pytest

from aksnav.cli import main

HOSTILE = "x\x1b]52;c;QUFB\x07\x1b[31m"
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: shop, labels: {{app: {app}}}}}
spec: {{nodeName: n1, containers: [{{name: c, ports: [{{containerPort: 8080}}]}}]}}
status: {{phase: Running, podIP: {ip}, podIPs: [{{ip: {ip}}}]}}
"""
AGENT = """
apiVersion: v1
kind: Pod
metadata:
  name: azure-npm-x
  namespace: kube-system
  ownerReferences: [{kind: DaemonSet, name: azure-npm, controller: true}]
spec: {nodeName: n1, hostNetwork: true, containers: [{name: c}]}
status: {phase: Running, podIP: 10.224.0.4, podIPs: [{ip: 10.224.0.4}]}
"""
NODE = """
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 10.224.0.4}]}
"""
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]
"""


def captured(folder: Path, *, policies: str | None = POLICY) -> str:
    """Write a folder of kubectl's output, without policies if there are none to be read, and return its path."""
    pods = [
        POD.format(name=f"{app}-1", app=app, ip=f"10.244.0.{number}")
        for number, app in enumerate(("web", "api", "job"), 5)
    ]
    (folder / "pods.yaml").write_text("---".join([*pods, AGENT]), encoding="utf-8")
    (folder / "nodes.yaml").write_text(NODE, encoding="utf-8")
    (folder / "namespaces.yaml").write_text(
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n", encoding="utf-8"
    )
    if policies is not None:
        (folder / "networkpolicies.yaml").write_text(policies, encoding="utf-8")
    return str(folder)


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run the command in this process and return status, answer and errors."""
    status = main(["who", *words])
    done = capsys.readouterr()
    return status, done.out, done.err


def test_a_subject_is_answered_with_peers_ports_and_policies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The peer that the policy admits, the one that it does not, and status 0."""
    status, out, _ = asked(capsys, "pod/shop/web-1", "--from-capture", captured(tmp_path), "-o", "json")
    assert status == 0
    found = {(row["peer"]["name"], row["verdict"]) for row in json.loads(out)["in"]}
    assert {("app=api", "allowed"), ("app=job", "denied")} <= found
    row = next(row for row in json.loads(out)["in"] if row["peer"]["name"] == "app=job")
    assert [item["id"] for item in row["policies"]] == ["shop/web"]


def test_policies_that_no_file_speaks_of_are_undecided_and_status_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was not read is never allowed."""
    path = captured(tmp_path, policies=None)
    status, out, _ = asked(capsys, "pod/shop/web-1", "--from-capture", path, "-o", "json")
    assert status == 3
    assert {row["verdict"] for row in json.loads(out)["in"]} == {"undecided"}
    status, _, _ = asked(capsys, "pod/shop/web-1", "--from-capture", path, "--assume-none", "NetworkPolicy")
    assert status == 0


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_text_and_markdown_say_verdicts_in_words(
    output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A glyph never stands alone, and the deciding policy is named."""
    status, out, _ = asked(capsys, "shop/web-1", "--from-capture", captured(tmp_path), "-o", output)
    assert status == 0
    assert "✔ allowed" in out
    assert "✖ denied" in out
    assert "shop/web" in out


@pytest.mark.parametrize("output", ["text", "json", "markdown"])
def test_the_matrix_counts_workloads(output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five of the six pairs of three workloads can talk: job may not reach web."""
    status, out, _ = asked(capsys, "--matrix", "--from-capture", captured(tmp_path), "-o", output)
    assert status == 0
    if output == "json":
        cells = {(cell["from"], cell["to"]): (cell["allowed"], cell["pairs"]) for cell in json.loads(out)["cells"]}
        assert cells["shop", "shop"] == (5, 6)
    else:
        assert "some 5/6" in out


def test_names_in_the_answer_do_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A label with escape sequences in it is printed as pictures."""
    path = captured(tmp_path)
    wire = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "evil", "namespace": "shop", "labels": {"app": HOSTILE}},
        "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
        "status": {"phase": "Running", "podIP": "10.244.0.99", "podIPs": [{"ip": "10.244.0.99"}]},
    }
    (tmp_path / "pods-2.json").write_text(json.dumps(wire), encoding="utf-8")
    for output in ("text", "json", "markdown"):
        _, out, _ = asked(capsys, "shop/web-1", "--from-capture", path, "-o", output)
        assert "\x1b" not in out
        assert "\x07" not in out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("shop/web-1", "--matrix"),
        ("nonsense",),
        ("pod/shop/gone",),
        ("svc/shop/gone",),
        ("pod/shop/a/b",),
        (HOSTILE,),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_status_2(
    words: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, and no byte that acts."""
    (tmp_path / "services.yaml").write_text("apiVersion: v1\nkind: ServiceList\nitems: []\n", encoding="utf-8")
    status, out, err = asked(capsys, *words, "--from-capture", captured(tmp_path))
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert err.removesuffix("\n").isprintable()
