"""What Azure's objects are made of, a row each: rules of security groups, routes, rules of load balancers.

A row that decides on the request path that is open is marked, with what it does there.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple

import msgspec

from aksnav.model.azure.network import LoadBalancer, NetworkSecurityGroup, RouteTable, SecurityRule
from aksnav.model.object import Ref
from aksnav.report.words import flatten
from aksnav.store import Store
from aksnav.trace.azure.frontend import Found, rules_of, service_of
from aksnav.trace.azure.nsg_rules import DEFAULTS, INBOUND, OUTBOUND, rules
from aksnav.trace.step import Kind, Step, Trace, Verdict
from aksnav.ui.panes.pane import Pane
from aksnav.ui.search import Searchable, written
from aksnav.ui.text import Span
from aksnav.ui.widgets.columns import Column

MARK = "◀"
_NOT_REACHED = "not reached"
_WORDS = {Verdict.NOT_REACHED: _NOT_REACHED}
_NAMED = re.compile(r"\[\?name=='([^']+)'\]")


class Title(NamedTuple):
    """A column.

    Attributes:
        name, words: of the cell and in the header.
        width, least: cells that it wants, and with which it still makes sense (0: as many).
        flex: its share of what is left over.
        goes: where there is no room, the column with the highest number goes first.
        brief: Azure's word to what is shown for it.
    """

    name: str
    words: str
    width: int
    least: int = 0
    flex: int = 0
    goes: int = 0
    brief: Mapping[str, str] = {}


class PartRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A part of an Azure object.

    Attributes:
        subject: the object that it is a part of.
        key: unique among the rows.
        cells: what is shown, by column.
        decides: what it does on the open path, empty where it does nothing there.
        bad: what it does ends that path.
    """

    subject: Ref
    key: str
    cells: dict[str, str]
    decides: str = ""
    bad: bool = False

    @property
    def asked(self) -> bool:
        """Whether a packet of the open path comes to it."""
        return bool(self.decides) and self.decides != _NOT_REACHED


class PartsPane(Pane[PartRow]):
    """The parts of every Azure object of a kind."""

    titles: ClassVar[tuple[Title, ...]] = ()
    by_namespace: ClassVar[bool] = False
    tones: ClassVar[Mapping[str, str]] = {"Allow": "good", "Deny": "bad"}

    def __init__(self, store: Store, path: Callable[[], Trace | None]) -> None:
        """Make the pane.

        Args:
            store: where the objects are.
            path: returns the open request path.
        """
        self._path = path
        self._marked: Trace | None = None
        super().__init__(store)

    def columns(self) -> Sequence[Column[PartRow]]:
        """Return the cells, and what decides on the open path."""
        listed = [self._column(title) for title in self.titles]
        mark: Column[PartRow] = Column(
            "decides",
            "OPEN PATH",
            lambda row: f"{MARK} {row.decides}" if row.decides else "",
            width=22,
            min_width=13,
            style=lambda row: "bad" if row.bad else "accent" if row.asked else "muted",
        )
        return (listed[0], mark, *listed[1:])

    def _column(self, title: Title) -> Column[PartRow]:
        return Column(
            title.name,
            title.words,
            lambda row: title.brief.get(row.cells[title.name], row.cells[title.name]),
            width=title.width,
            min_width=title.least,
            flex=title.flex,
            priority=title.goes,
            elide="middle",
            sort_key=lambda row: _in_order(row.cells[title.name]),
            style=lambda row: self.tones.get(row.cells[title.name], ""),
        )

    def key(self, row: PartRow) -> str:
        """Return the row's key."""
        return row.key

    def row(self, subject: Ref, key: str, cells: dict[str, str], step: Step | None) -> PartRow:
        """Return a row of a part.

        Args:
            subject: the object.
            key: unique among the rows.
            cells: what is shown, by column.
            step: the step of the open path that it decides; None where it does nothing there.
        """
        path = self._path()
        return PartRow(
            subject=subject,
            key=key,
            cells=cells,
            decides="" if step is None else _WORDS.get(step.verdict, str(step.verdict)),
            bad=step is not None and path is not None and step in path.breaks,
        )

    def search(self, row: PartRow) -> Searchable:
        """Return everything that is shown, with the addresses and prefixes in it."""
        shown = " ".join(row.cells.values())
        return Searchable(f"{row.subject} {shown} {row.decides}", prefixes=written(shown))

    def aside(self) -> Sequence[Span]:
        """Return what cannot be read, or else which request the marks are about."""
        known, path = super().aside(), self._path()
        if path is None or self._worst() is not None:
            return known
        return (Span(f" open path: {path.request.text} ", "accent"), *known)

    def follow(self, now: float) -> None:
        """Show what changed; the first time the cursor goes to what ends the open path, or else decides on it."""
        first, path = not self._versions, self._path()
        if path is not self._marked:
            self._marked, self._versions = path, ()  # the marks are others, whatever the objects are
        super().follow(now)
        if first:
            marked = sorted((not row.bad, number, row.key) for number, row in enumerate(self.rows()) if row.asked)
            if marked:
                self.table.go_to(marked[0][2])

    def steps(self, kind: Kind) -> list[Step]:
        """Return the steps of a kind on the open path."""
        path = self._path()
        found = flatten(path.steps) if path is not None else ()
        return [item for _, item in found if isinstance(item, Step) and item.kind is kind]


