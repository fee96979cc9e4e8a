"""The few ConfigMaps that say how names and addresses are translated; no other one is ever read.

Sources: AKS documentation, "Customize CoreDNS" (coredns, coredns-custom) and ip-masq-agent (azure-ip-masq-agent-config,
whose reconciled part AKS writes); aks-networking.md 4.6.
"""

from typing import ClassVar

from aksnav.model.object import KubernetesObject

NAMESPACE = "kube-system"
COREDNS = "coredns"
COREDNS_CUSTOM = "coredns-custom"
MASQUERADING = ("azure-ip-masq-agent-config", "azure-ip-masq-agent-config-reconciled")
WANTED = (COREDNS, COREDNS_CUSTOM, *MASQUERADING)


class ConfigMap(KubernetesObject, kw_only=True, gc=False):
    """A ConfigMap that is asked for by name."""

    KIND: ClassVar[str] = "ConfigMap"

    data: dict[str, str] = {}

    @property
    def wanted(self) -> bool:
        """Whether it is one of those that are read at all."""
        return self.namespace == NAMESPACE and self.name in WANTED
