"""What happens to the demo while it is watched: a pure function of time that goes round and round.

In every round Service shop/web is rolled out anew, a Pod of shop/search loses and regains its readiness, and somebody
adds a rule to the subnet's security group and takes it away again.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from aksnav.model.change import Change, Heartbeat, Removed, Upserted
from aksnav.model.kinds import KINDS
from aksnav.sources.demo.azure_network import SUBNET_GROUP, rule
from aksnav.sources.demo.nodes import INSTANCES
from aksnav.sources.demo.reading import decoded, wire
from aksnav.sources.demo.scenarios import DEFAULT, Scenario, scenario_named
from aksnav.sources.demo.services import NGINX_IP, slice_of
from aksnav.sources.demo.workloads import free_address, is_ready, pod, set_ready, workload
from aksnav.sources.demo.world import Json, World, day, ident, uid

ROUND = 90.0
"""Seconds that a round takes."""

_BY_NODE = {instance.node: instance for instance in INSTANCES}
_DAY_OF_SCRIPT = 84


class Moment(NamedTuple):
    """What has happened at a time of a round: objects that are new or changed, and ids of those that are gone."""

    at: float
    changed: tuple[tuple[str, Json], ...] = ()
    gone: tuple[tuple[str, str], ...] = ()


def script(scenario: str = DEFAULT, start: float = 0.0) -> Iterator[tuple[float, list[Change]]]:
    """Yield what happens to a scenario, without end, in the order of time.

    Args:
        scenario: its name; an empty one is the default.
        start: when the demo was loaded, seconds since the epoch: the changes' own times count from it.

    Yields:
        Seconds since the start, and the changes of that moment.

    Raises:
        LookupError: there is no such scenario.
    """
    chosen = scenario_named(scenario)
    for seconds, moment in _moments(chosen):
        yield seconds, [*_visible(chosen, moment), *_heartbeats(chosen, start + seconds)]


def get_raw(kind: str, ident_: str, scenario: str = DEFAULT, seconds: float = 0.0) -> Json | None:
    """Return one object in wire form, or None if it is not there or cannot be read in this scenario.

    Args:
        kind: its kind.
        ident_: its id.
        scenario: the scenario's name; an empty one is the default.
        seconds: as of how long after the start of the script.

    Raises:
        LookupError: there is no such scenario.
    """
    found = next((item for item in wire(scenario).get(kind, []) if ident(item) == ident_), None)
    raw = None if found is None else msgspec.json.encode(found)
    chosen = scenario_named(scenario)
    for at, moment in _moments(chosen):
        if at > seconds:
            break
        if (kind, ident_) in moment.gone:
            raw = None
        for changed_kind, changed in moment.changed:
            if (changed_kind, ident(changed)) == (kind, ident_) and _readable(chosen, kind):
                raw = msgspec.json.encode(changed)
    return None if raw is None else msgspec.json.decode(raw, type=dict[str, Any])


def _moments(chosen: Scenario) -> Iterator[tuple[float, Moment]]:
    """Yield seconds since the start, and what happens then; the objects are good until the next moment is asked for."""
    world, number = chosen.build(), 0
    while True:
        for story in (_roll_out(world, number), _readiness(world), _security_rule(world, number)):
            for moment in story:
                yield number * ROUND + moment.at, moment
        number += 1


def _readable(chosen: Scenario, kind: str) -> bool:
    refusal = chosen.refusals().get(kind)
    return refusal is None or bool(refusal.scope)


def _roll_out(world: World, number: int) -> Iterator[Moment]:
    """Replace the Pods of shop/web one by one: the new one comes, starts and is ready, then the old one goes."""
    item = msgspec.structs.replace(workload("shop", "web"), revision=str(number + 2), made=_DAY_OF_SCRIPT)
    service = world.get("Service", "shop/web")
    for place, old in enumerate(world.pods_of("shop", item.selector)):
        at = 2.0 + 12.0 * place
        instance = _BY_NODE[old["spec"]["nodeName"]]
        new = pod(item, place, instance, free_address(world, instance.node))
        status = dict(new["status"])
        new["status"] = {"phase": "Pending", "conditions": [status["conditions"][-1]]}
        yield Moment(at, (("Pod", world.renew("Pod", new)),))
        new["status"] = status
        set_ready(new, ready=False)
        yield Moment(at + 2, (("Pod", world.renew("Pod", new)), ("EndpointSlice", _sliced(world, service))))
        set_ready(new, ready=True)
        yield Moment(at + 5, (("Pod", world.renew("Pod", new)), ("EndpointSlice", _sliced(world, service))))
        old["metadata"]["deletionTimestamp"] = day(_DAY_OF_SCRIPT)
        yield Moment(at + 7, (("Pod", world.renew("Pod", old)), ("EndpointSlice", _sliced(world, service))))
        world.drop("Pod", ident(old))
        yield Moment(at + 10, (("EndpointSlice", _sliced(world, service)),), (("Pod", ident(old)),))


def _sliced(world: World, service: Json) -> Json:
    return world.renew("EndpointSlice", slice_of(world, service))


def _readiness(world: World) -> Iterator[Moment]:
    """Let a Pod of shop/search fail its probe for ten seconds."""
    victim = world.pods_of("shop", {"app": "search"})[0]
    service = world.get("Service", "shop/search")
    for at in (45.0, 55.0):
        set_ready(victim, ready=not is_ready(victim))
        yield Moment(at, (("Pod", world.renew("Pod", victim)), ("EndpointSlice", _sliced(world, service))))


def _security_rule(world: World, number: int) -> Iterator[Moment]:
    """Let somebody shut HTTPS to the ingress controller for fifteen seconds."""
    shut = rule(
        SUBNET_GROUP,
        "deny-https-for-a-test",
        90,
        "Inbound",
        "Deny",
        "Internet",
        [NGINX_IP],
        protocol="Tcp",
        ports=["443"],
    )
    for at in (65.0, 80.0):
        group = world.get("networkSecurityGroups", SUBNET_GROUP.lower())
        rules = group["properties"]["securityRules"]
        kept = [item for item in rules if item["name"] != shut["name"]]
        group["properties"]["securityRules"] = kept if len(kept) < len(rules) else [shut, *rules]
        group["etag"] = f'W/"{uid("etag", SUBNET_GROUP, str(number), str(at))}"'
        yield Moment(at, (("networkSecurityGroups", world.put("networkSecurityGroups", group)),))


def _visible(chosen: Scenario, moment: Moment) -> Iterator[Change]:
    for kind, ident_ in moment.gone:
        if _readable(chosen, kind):
            yield Removed(kind, [ident_])
    for kind, changed in moment.changed:
        if _readable(chosen, kind):
            yield Upserted(kind, decoded(kind, [changed]))


def _heartbeats(chosen: Scenario, at: float) -> Iterator[Change]:
    refused = chosen.refusals()
    for kind in KINDS:
        if kind not in refused:
            yield Heartbeat(kind, at)
        elif refused[kind].scope:
            yield Heartbeat(kind, at, refused[kind].scope)
