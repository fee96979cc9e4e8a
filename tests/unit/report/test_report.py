"""Answers and findings as text, JSON and Markdown: their shape is a promise, and nothing foreign acts in them."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from aksnav.checks.finding import Finding, Proof
from aksnav.cli.reading import encode
from aksnav.model.addresses import parse_address
from aksnav.model.object import Ref
from aksnav.report.data import answer, finding_data, packet_data, subject
from aksnav.report.markdown import code, findings_markdown, trace_markdown
from aksnav.report.text import finding_lines, trace_lines
from aksnav.report.words import OUTCOME_GLYPH, OUTCOME_RANK, VERDICT_GLYPH, packet_words
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.packet import Packet
from aksnav.trace.request import Request
from aksnav.trace.step import (
    Backend,
    Branch,
    Certainty,
    Confidence,
    Considered,
    Destination,
    Evidence,
    Kind,
    Outcome,
    Step,
    Trace,
    Verdict,
)
from tests.ui.payloads import PAYLOADS, harmless

PROMISED = {"id", "verdict", "status", "confidence", "backends", "destinations", "causes", "steps"}
STEP_KEYS = {
    "kind", "verdict", "summary", "subject", "packet", "packet_after", "cause", "status", "missing", "evidence",
    "considered", "assumptions", "confirm", "fix", "addition", "branches",
}  # fmt: skip


def everywhere(text: str) -> Trace:
    """Return a trace that has a text wherever a trace can have one."""
    packet = Packet(
        source_word=text,
        port=443,
        scheme="https",
        host=text,
        path=text,
        query=text,
        method=text,
        headers=((text, text),),
        sni=text,
        tls=True,
    )
    ref = Ref("Service", f"{text}/{text}")
    inner = Step(
        kind=Kind.ENDPOINT,
        verdict=Verdict.DROP,
        summary=text,
        subject=ref,
        version=text,
        packet=packet,
        packet_after=packet,
        cause="S02",
        evidence=(Evidence(text, text, ref, text), Evidence(text, text)),
        considered=(Considered(text, True, text), Considered(text, False, text)),
        assumptions=(text,),
        missing=text,
        confirm=text,
        fix=text,
    )
    blind = Step(kind=Kind.NSG, verdict=Verdict.BLIND, summary=text, missing=text, packet=packet)
    fan = Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.FANOUT,
        summary=text,
        branches=(Branch(text, (inner,), 0.5, 3), Branch(text, (blind,))),
    )
    return Trace(
        request=Request(text=text, scheme="https"),
        steps=(fan,),
        outcome=Outcome.RESPONDS,
        status=503,
        confidence=Confidence(Certainty.PARTIAL, (text,)),
        breaks=(inner, blind),
        causes=("S02",),
        backends=(Backend(text, text, 80, None),),
        destinations=(Destination(text, text, text, 80),),
    )


def finding(text: str) -> Finding:
    return Finding(
        id="S02",
        subject=Ref("Service", f"{text}/{text}"),
        summary=text,
        proof=Proof.HINT,
        evidence=(Evidence(text, text, None, text),),
        related=(Ref("Pod", text),),
        confirm=text,
        fix=text,
    )


OUTPUTS: dict[str, Callable[[str], Iterable[str]]] = {
    "trace text": lambda text: trace_lines(everywhere(text)),
    "trace markdown": lambda text: trace_markdown(everywhere(text)),
    "trace json": lambda text: [encode(answer(everywhere(text), text))],
    "findings text": lambda text: finding_lines([finding(text)]),
    "findings markdown": lambda text: findings_markdown([finding(text)], [text]),
    "findings json": lambda text: [encode(finding_data(finding(text), text))],
}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_no_foreign_text_acts_in_any_output(output: str, payload: str) -> None:
    """Every line is one line of printable characters, whatever names, fields, values and hosts hold."""
    for line in OUTPUTS[output](payload):
        assert "\n" not in line
        assert harmless(line), ascii(line)
        line.encode("utf-8")


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_json_gives_back_what_was_read(payload: str) -> None:
    """A program that reads the answer gets the text as it is; only the way is ASCII."""
    line = encode(answer(everywhere(payload), payload))
    assert line.isascii()
    back = json.loads(line)
    assert back["backends"][0]["service"] == payload
    assert back["destinations"][0]["pod"] == payload


MARKDOWN = (
    "`",
    "``",
    "a`b``c",
    "` **bold** `",
    "`\n# head",
    "\\`",
    "<script>x</script>",
    "[x](y)",
    "@all",
    "|a|",
    "",
    " ",
)


@pytest.mark.parametrize("text", [*MARKDOWN, *PAYLOADS], ids=range(len(MARKDOWN) + len(PAYLOADS)))
def test_a_code_span_cannot_be_left(text: str) -> None:
    """CommonMark 6.1: a span of one backquote ends at the next one; an empty span would begin a longer one."""
    span = code(text)
    assert re.fullmatch(r"`[^`\n]+`", span)


@pytest.mark.parametrize("text", MARKDOWN)
def test_everything_foreign_in_markdown_stands_in_code_spans(text: str) -> None:
    """Outside of the spans there are our own words alone."""
    marked = f"{text}MARK"
    for line in (*trace_markdown(everywhere(marked)), *findings_markdown([finding(marked)], [marked])):
        assert line.count("`") % 2 == 0
        assert "MARK" not in re.sub(r"`[^`]*`", "", line)


@pytest.fixture(scope="module")
def answers() -> list[tuple[Trace, dict[str, Any]]]:
    store = Store()
    for change in demo.changes("faulty", lambda: 1_764_000_000.0):
        store.apply(change)
    asked = [parse_request(fault.expected.to, fault.expected.source) for fault in demo.FAULTS if fault.expected.to]
    asked.append(parse_request("https://shop.contoso.com/"))
    return [(found, answer(found, number)) for number, found in enumerate(trace(store, item) for item in asked)]


def test_an_answer_has_the_promised_keys(answers: list[tuple[Trace, dict[str, Any]]]) -> None:
    """Scripts depend on them: none is left out where it is empty; the question itself is the only other one."""
    for number, (found, line) in enumerate(answers):
        assert set(line) == PROMISED | {"request"}
        assert line["id"] == number
        assert line["verdict"] == found.outcome.value
        assert line["status"] == (found.status or None)
        assert set(line["confidence"]) == {"certainty", "because"}
        assert all(set(item) == {"namespace", "service", "port", "weight"} for item in line["backends"])
        assert all(set(item) == {"namespace", "pod", "ip", "port"} for item in line["destinations"])
        assert json.loads(encode(line)) == line


def every_step(steps: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for step in steps:
        yield step
        for branch in step.get("branches", ()):
            assert set(branch) == {"label", "weight", "alike", "steps"}
            yield from every_step(branch["steps"])


def test_steps_have_known_keys_and_values_from_closed_lists(answers: list[tuple[Trace, dict[str, Any]]]) -> None:
    """Kind, verdict and summary always; objects with their plane; evidence with field and value."""
    for _, line in answers:
        for step in every_step(line["steps"]):
            assert {"kind", "verdict", "summary"} <= set(step) <= STEP_KEYS
            Kind(step["kind"])
            Verdict(step["verdict"])
            for fact in step.get("evidence", ()):
                assert {"field", "value"} <= set(fact) <= {"field", "value", "object", "note"}
            for rule in step.get("considered", ()):
                assert {"rule", "decided", "why"} <= set(rule) <= {"rule", "decided", "why", "effect", "field"}
            if "subject" in step:
                assert step["subject"]["plane"] in {"azure", "kubernetes"}


def test_a_trace_without_an_id_has_none() -> None:
    """A single question on the command line needs no name."""
    assert set(answer(everywhere("x"))) == (PROMISED | {"request"}) - {"id"}
    assert next(iter(answer(everywhere("x"), 7))) == "id"


@pytest.mark.parametrize(
    ("ref", "plane"),
    [
        (Ref("Service", "a/b"), "kubernetes"),
        (Ref("loadBalancers", "/subscriptions/s/x"), "azure"),
        (Ref("subnets", "/subscriptions/s/x/subnets/y"), "azure"),
    ],
)
def test_an_object_has_its_plane(ref: Ref, plane: str) -> None:
    """Parts of Azure resources are Azure's, although they are no kind of their own."""
    named = subject(ref, "7")
    assert named == {"plane": plane, "kind": ref.kind, "id": ref.id, "version": "7"}
    assert subject(None) is None


