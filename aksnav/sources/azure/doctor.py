"""Which ARM objects can be read, and the smallest custom role that gives what is missing."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from aksnav.model.change import Change, Reading, SourceChanged
from aksnav.model.confirmation import ACTIONS
from aksnav.model.kinds import KINDS
from aksnav.model.text import plain
from aksnav.sources.azure.arm_ids import group_of
from aksnav.sources.azure.edges import EDGE_NEEDED
from aksnav.sources.azure.errors import ArmError, UnreachableError, Where
from aksnav.sources.azure.find import CLUSTER_READ, GROUP_READ, SUBSCRIPTION_READ
from aksnav.sources.azure.interfaces import SCALE_SET_INTERFACES
from aksnav.sources.azure.lists import OPERATIONS
from aksnav.sources.azure.reads import USAGES
from aksnav.sources.azure.source import NAME, AzureSource
from aksnav.sources.azure.transport import Arm, Connection, Json
from aksnav.sources.azure.zones import ZONES_NEEDED
from aksnav.sources.diagnosis import Check, Diagnosis
from aksnav.sources.errors import SourceError
from aksnav.sources.kubernetes.pace import Pace
from aksnav.sources.options import Options

NEEDED = (
    CLUSTER_READ,
    *(f"{KINDS[kind].group}/{KINDS[kind].plural}/read" for kind in OPERATIONS),
    SCALE_SET_INTERFACES,
    USAGES,
)
"""Every action that a full read uses."""
ROLE_NAME = "aksnav reader"
# Ways to find the cluster that another way makes up for: a refusal of theirs is no loss once the cluster is known.
_DETOURS = frozenset({GROUP_READ, SUBSCRIPTION_READ})
T = TypeVar("T")


class _Try(msgspec.Struct, frozen=True, gc=False):
    where: Where
    error: SourceError | None


class _Recorder(Arm):
    """Reads as ever, and writes down what was asked for and what came of it."""

    def __init__(self, connection: Connection | None) -> None:
        super().__init__(connection)
        self.tries: list[_Try] = []

    def many(self, where: Where, ask: Callable[[], Iterable[Any]]) -> list[Json]:
        """Read a list."""
        return self._noted(where, lambda: super(_Recorder, self).many(where, ask))

    def one(self, where: Where, ask: Callable[[], Any]) -> Json:
        """Read one object."""
        return self._noted(where, lambda: super(_Recorder, self).one(where, ask))

    def get(self, where: Where, path: str, api_version: str) -> list[Json]:
        """Read a path."""
        return self._noted(where, lambda: super(_Recorder, self).get(where, path, api_version))

    def _noted(self, where: Where, call: Callable[[], T]) -> T:
        try:
            found = call()
        except SourceError as error:
            self.tries.append(_Try(where, error))
            raise
        self.tries.append(_Try(where, None))
        return found


def check_azure(
    options: Options,
    provider_ids: Iterable[str] = (),
    server_host: str = "",
    *,
    connection: Connection | None = None,
    pace: Pace | None = None,
) -> Diagnosis:
    """Read everything once and return what could be read, what not, and the role that would help.

    Args:
        options: ``--cluster``, context and kubeconfig.
        provider_ids: ``spec.providerID`` of the nodes, as far as they can be read.
        server_host: host name of the API server.
        connection: how Azure Resource Manager is reached; as the environment says when left out.
        pace: clock and rest; the real ones when left out.
    """
    states: list[SourceChanged] = []
    provider_ids = tuple(provider_ids)

    def keep(change: Change) -> None:
        if isinstance(change, SourceChanged):
            states.append(change)

    arm = _Recorder(connection)
    source = AzureSource(keep, options, once=True, pace=pace, arm=arm)
    try:
        source.hints(provider_ids, server_host)
        source.read_once()
    finally:
        source.stop()
    last = states[-1]
    tries = _that_matter(arm.tries)
    broken = [item for item in tries if not isinstance(item.error, ArmError | None)]
    checks = (*(_check(item) for item in tries if item not in broken), *_on_request())
    return Diagnosis(
        source=NAME,
        facts=last.facts,
        checks=checks,
        role=_role(tries, _subscriptions(options, provider_ids, last.facts)),
        error=last.reason if broken or last.reading in {Reading.UNREAD, Reading.FAILED} else "",
        unreachable=any(isinstance(item.error, UnreachableError) for item in broken),
    )


def _on_request() -> Iterator[Check]:
    """Say which actions are used where a user asks the living network: they read, and Reader does not have them."""
    for way, action in ACTIONS.items():
        said = f"asked only by --confirm and C on a trace ({way}); a POST that reads, not part of Reader"
        yield Check(what=action.partition("/")[2], ok=False, optional=True, missing=action, reason=said)


def _that_matter(tries: Iterable[_Try]) -> list[_Try]:
    """Return one try for each action and scope, without refusals that another way made up for."""
    last: dict[Where, _Try] = {item.where: item for item in tries}
    read = any(item.error is None and item.where.action == CLUSTER_READ for item in last.values())
    kept = []
    for item in last.values():
        detour = item.where.action in _DETOURS or item.where.action == CLUSTER_READ
        if item.error is not None and isinstance(item.error, ArmError) and detour and read:
            continue
        kept.append(item)
    return kept


def _check(item: _Try) -> Check:
    error = item.error
    action, scope = item.where.action, plain(item.where.scope)
    what = action.removesuffix("/read").partition("/")[2]
    if error is None:
        return Check(what=what, ok=True, scope=scope)
    missing = action if isinstance(error, ArmError) and error.denied else ""
    aside = item.where.aside
    reason = f"only tells who else has addresses in the cluster's network: {error}" if aside else str(error)
    return Check(what=what, ok=False, optional=aside, missing=missing, scope=scope, reason=reason)


def _subscriptions(options: Options, provider_ids: Iterable[str], facts: dict[str, str]) -> list[str]:
    """Return the scopes to ask for a role on where no refusal names one."""
    groups = (group_of(item) for item in (options.cluster, *provider_ids))
    named = sorted({f"/subscriptions/{plain(group.subscription)}" for group in groups if group is not None})
    return named or [f"/subscriptions/{facts.get('subscription') or 'SUBSCRIPTION-ID'}"]


def _role(tries: list[_Try], fallback: list[str]) -> str:
    """Return a custom role with the actions that no try has proven, as JSON for ``az role definition create``."""
    tries = [item for item in tries if not item.where.aside]
    refused = [item for item in tries if isinstance(item.error, ArmError) and item.error.denied]
    asked_for = {*NEEDED, *EDGE_NEEDED, *ZONES_NEEDED, SUBSCRIPTION_READ}
    refused_actions = {item.where.action for item in refused} & asked_for
    proven = {item.where.action for item in tries if item.error is None} - refused_actions
    actions = [action for action in NEEDED if action not in proven]
    actions += sorted(refused_actions - set(actions))
    if not actions:
        return ""
    groups = (group_of(item.where.scope) for item in refused)
    scopes = sorted({group.scope for group in groups if group is not None})
    whole = sorted({item.where.scope for item in refused if item.where.scope.lower().count("/") == 2})  # noqa: PLR2004 - /subscriptions/ID
    role = {
        "Name": ROLE_NAME,
        "IsCustom": True,
        "Description": "What aksnav reads of Azure; nothing in it writes.",
        "Actions": actions,
        "NotActions": [],
        "AssignableScopes": [plain(scope) for scope in [*whole, *scopes]] or fallback,
    }
    return json.dumps(role, indent=2)
