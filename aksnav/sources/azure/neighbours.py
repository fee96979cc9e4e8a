"""Who else has addresses in the cluster's networks: interfaces that a subnet names and no list so far has shown.

Machines, other clusters and appliances in the same network matter for who holds an address and what is still free, and
seldom for a packet's fate. So they are read within a budget, seldom, and what cannot be read of them is a note and
makes no kind unreadable.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.object import Undecodable
from aksnav.model.text import plain
from aksnav.sources.azure.arm_ids import Group, group_of, scale_set_of
from aksnav.sources.azure.errors import ArmError, Where
from aksnav.sources.azure.interfaces import Place
from aksnav.sources.azure.kept import Kept
from aksnav.sources.azure.outcome import Read, joined
from aksnav.sources.azure.transport import Arm

KIND = "networkInterfaces"
MOST_LISTS = 10
MOST_OF_A_LIST = 500
"""Lists that are asked for, and interfaces that one of them may have in a network to be worth its pages."""
_MARKER, _END = "/networkinterfaces/", "/ipconfigurations/"


def neighbours_of(network: VirtualNetwork, known: set[str], nodes: Group) -> dict[Place, frozenset[str]]:
    """Return the ids of the interfaces that are not known yet, by the list that has them.

    Args:
        network: one of the cluster's networks.
        known: ids of the interfaces that were read.
        nodes: the resource group of the nodes, whose interfaces are read already.
    """
    found: dict[Place, set[str]] = {}
    for subnet in network.subnets:
        for item in subnet.ip_configurations or ():
            ident, marker, _ = item.id.partition(_END)
            group = group_of(ident)
            if marker and _MARKER in ident and ident not in known and group is not None and group != nodes:
                found.setdefault(Place(group, scale_set_of(ident)), set()).add(ident)
    return {place: frozenset(idents) for place, idents in sorted(found.items())}


class Neighbours:
    """Reads interfaces of others, until the budget of a round is spent.

    Attributes:
        notes: what was not read, one line each.
    """

    def __init__(self, arm: Arm, patiently: Callable[[Callable[[], Any]], Any], kept: Kept) -> None:
        """Prepare.

        Args:
            arm: to ask.
            patiently: makes a call, again after a pause where Azure asks for one.
            kept: what was read in former rounds and may still be good.
        """
        self._arm = arm
        self._patiently = patiently
        self._kept = kept
        self._left = MOST_LISTS
        self.notes: list[str] = []

    def read(self, network: VirtualNetwork, wanted: dict[Place, frozenset[str]]) -> Iterator[Read]:
        """Yield the interfaces of others in a network, if there are any.

        Args:
            network: the network, whose id is the scope.
            wanted: ids by the list that has them.

        Raises:
            CredentialError, UnreachableError, ThrottledError: nothing more can be read.
        """
        parts: list[Read] = []
        for place, idents in wanted.items():
            where = place.where(aside=True)
            if self._left <= 0 or len(idents) > MOST_OF_A_LIST:
                self.notes.append(
                    f"{len(idents)} interfaces of {plain(where.scope)} in {plain(network.name)} are not read"
                )
                continue
            self._left -= 1
            ask = partial(self._ask, network.id, place, where, idents)
            parts.append(self._kept.read(f"neighbours in {network.id}: {where.scope}", idents, ask))
        self.notes += [part.reason for part in parts if part.reason]
        if parts:
            read = joined(KIND, network.id, parts)
            read.reason = ""
            yield read

    def _ask(self, scope: str, place: Place, where: Where, idents: Iterable[str]) -> Read:
        ask = place.listing(self._arm)
        read = Read(kind=KIND, scope=scope)
        try:
            wires = self._patiently(lambda: self._arm.many(where, ask))
        except ArmError as error:
            read.reason = str(error)
            read.short = not error.denied  # a refusal is kept: who may not read them does not ask again every minute
            return read
        for wire in wires:
            if str(wire.get("id") or "").lower() in idents:
                try:
                    read.objects.append(decode_wire(KINDS[KIND], wire))
                except Undecodable as error:
                    read.undecodable.append(error)
        return read
