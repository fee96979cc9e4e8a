"""The cluster of the policy bench: what it measures are answers, and the right ones."""

import json
from collections import Counter
from pathlib import Path

import pytest

from aksnav.cli.reading import encode, load
from aksnav.report.data import answer
from aksnav.sources.options import Options
from aksnav.trace import parse_request, trace
from tests.bench.policy import differing, write_world
from tests.bench.policy_world import Sizes, World

SMALL = Sizes(pods=120, per_workload=4, per_namespace=5, pods_per_node=20)


@pytest.mark.parametrize(("engine", "own"), [("azure", False), ("calico", False), ("cilium", False), ("cilium", True)])
def test_questions_are_decided_and_a_question_by_itself_has_the_same_answer(
    tmp_path: Path, engine: str, own: bool
) -> None:
    """Nothing of the cluster is unread, both answers occur, and what was asked before changes no answer."""
    world = World(SMALL, engine, own_policies=own)
    capture, requests, answers = tmp_path / "c", tmp_path / "r", tmp_path / "a"
    write_world(capture, world)
    asked = list(world.questions(150))
    requests.write_text("".join(f"{json.dumps(line)}\n" for line in asked))
    store = load(Options(capture=str(capture)))
    given = [answer(trace(store, parse_request(line["to"], source=line["from"])), line["id"]) for line in asked]
    answers.write_text("".join(f"{encode(line)}\n" for line in given))
    verdicts = Counter(line["verdict"] for line in given)
    assert verdicts["delivered"] > 10
    assert verdicts["dropped"] > 10
    assert not list(differing(capture, requests, answers))


def test_the_same_seed_gives_the_same_cluster_and_questions() -> None:
    """Two runs measure the same."""
    one, two = World(SMALL), World(SMALL)
    assert list(one.objects()) == list(two.objects())
    assert list(one.questions(20)) == list(two.questions(20))
    assert list(World(SMALL, seed=2).questions(20)) != list(one.questions(20))
