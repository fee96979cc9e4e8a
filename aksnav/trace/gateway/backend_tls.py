"""TLS from a Gateway to a backend (Gateway API v1: BackendTLSPolicy).

A policy stands in the namespace of the Service that it names. What it says of a port by name goes before what it says
of the whole Service; of two for one target the older one, then the first by name. ConfigMaps are not read: whether one
holds a certificate authority is the controller's word, or taken for granted.
"""

import msgspec

from aksnav.model.kubernetes.gateway import AncestorStatus, BackendTLSPolicy, Gateway, PolicyTarget
from aksnav.model.kubernetes.workload import Condition
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import answers, status
from aksnav.trace.gateway.classes import class_of, find_condition, stale
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Flavour, Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_SECURE = {"http": "https", "grpc": "grpcs"}
FIX = "create the ConfigMap with ca.crt in the policy's namespace, or name one that exists"


class Found(msgspec.Struct, frozen=True, gc=False):
    """The policy of a Service port, its targetRef, and those that were looked at."""

    policy: BackendTLSPolicy
    index: int
    considered: tuple[Considered, ...]


def secured(store: Store, flavour: Flavour, gateway: Gateway, target: Target) -> Target:
    """Return a target as the BackendTLSPolicy of its Service port leaves it; the target itself where there is none."""
    port = target.service_port.name if target.service_port is not None else ""
    found = policy_of(store, f"{target.namespace}/{target.service}", port)
    if found is None:
        return target
    step = _step(store, flavour, gateway, found, target.packet)
    return msgspec.structs.replace(
        target,
        steps=(*target.steps, step),
        packet=step.packet_after or target.packet,
        ended=step.verdict is Verdict.RESPOND or step.verdict is Verdict.REJECT,
    )


def policy_of(store: Store, service: str, port: str) -> Found | None:
    """Return the policy for a Service (``namespace/name``) and the name of its port, or None."""
    known = once(store, "backend TLS policies", (BackendTLSPolicy.KIND,), lambda: _by_service(store))
    fitting = [item for item in known.get(service, ()) if item[1].section_name in {"", port}]
    if not fitting:
        return None
    fitting.sort(key=lambda item: (not item[1].section_name, item[0].created, item[0].name))
    policy, target = fitting[0]
    said = tuple(
        Considered(f"BackendTLSPolicy {item.id}", item is policy, "" if item is policy else "another goes before it")
        for item, _ in fitting
    )
    return Found(policy, policy.target_refs.index(target), said)


def _by_service(store: Store) -> dict[str, list[tuple[BackendTLSPolicy, PolicyTarget]]]:
    found: dict[str, list[tuple[BackendTLSPolicy, PolicyTarget]]] = {}
    for policy in store.backend_tls_policies:
        for target in policy.target_refs:
            if target.kind == "Service" and target.group in {"", "core"}:
                found.setdefault(f"{policy.namespace}/{target.name}", []).append((policy, target))
    return found


def unread(store: Store) -> str:
    """Return what would have to be read to know every BackendTLSPolicy, an empty string where all are known."""
    table = store.backend_tls_policies
    access = table.access()
    if not access.complete:
        return f"list backendtlspolicies.gateway.networking.k8s.io: {access.reason or access.reading.value}"
    return ", ".join(f"BackendTLSPolicy {ident}: {why}" for ident, why in sorted(table.undecodable.items()))


def authority_fault(policy: BackendTLSPolicy, said: Condition | None) -> tuple[str, str]:
    """Return why no certificate authority of a policy can be used, with the field; empty ones where nothing says so.

    Args:
        policy: the policy.
        said: ResolvedRefs of its present generation, as the controller has it.
    """
    refs = policy.validation.ca_certificate_refs
    if not refs:
        field = ".spec.validation"
        return ("", "") if policy.validation.well_known else ("it names no certificate authority", field)
    if said is not None and said.status == "False":
        listed = ", ".join(f"{ref.kind} {ref.name}" for ref in refs)
        return f"the controller cannot use {listed} ({said.reason})", ".spec.validation.caCertificateRefs"
    return "", ""


def said_of(policy: BackendTLSPolicy, kind: str, controller: str, gateway: Gateway | None) -> Condition | None:
    """Return a condition of a policy's present generation, as the controller of a Gateway has it, or None.

    Args:
        policy: the policy.
        kind: type of the condition.
        controller: its name; empty where it is not known, and any may speak.
        gateway: None for whichever ancestor has such a condition, one that is not True first.
    """
    found = [
        item
        for ancestor in policy.status.ancestors
        if controller in {"", ancestor.controller_name} and _is_about(ancestor, policy, gateway)
        if (item := find_condition(ancestor.conditions, kind)) is not None and not stale(policy.generation, item)
    ]
    return next((item for item in found if item.status != "True"), found[0] if found else None)


