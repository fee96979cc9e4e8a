"""What goes wrong with a capture, as one clear line."""

from aksnav.sources.errors import SourceError


class CaptureError(SourceError):
    """A capture that cannot be read: the message names the file, the line where one is known, and the reason."""

    def __init__(self, where: object, reason: str, line: int = 0) -> None:
        super().__init__(f"{where}{f', line {line}' if line else ''}: {reason}")
        self.where = str(where)
        self.line = line
        self.reason = reason
