"""C on a trace: admin rules that Azure tells are taken into the trace, on the screen, for ten minutes."""

from concurrent.futures import Future

import msgspec
import pytest
from textual.pilot import Pilot

from aksnav.model.azure.admin import AddressItem, SecurityAdminRule
from aksnav.model.change import Change
from aksnav.model.confirmation import ACTIONS, Reply, Way
from aksnav.model.object import Ref
from aksnav.store.told import FRESH_FOR
from aksnav.ui.app import Explorer
from tests.ui.demo_feed import NOW, DemoFeed
from tests.ui.screen import screen_text
from tests.ui.settle import settle
from tests.ui.test_confirm import MQTT, typed

EVERYTHING = AddressItem(address_prefix="*")
DENY = SecurityAdminRule(
    arm_id="/x/networkManagers/avnm/securityAdminConfigurations/base/ruleCollections/all/rules/no-mqtt",
    access="Deny",
    direction="Inbound",
    priority=10,
    protocol="Tcp",
    sources=(EVERYTHING,),
    destinations=(EVERYTHING,),
    destination_port_ranges=("8883",),
)


class LivingFeed(DemoFeed):
    """The demo as a living cluster shows it: no read tells which admin rules are in effect."""

    def push(self, changes: list[Change]) -> None:
        """Leave out what only a POST tells."""
        for change in changes:
            for item in getattr(change, "objects", ()):
                if hasattr(item, "effective_security_admin_rules"):
                    item.effective_security_admin_rules = None
        super().push(changes)

    def request_raw(self, ref: Ref) -> "Future[bytes]":
        """Return a network as a GET does."""
        wire = msgspec.json.decode(super().request_raw(ref).result())
        wire["properties"].pop("effectiveSecurityAdminRules", None)
        answer: Future[bytes] = Future()
        answer.set_result(msgspec.json.encode(wire))
        return answer


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        """Return seconds since the epoch."""
        return self.now


class Sitting:
    """Somebody at the explorer, who has pressed C on a trace."""

    def __init__(self, app: Explorer, pilot: Pilot[None], feed: LivingFeed, clock: Clock) -> None:
        self.app = app
        self.pilot = pilot
        self.feed = feed
        self.clock = clock

    async def ask(self) -> None:
        """Open the trace, and press C."""
        await settle(self.pilot)
        await typed(self.pilot, MQTT)
        await self.again()

    async def again(self) -> None:
        """Press C."""
        self.feed.questions.clear()
        await self.pilot.press("C")
        await settle(self.pilot)

    async def answer(
        self, rules: tuple[SecurityAdminRule, ...] | None, error: str = "", *, paused: bool = False
    ) -> None:
        """Answer the question for admin rules; while changes are held back the explorer does not come to rest."""
        (question, answer) = next(item for item in self.feed.questions if item[0].way is Way.ADMIN_RULES)
        reply = Reply(
            question=question, value="said", error=error, admin_rules=None if error else rules, at=self.clock.now
        )
        answer.set_result(msgspec.msgpack.encode(reply))
        await (self.pilot.pause() if paused else settle(self.pilot))

    def text(self) -> str:
        """Return what is on the screen."""
        return screen_text(self.app)


async def sitting(app: Explorer, pilot: Pilot[None], feed: LivingFeed, clock: Clock) -> Sitting:
    """Return somebody who has asked."""
    made = Sitting(app, pilot, feed, clock)
    await made.ask()
    return made


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def feed() -> LivingFeed:
    """Return a feed."""
    return LivingFeed("healthy")


@pytest.fixture
def app(feed: LivingFeed, clock: Clock) -> Explorer:
    """Return an explorer."""
    return Explorer(feed, clock=clock)


async def test_none_in_effect_makes_the_open_trace_proven(app: Explorer, feed: LivingFeed, clock: Clock) -> None:
    """Assumed before, proven after, on the screen of the answers and on the trace behind it."""
    async with app.run_test(size=(160, 45)) as pilot:
        user = await sitting(app, pilot, feed, clock)
        assert [question.way for question, _ in feed.questions] == [Way.ADMIN_RULES]
        await user.answer(())
        assert "with what was learnt: delivered, proven (before: delivered, assumed)" in user.text()
        assert "the trace reckons with it, as of" in user.text()
        await pilot.press("q")
        await settle(pilot)
        assert "delivered · proven" in user.text()


async def test_the_rest_is_asked_once_admin_rules_are_known(app: Explorer, feed: LivingFeed, clock: Clock) -> None:
    """What is asked then expects what the trace says with them."""
    async with app.run_test(size=(160, 45)) as pilot:
        user = await sitting(app, pilot, feed, clock)
        await user.answer((DENY,))
        expected = {question.way: question.expected for question, _ in feed.questions}
        assert expected[Way.CONNECT] == "no answer"


async def test_a_deny_rule_drops_the_open_trace_with_its_field(app: Explorer, feed: LivingFeed, clock: Clock) -> None:
    """The rule is the first break of the trace, with the field that decides."""
    async with app.run_test(size=(160, 45)) as pilot:
        user = await sitting(app, pilot, feed, clock)
        await user.answer((DENY,))
        await pilot.press("q")
        await settle(pilot)
        assert "dropped · proven" in user.text()
        assert ".effectiveSecurityAdminRules[0].access = Deny" in user.text()
        await pilot.press("n", "y")
        await settle(pilot)
        lines = user.text().splitlines()
        told = next(number for number, line in enumerate(lines) if "▼ .effectiveSecurityAdminRules[0].access" in line)
        assert "access: Deny" in lines[told + 1]
        assert "not set here" not in user.text()


async def test_a_refusal_leaves_the_trace_and_names_the_action(app: Explorer, feed: LivingFeed, clock: Clock) -> None:
    """Nothing was learnt; what else can be asked is asked all the same."""
    async with app.run_test(size=(160, 45)) as pilot:
        user = await sitting(app, pilot, feed, clock)
        await user.answer(None, error=f"{ACTIONS[Way.ADMIN_RULES]} on /x (403)")
        text = user.text()
        assert f"needs    {ACTIONS[Way.ADMIN_RULES]}" in text
        assert "with what was learnt" not in text
        assert Way.CONNECT in {question.way for question, _ in feed.questions}
        await pilot.press("q")
        await settle(pilot)
        assert "delivered · assumed" in user.text()


async def test_what_was_learnt_grows_old_and_can_be_asked_again(app: Explorer, feed: LivingFeed, clock: Clock) -> None:
    """After ten minutes the trace hangs on the hour of the answer; C asks anew."""
    async with app.run_test(size=(160, 45)) as pilot:
        user = await sitting(app, pilot, feed, clock)
        await user.answer(())
        await pilot.press("q")
        clock.now += FRESH_FOR
        app.keep_time()
        await settle(pilot)
        text = user.text()
        assert "delivered · assumed" in text
        assert "are still those as of" in text
        await user.again()
        await user.answer(())
        await pilot.press("q")
        await settle(pilot)
        assert "delivered · proven" in user.text()


async def test_what_the_user_asked_for_is_taken_in_while_changes_are_held_back(
    app: Explorer, feed: LivingFeed, clock: Clock
) -> None:
    """Pause holds back what comes by itself; an answer was asked for."""
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await pilot.press("p")
        user = Sitting(app, pilot, feed, clock)
        await typed(pilot, MQTT)
        await pilot.press("C")
        await pilot.pause()
        await user.answer((), paused=True)
        await pilot.press("q")
        await pilot.pause()
        assert "delivered · proven" in user.text()
