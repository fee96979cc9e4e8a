"""Which classes of Pods the peers of NetworkPolicies match, as bits; each answer is kept."""

from collections.abc import Iterator

from aksnav.model.kubernetes.policy import NetworkPolicy, PolicyPeer
from aksnav.model.labels import LabelSelector
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.engines import Engine
from aksnav.trace.policy.label_index import LabelIndex
from aksnav.trace.policy.rules import problem

_IDENTITY = ("io.cilium.", "io.kubernetes.pod.namespace")


class PeerSets:
    """What the peers of policies match, as each of some engines reads their selectors."""

    def __init__(self, index: LabelIndex, engines: tuple[Engine, ...]) -> None:
        """Ask of these classes.

        Args:
            index: the classes by their labels.
            engines: those whose readings are asked.
        """
        self._index = index
        self._engines = engines
        self._matched: dict[tuple[int, str], tuple[int, ...]] = {}
        self._kept: list[PolicyPeer] = []
        self._admitting: dict[tuple[int, Direction], int] = {}
        self._spaces: dict[str, tuple[int, int]] = {}

    def may_admit(self, policy: NetworkPolicy, direction: Direction) -> int:
        """Return the classes that some rule of a policy may match, -1 where it may be anybody: others are certain.

        Only rules are asked that name peers by selectors; whatever else there is may match.
        """
        key = (id(policy), direction)
        found = self._admitting.get(key)
        if found is None:
            found = self._admitting[key] = self._admits(policy, direction)
        return found

    def _admits(self, policy: NetworkPolicy, direction: Direction) -> int:
        """Return the classes that a policy's rules match or may match; -1 where it may be anybody."""
        if problem(policy):
            return -1
        bits = 0
        for rule in policy.ingress if direction is Direction.INGRESS else policy.egress:
            if not rule.peers or any(peer.ip_block is not None for peer in rule.peers):
                return -1
            for peer in rule.peers:
                for found in self.matching_sets(peer, policy.namespace):
                    bits |= found
        return bits

    def matching(self, peer: PolicyPeer, namespace: str) -> tuple[int, int]:
        """Return the classes that a peer's selectors match as the first engine reads them, and those in doubt."""
        sure, unsure = self.matching_sets(peer, namespace)[:2]
        return sure, unsure

    def matching_sets(self, peer: PolicyPeer, namespace: str) -> tuple[int, ...]:
        """Return the classes that a peer's selectors match, and those of which nobody can say it."""
        key = (id(peer), namespace)
        found = self._matched.get(key)
        if found is None:
            self._kept.append(peer)  # its id stays its own as long as the answer is kept
            found = self._matched[key] = tuple(self._match(peer, namespace))
        return found

    def _match(self, peer: PolicyPeer, namespace: str) -> Iterator[int]:
        sure, unsure = self._index.by_namespace.get(namespace, 0), 0
        if peer.namespace_selector is not None:
            sure, unsure = self._of_namespaces(peer.namespace_selector)
        for selected in self._selected(peer.pod_selector):
            yield sure & selected & ~self._index.hosts
            yield unsure & selected & ~self._index.hosts

    def _of_namespaces(self, selector: LabelSelector) -> tuple[int, int]:
        """Return the classes of the namespaces that a selector matches; many policies have the same selector."""
        key = repr(selector)
        found = self._spaces.get(key)
        if found is None:
            found = self._spaces[key] = self._index.of_namespaces(selector)
        return found

    def _selected(self, selector: LabelSelector | None) -> Iterator[int]:
        """Yield what a selector matches; engines that see other labels of a Pod each have a set of their own."""
        if selector is None:
            yield self._index.everything
            return
        keys = [*selector.match_labels, *(line.key for line in selector.match_expressions)]
        identity = Engine.CILIUM in self._engines and any(key.startswith(_IDENTITY) for key in keys)
        if identity:
            yield self._index.by_identity(selector)
        if not identity or len(self._engines) > 1:
            yield self._index.matching(selector)
