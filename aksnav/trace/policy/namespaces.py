"""Labels of namespaces, and of identities, as selectors see them."""

from aksnav.model.labels import Labels, LabelSelector
from aksnav.store.store import Store
from aksnav.trace.readable import unreadable
from aksnav.trace.ternary import Answer, Unknown

NAME = "kubernetes.io/metadata.name"
CILIUM_NAMESPACE = "io.kubernetes.pod.namespace"
CILIUM_CLUSTER = "io.cilium.k8s.policy.cluster"
CILIUM_ACCOUNT = "io.cilium.k8s.policy.serviceaccount"
CILIUM_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."


class NamespaceLabels:
    """The labels of every namespace at one version of the store.

    The API server gives every namespace its own name as label kubernetes.io/metadata.name, so that one is known even
    where namespaces cannot be listed (Kubernetes documentation, "Automatic labelling").
    """

    def __init__(self, store: Store) -> None:
        self._known = {
            namespace.name: Labels.of({NAME: namespace.name, **namespace.labels}) for namespace in store.namespaces
        }
        self._missing = unreadable(store.namespaces)
        self._undecodable = dict(store.namespaces.undecodable)
        self._identities: dict[tuple[str, Labels, str], Labels] = {}
        self._answers: dict[tuple[int, str], Answer] = {}
        self._kept: list[LabelSelector] = []

    def labels(self, namespace: str) -> Labels:
        """Return what is known of a namespace's labels: at least its name."""
        return self._known.get(namespace) or Labels.of({NAME: namespace})

    def label(self, namespace: str, key: str) -> str | Unknown | None:
        """Return the value of one label of a namespace; None where it has none, Unknown where that cannot be read."""
        value = self.labels(namespace).get(key)
        if value is not None or namespace in self._known:
            return value
        return self._unknown(namespace)

    def matches(self, selector: LabelSelector, namespace: str) -> Answer:
        """Return whether a namespaceSelector matches; unknown where it asks for labels that cannot be read."""
        key = (id(selector), namespace)
        found = self._answers.get(key)
        if found is None:
            self._kept.append(selector)  # its id stays its own as long as the answer is kept
            found = self._answers[key] = self._matches(selector, namespace)
        return found

    def _matches(self, selector: LabelSelector, namespace: str) -> Answer:
        labels = self.labels(namespace)
        if namespace in self._known:
            return selector.matches(labels)
        told = LabelSelector(
            {key: value for key, value in selector.match_labels.items() if key == NAME},
            tuple(line for line in selector.match_expressions if line.key == NAME),
        )
        if not told.matches(labels):
            return False
        if told == selector:
            return True
        return self._unknown(namespace)

    def _unknown(self, namespace: str) -> Unknown:
        reason = self._undecodable.get(namespace) or self._missing or "there is no such object"
        return Unknown(f"the labels of namespace {namespace} are not known: {reason}")

    def identity(self, namespace: str, labels: Labels, account: str) -> Labels:
        """Return the labels of a Cilium identity: the Pod's, its namespace, cluster and service account.

        Source: Cilium documentation, "Endpoints" and "Identity" (labels with source k8s). The cluster's name is in
        cilium-config, which is not read: ``default`` is what AKS installs.
        """
        key = (namespace, labels, account)
        found = self._identities.get(key)
        if found is None:
            of_namespace = {f"{CILIUM_NAMESPACE_LABELS}{name}": value for name, value in self.labels(namespace).items()}
            found = self._identities[key] = Labels.of(
                {
                    **labels,
                    CILIUM_NAMESPACE: namespace,
                    CILIUM_CLUSTER: "default",
                    CILIUM_ACCOUNT: account or "default",
                    **of_namespace,
                }
            )
        return found
