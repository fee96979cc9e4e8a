"""Calico's selector expressions: what each operator matches, what is refused, and a second evaluator beside ours."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aksnav.trace.policy.calico.selector import Invalid, Node, evaluate, parse
from aksnav.trace.ternary import Answer, Unknown

LABELS = {"my-label": "prod-1", "role": "frontend", "example.com/tier_1": "x", "in": "y", "empty": ""}


def no_labels(_: str) -> str | None:
    """Return that a label is absent."""
    return None


def read(text: str) -> Node:
    """Return a selector that must be one."""
    node = parse(text)
    assert not isinstance(node, Invalid), node
    return node


def matches(text: str, labels: dict[str, str] | None = None) -> Answer:
    """Return whether a selector matches labels that are all known."""
    return evaluate(read(text), (LABELS if labels is None else labels).get)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", True),
        ("   ", True),
        ("all()", True),
        ("all( )", True),
        ("!all()", False),
        ("has(role)", True),
        ("has( role )", True),
        ("has(other)", False),
        ("!has(other)", True),
        ("! has(role)", False),
        ("!!has(role)", True),
        ("role == 'frontend'", True),
        ('role=="frontend"', True),
        ("role == 'back'", False),
        ("other == 'x'", False),
        ("role != 'back'", True),
        ("role != 'frontend'", False),
        ("other != 'x'", True),
        ("role in {'frontend', 'business'}", True),
        ("role in {'business',}", False),
        ("role in {}", False),
        ("other in {'x'}", False),
        ("role not in {'business'}", True),
        ("role notin {'frontend'}", False),
        ("other not in {'x'}", True),
        ("role not in {}", True),
        ("my-label contains 'od-'", True),
        ("my-label contains 'x'", False),
        ("other contains ''", False),
        ("my-label starts with 'prod'", True),
        ("my-label starts with 'rod'", False),
        ("my-label startswith 'prod'", True),
        ("my-label ends with '-1'", True),
        ("my-label ends with 'prod'", False),
        ("example.com/tier_1 == 'x'", True),
        ("in == 'y'", True),
        ("empty == ''", True),
        ("has(role) && has(other)", False),
        ("has(role) || has(other)", True),
        ("has(role) || has(other) && has(other)", True),
        ("(has(role) || has(other)) && has(other)", False),
        ("! has(my-label) || my-label starts with 'prod' && role in {'frontend','business'}", True),
        ("!(has(role) && has(other))", True),
        ("! role == 'back'", True),
    ],
)
def test_an_expression_matches_as_the_reference_says(text: str, want: bool) -> None:
    """Calico reference, "Network policy", section "Selectors", with its table of operators and their precedence."""
    assert matches(text) is want


@pytest.mark.parametrize(
    "text",
    [
        "role",
        "role ==",
        "role = 'x'",
        "role == x",
        "role == 'x",
        "== 'x'",
        "role in 'x'",
        "role in {'x'",
        "role in {x}",
        "role in {'x' 'y'}",
        "(role == 'x'",
        "role == 'x')",
        "has(",
        "has()",
        "has(role",
        "has('role')",
        "all(",
        "all(x)",
        "role == 'x' &&",
        "role == 'x' & role == 'y'",
        "role == 'x' | role == 'y'",
        "role == 'x' role == 'y'",
        "&& all()",
        "role starts 'x'",
        "role is 'x'",
        "role == 'x'\n",
        "!",
        "()",
        "ro le == 'x'",
        "role == 'x';",
        "{'x'}",
        "räume == 'x'",
        "(" * 5000,
    ],
)
def test_what_is_no_expression_is_refused(text: str) -> None:
    """With a reason, and without an end to the program."""
    node = parse(text)
    assert isinstance(node, Invalid)
    assert node.why.startswith("selector ")
    assert len(node.why) < 300


def test_all_and_global_mean_what_the_scope_says() -> None:
    """In a namespaceSelector, all() is whatever has a namespace, and global() whatever has none."""
    assert evaluate(read("global()"), no_labels, every_one=True, global_one=False) is False
    assert evaluate(read("all() || global()"), no_labels, every_one=False, global_one=True) is True


def test_a_label_that_nobody_can_read_leaves_the_answer_open_only_where_it_matters() -> None:
    """An unknown label is neither there nor absent."""

    def labels(key: str) -> str | Unknown | None:
        return Unknown("not read") if key == "secret" else LABELS.get(key)

    assert isinstance(evaluate(read("has(secret)"), labels), Unknown)
    assert isinstance(evaluate(read("!has(secret) && has(role)"), labels), Unknown)
    assert evaluate(read("has(secret) || has(role)"), labels) is True
    assert evaluate(read("has(secret) && has(other)"), labels) is False


KEYS = st.sampled_from(("a", "b", "c.d/e", "in", "has-x"))
VALUES = st.text(alphabet="xyz-", max_size=3)
Naive = Callable[[dict[str, str]], bool]
"""The same expression as a plain function of labels."""


def _quoted(value: str, double: bool) -> str:
    return f'"{value}"' if double else f"'{value}'"


@st.composite
def terms(draw: st.DrawFn) -> tuple[str, Naive]:
    """Draw one operator with a function that does the same."""
    key, value, double = draw(KEYS), draw(VALUES), draw(st.booleans())
    several = draw(st.lists(VALUES, max_size=3))
    listed = "{" + ", ".join(_quoted(item, double) for item in several) + "}"
    text = _quoted(value, double)
    forms: list[tuple[str, Naive]] = [
        ("all()", lambda _: True),
        (f"has({key})", lambda labels: key in labels),
        (f"{key} == {text}", lambda labels: labels.get(key) == value),
        (f"{key} != {text}", lambda labels: labels.get(key) != value),
        (f"{key} contains {text}", lambda labels: key in labels and value in labels[key]),
        (f"{key} starts with {text}", lambda labels: key in labels and labels[key][: len(value)] == value),
        (f"{key} ends with {text}", lambda labels: key in labels and labels[key].endswith(value)),
        (f"{key} in {listed}", lambda labels: key in labels and labels[key] in several),
        (f"{key} not in {listed}", lambda labels: key not in labels or labels[key] not in several),
    ]
    return draw(st.sampled_from(forms))


def _joined(children: st.SearchStrategy[tuple[str, Naive]]) -> st.SearchStrategy[tuple[str, Naive]]:
    """Put expressions together, each in parentheses, which needs no precedence."""
    pairs = st.lists(children, min_size=2, max_size=3)
    return st.one_of(
        children.map(lambda one: (f"!({one[0]})", lambda labels: not one[1](labels))),
        pairs.map(
            lambda all_: (" && ".join(f"({text})" for text, _ in all_), lambda labels: all(f(labels) for _, f in all_))
        ),
        pairs.map(
            lambda all_: (" || ".join(f"({text})" for text, _ in all_), lambda labels: any(f(labels) for _, f in all_))
        ),
    )


EXPRESSIONS = st.recursive(terms(), _joined, max_leaves=8)
LABEL_SETS = st.dictionaries(KEYS, VALUES, max_size=4)


@given(EXPRESSIONS, LABEL_SETS)
def test_an_expression_means_what_its_parts_mean(expression: tuple[str, Naive], labels: dict[str, str]) -> None:
    """Drawn expressions against the functions that they were drawn with."""
    text, naive = expression
    assert matches(text, labels) is naive(labels)


@given(
    st.lists(terms(), min_size=1, max_size=5),
    st.lists(st.sampled_from(("&&", "||")), min_size=4, max_size=4),
    LABEL_SETS,
)
def test_and_binds_closer_than_or(parts: list[tuple[str, Naive]], signs: list[str], labels: dict[str, str]) -> None:
    """Without parentheses: a disjunction of conjunctions."""
    text, groups = parts[0][0], [[parts[0][1]]]
    for sign, (part, naive) in zip(signs, parts[1:], strict=False):
        text += f" {sign} {part}"
        if sign == "&&":
            groups[-1].append(naive)
        else:
            groups.append([naive])
    assert matches(text, labels) is any(all(naive(labels) for naive in group) for group in groups)


@given(st.text(alphabet="ab'\"(){}!=&|, \t.inhas", max_size=20))
def test_no_text_stops_the_parser(text: str) -> None:
    """It is a selector or a reason."""
    node = parse(text)
    assert isinstance(node, Invalid) or isinstance(evaluate(node, no_labels), bool)