def test_findings_have_their_promised_keys() -> None:
    """The title is the catalogue's."""
    assert set(finding_data(finding("x"), "title")) == {
        "id", "title", "proof", "subject", "summary", "evidence", "related", "confirm", "fix",
    }  # fmt: skip


def test_a_packet_is_in_text_form() -> None:
    """Addresses of either family as people write them; what is empty is left out."""
    packet = Packet(source=parse_address("10.0.0.4"), destination=parse_address("fd00::1"), port=80, protocol="TCP")
    wanted = {"source": "10.0.0.4", "destination": "fd00::1", "port": 80, "protocol": "TCP", "scheme": "tcp"}
    assert packet_data(packet) == wanted
    assert packet_words(packet) == "10.0.0.4 → [fd00::1]:80 TCP"


def test_text_tells_the_ladder_every_break_and_what_the_verdict_hangs_on() -> None:
    """First line the verdict; every break with check, field, packet, command and fix."""
    lines = list(trace_lines(everywhere("foreign")))
    assert lines[0] == "✖ responds 503  foreign  partial (1)"
    text = "\n".join(lines)
    for word in ("S02", "check", "missing", "because", "decided", "passed by", "packet", "confirm", "fix", "hangs on"):
        assert word in text
    assert "50% ×3" in text  # noqa: RUF001 - it is a multiplication


def test_markdown_tells_as_much() -> None:
    """A ticket needs the field, the command, the fix, and what the verdict hangs on."""
    text = "\n".join(trace_markdown(everywhere("foreign")))
    for word in ("**responds 503**", "**S02**", "because", "missing", "confirm", "fix:", "hangs on", "(50%)"):
        assert word in text


def test_a_clean_sweep_says_what_it_did_not_see() -> None:
    """No finding is not an empty page, and what was not read stands behind it."""
    assert list(findings_markdown([])) == ["no findings"]
    assert list(findings_markdown([], ["pods: denied"]))[-1] == "- not read: `pods: denied`"
    assert list(finding_lines([])) == ["0 findings"]
    assert list(finding_lines([finding("x")]))[-1] == "1 finding"


def test_every_verdict_and_outcome_has_a_glyph_and_a_rank() -> None:
    """A member of a closed list without its sign would not be shown at all."""
    assert set(VERDICT_GLYPH) == set(Verdict)
    assert set(OUTCOME_GLYPH) == set(OUTCOME_RANK) == set(Outcome)
    assert len(set(OUTCOME_RANK.values())) == len(Outcome)
