"""A file or a folder of objects: our own captures, and what kubectl and az print."""

from aksnav.sources.capture.errors import CaptureError
from aksnav.sources.capture.reading import Capture, changes, open_capture
from aksnav.sources.capture.stream import CaptureHeader, KindReading, write_capture

__all__ = ["Capture", "CaptureError", "CaptureHeader", "KindReading", "changes", "open_capture", "write_capture"]
