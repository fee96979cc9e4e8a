"""What a source raises when it cannot be used at all."""


class SourceError(Exception):
    """A source cannot be used; the message is one clear line for people: what, where, what to do."""
