"""Questions to Azure that are answered by a POST: health, diagnostics, effective routes and rules. None writes.

Only what is listed here leaves, and only where a user asks for it; each is an action of its own in a role, which Reader
does not have (aks-networking.md 4.5). All but the last are long-running operations: they are
polled until they end. The last comes in pages, by a token that is sent back; it counts only when it is whole.
"""

import re
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec

from aksnav.model.azure.admin import SecurityAdminRule
from aksnav.model.azure.shape import hoist
from aksnav.model.confirmation import ACTIONS, WATCHERS, Question, Reply, Way, said_of_rules
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
MOST_PAGES = 100
"""Pages of admin rules after which an answer that has not ended is given up."""
MOST_FACTS = 50
LONGEST = 200


class ConfirmingArm(Arm):
    """Azure Resource Manager with the few POSTs that only read."""

    def _check(self, verb: str, url: str) -> None:
        reads = verb == "POST" and READING_POSTS.search(urlsplit(url).path) is not None
        super()._check("GET" if reads else verb, url)


def ask_azure(question: Question, arm: Arm, now: Callable[[], float] = time.time) -> Reply:
    """Return Azure's answer to one question; whatever stands in its way is the reply's error, in one line.

    Args:
        question: one of the ways that Azure answers.
        arm: lets the POSTs pass.
        now: seconds since the epoch.
    """
    ask, read = _WAYS[question.way]
    at = now()  # before it leaves: what changes while the answer is on its way may not be in it
    try:
        return msgspec.structs.replace(read(question, ask(question, arm)), at=at)
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
    """Return the rules of every page.

    Raises:
        ArmError: a page is not one, or there is always one more.
    """
    where, group = _where(question)
    network, name = arm.network(group.subscription), name_of(question.target)
    found: list[Any] = []
    tokens: set[str] = set()
    asked: dict[str, str] = {}
    while len(tokens) < MOST_PAGES:
        body = arm.one(
            where, partial(network.list_network_manager_effective_security_admin_rules, group.name, name, asked)
        )
        page, token = body.get("value"), str(body.get("skipToken") or "")
        if not isinstance(page, list):
            raise ArmError(HTTPStatus.OK, where, "the answer has no list of rules")
        found += page
        if not token:
            return {"value": found}
        if token in tokens:
            break
        tokens.add(token)
        asked = {"skipToken": token}
    raise ArmError(HTTPStatus.OK, where, "the pages of the answer do not end")


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
    """Return how many rules are in effect, and each; the trace judges by them.

    Raises:
        ArmError: one of them cannot be decoded: it may be the one that decides.
    """
    try:
        rules = msgspec.convert(hoist(body["value"]), tuple[SecurityAdminRule, ...])
    except msgspec.ValidationError as error:
        raise ArmError(HTTPStatus.OK, _where(question)[0], f"a rule cannot be decoded: {error}") from error
    facts = [
        (plain(rule.name, 80), plain(f"{rule.priority} {rule.direction} {rule.access}", LONGEST)) for rule in rules
    ]
    return Reply(question=question, value=said_of_rules(len(rules)), facts=tuple(facts[:MOST_FACTS]), admin_rules=rules)


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
