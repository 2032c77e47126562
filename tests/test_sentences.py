"""The table of BLEU by length, and what it is made with."""

import dataclasses

import pytest
import torch

from vec2gpt import grammar
from vec2gpt.attentive import AttentionConfig, AttentionSeq2Seq
from vec2gpt.recipes import RECIPES, recorded, table
from vec2gpt.recipes.__main__ import main
from vec2gpt.recipes.translation import sentences


def test_the_recorded_table_is_whole_and_of_these_settings():
    rows = recorded("grammar-lengths")
    assert [(row.model, row.seed, row.shortest, row.longest) for row in rows.itertuples()] == [
        (model, seed, *band)
        for model in sentences.WAYS
        for seed in sentences.SEEDS
        for band in sentences.BANDS.items()
    ]
    assert rows.drop(columns="aer").notna().all(axis=None)
    assert (rows["aer"].notna() == (rows["model"] == "attention")).all()
    settings = sentences.experiment().settings
    for row in rows.itertuples():
        assert settings(model=row.model, seed=row.seed, shortest=row.shortest)["settings"] == row.settings
        assert row.steps == sentences.STEPS


def test_the_bands_cover_every_length_once():
    covered = [n for low, high in sentences.BANDS.items() for n in range(low, high + 1)]
    assert covered == list(range(sentences.LENGTH[0], sentences.LENGTH[1] + 1))


class Reciter(torch.nn.Module):
    """Knows some translations by heart and says them: an encoder-decoder with nothing to learn."""

    class config:
        pad, bos, eos = 0, 1, 2

    def __init__(self, pairs):
        super().__init__()
        self.english, self.french = grammar.vocabularies()
        self.known = {pair.source: [*self.french.encode(pair.target), 2] for pair in pairs}

    def start(self, source):
        texts = [
            tuple(word for word in self.english.decode(row) if "<" not in word) for row in source.tolist()
        ]
        rows = [torch.tensor(self.known[text]) for text in texts]
        rest = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=2)
        return torch.ones_like(source[:, 0]), rest

    def step(self, ids, rest):
        return torch.nn.functional.one_hot(rest[:, 0], len(self.french)).float(), rest.roll(-1, 1)


def test_whoever_knows_them_by_heart_has_a_bleu_of_100():
    pairs = grammar.split(40, length=(4, 9)).train
    judged = sentences.judge(Reciter(pairs), pairs)
    assert judged == {"bleu": pytest.approx(100), "exact": 1}
    wrong = [pairs[0]._replace(target=("le", "chat")), *pairs[1:]]
    assert sentences.judge(Reciter(wrong), pairs)["exact"] == 1 - 1 / len(pairs)


# ---- where a model looks ----

CAR = grammar.Pair(("the", "blue", "car"), ("la", "voiture", "bleue"), frozenset({(0, 0), (1, 2), (2, 1)}))
WOLF = grammar.Pair(
    ("the", "wolf", "arrived"), ("le", "loup", "est", "arrivé"), frozenset({(0, 0), (1, 1), (2, 2), (2, 3)})
)


class Looker(torch.nn.Module):
    """Looks where it is told: `links` of each pair, every source of a French word alike, else at the end."""

    def __init__(self, *links):
        super().__init__()
        self.links = links

    def look(self, source, decoder):
        weights = torch.zeros(*decoder.shape, source.shape[1])
        weights[..., -1] = 1e-9
        for row, links in zip(weights, self.links, strict=True):
            for s, t in links:
                row[t, s] = 1
        return weights / weights.sum(-1, keepdim=True)


def test_each_french_word_is_linked_to_its_largest_weight():
    weights = torch.tensor([[0.6, 0.3, 0.1], [0.1, 0.2, 0.7], [0.1, 0.5, 0.4], [0.2, 0.5, 0.3]])
    assert sentences.aligned(weights) == {(0, 0), (2, 1), (1, 2), (1, 3)}


def test_the_ends_and_the_padding_of_a_batch_are_cut_off():
    pairs = [WOLF, CAR]
    looked = sentences.look(Looker(*(pair.alignment for pair in pairs)), pairs)
    assert [tuple(weights.shape) for weights in looked] == [(4, 3), (3, 3)]
    torch.testing.assert_close(looked[1], torch.tensor([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]))


def test_the_error_rate_of_weights_by_hand():
    """Links of places in order: of the blue car one of three is right, of the wolf arrived three of four."""
    in_order = [(n, n) for n in range(3)]
    looker = Looker(in_order, [*in_order, (0, 3)])
    assert sentences.misaligned(looker, [CAR, WOLF]) == pytest.approx(1 - (4 + 4) / (7 + 7))
    assert sentences.misaligned(Looker(in_order), [CAR]) == pytest.approx(1 - (1 + 1) / (3 + 3))


def test_whoever_looks_at_the_gold_alignment_is_as_good_as_one_link_a_word_can_be():
    """Each French word has a link and each link is right; what a word has beyond one cannot be found."""
    pairs = grammar.split(60, length=(4, 21)).train
    words, links = (
        sum(map(len, part)) for part in zip(*((p.target, p.alignment) for p in pairs), strict=True)
    )
    gold = Looker(*(pair.alignment for pair in pairs))
    assert links > words
    assert sentences.misaligned(gold, pairs) == pytest.approx(1 - 2 * words / (words + links))


def test_a_model_with_attention_is_asked_where_it_looks(monkeypatch):
    monkeypatch.setattr(sentences, "TOGETHER", 7)
    torch.manual_seed(0)
    model = AttentionSeq2Seq(AttentionConfig(*map(len, grammar.vocabularies()), width=4, hidden=6)).eval()
    pairs = grammar.split(20, length=(4, 9)).train
    together, alone = sentences.look(model, pairs), [sentences.look(model, [pair])[0] for pair in pairs]
    torch.testing.assert_close(together, alone)
    assert sentences.judge(model, pairs)["aer"] == sentences.misaligned(model, pairs)


@pytest.mark.slow
def test_a_thin_slice_learns_something(tmp_path, monkeypatch):
    axes = {"model": ("gru",), "seed": (0,), "shortest": (4,)}
    changed = dataclasses.replace(RECIPES["grammar-lengths"], axes=axes)
    monkeypatch.setitem(RECIPES, "grammar-lengths", changed)
    few = grammar.split(600, length=sentences.LENGTH)
    monkeypatch.setattr(sentences, "split", lambda: few)
    assert main(["grammar-lengths", "--steps", "25", "--out", str(tmp_path)]) == 0
    [row] = table.read("grammar-lengths", tmp_path).itertuples()
    assert row.parameters == recorded("grammar-lengths").parameters.iloc[0]
    assert row.bleu > 0
