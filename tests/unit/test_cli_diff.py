"""``aksnav diff`` and ``aksnav about``: what they print, and how they leave."""

import json
from pathlib import Path

import pytest

from aksnav.cli import main

BROKEN = "demo:s02-no-ready-endpoint"


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [("demo:healthy", "demo:healthy", 0), ("demo:healthy", BROKEN, 1), ("demo:healthy", "demo:no-azure", 1)],
)
def test_the_exit_status_says_whether_anything_differs(
    before: str, after: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Alike 0, different 1."""
    assert main(["diff", before, after]) == status
    assert capsys.readouterr().out


def test_a_capture_of_a_cluster_does_not_differ_from_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written is what is read."""
    path = str(tmp_path / "before.aksnav")
    assert main(["capture", path, "--demo", "s02-no-ready-endpoint"]) == 0
    capsys.readouterr()
    assert main(["diff", path, BROKEN]) in {0, 3}
    assert capsys.readouterr().out.splitlines()[-1].startswith("nothing differs")


def test_data_for_scripts(capsys: pytest.CaptureFixture[str]) -> None:
    """One line of JSON."""
    main(["diff", "demo:healthy", BROKEN, "-o", "json"])
    found = json.loads(capsys.readouterr().out)
    assert found["requests"][0]["after"] == "✖ responds 503 (S02)"
    assert [item["id"] for item in found["new"]] == ["S02"]


def test_a_side_that_cannot_be_read_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """With its name, and status 2."""
    assert main(["diff", str(tmp_path / "absent"), "demo:healthy"]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "absent" in told


def test_about_names_every_fact_with_its_field_and_like_pools_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Three pools in one subnet are one line, with how many are alike."""
    assert main(["about", "--demo", "healthy"]) == 0
    text = capsys.readouterr().out
    assert "virtual network of pool system, apps, data" in text
    assert "(and 2 more alike)" in text
    assert ".networkProfile.networkPlugin = azure" in text
    main(["about", "--demo", "healthy", "-o", "json"])
    names = [fact["name"] for fact in json.loads(capsys.readouterr().out)["facts"]]
    assert {"virtual network of pool system", "virtual network of pool apps"} <= set(names)


@pytest.mark.parametrize("output", ["mermaid", "svg"])
def test_pictures_have_no_place_for_many_requests_or_replies(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be shown is refused, not left out in silence."""
    assert main(["trace", "https://shop.contoso.com/", "--confirm", "-o", output]) == 2
    assert main(["trace", "--requests", "-", "-o", output, "--demo"]) == 2
    assert capsys.readouterr().err.count("\n") == 2
