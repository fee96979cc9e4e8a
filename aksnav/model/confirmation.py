"""Questions to the living network that confirm or contradict what was worked out, and their answers."""

from enum import StrEnum

import msgspec

from aksnav.model.azure.admin import SecurityAdminRule


class Way(StrEnum):
    """How the living network is asked."""

    RULE_HEALTH = "load balancer health"
    DIAGNOSTIC = "network configuration diagnostic"
    EFFECTIVE_ROUTES = "effective routes"
    EFFECTIVE_RULES = "effective security rules"
    ADMIN_RULES = "security admin rules"
    RESOLVE = "name resolution from here"
    CONNECT = "TCP connection from here"
    HANDSHAKE = "TLS handshake from here"


# The action that each way needs in a role; those without one ask nobody but the network in front of this machine.
ACTIONS = {
    Way.RULE_HEALTH: "Microsoft.Network/loadBalancers/loadBalancingRules/health/action",
    Way.DIAGNOSTIC: "Microsoft.Network/networkWatchers/networkConfigurationDiagnostic/action",
    Way.EFFECTIVE_ROUTES: "Microsoft.Network/networkInterfaces/effectiveRouteTable/action",
    Way.EFFECTIVE_RULES: "Microsoft.Network/networkInterfaces/effectiveNetworkSecurityGroups/action",
    Way.ADMIN_RULES: "Microsoft.Network/virtualNetworks/listNetworkManagerEffectiveSecurityAdminRules/action",
}
WATCHERS = "Microsoft.Network/networkWatchers/read"


def said_of_rules(count: int) -> str:
    """Return the answer to a question for security admin rules, in a word."""
    return "no rules" if not count else "1 rule" if count == 1 else f"{count} rules"


class Question(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One question to the living network.

    Attributes:
        way: how it is asked.
        target: ARM id of the load balancer, interface or virtual network that is asked about; host name or address
            for the ways from here.
        name: name of the load balancer's rule, or the server name of the TLS handshake.
        location: region of the target, for the watcher there.
        direction: Inbound or Outbound.
        protocol, source, destination: of the packet, as the security groups see it; addresses in text.
        port: of the packet, or to connect to.
        about: the step of the road that it is about, in one line.
        expected: what was worked out, in the word that the answer will use; empty where nothing was.
    """

    way: Way
    target: str
    name: str = ""
    location: str = ""
    direction: str = ""
    protocol: str = "TCP"
    source: str = ""
    destination: str = ""
    port: int = 0
    about: str = ""
    expected: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the living network says.

    Attributes:
        question: what was asked.
        value: the answer in one word, comparable with what was expected; empty where it does not say.
        facts: pairs of a field and its value, in the words of whoever answered (foreign text).
        error: why there is no answer, one line.
        admin_rules: the security admin rules in effect on the virtual network that was asked about, all of them; None
            where they were not asked for, or not told whole.
        at: when it was asked, seconds since the epoch; 0 where that does not matter.
    """

    question: Question
    value: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    error: str = ""
    admin_rules: tuple[SecurityAdminRule, ...] | None = None
    at: float = 0.0

    @property
    def agrees(self) -> bool | None:
        """Whether it is what was expected; None where there is no answer, or nothing was expected."""
        if self.error or not self.value or not self.question.expected:
            return None
        return self.value.casefold() == self.question.expected.casefold()
