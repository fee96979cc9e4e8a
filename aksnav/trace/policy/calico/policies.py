"""Calico's policies of a store, in the order in which they are asked, with Kubernetes' own among them."""

from collections.abc import Iterable, Iterator, Mapping
from math import inf

from aksnav.model.addresses import is_v4, parse_address, parse_prefix
from aksnav.model.kubernetes.calico import DEFAULT_TIER, STORED, CalicoNetworkPolicy, GlobalNetworkPolicy, Tier
from aksnav.model.kubernetes.policy import NetworkPolicy
from aksnav.model.kubernetes.workload import Pod
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.cluster.classes import Cuts
from aksnav.trace.cluster.named_services import named_endpoints
from aksnav.trace.policy import rules
from aksnav.trace.policy.calico.entity import Scene
from aksnav.trace.policy.calico.labelled import Book
from aksnav.trace.policy.calico.likeness import Likeness, side_atoms
from aksnav.trace.policy.calico.likeness import Question as Asked
from aksnav.trace.policy.calico.members import ENGINE, CalicoMember, HiddenMember, KubernetesMember, Member, Selection
from aksnav.trace.policy.calico.rules import Question
from aksnav.trace.policy.calico.services import Services
from aksnav.trace.policy.calico.tiers import TierRule, Voice, walk
from aksnav.trace.policy.decision import Decision, Direction
from aksnav.trace.policy.namespaces import NamespaceLabels
from aksnav.trace.policy.who import Sort, Who
from aksnav.trace.readable import unreadable

_Selected = tuple[tuple[Member, Selection], ...]


class CalicoPolicies:
    """Every policy that Calico asks, at one version of the tables.

    Attributes:
        likeness: which Pods its selectors cannot tell apart.
        texts: every address and CIDR that its rules and sets name.
    """

    def __init__(self, store: Store, namespaces: NamespaceLabels) -> None:
        self._namespaces = namespaces
        self._kubernetes = rules.Scene(ENGINE, namespaces)
        self._tiers = _tiers(store)
        own = once_each(store)
        book = Book(store, namespaces)
        services = Services(named_endpoints(store))
        self._scene = Scene(namespaces, book, services)
        hidden = list(_hidden(store))
        self.texts = sorted({*book.texts, *(text for policy in own for text in policy.nets)})
        self._pieces = Cuts([*(item for item in map(parse_prefix, self.texts) if item), *services.prefixes])
        self.likeness = Likeness(own, book.namespaced, services.ports, namespaces)
        self._members: list[Member] = [
            *hidden,
            *(self._member(policy, store.calico_tiers.undecodable) for policy in own),
            *self._of_kubernetes(store),
        ]
        self._members.sort(key=self._place)
        self._selections: dict[tuple[object, ...], _Selected] = {}

    def _of_kubernetes(self, store: Store) -> Iterator[Member]:
        for policy in store.network_policies:
            yield KubernetesMember(policy, self._kubernetes)
        for ident, reason in store.network_policies.undecodable.items():
            yield HiddenMember(Ref("NetworkPolicy", ident), f"the policy cannot be decoded: {reason}")

    def _place(self, member: Member) -> tuple[int, float, str, float, str]:
        """Return where a policy is asked: by tier, the tiers that do not exist behind all others (felix, calc)."""
        if isinstance(member, HiddenMember):
            return (-1, -inf, "", *member.rank)
        tier = self._tiers.get(member.tier)
        return (1, inf, member.tier, *member.rank) if tier is None else (0, tier.order, member.tier, *member.rank)

    def _member(self, policy: CalicoNetworkPolicy, lost: Mapping[str, str]) -> Member:
        if policy.tier in lost:  # and with it, where among the others it is asked
            return HiddenMember(policy.ref, f"Tier {policy.tier} cannot be decoded: {lost[policy.tier]}")
        missing = "" if policy.tier in self._tiers else f".spec.tier: there is no Tier {policy.tier}"
        return CalicoMember(policy, self._kubernetes, missing)

    def place(self, address: int | None) -> int:
        """Return the number of the piece of the address space that an address is in: no rule cuts a piece."""
        return self._pieces.place(address)

    def pieces_of(self, ips: Iterable[str]) -> tuple[int, ...]:
        """Return the pieces of a Pod's addresses."""
        return tuple(self.place(parse_address(text)) for text in ips)

    def asked_of_peers(self, direction: Direction, pod: Pod) -> tuple[frozenset[Asked], frozenset[str]]:
        """Return every question that the policies of a Pod ask of the other end's labels, and of whose namespace."""
        found: set[Asked] = set()
        spaces: set[str] = set()
        for member, selection in self._selection(direction, _subject(pod, True)):
            if selection.speaks is not False:
                sides = list(member.peers(direction))
                found.update(question for side in sides for question in side_atoms(side))
                spaces.update((member.namespace,) if sides and member.namespace else ())
        return frozenset(found), frozenset(spaces)

    def decide(
        self, direction: Direction, judged: Pod, who: Who, target: rules.Target, extra: NetworkPolicy | None = None
    ) -> Decision:
        """Return what Calico does with a connection in one direction.

        Args:
            direction: as seen from the judged Pod.
            judged: the Pod whose policies are asked.
            who: the other end.
            target: the port at the destination.
            extra: a NetworkPolicy that is asked as if it were there.
        """
        subject = _subject(judged, who.v4)
        question = Question(direction, subject, who, target, self._scene)
        chosen = list(self._selection(direction, subject))
        if extra is not None:
            member: Member = KubernetesMember(extra, self._kubernetes)
            chosen.append((member, member.select(direction, subject)))
            chosen.sort(key=lambda item: self._place(item[0]))
        tiers: dict[str, list[Voice]] = {}
        for member, selection in chosen:
            if selection.speaks is not False:
                tiers.setdefault(member.tier, []).append(Voice(member, selection, member.speak(question)))
        listed = [(self._tiers.get(name) or TierRule(name), voices) for name, voices in tiers.items()]
        silent = [(member, selection) for member, selection in chosen if selection.speaks is False]
        return walk(listed, silent, direction, f"profile kns.{judged.namespace}")

    def _selection(self, direction: Direction, subject: Who) -> _Selected:
        """Return every policy of a Pod's namespace and of the cluster, with whether it has a say on Pods like it."""
        key = (direction, subject.namespace, subject.labels, subject.service_account)
        found = self._selections.get(key)
        if found is None:
            listed = (item for item in self._members if item.namespace in {"", subject.namespace})
            found = self._selections[key] = tuple((item, item.select(direction, subject)) for item in listed)
        return found


