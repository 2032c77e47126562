"""Drawings of ideas, where `plotting` draws data: the pictures with which the field teaches itself.

Each takes the axes of a `plotting.figure`, and the words or numbers to draw. `words` has those of texts,
`networks` those of recurrent networks in time, `cells` the insides of gated cells, `transduction` encoder and
decoder, `attention` what a decoder sees when it looks back, `transformer` what becomes of that alone,
`objectives` what is asked of a text without labels, `bert` how BERT reads and answers, `tuning` what a
task adds to it and what of it learns, `gpt` what GPT leaves out and what a prompt does, `blocks` what
changed in a block since, `assistant` what makes it answer, `costs` who waits for whom and what is kept,
`search` the tree of a beam search; `pen` is what they share.
"""

from vec2gpt.drawings.assistant import answer_only, from_preferences
from vec2gpt.drawings.attention import bottleneck_and_memory, soft_lookup, two_decoders
from vec2gpt.drawings.bert import bert_stack, masking_tree, sum_of_embeddings
from vec2gpt.drawings.blocks import experts, grouped, today
from vec2gpt.drawings.cells import gru_cell, lstm_cell, valve
from vec2gpt.drawings.costs import tiles, waiting
from vec2gpt.drawings.gpt import data_parallel, decoder_only, induction, shots
from vec2gpt.drawings.networks import adding, backward, bidirectional, stacked, unrolled
from vec2gpt.drawings.objectives import mask_shapes, objective
from vec2gpt.drawings.search import Branch, branches, search_tree
from vec2gpt.drawings.transduction import handing_over, sequence_to_sequence, teacher_forcing
from vec2gpt.drawings.transformer import (
    full_transformer,
    mask,
    multi_head,
    pre_and_post_norm,
    step_by_step_and_at_once,
)
from vec2gpt.drawings.tuning import heads, low_rank, thawing
from vec2gpt.drawings.words import guesses, window

__all__ = [
    "Branch",
    "adding",
    "answer_only",
    "backward",
    "bert_stack",
    "bidirectional",
    "bottleneck_and_memory",
    "branches",
    "data_parallel",
    "decoder_only",
    "experts",
    "from_preferences",
    "full_transformer",
    "grouped",
    "gru_cell",
    "guesses",
    "handing_over",
    "heads",
    "induction",
    "low_rank",
    "lstm_cell",
    "mask",
    "mask_shapes",
    "masking_tree",
    "multi_head",
    "objective",
    "pre_and_post_norm",
    "search_tree",
    "sequence_to_sequence",
    "shots",
    "soft_lookup",
    "stacked",
    "step_by_step_and_at_once",
    "sum_of_embeddings",
    "teacher_forcing",
    "thawing",
    "tiles",
    "today",
    "two_decoders",
    "unrolled",
    "valve",
    "waiting",
    "window",
]
