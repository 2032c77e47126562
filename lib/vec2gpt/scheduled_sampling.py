"""Scheduled sampling: let a decoder in training go on from its own words.

Bengio, Vinyals, Jaitly & Shazeer 2015. A decoder is taught on the truth (`seq2seq.Seq2Seq.forward`), but when
it writes it reads what it said itself, mistakes included, which it has never met.

Left out: the paper's other schedules (exponential, inverse sigmoid).
"""

import torch
from torch import nn

from vec2gpt.checks import check_sizes
from vec2gpt.language import next_token_loss
from vec2gpt.unrolling import unroll


class ScheduledSampling(nn.Module):
    """A model in training that must sometimes go on from its own words, as it will have to when it decodes.

    own: the share of the decoder's inputs, 0 … 1, that it drew itself instead of reading the truth. It rises
    from 0 in a straight line over `steps` calls, for at first its own words are noise. To be given to
    `training.fit` in the model's place; in evaluation it is the model.
    """

    def __init__(self, model, *, own, steps):
        super().__init__()
        if not 0 <= own <= 1:
            raise ValueError(f"own is {own}: choose a share between 0 and 1")
        check_sizes(steps=steps)
        self.model, self.own, self.steps = model, own, steps
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))

    @property
    def share(self):
        """The share of its own words at the next call."""
        return self.own * min(1.0, self.calls.item() / self.steps)

    def forward(self, source_ids, decoder_ids, targets=None):
        """As the model's own: logits (B, T, V), and the loss."""
        if not self.training:
            return self.model(source_ids, decoder_ids, targets)
        share = self.share
        self.calls += 1

        def read(carry, given):
            drawn, state = carry
            ids = torch.where(torch.rand(given.shape, device=given.device) < share, drawn, given)
            logits, state = self.model.step(ids, state)
            drawn = torch.multinomial(logits.detach().softmax(-1), 1)[:, 0]
            return (drawn, state), logits

        start = decoder_ids[:, 0], self.model.encode(source_ids)
        _, logits = unroll(read, start, decoder_ids)
        return logits, next_token_loss(logits, targets)
