"""What Calico's selectors choose from: Pods, network sets and host endpoints, by labels that they have or inherit.

Source: Calico reference, "Workload endpoint" (projectcalico.org/namespace, /orchestrator, /serviceaccount), "Network
set", "Host endpoint"; what is inherited of a Pod's namespace and service account has the prefixes ``pcns.`` and
``pcsa.`` (libcalico-go, lib/backend/k8s/conversion).
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from aksnav.model.addresses import Prefix, is_v4, parse_prefix
from aksnav.model.kubernetes.calico import HostEndpoint, NetworkSet
from aksnav.model.labels import Labels
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.cluster.classes import Cuts
from aksnav.trace.policy.namespaces import NamespaceLabels
from aksnav.trace.policy.rules import covers_any_client
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.readable import unreadable
from aksnav.trace.ternary import Answer, Unknown, some

NAMESPACE = "projectcalico.org/namespace"
ORCHESTRATOR = "projectcalico.org/orchestrator"
ACCOUNT = "projectcalico.org/serviceaccount"
NAME = "projectcalico.org/name"
OF_NAMESPACE, OF_ACCOUNT = "pcns.", "pcsa."
_DEFAULT_ACCOUNT = "default"
Value = str | Unknown | None


class Labelled(Protocol):
    """Something that a selector matches or does not."""

    @property
    def namespaced(self) -> bool:
        """Whether it is in a namespace: what ``all()`` means in a namespaceSelector, and ``global()`` does not."""

    def value(self, key: str) -> Value:
        """Return the value of a label, its own or an inherited one."""


class PodLabels(msgspec.Struct, frozen=True, gc=False):
    """A Pod as selectors see it."""

    labels: Labels
    namespace: str
    account: str
    namespaces: NamespaceLabels
    namespaced: bool = True

    def value(self, key: str) -> Value:
        """Return the value of a label."""
        own = {NAMESPACE: self.namespace, ORCHESTRATOR: "k8s", ACCOUNT: self.account or _DEFAULT_ACCOUNT}.get(key)
        if own is not None:
            return own
        found = self.labels.get(key)
        if found is not None:
            return found
        if key.startswith(OF_NAMESPACE):
            return of_namespace(self.namespaces, self.namespace, key.removeprefix(OF_NAMESPACE))
        if key == OF_ACCOUNT + NAME:
            return self.account or _DEFAULT_ACCOUNT
        if key.startswith(OF_ACCOUNT):
            return Unknown(f"label {key.removeprefix(OF_ACCOUNT)!r} of a ServiceAccount: ServiceAccounts are not read")
        return None


def of_namespace(namespaces: NamespaceLabels, namespace: str, key: str) -> Value:
    """Return a namespace's label as policies see it: Calico adds its name as projectcalico.org/name."""
    return namespace if key == NAME else namespaces.label(namespace, key)


class _SetLabels(msgspec.Struct, frozen=True, gc=False):
    labels: Labels
    namespace: str
    namespaces: NamespaceLabels

    @property
    def namespaced(self) -> bool:
        return bool(self.namespace)

    def value(self, key: str) -> Value:
        if self.namespace and key == NAMESPACE:
            return self.namespace
        found = self.labels.get(key)
        if found is None and self.namespace and key.startswith(OF_NAMESPACE):
            return of_namespace(self.namespaces, self.namespace, key.removeprefix(OF_NAMESPACE))
        return found


class _Unseen(msgspec.Struct, frozen=True, gc=False):
    """Network sets that cannot be read: any of them may match, if it is in scope at all."""

    why: str
    namespaced: bool

    def value(self, key: str) -> Value:
        if not self.namespaced and (key in {NAMESPACE, ORCHESTRATOR, ACCOUNT} or key.startswith(OF_NAMESPACE)):
            return None
        return Unknown(self.why)


