"""What happens to answers when a kind cannot be read: they become uncertain, never different."""

from functools import cache

import pytest

from aksnav.model.change import Reading, ReadingChanged
from aksnav.model.kinds import KINDS
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.request import Request
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.step import Certainty, Outcome, Trace

# Nothing on a road stands or falls with these alone.
WITHOUT_INFLUENCE = {"Event", "natGateways"}


def load(scenario: str) -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: 1_764_000_000.0):
        store.apply(change)
    return store


def requests(store: Store) -> list[Request]:
    asked = [point.request for point in entry_points(store)]
    asked += [parse_request(fault.expected.to, fault.expected.source) for fault in demo.FAULTS if fault.expected.to]
    pod = next(ident for ident in sorted(store.pods.ids()) if ident.startswith("shop/blog"))
    return [*asked, parse_request("http://web/", f"pod/{pod}"), parse_request("svc/media/studio:1935", "10.224.1.10")]


def hide(store: Store, kind: str, reading: Reading) -> None:
    table = store.tables[kind]
    table.remove(list(table.ids()))
    for scope in {"", *table.scopes()}:
        store.apply(ReadingChanged(kind, reading, scope=scope, reason="not for you"))


@cache
def whole(scenario: str) -> dict[Request, Trace]:
    """Return the answers where everything can be read."""
    store = load(scenario)
    return {request: trace(store, request) for request in requests(store)}


@pytest.mark.parametrize("kind", sorted(set(KINDS) - WITHOUT_INFLUENCE))
def test_a_hidden_kind_never_turns_an_answer_round(kind: str) -> None:
    """With a kind denied, what was not delivered is not delivered now, and what still is goes to the same Pods."""
    partial = load("faulty")
    hide(partial, kind, Reading.DENIED)
    for request, before in whole("faulty").items():
        after = trace(partial, request)
        if after.outcome is Outcome.DELIVERED:
            assert before.outcome is Outcome.DELIVERED, request.text
            assert set(after.destinations) <= set(before.destinations), request.text
            assert after.confidence.certainty is not Certainty.PARTIAL


@pytest.mark.parametrize("kind", sorted(set(KINDS) - WITHOUT_INFLUENCE))
def test_an_end_that_is_proven_without_a_kind_is_proven_with_it(kind: str) -> None:
    """A proven outcome without the word of one kind is the outcome that the whole picture gives."""
    partial = load("healthy")
    hide(partial, kind, Reading.UNREAD)
    for request, before in whole("healthy").items():
        after = trace(partial, request)
        if after.confidence.certainty is Certainty.PROVEN:
            assert (after.outcome, after.status) == (before.outcome, before.status), request.text