def _is_about(ancestor: AncestorStatus, policy: BackendTLSPolicy, gateway: Gateway | None) -> bool:
    """Whether an ancestor is a Gateway, or the target itself, which some controllers name in place of it."""
    ref = ancestor.ancestor_ref
    return (
        gateway is None or ref.kind != Gateway.KIND or f"{ref.namespace or policy.namespace}/{ref.name}" == gateway.id
    )


def _step(store: Store, flavour: Flavour, gateway: Gateway, found: Found, packet: Packet) -> Step:
    policy, validation = found.policy, found.policy.validation
    base = Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.TRANSFORM,
        summary=f"BackendTLSPolicy {policy.id}: TLS to the backend, with server name {validation.hostname}",
        subject=policy.ref,
        version=policy.resource_version,
        packet=packet,
        evidence=(
            Evidence(f".spec.targetRefs[{found.index}].name", policy.target_refs[found.index].name, policy.ref),
            Evidence(".spec.validation.hostname", validation.hostname, policy.ref),
        ),
        considered=found.considered,
        confirm=kubectl.show(policy.ref),
    )
    if flavour is Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS:
        return msgspec.structs.replace(
            base,
            verdict=Verdict.SKIP,
            summary=f"BackendTLSPolicy {policy.id} is not for this controller, which has a kind of its own",
            assumptions=("no BackendTLSPolicy of alb.networking.azure.io, which are not read, is for this Service",),
        )
    reading = class_of(store, gateway).found
    controller = reading.controller_name if reading is not None else ""
    accepted = said_of(policy, "Accepted", controller, gateway)
    resolved = said_of(policy, "ResolvedRefs", controller, gateway)
    told = tuple(
        Evidence(f".status.ancestors[].conditions[?(@.type=='{item.type}')].status", _word(item), policy.ref)
        for item in (accepted, resolved)
        if item is not None
    )
    base = msgspec.structs.replace(base, evidence=(*base.evidence, *told))
    why, field = authority_fault(policy, resolved)
    if why:
        return _untrusted(base, flavour, why, field)
    if accepted is not None and accepted.status != "True":
        return msgspec.structs.replace(
            base,
            verdict=Verdict.UNSUPPORTED,
            cause="G30",
            missing=f"whether BackendTLSPolicy {policy.id} is applied: the controller says {status.words(accepted)}",
        )
    return msgspec.structs.replace(
        base,
        packet_after=_encrypted(packet, validation.hostname),
        assumptions=tuple(_assumed(policy, accepted, resolved)),
    )


def _encrypted(packet: Packet, name: str) -> Packet:
    return msgspec.structs.replace(packet, scheme=_SECURE.get(packet.scheme, packet.scheme), tls=True, sni=name)


def _assumed(policy: BackendTLSPolicy, accepted: Condition | None, resolved: Condition | None) -> list[str]:
    names = ", ".join(
        str(item.get("hostname") or item.get("uri") or "") for item in policy.validation.subject_alt_names
    )
    wanted = names or policy.validation.hostname
    found = [
        f"the backend shows a certificate for {wanted} that the authority of BackendTLSPolicy {policy.id} vouches for"
    ]
    if accepted is None:
        found.append(f"the controller applies BackendTLSPolicy {policy.id} (its status says nothing of it)")
    if resolved is None:
        found += [
            f"{ref.kind} {policy.namespace}/{ref.name}, which is not read, exists and holds ca.crt"
            for ref in policy.validation.ca_certificate_refs
        ]
    return found


def _untrusted(base: Step, flavour: Flavour, why: str, field: str) -> Step:
    code, note = answers.untrusted(flavour)
    refs = ", ".join(part.value for part in base.evidence if part.field.startswith(".spec.targetRefs"))
    return msgspec.structs.replace(
        base,
        verdict=Verdict.RESPOND,
        status=code,
        cause="G29",
        summary=f"{base.subject} for Service {refs} has no usable certificate authority: {why}; answers {code}",
        evidence=(Evidence(field, why, base.subject), *base.evidence),
        assumptions=(note,) if note else (),
        fix=FIX,
    )


def _word(condition: Condition) -> str:
    return f"{condition.status} ({condition.reason})" if condition.reason else condition.status
