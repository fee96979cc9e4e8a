"""Every row of the project's own table of network policies, through the public trace, as each engine reads it."""

import functools

import pytest

from aksnav.store.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Branch, Kind, Outcome, Step, Trace, Verdict
from tests.tables.policy_table import ENGINES, Row, objects, rows
from tests.unit.trace_edge.world import made, put

ROWS = rows()
OUTCOMES = {Outcome.DELIVERED: "allow", Outcome.DROPPED: "deny", Outcome.UNDECIDED: "undecided", Outcome.SPLIT: "split"}


@functools.cache
def _world(engine: str, traffic: str, number: int) -> Store:
    """Return the store of a row; rows below the same policies share it."""
    store = made(*objects(engine, traffic))
    put(store, *ROWS[number].policies)
    return store


@functools.cache
def _first_alike(number: int) -> int:
    """Return the first row that has the policies of a row."""
    return next(other for other in range(number + 1) if ROWS[other].policies is ROWS[number].policies)


def _answered(number: int, engine: str) -> Trace:
    row = ROWS[number]
    return trace(_world(engine, row.traffic, _first_alike(number)), parse_request(row.target, source=row.source))


def _policy_steps(steps: tuple[Step, ...]) -> list[Step]:
    found: list[Step] = []
    branches: list[Branch] = []
    for step in steps:
        branches += step.branches
        if step.kind is Kind.POLICY:
            found.append(step)
    return found + [step for branch in branches for step in _policy_steps(branch.steps)]


def _by_policy(answer: Trace) -> str:
    """Return what the policy steps alone say, for a road that leaves the cluster."""
    verdicts = {step.verdict for step in _policy_steps(answer.steps)}
    if Verdict.DROP in verdicts:
        return "deny"
    return "undecided" if verdicts & {Verdict.BLIND, Verdict.UNSUPPORTED} else "allow"


def _said(row: Row, answer: Trace) -> str:
    return _by_policy(answer) if row.outside else OUTCOMES.get(answer.outcome, str(answer.outcome))


def _expected(row: Row, engine: str) -> str:
    if engine in row.answers:
        return row.answers[engine]
    if engine == "none":
        return "allow"
    agreed = set(row.answers.values())
    return agreed.pop() if len(agreed) == 1 else "undecided"


def _asked(row: Row) -> tuple[str, ...]:
    """Return the engines of which a row speaks; rows of Cilium's own policies speak of Cilium alone."""
    return (*ENGINES, "none", "") if set(row.answers) == set(ENGINES) else tuple(row.answers)


def test_the_table_has_its_rows() -> None:
    """At least 150 rows, every one with the section it is written from, and none twice."""
    assert len(ROWS) >= 150
    named = ("Network Policies: ", "API reference, ", "AKS, ", "Cilium, ")
    assert all(row.section.startswith(named) for row in ROWS)
    assert len({(row.section, repr(row.policies), row.source, row.target, row.traffic) for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda number: f"line-{ROWS[number].number}")
def test_a_row_is_answered_as_its_section_says(number: int) -> None:
    """As Azure NPM, Calico, Cilium, without an engine, and with one that nobody can name."""
    row = ROWS[number]
    for engine in _asked(row):
        answer = _answered(number, engine)
        assert _said(row, answer) == _expected(row, engine), (engine or "unknown", row.section, row.target)


def test_a_denied_row_names_a_policy_that_is_there() -> None:
    """The step that drops points at one of the row's own policies, with a field of it."""
    for number, row in enumerate(ROWS):
        for engine in ENGINES:
            if row.answers.get(engine) != "deny":
                continue
            dropped = [step for step in _policy_steps(_answered(number, engine).steps) if step.verdict is Verdict.DROP]
            names = {item["metadata"]["name"] for item in row.policies}
            assert dropped, row
            assert all(step.subject is not None and step.subject.name in names for step in dropped), row
            assert all(step.evidence and step.evidence[0].field.startswith(".spec") for step in dropped), row
