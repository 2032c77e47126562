"""vec2gpt.hub.g2p: the pretrained model in our classes says what two GRUs of torch.nn say with its arrays."""

import numpy as np
import pytest
import torch
from torch import nn

from vec2gpt import corpora
from vec2gpt.decoding import greedy
from vec2gpt.hub import g2p
from vec2gpt.recipes.translation import pronunciation


@pytest.fixture(scope="module")
def loaded():
    return g2p.load()


def spelled(loaded, *words):
    return torch.tensor([pronunciation.spell(word, loaded.letters) for word in words])


def test_it_is_two_grus_one_after_the_other(loaded):
    with np.load(corpora.member("g2p-gru", "checkpoint20.npz")) as arrays:
        theirs = {name: torch.tensor(arrays[name]) for name in arrays.files}

    def gru(name):
        layer = nn.GRU(256, 256, batch_first=True)
        for kind in ("w_ih", "w_hh", "b_ih", "b_hh"):
            short, side = kind.split("_")
            target = {"w": "weight", "b": "bias"}[short]
            getattr(layer, f"{target}_{side}_l0").data = theirs[f"{name}_{kind}"]
        return layer

    source, ids = spelled(loaded, "vector", "learnt"), torch.tensor([[2, 20, 30], [2, 5, 6]])
    _, h = gru("enc")(theirs["enc_emb"][source])
    out, _ = gru("dec")(theirs["dec_emb"][ids], h)
    expected = out @ theirs["fc_w"].T + theirs["fc_b"]
    torch.testing.assert_close(loaded.model(source, ids)[0], expected, atol=2e-5, rtol=0)


def test_it_says_words_with_their_stress(loaded):
    model, _, phonemes = loaded
    ids = greedy(model.step, *model.start(spelled(loaded, "attention")), eos=model.config.eos, limit=20)
    said = [token for token in phonemes.decode(ids[0].tolist()) if token != "<eos>"]
    assert said in corpora.cmudict(stress=True)["attention"]


def test_it_forgets_long_words(loaded):
    def right(length):
        words = [word for word in corpora.cmudict_split().train if len(word) == length]
        some = words[:: len(words) // 150]  # from a to z
        rates = pronunciation.judge(loaded.model, some, source=loaded.letters, target=loaded.phonemes)
        return 1 - rates["word_error_rate"]

    assert right(5) > 0.75 > 0.5 > right(15)
