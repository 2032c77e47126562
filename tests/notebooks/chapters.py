"""Reading a chapter as the tests do: its cells, and the blocks of its Markdown."""

from IPython.core.inputtransformer2 import TransformerManager
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from tasks.places import BOOK

CHAPTERS = sorted(BOOK.glob("[0-9]*.ipynb"))


def code_cells(nb):
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def prose(nb) -> str:
    """All its Markdown, in order."""
    return "\n\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")


def plain_python(source: str) -> str:
    """A cell's code with its magics (%pip …) as Python that any parser understands."""
    return TransformerManager().transform_cell(source)


def blocks(text: str) -> list[SyntaxTreeNode]:
    """Headings, paragraphs, lists … in order."""
    return SyntaxTreeNode(MarkdownIt().enable("table").parse(text)).children


def words(block: SyntaxTreeNode) -> str:
    """The source of a heading's or paragraph's text; empty for other blocks."""
    return block.children[0].content if block.type in ("heading", "paragraph") else ""
