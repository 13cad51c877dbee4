"""A drawing as a file of its own, with words around it and the colours that a page would give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ._svg import coord, escape, text

# The page's colours, written out: a file that is opened alone has no page around it.
PICTURE_STYLE = """
text{font:11.5px system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Arial,sans-serif}
text{fill:#1d2126}
.h{font-size:16px;font-weight:650}.k{font-size:11px;fill:#5c6570}.mu{fill:#5c6570}
.b{font-weight:550}.m,.c{text-anchor:middle}.e{text-anchor:end}
.c{font-size:10.5px;font-variant-numeric:tabular-nums}
.c.in{fill:#fff}.c.no{fill:#5c6570}
.hs{fill:none;stroke:#5c6570;opacity:.3}.ht{fill:none;stroke:#3a56c5}.ht.tt{stroke:#0f8b7d}.ht.ng{stroke:#c2703d}
.ht.no{stroke:#eef0f1}.gb{fill:none;stroke:#1d2126;stroke-width:1.5}
.q0{opacity:.05}.q1{opacity:.12}.q2{opacity:.2}.q3{opacity:.29}.q4{opacity:.38}.q5{opacity:.48}
.q6{opacity:.6}.q7{opacity:.7}.q8{opacity:.8}.q9{opacity:.9}.q10{opacity:1}
"""


@dataclass(frozen=True)
class Drawn:
    """The parts of a drawing and the room they take."""

    width: float
    height: float
    body: list[str]


def picture(
    title: str, lead: str, *, feet: Sequence[str], drawn: Drawn, spoken: tuple[str, str]
) -> str:
    """Returns an SVG file that is readable when opened alone.

    Args:
        title, lead: The two lines above the drawing; the lead has up to about 70 characters.
        feet: Lines below it.
        drawn: The drawing.
        spoken: Title and description for those who listen to it.

    Example:
        >>> picture("Map", "of something", feet=["below"], drawn=Drawn(100.0, 50.0, []),
        ...         spoken=("a map", ""))[:4]
        '<svg'
    """
    margin, head, line = 20.0, 66.0, 17.0
    # The longest lead has about 70 characters at 11 px.
    whole = max(drawn.width + 2 * margin, 460.0)
    tall = head + drawn.height + 22 + line * len(feet)
    lines = [
        text(margin, 30, title, style="h"),
        text(margin, 50, lead, style="k"),
        f'<g transform="translate({coord(margin)} {coord(head)})">{"".join(drawn.body)}</g>',
        *(
            text(margin, tall - line * n, foot, style="k")
            for n, foot in enumerate(reversed(feet), 1)
        ),
    ]
    size = f'width="{coord(whole)}" height="{coord(tall)}"'
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} '
        f'viewBox="0 0 {coord(whole)} {coord(tall)}" role="img">'
        f"<title>{escape(spoken[0])}</title><desc>{escape(spoken[1])}</desc>"
        f'<style>{PICTURE_STYLE}</style><rect {size} fill="#fff"/>{"".join(lines)}</svg>\n'
    )
    # XML has no control characters and no lone surrogates, not even escaped ones.
    plain = re.sub("[^\\n\\t\\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", svg)
    return plain.encode("utf-8", "replace").decode("utf-8")