class Addressed(msgspec.Struct, frozen=True, gc=False):
    """A network set or a host endpoint: labels that stand for addresses.

    Attributes:
        problem: why its addresses cannot be told.
    """

    ref: Ref
    labelled: Labelled
    prefixes: tuple[Prefix, ...]
    problem: str = ""

    def holds(self, who: Who) -> Answer:
        """Return whether a party's address is one of them."""
        found = some(within(prefix, who) for prefix in self.prefixes)
        if found is not True and self.problem:
            return Unknown(f"{self.ref}: {self.problem}")
        return found


def within(prefix: Prefix, who: Who) -> Answer:
    """Return whether a party's address lies in a block; of any client of the internet, whether every one does."""
    if who.sort is Sort.ANY_CLIENT:
        return covers_any_client(prefix, (), who.v4)
    if who.address is None:
        if prefix.length == 0 and is_v4(prefix.first) == who.v4:
            return True
        return Unknown(f"the address of {who.label} is not known")
    return who.address in prefix


class Book:
    """Network sets and host endpoints of a store at one version of its tables.

    Attributes:
        addressed: all of them, sorted.
        texts: every address and CIDR in them.
        namespaced: the namespaces that have network sets.
    """

    def __init__(self, store: Store, namespaces: NamespaceLabels) -> None:
        rows: list[NetworkSet | HostEndpoint] = [
            *_once(store.network_sets), *_once(store.global_network_sets), *_once(store.host_endpoints),
        ]  # fmt: skip
        self.addressed = [_addressed(row, namespaces) for row in rows]
        self.texts = sorted({text for row in rows for text in _texts(row)})
        self.namespaced = frozenset(row.namespace for row in rows if row.namespace)
        self._cuts = Cuts([prefix for item in self.addressed for prefix in item.prefixes])
        for table, inside in ((store.network_sets, True), (store.global_network_sets, False)):
            what = [unreadable(table), *(f"{table.kind} {key}: {why}" for key, why in table.undecodable.items())]
            self.addressed += [Addressed(Ref(table.kind, "*"), _Unseen(why, inside), (), why) for why in what if why]
        self._held: dict[tuple[object, ...], tuple[tuple[Addressed, Answer], ...]] = {}

    def holding(self, who: Who) -> tuple[tuple[Addressed, Answer], ...]:
        """Return the sets and host endpoints that hold, or may hold, a party's address."""
        if not self.addressed:
            return ()
        key = (self._cuts.place(who.address), who.v4, who.sort is Sort.ANY_CLIENT, who.label if not who.address else "")
        found = self._held.get(key)
        if found is None:
            told = ((item, item.holds(who)) for item in self.addressed)
            found = self._held[key] = tuple((item, answer) for item, answer in told if answer is not False)
        return found


def _once(rows: Iterable[NetworkSet | HostEndpoint]) -> list[NetworkSet | HostEndpoint]:
    return sorted(rows, key=lambda row: row.id)


def _texts(row: NetworkSet | HostEndpoint) -> tuple[str, ...]:
    return row.expected_ips if isinstance(row, HostEndpoint) else row.nets


def _addressed(row: NetworkSet | HostEndpoint, namespaces: NamespaceLabels) -> Addressed:
    found = [(text, parse_prefix(text)) for text in _texts(row)]
    bad = next((text for text, prefix in found if prefix is None), None)
    return Addressed(
        row.ref,
        _SetLabels(row.labels, row.namespace, namespaces),
        tuple(prefix for _, prefix in found if prefix is not None),
        "" if bad is None else f"{bad!r} is not a CIDR",
    )


def candidates(who: Who, book: Book, namespaces: NamespaceLabels) -> Iterator[tuple[Labelled, Answer, str]]:
    """Yield everything with labels that a packet of a party may be from or to, with whether it is, and its name."""
    if who.sort is Sort.POD:
        yield PodLabels(who.labels, who.namespace, who.service_account, namespaces), True, who.label
    for item, answer in book.holding(who):
        yield item.labelled, answer, f"{item.ref}, which holds {who.label}"
