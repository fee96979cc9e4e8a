"""Screens, each with its looks beside it."""
