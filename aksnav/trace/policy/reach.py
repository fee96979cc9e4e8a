"""Who can talk to a Pod, a Service, a namespace or an address, and to whom it can talk, as far as policies decide.

Grouped by workload. Every answer is the one that the judge gives for one Pod of a group; ``peers`` sees to it that no
policy can tell the Pods of a group apart.
"""

from collections.abc import Callable, Iterable, Iterator
from operator import add
from typing import Any

import msgspec

from aksnav.store.store import Store
from aksnav.trace.place import Place
from aksnav.trace.policy.calico.hosts import unread as unread_hosts
from aksnav.trace.policy.compiled import CALICO, engine_of
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.engines import Engine
from aksnav.trace.policy.peers import Peers, peers
from aksnav.trace.policy.quick import Quick
from aksnav.trace.policy.reach_rows import Party, Reach, Side, group_at, together
from aksnav.trace.policy.subject import Subject
from aksnav.trace.policy.workloads import Group, Sort
from aksnav.trace.readable import stale, unreadable


class Talk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Everybody who can talk to a subject, and to whom it can talk.

    Attributes:
        subject: as it was asked for.
        engine: which engine's reading it is.
        rows: every group, with its ports.
        missing: what is not readable, so that groups may be missing.
        assumptions: what is taken for granted.
    """

    subject: str
    engine: Engine
    rows: tuple[Reach, ...]
    missing: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()

    @property
    def undecided(self) -> bool:
        """Whether anything of it is not known."""
        return bool(self.missing) or any(row.allowed is None for row in self.rows)


def talk(store: Store, subject: Subject) -> Talk:
    """Return who can talk to a subject, and to whom it can talk.

    Args:
        store: what is known.
        subject: from ``subject.parse_subject``.
    """
    return talk_of(store, subject, rows_of(store, subject))


def rows_of(store: Store, subject: Subject) -> Iterator[Reach]:
    """Yield the rows of an answer one by one, unsorted, so that whoever shows them need not wait for all of them."""
    known = peers(store)
    quick = Quick(store, known)
    for party in _parties(known, subject.places):
        for way in Direction:
            yield from together(Side(store, known, quick, party, way).rows(), add, known.alone)


def talk_of(store: Store, subject: Subject, rows: Iterable[Reach]) -> Talk:
    """Return the answer that the rows of ``rows_of`` add up to, with what is not known and what is assumed."""
    engine = engine_of(store)
    assumptions = [*stale(store.pods, store.nodes, store.network_policies, store.namespaces)]
    if engine.engine is Engine.CALICO:
        assumptions += [*stale(*(store.tables[kind] for kind in CALICO)), *unread_hosts(store)]
    if engine.engine is Engine.UNKNOWN:
        assumptions.append(f"a policy engine runs in the cluster; which one is not known: {engine.missing}")
    return Talk(
        subject=subject.text,
        engine=engine.engine,
        rows=tuple(_in_order(_each_once(store, subject, rows))),
        missing=tuple(dict.fromkeys((*subject.missing, *unread(store)))),
        assumptions=tuple(assumptions),
    )


def unread(store: Store) -> Iterator[str]:
    """Yield what is not read of those who may be peers, one line each."""
    for table in (store.pods, store.nodes):
        what = unreadable(table)
        if what:
            yield what
        if table.undecodable:
            yield f"{len(table.undecodable)} {table.kind}s cannot be decoded: {next(iter(table.undecodable))}"


def _parties(known: Peers, places: Iterable[Place]) -> list[Party]:
    found: dict[object, Party] = {}
    for place in places:
        number = known.number(place.pod) if place.pod is not None else None
        key: object = number if number is not None else (place.address, len(found))
        before = found.get(key)
        found[key] = Party(
            place if before is None else before.place,
            group_at(place),
            number,
            1 if before is None else before.count + 1,
        )
    return list(found.values())


def _each_once(store: Store, subject: Subject, rows: Iterable[Reach]) -> list[Reach]:
    """Return rows with those of several classes of one of the subject's workloads put together."""
    groups = [party.group for party in _parties(peers(store), subject.places)]
    return list(rows) if len(set(groups)) == len(groups) else together(rows, max, frozenset())


_SORTS = list(Sort)
_RANK = {True: 0, None: 1, False: 2}


def _in_order(rows: list[Reach]) -> list[Reach]:
    """Return rows by direction, workload and peer; what is allowed comes first."""
    subjects = _ranked({id(row.subject): row.subject for row in rows}, lambda group: group)
    others = _ranked({id(row.peer): row.peer for row in rows}, lambda group: (_SORTS.index(group.sort), group))
    return sorted(
        rows,
        key=lambda row: (
            row.direction is Direction.EGRESS,
            subjects[id(row.subject)],
            others[id(row.peer)],
            _RANK[row.allowed],
            row.ports,
        ),
    )


def _ranked(groups: dict[int, Group], by: Callable[[Group], Any]) -> dict[int, int]:
    """Return the places of groups in their order, by identity: thousands of rows have the same few."""
    found: dict[int, int] = {}
    rank, before = -1, None
    for ident, group in sorted(groups.items(), key=lambda item: by(item[1])):
        rank += group != before
        found[ident], before = rank, group
    return found
