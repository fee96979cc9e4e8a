"""The command line as its users meet it: exit statuses, answers in JSON, usage errors, and what it does not import."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aksnav import __version__
from tests.unit.api_server import PODS, ApiServer, status

ROOT = Path(__file__).resolve().parents[2]
API = "https://shop.contoso.com/api"
HOSTILE = "x\x1b]52;c;QUFB\x07\x1b[31m\x9b2J\u202e"
BOUND = 60.0
SAMPLE = b"apiVersion: v1\nkind: List\nitems: []\n"


def run(
    *words: str | bytes, stdin: str = "", folder: Path = ROOT, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run the program with no terminal in a process of its own."""
    command = [sys.executable, "-m", "aksnav", *words]
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        timeout=BOUND,
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            **environment,
        },
    )


def harmless(text: str) -> bool:
    """Say whether no character of a text acts on a terminal."""
    return all(line.isprintable() for line in text.split("\n"))


def refused(done: "subprocess.CompletedProcess[str]") -> str:
    """Return the one line of a usage or connection error, and see that it is one, and harmless."""
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert harmless(done.stderr)
    assert done.stderr.startswith("aksnav: ")
    assert "Traceback" not in done.stderr
    assert "a fault of aksnav itself" not in done.stderr
    return done.stderr.removesuffix("\n")


def modules_after(code: str) -> set[str]:
    """Return the top-level packages that are imported when some code has run in a process of its own."""
    dump = f"import sys; {code}; print('modules', *sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", dump], capture_output=True, text=True, check=True, timeout=BOUND, cwd=ROOT
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def config(folder: Path, name: str = "kubeconfig") -> str:
    """Write a kubeconfig whose server nobody serves, and return its path."""
    path = folder / name
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    path.write_text(json.dumps(document))
    return str(path)


# What is imported.


def test_the_version_costs_no_library() -> None:
    """Neither the user interface nor a client is imported to print one line."""
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"aksnav {__version__}\n", "")
    loaded = modules_after("from aksnav.cli import main; main(['--version'])")
    assert not loaded & {"textual", "rich", "kubernetes", "azure", "msgspec", "yaml", "argparse"}


def test_a_trace_of_the_demo_needs_no_client_and_no_user_interface() -> None:
    """What a command does not use is not imported."""
    loaded = modules_after(f"from aksnav.cli import main; main(['trace', '{API}', '--demo', 'healthy'])")
    assert not loaded & {"textual", "kubernetes", "azure", "urllib3"}


def test_the_user_interface_needs_no_client() -> None:
    """The first frame is not kept waiting by what only the reading process uses."""
    assert not modules_after("import aksnav.ui.app") & {"kubernetes", "azure", "urllib3", "requests"}


# Exit statuses.


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("trace", API, "--demo", "healthy"), 0),
        (("trace", API, "--demo", "s02-no-ready-endpoint"), 1),
        (("trace", API, "--demo", "no-azure"), 3),
        (("trace", "https://nowhere.example.net/", "--demo", "healthy"), 3),
        (("trace", "https://", "--demo", "healthy"), 2),
        (("check", "--demo", "healthy"), 0),
        (("check", "--demo", "s02-no-ready-endpoint"), 1),
        (("check", "--demo", "no-azure"), 3),
        (("check", "--demo", "there-is-none"), 2),
    ],
)
def test_the_exit_status_says_how_it_ended(words: tuple[str, ...], expected: int) -> None:
    """0 delivered or clean, 1 not delivered or findings, 3 undecided, 2 not understood."""
    done = run(*words)
    assert done.returncode == expected
    assert bool(done.stderr) is (expected == 2)
    assert bool(done.stdout) is (expected != 2)


# Answers in JSON.


def test_questions_are_answered_in_order_one_line_each() -> None:
    """An id is given back, number or text; without one it is the number of the line; the worst decides the status."""
    questions: list[dict[str, Any]] = [
        {"id": "first", "to": API},
        {"to": "https://nowhere.example.net/"},
        {"id": 7, "to": "tcp://20.50.1.7:9", "from": "internet:203.0.113.9", "method": "GET", "headers": {}},
        {"id": "bad", "to": "https://"},
    ]
    lines = "\n\n".join(json.dumps(item) for item in questions)
    done = run("trace", "--requests", "-", "--demo", "healthy", "-o", "json", stdin=lines + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [item["id"] for item in answers] == ["first", 3, 7, "bad"]
    assert [item.get("verdict") for item in answers][:2] == ["delivered", "undecided"]
    assert set(answers[0]) == {
        "id", "request", "verdict", "status", "confidence", "backends", "destinations", "causes", "steps",
    }  # fmt: skip
    assert set(answers[0]["backends"][0]) == {"namespace", "service", "port", "weight"}
    assert set(answers[0]["destinations"][0]) == {"namespace", "pod", "ip", "port"}
    assert set(answers[0]["confidence"]) == {"certainty", "because"}
    assert set(answers[3]) == {"id", "error"}
    assert "host" in answers[3]["error"]
    assert done.returncode == 2


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([API], 0),
        ([API, "https://nowhere.example.net/"], 3),
        ([API, "https://nowhere.example.net/", "tcp://20.50.1.7:9"], 1),
    ],
)
def test_the_worst_answer_of_a_file_decides_the_exit_status(targets: list[str], expected: int, tmp_path: Path) -> None:
    """Not delivered is worse than undecided, undecided worse than delivered."""
    file = tmp_path / "requests.jsonl"
    file.write_text("".join(json.dumps({"to": target}) + "\n" for target in targets))
    done = run("trace", "--requests", str(file), "--demo", "healthy")
    assert (done.returncode, len(done.stdout.splitlines())) == (expected, len(targets))


