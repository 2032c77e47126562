"""Documents cut into passages: the rows of ids that a masked model reads.

Devlin et al. 2019 gather whole sentences until a row of BERT's input is full, and put a mark on either side:

    [CLS] They met in May. It rained. [SEP] [PAD] [PAD] [PAD]

So a row begins where a sentence begins, as what a reader types does. A row never holds two documents. What is
left out: rows that are shorter on purpose (a tenth of BERT's), and the second text of a pair, which stands in
`sentence_pairs`.
"""

import re
from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from vec2gpt.bpe import BPE
from vec2gpt.checks import check_sizes, check_texts

MARKS = 2  # [CLS] and [SEP], which every row holds
END = re.compile(
    r"""[.!?]["'”’)\]]*(\s+)(?=["'“‘(\[]?(.))""", re.DOTALL
)  # an end mark, space, and what begins


def sentences(text: str) -> list[str]:
    """The sentences of a text: cut after . ! or ? where space and a capital follow.

    Quotes and brackets may stand on either side. Runs of spaces become single ones. A rule so short is wrong
    at times: "Mr. Pooter" is cut.

    >>> sentences("It rained. “Still?” She read on; it was 5 p.m. by then.")
    ['It rained.', '“Still?”', 'She read on; it was 5 p.m. by then.']
    """
    cuts = [found.span(1) for found in END.finditer(text) if found[2].isupper()]
    starts, ends = [0, *(end for _, end in cuts)], [*(start for start, _ in cuts), len(text)]
    pieces = (" ".join(text[start:end].split()) for start, end in zip(starts, ends, strict=True))
    return [piece for piece in pieces if piece]


def passage(text: str, bpe: BPE, *, length: int) -> Tensor:
    """One text as a row of ids (T,), T = length: [CLS] text [SEP], padded with [PAD].

    The text is encoded as it is. ValueError for one without a token, or of more than length − 2.

    >>> passage("Hi.", bpe, length=6).tolist() == [
    ...     bpe["[CLS]"], *bpe.encode("Hi."), bpe["[SEP]"], bpe["[PAD]"], bpe["[PAD]"]
    ... ]  # where bpe has merged "Hi"
    True
    """
    check_sizes(MARKS + 1, length=length)
    ids = bpe.encode(text)
    if not 1 <= len(ids) <= length - MARKS:
        raise ValueError(
            f"the text has {len(ids)} tokens; between its marks a row of {length} holds 1 to "
            f"{length - MARKS}: give such a text, or another length"
        )
    return torch.tensor(_row(ids, bpe, length))


def passages(documents: Iterable[str], bpe: BPE, *, length: int) -> Tensor:
    """Documents as rows of ids (N, T), T = length, each beginning with a sentence and padded with [PAD].

    Sentences follow each other in a row, a space between them, as long as they fit. One that is longer than a
    row is cut, and its rest is lost. A document without text gives no row; ValueError if all are such.

    >>> passages(["They met in May. It rained.", "He left."], bpe, length=16).shape
    torch.Size([2, 16])
    """
    check_sizes(MARKS + 1, length=length)
    check_texts(documents, name="documents")
    rows = [_row(ids, bpe, length) for text in documents for ids in _gathered(text, bpe, length - MARKS)]
    if not rows:
        raise ValueError("there is no text in the documents: give at least one sentence")
    return torch.tensor(rows)


def _gathered(text: str, bpe: BPE, room: int) -> Iterator[list[int]]:
    """The ids of as many sentences as there is room for, again and again to the end of the text."""
    row: list[int] = []
    for sentence in sentences(text):
        more = bpe.encode(f" {sentence}") if row else []
        if row and len(row) + len(more) <= room:
            row += more
            continue
        if row:
            yield row
        row = bpe.encode(sentence)[:room]
    if row:
        yield row


def _row(ids: list[int], bpe: BPE, length: int) -> list[int]:
    padding = [bpe["[PAD]"]] * (length - MARKS - len(ids))
    return [bpe["[CLS]"], *ids, bpe["[SEP]"], *padding]
