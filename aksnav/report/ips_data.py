"""The address plan and answers about addresses as plain data for JSON. Field names are a promise."""

from typing import Any

from aksnav.model.addresses import format_address
from aksnav.report.data import evidence_data, subject
from aksnav.trace.addressing.find import Answer
from aksnav.trace.addressing.forecast import Demand, Forecast, Outlook, Room
from aksnav.trace.addressing.overlaps import Overlap, Range
from aksnav.trace.addressing.plan import Plan
from aksnav.trace.addressing.subnets import SubnetUse
from aksnav.trace.addressing.words import Holder

Json = dict[str, Any]


def plan_data(plan: Plan, holders: dict[str, tuple[Holder, ...]]) -> Json:
    """Return the plan as one JSON object.

    Args:
        plan: the plan.
        holders: who holds an address of each subnet, by the subnet's id.
    """
    return {
        "models": [str(model) for model in plan.models],
        "subnets": [_subnet(use, holders.get(use.subnet.id, use.holders)) for use in plan.subnets],
        "pod_cidrs": [
            {
                "prefix": item.text,
                "block": item.block,
                "blocks": item.capacity,
                "used": item.used,
                "free": item.free,
                "pods": item.pods,
                "not_read": item.missing or None,
            }
            for item in plan.pods
        ],
        "service_cidrs": [
            {
                "prefix": item.text,
                "size": item.prefix.size,
                "reserved": item.reserved,
                "used": item.used,
                "free": item.free,
                "dns": item.dns or None,
                "not_read": item.missing or None,
            }
            for item in plan.services
        ],
        "growth": _outlook(plan.outlook),
        "overlaps": [_overlap(item) for item in plan.overlaps],
        "not_read": list(plan.missing),
        "assumptions": list(plan.assumptions),
    }


def _subnet(use: SubnetUse, holders: tuple[Holder, ...]) -> Json:
    return {
        "id": use.subnet.id,
        "name": use.subnet.name,
        "network": use.network.name,
        "prefixes": list(use.subnet.prefixes),
        "size": use.size,
        "reserved": use.reserved,
        "used": use.used,
        "free": use.free,
        "basis": use.basis or None,
        "by": {str(sort): number for sort, number in use.by.items()},
        "delegations": list(use.delegations),
        "holders": [_holder(item) for item in holders],
        "not_read": use.missing or None,
    }


def _holder(holder: Holder) -> Json:
    return {
        "address": None if holder.address is None else format_address(holder.address),
        "sort": str(holder.sort),
        "name": holder.name,
        "subject": subject(holder.ref),
        "field": holder.field or None,
        "node": holder.node or None,
        "note": holder.note or None,
        "pointed_at": holder.pointed_at,
    }


def _outlook(outlook: Outlook) -> Json:
    first = outlook.first
    return {
        "state": str(outlook.state),
        "first": None if first is None else first.title,
        "steps": [_step(step) for step in outlook.steps],
        "rooms": [_room(room) for room in outlook.rooms],
        "notes": list(outlook.notes),
        "not_read": outlook.missing or None,
    }


def _step(step: Forecast) -> Json:
    return {
        "stage": str(step.stage),
        "pool": step.pool or None,
        "nodes": step.nodes,
        "state": str(step.state),
        "why": step.why,
        "demands": [_demand(item) for item in step.demands],
    }


def _demand(demand: Demand) -> Json:
    budget = demand.budget
    return {
        "of": budget.name,
        "unit": budget.unit,
        "capacity": budget.capacity,
        "used": budget.used,
        "free": budget.free,
        "least": demand.least,
        "most": demand.most,
        "state": str(demand.state),
        "why": demand.why,
        "evidence": [evidence_data(item) for item in budget.evidence],
    }


def _room(room: Room) -> Json:
    return {
        "pool": room.pool,
        "model": str(room.model),
        "nodes": room.nodes,
        "full": room.full,
        "by": None if room.by is None else room.by.name,
        "not_read": room.unknown or None,
    }


def _overlap(overlap: Overlap) -> Json:
    return {
        "first": _range(overlap.first),
        "second": _range(overlap.second),
        "why": overlap.why,
        "certain": overlap.certain,
    }


def _range(item: Range) -> Json:
    return {"name": item.name, "prefix": str(item.prefix), "subject": subject(item.ref), "field": item.field or None}


def answer_data(answer: Answer) -> Json:
    """Return an answer about an address or a range as one JSON object."""
    return {
        "asked": answer.text,
        "holders": [_holder(item) for item in answer.holders],
        "more": answer.more,
        "inside": [
            {"what": item.what, "prefix": str(item.prefix), "subject": subject(item.ref), "part": item.part}
            for item in answer.inside
        ],
        "before": [
            {
                "address": format_address(item.address),
                "subject": subject(item.who),
                "how": item.how,
                "at": item.at or None,
                "still": item.still,
            }
            for item in answer.before
        ],
        "maybe": list(answer.maybe),
        "not_read": list(answer.missing),
    }
