"""The road in text and in pictures: the first break stands first, and what repeats itself is told once."""

import re
from xml.etree import ElementTree as ET

import pytest

from aksnav.report.picture import trace_mermaid, trace_svg
from aksnav.report.road import alike, deciding, road
from aksnav.report.text import trace_lines
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Trace
from tests.ui.payloads import PAYLOADS
from tests.unit.report.test_report import MARKDOWN, everywhere


@pytest.fixture(scope="module")
def denied() -> Trace:
    """A request that a policy stops on every one of many branches."""
    store = Store()
    for change in demo.changes("p01-policy-blocks-gateway", lambda: 1_764_000_000.0):
        store.apply(change)
    return trace(store, parse_request("http://pay.apps.contoso.com/"))


def test_the_first_break_stands_directly_below_the_verdict(denied: Trace) -> None:
    """With its check and its deciding field; the road comes after it."""
    lines = list(trace_lines(denied))
    first = deciding(denied)
    assert first is not None
    assert first.summary in lines[2]
    assert lines[3].split() == ["check", "P01", *lines[3].split()[2:]]
    assert next(i for i, line in enumerate(lines) if "because" in line) < next(
        i for i, line in enumerate(lines) if "start.internet" in line
    )


def test_the_road_marks_the_step_that_decides_once(denied: Trace) -> None:
    """However many branches meet the same break."""
    lines = list(trace_lines(denied))
    assert len([line for line in lines if line.startswith("▶")]) == 1
    assert len(denied.breaks) > 1


def test_a_branch_that_ends_as_one_before_it_is_one_line_that_says_how(denied: Trace) -> None:
    """The verdict and the check stand in it, and the number of steps that are not told."""
    folded = [line for line in road(denied) if line.branch and line.verdict is not None]
    assert folded
    assert all(re.search(r"✖ drop P01, as .* \(\d+ steps?\)$", line.text) for line in folded)


def test_breaks_that_are_alike_are_told_once_and_named_each(denied: Trace) -> None:
    """No object that is touched is left out below the limit."""
    text = "\n".join(trace_lines(denied))
    assert text.count("    check    P01") == 1
    assert all(step.summary in text for step in denied.breaks)


def test_texts_that_differ_in_numbers_alone_are_counted() -> None:
    """The first is shown; another text is not folded into it."""
    assert alike(["a[0] = x", "a[1] = x", "a[0] = y"]) == [("a[0] = x", 2), ("a[0] = y", 1)]


def test_steps_that_are_not_reached_are_counted(denied: Trace) -> None:
    """They say nothing of their own."""
    unreached = [line for line in road(denied) if "not-reached" in line.text]
    assert unreached
    assert all(re.fullmatch(r"· not-reached \d+ steps? behind it", line.text) for line in unreached)


@pytest.mark.parametrize("text", [*MARKDOWN, *PAYLOADS], ids=range(len(MARKDOWN) + len(PAYLOADS)))
def test_foreign_text_cannot_leave_its_label_in_mermaid(text: str) -> None:
    """Every line has the form of a node, an edge or a class, whatever names hold."""
    lines = list(trace_mermaid(everywhere(text)))
    assert lines[0] == "flowchart TD"
    for line in lines[1:]:
        assert re.fullmatch(
            r'  (r|s\d+)\["[\w .,:/=;#-]*"\]:::\w+|  (r|s\d+) (-->|==>) s\d+|  classDef \w+ [\w:#,-]+', line
        ), ascii(line)


@pytest.mark.parametrize("text", [*MARKDOWN, *PAYLOADS], ids=range(len(MARKDOWN) + len(PAYLOADS)))
def test_svg_is_xml_with_nothing_but_text_in_it(text: str) -> None:
    """No element comes from a name, and no script can."""
    root = ET.fromstring("\n".join(trace_svg(everywhere(text))))  # noqa: S314 - it is our own output
    assert {item.tag.rpartition("}")[2] for item in root.iter()} <= {"svg", "title", "rect", "text"}


def test_every_node_of_the_flowchart_but_the_first_has_one_node_above_it(denied: Trace) -> None:
    """It is a tree: nothing hangs in the air."""
    lines = list(trace_mermaid(denied))
    nodes = {match[1] for line in lines if (match := re.match(r"  (s\d+)\[", line))}
    below = [match[1] for line in lines if (match := re.match(r"  \w+ [-=]+> (s\d+)$", line))]
    assert sorted(below) == sorted(nodes)
