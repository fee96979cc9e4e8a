"""A trace as a picture: Mermaid text for a wiki or a ticket, and SVG that needs nothing but a viewer.

Both show the road as ``report.road`` folds it. Foreign text cannot leave its label: in Mermaid whatever is not a
letter, a digit or plain punctuation is an entity code, in SVG it is escaped as XML.
"""

from collections.abc import Iterator
from xml.sax.saxutils import escape

from aksnav.model.text import plain
from aksnav.report.road import RoadLine, road
from aksnav.report.words import OUTCOME_GLYPH, confidence_words, outcome_words
from aksnav.trace.step import ENDS, UNKNOWN, Outcome, Trace, Verdict

_SAFE = frozenset(" .,:/_-=")
_LABEL = 120  # characters of a label: a longer one makes a picture that nobody can read
_CLASSES = {
    "passed": "fill:#e6f4ea,stroke:#1e7e34,color:#000",
    "stops": "fill:#fdecea,stroke:#b3261e,color:#000,stroke-width:3px",
    "unknown": "fill:#fff4e0,stroke:#8a5a00,color:#000",
    "quiet": "fill:#f2f2f2,stroke:#777777,color:#333",
}
_INK = {"passed": "#1e7e34", "stops": "#b3261e", "unknown": "#8a5a00", "quiet": "#555555"}
_ROW, _INDENT, _CHAR, _MARGIN = 24, 22, 7.3, 16  # pixels


def trace_mermaid(trace: Trace) -> Iterator[str]:
    """Yield a trace as lines of a Mermaid flowchart, from the client down."""
    yield "flowchart TD"
    yield f'  r["{_label(_title(trace))}"]:::{_ended(trace)}'
    above: list[str] = ["r"]
    for number, line in enumerate(road(trace)):
        name = f"s{number}"
        yield f'  {name}["{_label(_words(line))}"]:::{_class(line)}'
        # A step stands below the one before it at its depth, the head of a branch below the fan-out around it.
        parent = above[line.depth - 1 if line.branch else min(line.depth, len(above) - 1)]
        yield f"  {parent} {'==>' if line.decides else '-->'} {name}"
        del above[line.depth :]
        above.append(name)
    for name, style in _CLASSES.items():
        yield f"  classDef {name} {style}"


def trace_svg(trace: Trace) -> Iterator[str]:
    """Yield a trace as lines of an SVG picture: the road from above, the step that decides framed."""
    lines = road(trace)
    texts = [_words(line) for line in lines]
    title = _title(trace)
    longest = max([len(title), *(len(text) + 4 + line.depth * 3 for line, text in zip(lines, texts, strict=True))])
    width, height = int(longest * _CHAR) + 2 * _MARGIN, (len(lines) + 2) * _ROW + 2 * _MARGIN
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="monospace" font-size="12">'
    )
    yield f"<title>{escape(title)}</title>"
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    ink = _INK[_ended(trace)]
    yield f'<text x="{_MARGIN}" y="{_MARGIN + 12}" fill="{ink}" font-weight="bold">{escape(title)}</text>'
    for number, (line, text) in enumerate(zip(lines, texts, strict=True)):
        x, y = _MARGIN + line.depth * _INDENT, _MARGIN + (number + 2) * _ROW
        name = _class(line)
        if line.decides:
            wide = int(len(text) * _CHAR) + 12
            yield f'<rect x="{x - 6}" y="{y - 16}" width="{wide}" height="22" fill="#fdecea" stroke="{_INK[name]}"/>'
        weight = ' font-weight="bold"' if line.decides else ""
        yield f'<text x="{x}" y="{y}" fill="{_INK[name]}"{weight}>{escape(text)}</text>'
    yield "</svg>"


def _title(trace: Trace) -> str:
    words = f"{OUTCOME_GLYPH[trace.outcome]} {outcome_words(trace)}  {trace.request.text}  {confidence_words(trace)}"
    return plain(words)


def _ended(trace: Trace) -> str:
    return {Outcome.DELIVERED: "passed", Outcome.UNDECIDED: "unknown"}.get(trace.outcome, "stops")


def _words(line: RoadLine) -> str:
    text = " ".join(plain(line.text).split())
    return text if len(text) <= _LABEL else text[: _LABEL - 1] + "…"


def _class(line: RoadLine) -> str:
    if line.verdict in ENDS:
        return "stops"
    if line.verdict in UNKNOWN:
        return "unknown"
    return "quiet" if line.verdict in {None, Verdict.SKIP, Verdict.NOT_REACHED} else "passed"


def _label(text: str) -> str:
    """Return text for a quoted Mermaid label; the entity codes are Mermaid's own (``#35;``)."""
    return "".join(char if char.isalnum() or char in _SAFE else f"#{ord(char)};" for char in text)
