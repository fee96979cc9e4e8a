"""Waiting for the explorer without a clock: until it has nothing left to do."""

from textual.pilot import Pilot

from aksnav.ui.app import Explorer

PATIENCE = 500


async def settle(pilot: Pilot[None]) -> None:
    """Wait until no change is waiting and no trace has to be asked again.

    Raises:
        AssertionError: it never comes to rest.
    """
    app = pilot.app
    assert isinstance(app, Explorer)
    for _ in range(PATIENCE):
        await pilot.pause()
        if app.idle:
            for widget in app.screen.query("*"):
                repaint = getattr(widget, "repaint", None)
                if repaint is not None:
                    repaint()
            await pilot.pause()
            return
    raise AssertionError("the explorer does not come to rest")
