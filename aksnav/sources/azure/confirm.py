"""Questions to Azure that are answered by a POST: health, diagnostics, effective routes and rules. None writes.

Only what is listed here leaves, and only where a user asks for it; each is an action of its own in a role, which Reader
does not have (aks-networking.md 4.5). All but the last are long-running operations: they are
polled until they end.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from aksnav.model.confirmation import ACTIONS, WATCHERS, Question, Reply, Way
from aksnav.model.text import plain
from aksnav.sources.azure.arm_ids import group_of, name_of, segments
from aksnav.sources.azure.effective import of_routes, of_rules
from aksnav.sources.azure.errors import ArmError, Where, said_plainly
from aksnav.sources.azure.transport import Arm, Connection, Json
from aksnav.sources.errors import SourceError

# The POSTs that may leave, by the end of their path.
READING_POSTS = re.compile(
    r"/loadbalancers/[^/]+/loadbalancingrules/[^/]+/health"
    r"|/networkwatchers/[^/]+/networkconfigurationdiagnostic"
    r"|/networkinterfaces/[^/]+/effectiveroutetable"
    r"|/networkinterfaces/[^/]+/effectivenetworksecuritygroups"
    r"|/virtualnetworks/[^/]+/listnetworkmanagereffectivesecurityadminrules",
    re.IGNORECASE,
)
POLL_EVERY = 2.0
"""Seconds between two looks at an operation that does not say when to look again."""
ENDS_WITHIN = 90.0
"""Seconds after which an operation that has not ended is given up."""
MOST_FACTS = 50
LONGEST = 200


class ConfirmingArm(Arm):
    """Azure Resource Manager with the few POSTs that only read."""

    def _check(self, verb: str, url: str) -> None:
        reads = verb == "POST" and READING_POSTS.search(urlsplit(url).path) is not None
        super()._check("GET" if reads else verb, url)


def ask_azure(question: Question, arm: Arm) -> Reply:
    """Return Azure's answer to one question; whatever stands in its way is the reply's error, in one line.

    Args:
        question: one of the ways that Azure answers.
        arm: lets the POSTs pass.
    """
    ask, read = _WAYS[question.way]
    try:
        return read(question, ask(question, arm))
    except SourceError as error:
        return Reply(question=question, error=plain(str(error), 400))


def _health(question: Question, arm: Arm) -> Json:
    where, group = _where(question)
    network = arm.network(group.subscription)
    names = segments_of(question)
    return _wait(
        where,
        lambda: network.load_balancer_load_balancing_rules.begin_health(
            group.name, names["loadbalancers"], question.name, polling_interval=POLL_EVERY
        ),
    )


def _diagnostic(question: Question, arm: Arm) -> Json:
    where, group = _where(question)
    network = arm.network(group.subscription)
    watcher = _watcher(question, arm)
    profile = {
        "direction": question.direction,
        "protocol": question.protocol,
        "source": question.source,
        "destination": question.destination,
        "destinationPort": str(question.port),
    }
    owner = group_of(watcher)
    if owner is None:
        raise ArmError(HTTPStatus.OK, where, "the watcher has no resource group")
    return _wait(
        where,
        lambda: network.network_watchers.begin_get_network_configuration_diagnostic(
            owner.name,
            name_of(watcher),
            {"targetResourceId": question.target, "profiles": [profile]},
            polling_interval=POLL_EVERY,
        ),
    )


def _watcher(question: Question, arm: Arm) -> str:
    """Return the id of the network watcher in the region of the target.

    Raises:
        ArmError: there is none, or the watchers cannot be listed.
    """
    group = _where(question)[1]
    where = Where(WATCHERS, f"/subscriptions/{group.subscription}")
    network = arm.network(group.subscription)
    for item in arm.many(where, network.network_watchers.list_all):
        if str(item.get("location", "")).lower() == question.location.lower():
            return str(item["id"])
    raise ArmError(HTTPStatus.NOT_FOUND, where, f"no network watcher in region {question.location or '(not known)'}")


def _routes(question: Question, arm: Arm) -> Json:
    where, group = _where(question)
    network = arm.network(group.subscription)
    return _wait(
        where,
        lambda: network.network_interfaces.begin_get_effective_route_table(
            group.name, name_of(question.target), polling_interval=POLL_EVERY
        ),
    )


def _rules(question: Question, arm: Arm) -> Json:
    where, group = _where(question)
    network = arm.network(group.subscription)
    return _wait(
        where,
        lambda: network.network_interfaces.begin_list_effective_network_security_groups(
            group.name, name_of(question.target), polling_interval=POLL_EVERY
        ),
    )


def _admin_rules(question: Question, arm: Arm) -> Json:
    where, group = _where(question)
    network = arm.network(group.subscription)
    return arm.one(
        where,
        lambda: network.list_network_manager_effective_security_admin_rules(group.name, name_of(question.target), {}),
    )


def _where(question: Question) -> tuple[Where, Any]:
    where = Where(ACTIONS[question.way], question.target)
    group = group_of(question.target)
    if group is None:
        raise ArmError(HTTPStatus.OK, where, "not the id of an Azure resource")
    return where, group


def segments_of(question: Question) -> dict[str, str]:
    """Return types and names in the id of what is asked about."""
    from aksnav.model.object import Ref

    return segments(Ref("", question.target))


def _wait(where: Where, begin: Callable[[], Any]) -> Json:
    """Return what a long-running operation ends with.

    Raises:
        ArmError: it failed, or did not end in time.
    """
    with said_plainly(where):
        poller = begin()
        found = poller.result(ENDS_WITHIN)
        if not poller.done():
            raise ArmError(HTTPStatus.OK, where, f"the operation did not end within {ENDS_WITHIN:g} s")
        body: Json = found.as_dict()
        return body


def _of_health(question: Question, body: Mapping[str, Any]) -> Reply:
    facts = [
        (plain(str(item.get("ipAddress", "")), 60), plain(f"{item.get('state', '')} {item.get('reason', '')}", LONGEST))
        for item in body.get("loadBalancerBackendAddresses") or []
    ]
    up, down = int(body.get("up") or 0), int(body.get("down") or 0)
    head = ("nodes up and down", f"{up} up, {down} down")
    value = "healthy" if up else "unhealthy" if down else ""
    return Reply(question=question, value=value, facts=(head, *facts[:MOST_FACTS]))


def _of_diagnostic(question: Question, body: Mapping[str, Any]) -> Reply:
    results = body.get("results") or []
    result = (results[0].get("networkSecurityGroupResult") or {}) if results else {}
    facts = []
    for group in result.get("evaluatedNetworkSecurityGroups") or []:
        rule = group.get("matchedRule") or {}
        name = name_of(str(group.get("networkSecurityGroupId", "")))
        facts.append((plain(name, 80), plain(f"{rule.get('ruleName', '')} {rule.get('action', '')}", LONGEST)))
    value = plain(str(result.get("securityRuleAccessResult") or ""), 40)
    return Reply(question=question, value=value, facts=tuple(facts[:MOST_FACTS]))


def _of_admin_rules(question: Question, body: Mapping[str, Any]) -> Reply:
    """Return how many rules are in effect, and each: the trace judges by them where a capture holds them."""
    rules = body.get("value") or []
    inner = [(str(rule.get("id", "")).rpartition("/")[2], rule.get("properties") or {}) for rule in rules]
    facts = [
        (plain(name, 80), plain(f"{said.get('priority')} {said.get('direction')} {said.get('access')}", LONGEST))
        for name, said in inner
    ]
    more = " or more" if body.get("skipToken") else ""
    return Reply(
        question=question,
        value=f"{len(rules)}{more} rules" if rules else "no rules",
        facts=tuple(facts[:MOST_FACTS]),
    )


_Ask = Callable[[Question, Arm], Json]
_Read = Callable[[Question, Mapping[str, Any]], Reply]
_WAYS: dict[Way, tuple[_Ask, _Read]] = {
    Way.RULE_HEALTH: (_health, _of_health),
    Way.DIAGNOSTIC: (_diagnostic, _of_diagnostic),
    Way.EFFECTIVE_ROUTES: (_routes, of_routes),
    Way.EFFECTIVE_RULES: (_rules, of_rules),
    Way.ADMIN_RULES: (_admin_rules, _of_admin_rules),
}


def confirming(connection: Connection | None = None) -> ConfirmingArm:
    """Return a way to Azure that lets the reading POSTs pass."""
    return ConfirmingArm(connection)
