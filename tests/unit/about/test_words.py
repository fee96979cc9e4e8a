"""Words: what each means, how one may write it, and how this cluster does it."""

import json

import pytest

from aksnav.about.here import here
from aksnav.about.words import WORDS, find_word
from aksnav.cli import main
from aksnav.model.change import Reading
from tests.unit.trace_walk.changed_demo import ChangedDemo

TODAY = "2026-11-24"
ASKED = (
    "kubenet", "overlay", "node subnet", "pod subnet", "ClusterIP", "NodePort", "LoadBalancer", "ExternalName",
    "headless", "ingress", "gateway", "network policy", "Kubernetes network model",
)  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_every_word_of_aks_has_a_paragraph_with_its_source(asked: str) -> None:
    """A paragraph is more than a sentence."""
    word = find_word(asked)
    assert word is not None
    assert len(word.text.split()) > 25
    assert word.source


def test_no_two_words_answer_to_one_name() -> None:
    """What one asks for leads to one word."""
    asked = [(name, word) for word in WORDS for name in (word.name, *word.also)]
    assert [(name, find_word(name)) for name, _ in asked] == asked


@pytest.mark.parametrize("asked", ["cluster-ip", "CLUSTER IP", "clusterIP"])
def test_letter_case_spaces_and_dashes_do_not_matter(asked: str) -> None:
    """As one types in a hurry."""
    word = find_word(asked)
    assert word is not None
    assert word.name == "ClusterIP"


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_every_word_says_how_this_cluster_does_it_with_fields(word: object) -> None:
    """At least one fact, and each known one has a field that says so."""
    found = here(ChangedDemo().store(), word, TODAY)  # type: ignore[arg-type]  # a Word: parametrize does not say so
    assert found
    assert all(fact.evidence for fact in found if fact.known)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_where_nothing_can_be_read_every_word_says_so(word: object) -> None:
    """No value without a source: each fact names what is missing."""
    world = ChangedDemo()
    for kind in world.objects:
        world.lose(kind, Reading.DENIED)
    for fact in here(world.store(), word, TODAY):  # type: ignore[arg-type]  # a Word: parametrize does not say so
        assert fact.missing, fact
        assert not fact.known, fact


def test_a_model_that_is_not_this_clusters_is_said_to_be_another() -> None:
    """The demo is an overlay."""
    store = ChangedDemo().store()
    answers = {}
    for asked in ("overlay", "kubenet"):
        word = find_word(asked)
        assert word is not None
        answers[asked] = here(store, word, TODAY)[0].value
    assert answers == {"overlay": "this cluster is built so", "kubenet": "this cluster is built otherwise"}


def test_services_are_told_by_type(capsys: pytest.CaptureFixture[str]) -> None:
    """The headless Service of the demo, by its field, in text and as JSON."""
    assert main(["explain", "headless", "--demo", "healthy"]) == 0
    assert "Service payments/ledger .spec.clusterIP = None" in capsys.readouterr().out
    assert main(["explain", "headless", "--demo", "healthy", "-o", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["here"][0]["evidence"][0]["object"] == {"kind": "Service", "id": "payments/ledger"}


def test_without_a_cluster_a_word_is_explained_and_nothing_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """No kubeconfig is needed to read a paragraph."""
    assert main(["explain", "network", "policy"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("network policy\n")
    assert "here:" not in told


def test_an_unknown_word_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """It names where the words are listed, and leaves with 2."""
    assert main(["explain", "flux", "capacitor"]) == 2
    assert capsys.readouterr().err.strip() == (
        "aksnav: nothing is known of flux capacitor; aksnav explain lists the words and the letters of checks"
    )