class RulesPane(PartsPane):
    """The rules of every network security group, in the order in which they are asked."""

    heading: ClassVar[str] = "Network security groups, rule by rule"
    kinds: ClassVar[tuple[str, ...]] = (NetworkSecurityGroup.KIND,)
    titles: ClassVar[tuple[Title, ...]] = (
        Title("rule", "RULE", 26, 14, flex=1),
        Title("priority", "PRIO", 5),
        Title("direction", "DIR", 3, brief={INBOUND: "in", OUTBOUND: "out"}),
        Title("access", "ACCESS", 6),
        Title("protocol", "PROTO", 5, goes=4),
        Title("source", "SOURCE", 18, 10, flex=1),
        Title("destination", "DESTINATION", 18, 10, flex=1, goes=2),
        Title("ports", "PORTS", 14, 8, flex=1),
        Title("group", "GROUP", 18, 10, flex=1),
    )

    def rows(self) -> Sequence[PartRow]:
        """Return every rule, the default ones included."""
        deciding = _deciding(self.steps(Kind.NSG))
        found = []
        for group in sorted(self.store.security_groups, key=lambda item: item.id):
            fields = _fields(group)
            for rule in (*rules(group, INBOUND), *rules(group, OUTBOUND)):
                field = fields[rule.direction, rule.priority, rule.name]
                found.append(
                    self.row(
                        group.ref, _rule_key(group, rule), _rule_cells(group, rule), deciding.get((group.id, field))
                    )
                )
        return found


class RoutesPane(PartsPane):
    """The routes of every route table."""

    heading: ClassVar[str] = "Route tables, route by route"
    kinds: ClassVar[tuple[str, ...]] = (RouteTable.KIND,)
    titles: ClassVar[tuple[Title, ...]] = (
        Title("route", "ROUTE", 24, 10, flex=1),
        Title("prefix", "PREFIX", 20, 16),
        Title("hop", "NEXT HOP", 22, 16),
        Title("address", "ADDRESS", 15, 11),
        Title("table", "TABLE", 24, 12, flex=1, goes=3),
        Title("subnets", "SUBNETS", 24, 12, flex=1, goes=2),
    )

    def rows(self) -> Sequence[PartRow]:
        """Return every user-defined route."""
        deciding = _named(self.steps(Kind.ROUTE))
        found = []
        for table in sorted(self.store.route_tables, key=lambda item: item.id):
            subnets = " ".join(item.arm_id.rpartition("/")[2] for item in table.subnets)
            for route in table.routes:
                step = deciding.get((table.id, route.name))
                cells = {
                    "route": route.name,
                    "prefix": route.address_prefix,
                    "hop": route.next_hop_type,
                    "address": route.next_hop_ip_address,
                    "table": table.name,
                    "subnets": subnets,
                }
                found.append(self.row(table.ref, f"{table.id}/{route.name}", cells, step))
        return found


