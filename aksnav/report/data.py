"""A trace and findings as plain data for JSON. Field names and ids are a promise: scripts depend on them."""

import json
from functools import lru_cache
from typing import Any

from aksnav.checks.finding import Finding
from aksnav.model.addresses import format_address
from aksnav.model.kinds import KINDS
from aksnav.model.object import Ref
from aksnav.trace.packet import Packet
from aksnav.trace.step import Branch, Considered, Evidence, Step, Trace

Json = dict[str, Any]


def answer(trace: Trace, ident: str | int | None = None) -> Json:
    """Return a trace as one JSON object.

    Args:
        trace: the answer.
        ident: the id of the question, where it came in a file of requests.
    """
    out: Json = {} if ident is None else {"id": ident}
    out.update(
        request=trace.request.text,
        verdict=str(trace.outcome),
        status=trace.status or None,
        confidence={"certainty": str(trace.confidence.certainty), "because": list(trace.confidence.because)},
        backends=[
            {"namespace": item.namespace, "service": item.service, "port": item.port, "weight": item.weight}
            for item in trace.backends
        ],
        destinations=[
            {"namespace": item.namespace, "pod": item.pod, "ip": item.ip, "port": item.port}
            for item in trace.destinations
        ],
        causes=list(trace.causes),
        steps=[step_data(step) for step in trace.steps],
    )
    return out


def step_data(step: Step) -> Json:
    """Return a step, with its branches, as a JSON object; empty fields are left out."""
    out: Json = {
        "kind": str(step.kind),
        "verdict": str(step.verdict),
        "summary": step.summary,
        "subject": subject(step.subject, step.version),
        "packet": packet_data(step.packet),
        "packet_after": packet_data(step.packet_after) if step.packet_after is not None else None,
        "cause": step.cause,
        "status": step.status,
        "missing": step.missing,
        "evidence": [evidence_data(item) for item in step.evidence],
        "considered": [_considered(item) for item in step.considered],
        "assumptions": list(step.assumptions),
        "confirm": step.confirm,
        "fix": step.fix,
        "addition": json.loads(step.addition) if step.addition else None,
        "branches": [_branch(item) for item in step.branches],
    }
    return {key: value for key, value in out.items() if value not in (None, "", 0, [])}


def _considered(item: Considered) -> Json:
    out: Json = {"rule": item.rule, "decided": item.decided, "why": item.why}
    return out | {key: value for key, value in (("effect", item.effect), ("field", item.field)) if value}


def _branch(branch: Branch) -> Json:
    return {
        "label": branch.label,
        "weight": branch.weight,
        "alike": branch.alike,
        "steps": [step_data(step) for step in branch.steps],
    }


@lru_cache(maxsize=4096)
def subject(ref: Ref | None, version: str = "") -> Json | None:
    """Return the name of an object, with its plane, or None: one value for one object, to be left as it is."""
    if ref is None:
        return None
    kind = KINDS.get(ref.kind)
    # Parts of Azure resources (a subnet) are no kinds of their own: their ARM id tells them.
    plane = "azure" if ref.id.startswith("/") or (kind is not None and kind.azure) else "kubernetes"
    out: Json = {"plane": plane, "kind": ref.kind, "id": ref.id}
    if version:
        out["version"] = version
    return out


def evidence_data(item: Evidence) -> Json:
    """Return one fact as a JSON object."""
    out: Json = {"field": item.field, "value": item.value}
    if item.subject is not None:
        out["object"] = subject(item.subject)
    if item.note:
        out["note"] = item.note
    return out


@lru_cache(maxsize=256)
def packet_data(packet: Packet) -> Json:
    """Return a packet as a JSON object, with addresses in text form and empty fields left out.

    Most steps of a trace leave the packet alone: what is returned for it is one value, to be left as it is.
    """
    out: Json = {
        "source": format_address(packet.source) if packet.source is not None else packet.source_word,
        "destination": format_address(packet.destination) if packet.destination is not None else "",
        "port": packet.port,
        "protocol": packet.protocol,
        "scheme": packet.scheme,
        "host": packet.host,
        "path": packet.path if packet.http else "",
        "query": packet.query,
        "method": packet.method if packet.http else "",
        "headers": dict(packet.headers),
        "sni": packet.sni,
        "tls": packet.tls,
    }
    return {key: value for key, value in out.items() if value not in ("", 0, {}, False)}


def finding_data(finding: Finding, title: str) -> Json:
    """Return a finding as a JSON object."""
    return {
        "id": finding.id,
        "title": title,
        "proof": str(finding.proof),
        "subject": subject(finding.subject),
        "summary": finding.summary,
        "evidence": [evidence_data(item) for item in finding.evidence],
        "related": [subject(item) for item in finding.related],
        "confirm": finding.confirm,
        "fix": finding.fix,
    }
