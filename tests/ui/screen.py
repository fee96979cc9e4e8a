"""What a test sees of a running app."""

from typing import Any

from textual.app import App


def screen_text(app: App[Any]) -> str:
    """Answer with the visible screen as plain text, one line per row.

    The compositor is private to Textual; this helper is the one place that knows it.
    """
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


def screen_lines(app: App[Any]) -> list[str]:
    """Answer with the lines of `screen_text`."""
    return screen_text(app).split("\n")