class BalancersPane(PartsPane):
    """The rules of every load balancer, with frontend, Service, probe and members."""

    heading: ClassVar[str] = "Load balancers, rule by rule"
    kinds: ClassVar[tuple[str, ...]] = (LoadBalancer.KIND, "Service", "publicIPAddresses")
    titles: ClassVar[tuple[Title, ...]] = (
        Title("ports", "PORTS", 16),
        Title("address", "FRONTEND", 15, 11),
        Title("service", "SERVICE", 24, 12, flex=1),
        Title("probe", "PROBE", 18, 9),
        Title("floating", "FLOATING", 8, goes=2),
        Title("members", "MEMBERS", 7, goes=1),
        Title("balancer", "LOAD BALANCER", 20, 12, flex=1, goes=3),
    )

    def rows(self) -> Sequence[PartRow]:
        """Return every load-balancing rule."""
        taken = _named(self.steps(Kind.LB_RULE))
        balancers = sorted(self.store.load_balancers, key=lambda item: item.id)
        return [row for balancer in balancers for row in self._of(balancer, taken)]

    def _of(self, balancer: LoadBalancer, taken: Mapping[tuple[str, str], Step]) -> Iterable[PartRow]:
        members = {
            pool.id: len(pool.backend_ip_configurations) + len(pool.load_balancer_backend_addresses)
            for pool in balancer.backend_address_pools
        }
        probes = {probe.id: probe for probe in balancer.probes}
        for frontend in balancer.frontend_ip_configurations:
            found = Found(balancer, frontend)
            service = service_of(self.store, found)
            for rule in rules_of(found):
                probe = probes.get(rule.probe.id) if rule.probe is not None else None
                cells = {
                    "ports": f"{rule.protocol} {rule.frontend_port}→{rule.backend_port}",
                    "address": frontend.private_ip_address or self._public(found),
                    "service": service.id if service is not None else "",
                    "probe": f"{probe.protocol} {probe.port}{probe.request_path}" if probe is not None else "none",
                    "floating": "yes" if rule.enable_floating_ip else "no",
                    "members": str(sum(members.get(pool.id, 0) for pool in rule.pools)),
                    "balancer": balancer.name,
                }
                step = taken.get((balancer.id, rule.name))
                yield self.row(balancer.ref, f"{balancer.id}/{rule.name}", cells, step)

    def _public(self, found: Found) -> str:
        reference = found.frontend.public_ip_address
        public = self.store.public_ips.get(reference.id) if reference is not None else None
        return public.ip_address if public is not None else ""


PARTS: dict[str, type[PartsPane]] = {pane.kinds[0]: pane for pane in (RulesPane, RoutesPane, BalancersPane)}


def _named(steps: Iterable[Step]) -> dict[tuple[str, str], Step]:
    """Return steps by the object and the name of its part that their evidence speaks of: ``.routes[?name=='x']``."""
    found: dict[tuple[str, str], Step] = {}
    for step in steps:
        for fact in step.evidence:
            name = _NAMED.search(fact.field)
            if name is not None and fact.subject is not None:
                found.setdefault((fact.subject.id, name[1]), step)
    return found


def _deciding(steps: Iterable[Step]) -> dict[tuple[str, str], Step]:
    """Return steps of security groups by the group and the field of the rule that decides."""
    return {
        (fact.subject.id, fact.field.removesuffix(".access")): step
        for step in steps
        for fact in step.evidence
        if fact.subject is not None and fact.field.endswith(".access")
    }


def _fields(group: NetworkSecurityGroup) -> dict[tuple[str, int, str], str]:
    """Return the field of every rule, by direction, priority and name."""
    return {
        (rule.direction, rule.priority, rule.name): f".{name}[{number}]"
        for name, listed in (
            ("securityRules", group.own_rules),
            ("defaultSecurityRules", group.default_security_rules or DEFAULTS),
        )
        for number, rule in enumerate(listed)
    }


def _rule_key(group: NetworkSecurityGroup, rule: SecurityRule) -> str:
    return f"{group.id}/{rule.direction}/{rule.priority}/{rule.name}"


def _rule_cells(group: NetworkSecurityGroup, rule: SecurityRule) -> dict[str, str]:
    return {
        "rule": rule.name,
        "priority": str(rule.priority),
        "direction": rule.direction,
        "access": rule.access,
        "protocol": rule.protocol,
        "source": _ends_of(rule.source_address_prefix, rule.source_address_prefixes),
        "destination": _ends_of(rule.destination_address_prefix, rule.destination_address_prefixes),
        "ports": _ends_of(rule.destination_port_range, rule.destination_port_ranges),
        "group": group.name,
    }


def _ends_of(one: str, many: tuple[str, ...]) -> str:
    return " ".join(dict.fromkeys([*many, *([one] if one else [])])) or "*"


def _in_order(text: str) -> tuple[int, str]:
    """Sort numbers as numbers, before words."""
    return (int(text), "") if text.isdigit() else (sys.maxsize, text.casefold())
