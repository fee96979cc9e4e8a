"""What Azure said because the user asked, and no later read says again: kept beside the rows, and put into them."""

from collections.abc import Iterable

import msgspec

from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.change import AdminRulesTold

FRESH_FOR = 600.0
"""Seconds for which admin rules count as known after they were asked for.

Nothing says when they change: they are deployed by others, often by policy, and a deployment is in effect a few minutes
after it was committed (Azure documentation, "Configuration deployments in Azure Virtual Network Manager"). Ten minutes
are a look at one incident, and no more than a deployment or two.
"""


class ToldAdminRules:
    """The security admin rules of virtual networks, as Azure told them; forgotten with the network."""

    def __init__(self) -> None:
        self._told: dict[str, AdminRulesTold] = {}

    def note(self, told: AdminRulesTold) -> None:
        """Keep an answer; it takes the place of an older one."""
        self._told[told.id] = told

    def over(self, networks: Iterable[VirtualNetwork]) -> list[VirtualNetwork]:
        """Return networks with what was told of them: a GET does not carry it."""
        return [
            network if (told := self._told.get(network.id)) is None else _with(network, told) for network in networks
        ]

    def outdated(self, now: float) -> list[AdminRulesTold]:
        """Return the changes that say which answers can no longer be relied on.

        Args:
            now: seconds since the epoch.
        """
        return [
            msgspec.structs.replace(told, old=True)
            for told in self._told.values()
            if not told.old and now - told.at >= FRESH_FOR
        ]

    def change(self, ident: str, old: VirtualNetwork | None, new: VirtualNetwork | None) -> None:
        """Forget what was told of a network that is gone (see ``store.table.Index``)."""
        del old
        if new is None:
            self._told.pop(ident, None)


def _with(network: VirtualNetwork, told: AdminRulesTold) -> VirtualNetwork:
    return msgspec.structs.replace(
        network, effective_security_admin_rules=told.rules, admin_rules_as_of=told.at, admin_rules_old=told.old
    )
