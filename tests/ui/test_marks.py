"""The field that decides, marked in the YAML of its object: every path that evidence writes finds its line."""

import re
from collections.abc import Iterator

import msgspec
import pytest
import yaml

from aksnav.model.change import Upserted
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.object import Ref
from aksnav.trace.step import Considered, Evidence, Kind, Outcome, Step, Verdict
from aksnav.ui.app import Explorer
from aksnav.ui.describe import Note, notes_of, yaml_lines
from aksnav.ui.marks import find
from aksnav.ui.screens.lines import LinesScreen
from aksnav.ui.screens.trace import TraceScreen
from tests.ui.payloads import PAYLOADS, harmless
from tests.ui.screen import screen_lines, screen_text
from tests.ui.settle import settle
from tests.ui.test_explorer import explorer

POLICY = {
    "kind": "NetworkPolicy",
    "metadata": {"name": "p", "labels": {"app.kubernetes.io/name": "x"}, "annotations": {}},
    "spec": {
        "podSelector": {},
        "policyTypes": ["Ingress"],
        "ingress": [
            {"from": [{"podSelector": {"matchLabels": {"app": "a"}}}], "ports": [{"port": 80}]},
            {"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]},
        ],
    },
    "status": {"conditions": [{"type": "Ready", "status": "False"}, {"type": "Other", "status": "True"}]},
}
GROUP = {
    "id": "/x",
    "properties": {
        "securityRules": [
            {"name": "a", "properties": {"access": "Allow"}},
            {"name": "b", "properties": {"access": "Deny", "destinationPortRanges": ["443", "80"]}},
        ]
    },
}
LINES = {
    ".spec.ingress[1]": ["- from:", "- ipBlock:", "cidr: 10.0.0.0/8", "except:", "- 10.1.0.0/16"],
    ".spec.ingress[0].ports[0].port": ["- port: 80"],
    ".spec.ingress[1].from[0].ipBlock.cidr": ["cidr: 10.0.0.0/8"],
    ".spec.podSelector": ["podSelector: {}"],
    ".metadata.labels['app.kubernetes.io/name']": ["app.kubernetes.io/name: x"],
    ".status.conditions[?(@.type=='Ready')].status": ["status: 'False'"],
    '.status.conditions[?(@.type=="Other")].status': ["status: 'True'"],
}


def marked(wire: object, path: str) -> Iterator[str]:
    """Yield the lines that a path marks, as they are written."""
    text = yaml.safe_dump(wire, sort_keys=False)
    for mark in find(text, [path]):
        yield from (line.strip() for line in text.splitlines()[mark.first : mark.last + 1])


@pytest.mark.parametrize("path", LINES)
def test_a_path_of_kubectl_finds_its_lines(path: str) -> None:
    """Indexes, quoted keys and filters; a field of several lines is marked from its key to its last line."""
    assert list(marked(POLICY, path)) == LINES[path]


def test_a_path_of_az_passes_through_the_properties() -> None:
    """Az prints ARM objects flat, the API sends them nested."""
    assert list(marked(GROUP, ".securityRules[?name=='b'].access")) == ["access: Deny"]
    assert list(marked(GROUP, ".securityRules[?name=='b'].destinationPortRanges")) == [
        "destinationPortRanges:",
        "- '443'",
        "- '80'",
    ]


def test_every_element_of_a_list_is_marked_where_the_path_means_all() -> None:
    """``[*]`` and ``[]`` are each of them."""
    assert list(marked(POLICY, ".status.conditions[*].type")) == ["- type: Ready", "- type: Other"]
    assert list(marked(POLICY, ".status.conditions[].status")) == ["status: 'False'", "status: 'True'"]


def test_a_field_that_is_not_set_is_told_where_it_would_stand() -> None:
    """Defaults decide as well: the object that would hold the field is marked, and said not to have it."""
    text = yaml.safe_dump(POLICY, sort_keys=False)
    (mark,) = find(text, [".spec.egress"])
    assert (text.splitlines()[mark.first], mark.whole) == ("spec:", False)
    lines = ["".join(span.text for span in line) for line in yaml_lines(encoded(), [Note(".spec.egress", "why")])]
    assert "# ▼ .spec.egress: not set here: why" in lines


@pytest.mark.parametrize("path", ["request host", "", ".spec.ingress[", "pods -n kube-system", ".nothing.of.this"])
def test_what_is_no_path_of_the_object_marks_nothing(path: str) -> None:
    """Facts that are no fields of the object are left out."""
    assert not list(marked(POLICY, path))


def encoded() -> bytes:
    """Return the policy as its API sends it."""
    return msgspec.json.encode(POLICY)


def test_marked_yaml_is_still_yaml() -> None:
    """What is said of a field is a comment, so that a copy can be applied."""
    notes = [Note(path, "because: [of] {this}") for path in LINES]
    text = "\n".join("".join(span.text for span in line) for line in yaml_lines(encoded(), notes))
    assert yaml.safe_load(text) == POLICY
    assert text.count("▼") == len(LINES)


def test_a_step_tells_the_fields_that_decide_and_the_rules_that_it_passed_by() -> None:
    """Evidence of other objects is not told of this one; a rule that was considered stands at its own field."""
    ref = Ref("NetworkPolicy", "shop/p")
    step = Step(
        kind=Kind.POLICY,
        verdict=Verdict.DROP,
        summary="",
        subject=ref,
        evidence=(
            Evidence(".spec.policyTypes", "Ingress", None, "isolates"),
            Evidence(".networkProfile.networkPolicy", "cilium", Ref("managedClusters", "x")),
        ),
        considered=(
            Considered("shop/p ingress[0]", False, "no match", "does-not-admit", ".spec.ingress[0]"),
            Considered("shop/q ingress[1]", False, "q", "does-not-admit", ".spec.ingress[1]"),
        ),
    )
    assert notes_of(step, ref) == [
        Note(".spec.policyTypes", "isolates"),
        Note(".spec.ingress[0]", "no match", decides=False),
    ]


def test_hostile_reasons_become_one_harmless_line() -> None:
    """A reason holds text from the cluster: a line end in it does not end the comment."""
    for payload in PAYLOADS:
        lines = yaml_lines(encoded(), [Note(".spec.policyTypes", payload)])
        assert sum("▼" in "".join(span.text for span in line) for line in lines) == 1


@pytest.mark.parametrize("size", [(160, 45), (80, 24)])
async def test_y_on_a_denied_step_goes_to_the_field_that_decides(size: tuple[int, int]) -> None:
    """From the trace of a denied connection: the policy's YAML at the deciding line, the reason above it."""
    async with explorer(size=size) as (app, pilot, _):
        client = next(pod.id for pod in app.store.pods if pod.id.startswith("shop/web-"))
        app.run_command(f"trace pod/payments/ledger-0:5432 from pod/{client}")
        await settle(pilot)
        assert isinstance(app.screen, TraceScreen)
        assert "add this, and it passes here" in app.screen._evidence.text
        await pilot.press("y")
        await settle(pilot)
        assert isinstance(app.screen, LinesScreen)
        shown = screen_lines(app)
        at = next(number for number, line in enumerate(shown) if "# ▼ .spec.policyTypes" in line)
        assert re.match(r"\s+policyTypes:", shown[at + 1])
        assert any("# ▽ .spec.ingress[0]: podSelector alone" in line for line in shown)


async def test_hostile_names_in_marked_yaml_do_nothing() -> None:
    """Reasons are drawn harmless, like everything else."""
    async with explorer() as (app, pilot, _):
        notes = [Note(".spec.policyTypes", payload) for payload in PAYLOADS]
        for note in notes:
            screen = LinesScreen("YAML", yaml_lines(encoded(), [note]))
            app.push_screen(screen)
            await settle(pilot)
            assert harmless(screen_text(app))
            await pilot.press("q")


def outcomes(app: Explorer) -> dict[str, Outcome]:
    """Return what becomes of every way in."""
    return {key: entry.trace.outcome for key, entry in app.evaluator.entries.items() if entry.trace is not None}


async def test_a_policy_that_cannot_be_evaluated_is_named_and_marked_and_nothing_else_changes() -> None:
    """Its Pods are undecided by its name and field; the ways in to everything else stay as they are."""
    async with explorer() as (app, pilot, _):
        before = outcomes(app)
        selector = {"matchLabels": {"app": "ledger"}}
        rule = {"from": [{"ipBlock": {"cidr": "10.0.0.0/40"}}]}
        wire = {
            "kind": "NetworkPolicy",
            "metadata": {"name": "bad", "namespace": "payments"},
            "spec": {"podSelector": selector, "ingress": [rule]},
        }
        app.store.apply(Upserted("NetworkPolicy", [decode_wire(KINDS["NetworkPolicy"], wire)]))
        client = next(pod.id for pod in app.store.pods if pod.id.startswith("shop/web-"))
        app.run_command(f"trace pod/payments/ledger-0:5432 from pod/{client}")
        await settle(pilot)
        assert isinstance(app.screen, TraceScreen)
        assert "payments/bad" in app.screen._evidence.text
        assert ".spec.ingress[0].from[0]" in app.screen._evidence.text
        await pilot.press("q")
        await settle(pilot)
        after = outcomes(app)
        assert {key: after[key] for key in before} == before
