"""From Wikipedia's markup to plain text: enough for counting words, far from a full parser.

The markup nests (a template within a caption within a picture), and a regular expression cannot count. So the
innermost is replaced first, again and again, until nothing is left to replace. Entities (`&lt;`) come last:
what they stand for is text and no markup.

Left out: what templates would print (dates, units, infoboxes), tables, pictures, footnotes, formulas.
"""

import html
import re

INVISIBLE = re.compile(
    r"<!--.*?-->|<ref[^>]*/>|<(ref|math|gallery|timeline|code|pre)\b[^>]*>.*?</\1>", re.DOTALL | re.IGNORECASE
)
BREAK = re.compile(r"</?(?:br|hr|p|div|li)\b[^<>]*>", re.IGNORECASE)  # tags between words
INNERMOST = re.compile(r"\{\{[^{}]*\}\}|\{\|[^{}]*\|\}|\[\[[^\[\]]*\]\]")  # template, table, link
NO_PROSE = re.compile(  # pictures, and what stands beside a page: its categories, itself in other languages
    r"\[\[\s*(?:file|image|category)\s*:|\[\[[a-z-]{2,12}:[^\s|][^|]*$", re.IGNORECASE
)
LEFTOVERS = re.compile(
    r"</?[a-z][^<>]*>|https?://\S+|[\[\]{}|]|''+|={2,}|^[*#:;]+", re.MULTILINE | re.IGNORECASE
)


def plain(markup: str) -> str:
    """The prose of a page, its links as the words that are shown.

    >>> plain("'''Albedo''' is the [[fraction (mathematics)|fraction]] of light{{sfn|Li|2001}} reflected.")
    'Albedo is the fraction of light reflected.'
    """
    text, found = BREAK.sub(" ", INVISIBLE.sub("", markup)), 1
    while found:
        text, found = INNERMOST.subn(lambda match: _shown(match[0]), text)
    text = html.unescape(LEFTOVERS.sub("", text))
    return "\n".join(line for line in map(str.strip, text.splitlines()) if line)


def _shown(marked: str) -> str:
    """What a reader sees of a template (nothing), a table (nothing) or a link (its last part)."""
    if not marked.startswith("[[") or NO_PROSE.match(marked):
        return ""
    return marked[2:-2].rpartition("|")[2]
