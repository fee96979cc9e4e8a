"""The demo as a source: its objects through the same decoders, with how well each kind can be read."""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from aksnav.model.change import Change, ListEnded, ListStarted, Reading, ReadingChanged, SourceChanged, Upserted
from aksnav.model.decode import decode_object
from aksnav.model.kinds import KINDS, AnyObject
from aksnav.sources.demo.nodes import VERSION
from aksnav.sources.demo.scenarios import DEFAULT, Refusal, Scenario, scenario_named
from aksnav.sources.demo.world import CLUSTER, GROUP, REGION, SUBSCRIPTION, TENANT, Json

Clock = Callable[[], float]


def decoded(kind: str, documents: list[Json]) -> list[AnyObject]:
    """Return objects of their wire form, by way of bytes as they come from a server.

    Raises:
        Undecodable: an object is not what the decoders expect.
    """
    return [decode_object(KINDS[kind], msgspec.json.encode(document)) for document in documents]


def wire(scenario: str = DEFAULT) -> Mapping[str, list[Json]]:
    """Return the objects of a scenario in wire form by kind; a kind that cannot be read in it is left out.

    Raises:
        LookupError: there is no such scenario.
    """
    return _readable(scenario_named(scenario))


def _readable(chosen: Scenario) -> dict[str, list[Json]]:
    world, refused = chosen.build(), chosen.refusals()
    out = {}
    for kind in world.kinds():
        refusal = refused.get(kind)
        if refusal is None:
            out[kind] = world.of(kind)
        elif refusal.scope:
            out[kind] = [item for item in world.of(kind) if item["metadata"].get("namespace") == refusal.scope]
    return out


def changes(scenario: str, clock: Clock) -> Iterator[Change]:
    """Yield the first load of a scenario.

    Args:
        scenario: its name; an empty one is the default.
        clock: returns the time in seconds since the epoch.

    Raises:
        LookupError: there is no such scenario.
    """
    chosen = scenario_named(scenario)
    now = clock()
    yield SourceChanged("demo", Reading.LIVE, chosen.title, facts(chosen), now)
    objects, refused = _readable(chosen), chosen.refusals()
    if any(KINDS[kind].azure for kind in refused):
        yield SourceChanged("azure", Reading.UNREAD, next(iter(refused.values())).reason, {}, now)
    for kind in KINDS:
        yield from _load(kind, objects.get(kind, []), refused.get(kind), now)


def _load(kind: str, documents: list[Json], refusal: Refusal | None, now: float) -> Iterator[Change]:
    scope = "" if refusal is None else refusal.scope
    if refusal is not None:
        yield ReadingChanged(kind, refusal.reading, "", refusal.reason, now)
        if not scope:
            return
    yield ListStarted(kind, scope)
    if documents:
        yield Upserted(kind, decoded(kind, documents))
    yield ListEnded(kind, scope, now)


def facts(chosen: Scenario) -> dict[str, str]:
    """Return what the source knows of itself, under the same names that a real cluster's sources use."""
    return {
        "context": CLUSTER,
        "scenario": chosen.name,
        "version": VERSION,
        "cluster": CLUSTER,
        "resourceGroup": GROUP,
        "subscription": SUBSCRIPTION,
        "tenant": TENANT,
        "location": REGION,
    }