def test_findings_in_json_name_check_object_field_and_fix() -> None:
    """What scripts depend on: the id, how sure it is, the object, the fields, and what could not be read."""
    done = run("check", "--demo", "s02-no-ready-endpoint", "-o", "json")
    said = json.loads(done.stdout)
    assert set(said) == {"findings", "not_read", "undecided"}
    (finding,) = said["findings"]
    assert (finding["id"], finding["proof"]) == ("S02", "proven")
    assert finding["subject"] == {"plane": "kubernetes", "kind": "Service", "id": "shop/api"}
    assert finding["evidence"][0]["field"] == ".endpoints[0].conditions.ready"
    assert finding["evidence"][0]["value"] == "false"
    assert {"title", "summary", "fix", "confirm"} <= set(finding)
    blind = json.loads(run("check", "--demo", "no-azure", "-o", "json").stdout)
    assert blind["findings"] == []
    assert any("networkSecurityGroups" in line for line in blind["not_read"])


def test_a_kind_that_no_file_speaks_of_is_unread_until_it_is_said_that_there_is_none(tmp_path: Path) -> None:
    """--assume-none makes the absence of policies a fact."""
    for name in ("services", "pods", "namespaces"):
        (tmp_path / f"{name}.yaml").write_bytes(SAMPLE)

    def unread(*words: str) -> set[str]:
        done = run("check", "--from-capture", str(tmp_path), "-o", "json", *words)
        assert done.returncode == 3
        return {line.partition(":")[0] for line in json.loads(done.stdout)["not_read"]}

    before, after = unread(), unread("--assume-none", "networkpolicies,Ingress")
    assert before - after == {"networkpolicies", "ingresses"}
    assert after < before


# What is not understood.


def test_contexts_kubeconfigs_and_servers_that_are_not_there(tmp_path: Path) -> None:
    """Each is one line that names the file or the address, and what there is instead."""
    there = config(tmp_path)
    (tmp_path / "broken").write_text("a: [b\n  - c: {\n")
    (tmp_path / "bytes").write_bytes(b"\x00\x01\xff")
    base = ("trace", "https://x.example/", "--no-azure", "--kubeconfig")
    assert refused(run(*base, there, "--context", "gone")).endswith("; there are: here")
    assert "no kubeconfig at" in refused(run(*base, str(tmp_path / "missing")))
    assert "is not YAML at line 2" in refused(run(*base, str(tmp_path / "broken")))
    assert "is not YAML" in refused(run(*base, str(tmp_path / "bytes")))
    assert "127.0.0.1:1: Connection refused" in refused(run(*base, there))


def test_captures_that_are_missing_broken_or_cut_off(tmp_path: Path) -> None:
    """A bundle is read whole or not at all: half of one would lie."""
    assert "no such file or folder" in refused(run("check", "--from-capture", str(tmp_path / "none")))
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "services.yaml").write_text("kind: List\nitems: [\n")
    (bundle / "pods.yaml").write_bytes(SAMPLE)
    line = refused(run("trace", API, "--from-capture", str(bundle)))
    assert "services.yaml, line" in line
    assert "not YAML" in line
    whole = tmp_path / "whole.aksnav"
    assert run("capture", str(whole), "--demo", "healthy").returncode == 0
    assert run("trace", API, "--from-capture", str(whole)).returncode == 0
    data = whole.read_bytes()
    for length in (0, 3, len(data) // 2, len(data) * 9 // 10):
        cut = tmp_path / f"cut-{length}.aksnav"
        cut.write_bytes(data[:length])
        assert f"cut-{length}.aksnav" in refused(run("trace", API, "--from-capture", str(cut)))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("trace", "https://", "--demo"), "has no host"),
        (("trace", "https:///api", "--demo"), "has no host"),
        (("trace", "tcp://10.0.0.1:70000", "--demo"), "'70000' is not a port from 1 to 65535"),
        (("trace", "https://shop.contoso.com:70000/", "--demo"), "'70000' is not a port from 1 to 65535"),
        (("trace", API, "--demo", "--from", "nowhere"), "is none of: internet"),
        (("trace", API, "--demo", "-H", "no colon"), "is not of the form"),
        (("trace", API, "--demo", "nope"), "no scenario 'nope'"),
        (("trace", "--demo"), "wants a TARGET"),
        (("trace", "--demo", "--requests", "there-is-none"), "--requests there-is-none: No such file or directory"),
        (("check", "--demo", "--assume-none", "gizmo"), "--assume-none gizmo: no such kind"),
        (("check", "--demo", "-o", "xml"), "invalid choice: 'xml'"),
        (("explain", "Z99"), "nothing is known of Z99"),
        (("frobnicate",), "no such command: frobnicate"),
        (("demo", "--scenario", "healthy"), "needs a terminal"),
        (("--demo",), "needs a terminal"),
    ],
)
def test_what_cannot_be_understood_is_one_line(words: tuple[str, ...], said: str) -> None:
    """What, where, and what would do; exit status 2."""
    assert said in refused(run(*words))


