"""C on a trace asks the living network; :about and :explain tell what the cluster is and what words mean."""

import msgspec
from textual.pilot import Pilot

from aksnav.model.confirmation import Reply, Way
from tests.ui.screen import screen_text
from tests.ui.settle import settle
from tests.ui.test_explorer import explorer

MQTT = ":trace tcp://20.50.1.9:8883"


async def typed(pilot: Pilot[None], line: str) -> None:
    """Type a line and Enter."""
    await pilot.press(*("space" if key == " " else "colon" if key == ":" else key for key in line), "enter")
    await settle(pilot)


async def test_answers_stand_beside_what_was_worked_out_as_they_come() -> None:
    """Every question is on the screen at once; a contradiction says both sides, a refusal the missing action."""
    async with explorer() as (app, pilot, feed):
        await typed(pilot, MQTT)
        await pilot.press("C")
        await settle(pilot)
        asked = {question.way: (question, answer) for question, answer in feed.questions}
        assert {Way.RULE_HEALTH, Way.DIAGNOSTIC, Way.CONNECT} <= set(asked)
        assert f"asked       {Way.RULE_HEALTH}" in screen_text(app)
        question, answer = asked[Way.RULE_HEALTH]
        answer.set_result(msgspec.msgpack.encode(Reply(question=question, value="unhealthy")))
        question, answer = asked[Way.CONNECT]
        answer.set_exception(LookupError("the demo is not a living network: there is nobody to ask"))
        await settle(pilot)
        text = screen_text(app)
        assert "✖ contradicts load balancer health: unhealthy, but worked out was: healthy" in text
        assert "? no answer   TCP connection from here: the demo is not a living network" in text
        await pilot.press("q", "q")


async def test_about_tells_what_the_cluster_is_with_fields() -> None:
    """The facts, each with the field that says so."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":about")
        text = screen_text(app)
        assert "network model" in text
        assert "Azure CNI Overlay" in text
        assert "because managedClusters aks-contoso-prod .networkProfile.networkPlugin = azure" in text
        assert ".networkProfile.networkPluginMode = overlay" in text


async def test_explain_tells_a_word_and_a_check_and_refuses_others() -> None:
    """A word with how it is here, a check by its id, and one line for what nobody knows."""
    async with explorer() as (app, pilot, _feed):
        await typed(pilot, ":explain headless")
        assert "Service payments/ledger .spec.clusterIP = None" in screen_text(app)
        await pilot.press("q")
        await typed(pilot, ":explain s02")
        assert "S02" in screen_text(app)
        await pilot.press("q")
        await typed(pilot, ":explain flux")
        assert "nothing is known of flux" in screen_text(app)