def _subject(pod: Pod, v4: bool) -> Who:
    numbers = [number for number in map(parse_address, pod.ips) if number is not None]
    return Who(
        sort=Sort.POD,
        namespace=pod.namespace,
        labels=pod.labels,
        service_account=pod.template.service_account,
        address=next((number for number in numbers if is_v4(number) is v4), numbers[0] if numbers else None),
        v4=v4,
        name=f"Pod {pod.id}",
    )


def calico_policies(store: Store, namespaces: NamespaceLabels) -> CalicoPolicies | None:
    """Return Calico's policies; None where it has none of its own, and Kubernetes' NetworkPolicies alone decide."""
    rows = (store.calico_policies, store.calico_global_policies)
    own = any(len(table) for table in rows) or next(_hidden(store), None) is not None
    tier = _tiers(store)[DEFAULT_TIER]
    return CalicoPolicies(store, namespaces) if own or tier.action != "Deny" or tier.problem else None


def once_each(store: Store) -> list[CalicoNetworkPolicy]:
    """Return Calico's policies, each once: a capture may hold one as it is stored and as Calico's API server shows it.

    The stored form is kept; it always has the tier before the name.
    """
    found: dict[tuple[str, str, str], CalicoNetworkPolicy] = {}
    rows: Iterable[CalicoNetworkPolicy] = (*store.calico_policies, *store.calico_global_policies)
    for row in sorted(rows, key=lambda item: (item.group != STORED, item.id)):
        found.setdefault((row.KIND, row.namespace, row.full_name), row)
    return list(found.values())


def _tiers(store: Store) -> dict[str, TierRule]:
    found = {DEFAULT_TIER: TierRule(DEFAULT_TIER)}
    for row in sorted(store.calico_tiers, key=lambda item: item.name):
        found[row.name] = _tier(row)
    for ident, reason in store.calico_tiers.undecodable.items():
        found[ident] = TierRule(ident, ref=Ref(Tier.KIND, ident), problem=f"the Tier cannot be decoded: {reason}")
    return found


def _tier(row: Tier) -> TierRule:
    action = row.default_action or "Deny"
    wrong = "" if action in {"Deny", "Pass"} else f"defaultAction {action!r} is neither Deny nor Pass"
    return TierRule(row.name, inf if row.order is None else row.order, action, row.ref, wrong)


def _hidden(store: Store) -> Iterator[HiddenMember]:
    for table in (store.calico_policies, store.calico_global_policies):
        for ident, reason in table.undecodable.items():
            yield HiddenMember(Ref(table.kind, ident), f"the policy cannot be decoded: {reason}")
    for kind in (CalicoNetworkPolicy.KIND, GlobalNetworkPolicy.KIND, Tier.KIND):
        missing = unreadable(store.tables[kind])
        if missing:
            yield HiddenMember(Ref(kind, "*"), missing)
