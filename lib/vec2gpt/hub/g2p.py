"""A trained encoder-decoder that others made and that opens in our classes: g2p-en by Park & Kim (2019).

From a word's spelling to its phonemes, stress included: one GRU of 256 units reads the letters, another says
the phonemes, and between them go 256 numbers. It was trained on CMUdict, probably with most of the words that
we hold out: look at what it does, but rank it with nothing.
"""

from typing import NamedTuple

import numpy as np
import torch

from vec2gpt import corpora
from vec2gpt.phonemes import CONSONANTS, VOWELS
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.text import Vocab

LETTERS = ("<pad>", "<unk>", "<eos>", *"abcdefghijklmnopqrstuvwxyz")


class G2P(NamedTuple):
    model: Seq2Seq  # in evaluation mode
    letters: Vocab
    phonemes: Vocab  # vowels carry a digit: 1 main stress, 2 second stress, 0 none


def load() -> G2P:
    """The model with its two vocabularies; the weights are fetched when they are not here (3 MB).

    DataError when they cannot be had.
    """
    with np.load(corpora.member("g2p-gru", "checkpoint20.npz")) as arrays:
        weights = {name: torch.tensor(arrays[name]) for name in arrays.files}
    letters, phonemes = vocabs()
    config = Seq2SeqConfig(
        len(letters), len(phonemes), width=256, hidden=256, bos=phonemes["<bos>"], eos=phonemes["<eos>"]
    )
    model = Seq2Seq(config)
    model.load_state_dict({ours: weights[theirs] for ours, theirs in _names().items()})
    return G2P(model.eval(), letters, phonemes)


def vocabs() -> tuple[Vocab, Vocab]:
    """The letters and the phonemes as the model numbers them."""
    marks = ("<pad>", "<unk>", "<bos>", "<eos>")
    # "UW" without a digit is among its tokens too
    stressed = [vowel + digit for vowel in VOWELS for digit in "012"] + ["UW"]
    said = sorted([*CONSONANTS, *stressed])
    letters = Vocab(LETTERS, specials=LETTERS[:3], unknown="<unk>")
    return letters, Vocab([*marks, *said], specials=marks, unknown="<unk>")


def _names() -> dict[str, str]:
    """Our name of each array → theirs."""
    names = {"decoder.head.weight": "fc_w", "decoder.head.bias": "fc_b"}
    for ours, theirs in {"encoder": "enc", "decoder": "dec"}.items():
        names[f"{ours}.embedding.weight"] = f"{theirs}_emb"
        for kind in ("weight", "bias"):
            for side in ("ih", "hh"):
                names[f"{ours}.stack.cells.0.{kind}_{side}"] = f"{theirs}_{kind[0]}_{side}"
    return names