@pytest.mark.parametrize("term", ["dumb", ""])
def test_the_explorer_says_that_a_dumb_terminal_is_none(term: str) -> None:
    """One line that names TERM and the commands that work."""
    assert "TERM is dumb; try aksnav trace or check" in refused(run("demo", TERM=term))


def test_a_broken_line_of_a_file_of_requests_is_named_after_the_answers_before_it(tmp_path: Path) -> None:
    """The number of the line, and what is wrong with it."""
    file = tmp_path / "requests.jsonl"
    for broken in ("not json", "{}", '{"to": 5}', "[]"):
        file.write_text(json.dumps({"to": API}) + f"\n{broken}\n")
        done = run("trace", "--requests", str(file), "--demo", "healthy")
        assert "line 2 of the requests: " in refused(done)
        assert len(done.stdout.splitlines()) == 1
    file.write_bytes(b"\xff\xfe{}")
    assert "not UTF-8 at byte 0" in refused(run("trace", "--requests", str(file), "--demo", "healthy"))


def test_a_reader_that_goes_away_is_no_error() -> None:
    """As in a pipe to head: no traceback, and nothing on standard error."""
    command = f"{sys.executable} -m aksnav trace {API} --demo healthy | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=BOUND, cwd=ROOT)
    assert done.stderr == ""


# Hostile bytes.


@pytest.mark.parametrize(
    "words",
    [
        ("trace", f"https://x/{HOSTILE}", "--demo"),
        ("trace", API, "--from-capture", HOSTILE),
        ("trace", API, "--kubeconfig", HOSTILE),
        ("trace", API, "--demo", HOSTILE),
        ("trace", API, "--demo", "--from", HOSTILE),
        ("trace", API, "--demo", "-H", HOSTILE),
        ("trace", "--demo", "--requests", HOSTILE),
        ("check", "--demo", "--assume-none", HOSTILE),
        ("capture", f"{HOSTILE}/x", "--demo"),
        ("explain", HOSTILE),
        (HOSTILE,),
        ("check", "-o", HOSTILE),
    ],
)
def test_what_is_typed_comes_back_harmless(words: tuple[str, ...]) -> None:
    """Escapes, C1 controls and overrides in words of the command line act on nothing."""
    refused(run(*words))


def test_names_of_files_and_contexts_come_back_harmless(tmp_path: Path) -> None:
    """Escapes and bytes that are no text, in the name of a file in a folder, of a kubeconfig and of a context."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    (Path(os.fsdecode(os.fsencode(folder) + b"/ser\xffvices\x1b[31m.yaml"))).write_text("kind: List\nitems: [\n")
    assert "not YAML" in refused(run("check", "--from-capture", str(folder)))
    odd = config(tmp_path, "kube\x1b[31m")
    assert "no context" in refused(run("check", "--kubeconfig", odd, "--context", "a\x1b]0;x\x07"))
    refused(run("check", "--from-capture", os.fsencode(tmp_path) + b"/\xff\x9b"))


def test_what_a_server_says_comes_out_harmless(tmp_path: Path) -> None:
    """The message of an error body ends up in reports, without what it wanted to do."""
    with ApiServer(tmp_path) as server:
        server.always[PODS] = status(500, f"etcd is gone {HOSTILE}")
        done = run("check", "--kubeconfig", server.kubeconfig(), "--no-azure")
        assert done.returncode == 3
        assert "etcd is gone" in done.stdout
        assert harmless(done.stdout)
        assert done.stderr == ""
        server.always["/api"] = server.always["/apis"] = status(500, f"no discovery {HOSTILE}")
        assert "no discovery" in refused(run("check", "--kubeconfig", server.kubeconfig(), "--no-azure"))
