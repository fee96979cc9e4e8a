"""Expressions from the cluster are evaluated only where that cannot take long."""

import pytest

from aksnav.trace.routing.safe_regex import MAX_WAYS, Refused, compile_safely, ways

SUBJECT = "/" + "a" * 60


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a|aa)*$",
        "(([a])+)+$",
        "(?:a*)*$",
        "(a?){30}a{30}",
        "(.*)(.*)(.*)(.*)$",
        "a?" * 30 + "a" * 30,
        "a{0,60}" * 6,
        r"(a)\1*",
        "(?=a+)a",
        "x" * 600,
        "(",
        "[[:alpha:]]",
    ],
)
def test_what_could_take_long_or_means_something_else_is_refused(pattern: str) -> None:
    """Repeated choices, many repetitions, look-arounds, back-references, and what other engines read differently."""
    assert isinstance(compile_safely(pattern, SUBJECT), Refused)


@pytest.mark.parametrize(
    "pattern", ["/api(/|$)(.*)", "/v[0-9]+/.*", "/(foo|bar)/.*", "/items/([a-z]+)/([0-9]{1,4})(/.*)?", r"/a\.b(ab)+"]
)
def test_what_ingresses_have_is_compiled(pattern: str) -> None:
    """The expressions of the documents are fine."""
    assert not isinstance(compile_safely(pattern, SUBJECT), Refused)
    assert ways(pattern, len(SUBJECT)) <= MAX_WAYS
