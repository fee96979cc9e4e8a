"""Labels, selectors and the names of kinds."""

import pytest

from aksnav.model.kinds import KINDS, find_kind
from aksnav.model.labels import EMPTY, Labels, LabelSelector, Requirement

LABELS = {"environment": "production", "tier": "frontend", "empty": ""}


@pytest.mark.parametrize(
    ("match", "expressions", "selected"),
    [
        # metav1.LabelSelector: an empty selector matches all objects.
        ({}, [], True),
        # Labels and Selectors, "Equality-based requirement".
        ({"environment": "production"}, [], True),
        ({"environment": "qa"}, [], False),
        ({"partition": "x"}, [], False),
        ({"empty": ""}, [], True),
        ({"partition": ""}, [], False),
        # "Set-based requirement": in, notin, exists.
        ({}, [("environment", "In", ("production", "qa"))], True),
        ({}, [("environment", "In", ("qa",))], False),
        ({}, [("partition", "In", ("",))], False),
        ({}, [("tier", "NotIn", ("frontend", "backend"))], False),
        ({}, [("tier", "NotIn", ("backend",))], True),
        # "selects all resources with … and all resources with no labels with the … key"
        ({}, [("partition", "NotIn", ("x",))], True),
        ({}, [("empty", "Exists", ())], True),
        ({}, [("partition", "Exists", ())], False),
        ({}, [("partition", "DoesNotExist", ())], True),
        ({}, [("empty", "DoesNotExist", ())], False),
        # "All of the requirements, from both matchLabels and matchExpressions are ANDed together."
        ({"tier": "frontend"}, [("environment", "In", ("production",))], True),
        ({"tier": "backend"}, [("environment", "In", ("production",))], False),
        ({"tier": "frontend"}, [("environment", "In", ("production",)), ("partition", "Exists", ())], False),
    ],
)
def test_selectors_as_kubernetes_documents_them(
    match: dict[str, str], expressions: list[tuple[str, str, tuple[str, ...]]], selected: bool
) -> None:
    """Kubernetes documentation, "Labels and Selectors", and metav1.LabelSelector."""
    selector = LabelSelector(match, tuple(Requirement(*item) for item in expressions))
    assert selector.matches(LABELS) is selected
    assert selector.matches(Labels.of(LABELS)) is selected
    assert selector.invalid() is None


@pytest.mark.parametrize(("operator", "values"), [("In", ()), ("NotIn", ()), ("Gt", ("1",)), ("", ()), ("in", ("a",))])
def test_a_selector_that_cannot_be_evaluated_says_so(operator: str, values: tuple[str, ...]) -> None:
    """An unknown operator selects nothing, and is said to be invalid rather than not to match."""
    selector = LabelSelector({}, (Requirement("tier", operator, values),))
    assert selector.invalid()


def test_equal_labels_are_one_object() -> None:
    """Whatever the order, and whether they come from JSON or from a mapping."""
    one = Labels.of({"a": "1", "b": "2"})
    assert one is Labels.of({"b": "2", "a": "1"})
    assert one is Labels.of_json(b'{"b":"2","a":"1"}')
    assert one is Labels.of_json(b'{ "a" : "1", "b" : "2" }')
    assert one == {"a": "1", "b": "2"}
    assert one != Labels.of({"a": "1"})
    assert Labels.of({}) is Labels.of(None) is Labels.of_json(b"null") is Labels.of_json(b"") is EMPTY


@pytest.mark.parametrize("word", ["svc", "Service", "services", "SERVICE"])
def test_a_kind_is_found_by_name_plural_and_alias(word: str) -> None:
    """In any letter case."""
    assert find_kind(word) is KINDS["Service"]
    assert find_kind("nothing") is None


def test_words_for_kinds_are_unambiguous() -> None:
    """No alias is another kind's name, plural or alias."""
    words = [word for kind in KINDS.values() for word in kind.words]
    assert len(words) == len(set(words))
