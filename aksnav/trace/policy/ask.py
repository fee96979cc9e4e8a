"""One connection, in one word: whether policies let it through, which of them say so, and why."""

from collections.abc import Iterable

import msgspec

from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.packet import Packet
from aksnav.trace.place import Crossing, Entry, Place
from aksnav.trace.policy.decision import Direction, Effect
from aksnav.trace.policy.readings import Heard, Reading, ends, hear

_SKIPS = {
    "host-network": "policies do not select Pods with hostNetwork",
    "loopback": "a Pod's traffic to itself is not subject to policy",
    "engine-none": "no policy engine runs in this cluster",
}


class Word(msgspec.Struct, frozen=True, gc=False):
    """What policies do with a connection.

    Attributes:
        allowed: None where it cannot be decided.
        policies: those that decide, at both ends; empty where none has a say.
        why: one line.
    """

    allowed: bool | None
    policies: tuple[Ref, ...] = ()
    why: str = ""


def ask(store: Store, source: Place, target: Place, protocol: str, port: int, entry: Entry = Entry.DIRECT) -> Word:
    """Return what policies do with a connection between two places, at both ends.

    Args:
        store: what is known.
        source: who opens it.
        target: where it goes, after destination translation.
        protocol: TCP, UDP or SCTP.
        port: at the destination.
        entry: how it came to the cluster.
    """
    crossing = crossing_of(source, target, protocol, port, entry)
    return both([word_of(store, crossing, direction, pod) for direction, pod in ends(crossing)])


def crossing_of(source: Place, target: Place, protocol: str, port: int, entry: Entry = Entry.DIRECT) -> Crossing:
    """Return a connection between two places."""
    packet = Packet(source=source.address, destination=target.address, port=port, protocol=protocol)
    return Crossing(source=source, destination=target, packet=packet, entry=entry)


def both(found: Iterable[Word]) -> Word:
    """Return what the words of both ends add up to: a no of either is a no, and then an unknown is unknown."""
    listed = list(found)
    denied = [word for word in listed if word.allowed is False]
    unsure = [word for word in listed if word.allowed is None]
    telling = denied or unsure or listed
    policies = tuple(dict.fromkeys(ref for word in telling for ref in word.policies))
    why = "; ".join(dict.fromkeys(word.why for word in telling if word.why))
    return Word(False if denied else None if unsure else True, policies, why or "no Pod's policies are asked")


def word_of(store: Store, crossing: Crossing, direction: Direction, pod: Pod) -> Word:
    """Return what the policies of one end do with a connection."""
    return _word(hear(store, crossing, direction, pod))


def _word(heard: Heard) -> Word:
    """Return one end's word."""
    if heard.missing or heard.unmodelled:
        return Word(None, (), heard.missing or f"{heard.unmodelled} is not modelled")
    if heard.skip:
        return Word(True, (), _SKIPS[heard.skip])
    answer, readings = heard.answer, heard.readings
    if answer is None:
        undecided = [item for item in readings if item.decision.effect is Effect.UNDECIDED]
        listed = undecided if len(undecided) == len(readings) else [item for item in readings if not item.passes]
        why = undecided[0].decision.why if undecided else "; ".join(dict.fromkeys(map(_reading, readings)))
        return Word(None, _deciding(listed), why)
    telling = next((item for item in readings if item.decision.effect is Effect.ADMITTED), readings[0])
    return Word(answer, _deciding([telling] if answer else list(readings)), telling.decision.why)


def _reading(item: Reading) -> str:
    return f"{item.engine.value}: {'lets through' if item.passes else 'stops'} ({item.decision.why})"


def _deciding(readings: list[Reading]) -> tuple[Ref, ...]:
    return tuple(dict.fromkeys(ref for item in readings for ref in item.decision.deciding))
