import json
import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from vec2gpt.bpe import BPE
from vec2gpt.hub import checkpoints
from vec2gpt.hub.checkpoints import load, names, save
from vec2gpt.text import Vocab


@dataclass(frozen=True)
class TiedConfig:
    vocab_size: int
    width: int = 3


class Tied(nn.Module):
    """A tiny model with what real ones have: tied weights, a buffer that counts, dropout."""

    Config = TiedConfig

    def __init__(self, config):
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.width)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(config.width, config.vocab_size)
        self.head.weight = self.embedding.weight
        self.register_buffer("seen", torch.tensor(7))

    def forward(self, ids):
        return self.head(self.dropout(self.embedding(ids)))


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(checkpoints.MODELS, "tiny", f"{__name__}:Tied")


VOCAB = Vocab.build("añ字😀", specials=("<pad>", "<unk>"), unknown="<unk>")
TRAINING = {"seed": 3, "steps": 10, "data": "sha256:abc", "metrics": {"bits_per_character": 2.5}}


def written(folder, **changes):
    model = Tied(TiedConfig(len(VOCAB)))
    card = save(model, folder / "tiny", **{"vocabs": {"text": VOCAB}} | TRAINING | changes)
    return model, card


def test_a_model_comes_back_by_itself(tmp_path):
    model, card = written(tmp_path)
    state = torch.get_rng_state()
    loaded = load(tmp_path / "tiny")
    assert torch.equal(torch.get_rng_state(), state), "loading draws no random numbers"

    assert card == tmp_path / "tiny.json"
    assert {file.name for file in tmp_path.iterdir()} == {"tiny.json", "tiny.safetensors"}
    ids = torch.arange(len(VOCAB))
    assert loaded.model.config == model.config
    assert not loaded.model.training
    assert loaded.model.head.weight is loaded.model.embedding.weight
    assert loaded.model.head.weight.dtype == torch.float32
    assert loaded.model.seen == 7 and loaded.model.seen.dtype == torch.int64
    torch.testing.assert_close(loaded.model(ids), model.eval()(ids), rtol=1e-3, atol=2e-3)
    assert torch.equal(loaded.model.head.weight, model.head.weight.half().float()), "rounded, else the same"

    vocab = loaded.vocabs["text"]
    assert vocab.tokens == VOCAB.tokens and vocab.unknown == "<unk>" and vocab.specials == VOCAB.specials
    assert TRAINING.items() <= loaded.card.items()
    assert loaded.card["torch"] == torch.__version__


def test_the_card_keeps_what_was_seen_on_the_way(tmp_path):
    _, path = written(tmp_path, curve=[(5, 3.14159), (10, 2.5)])
    assert json.loads(path.read_text())["curve"] == [[5, 3.1416], [10, 2.5]]


def test_a_tokenizer_comes_back_by_its_merges(tmp_path):
    bpe = BPE.train(["low lower lowest", "añ字😀"], size=265, specials=("[PAD]", "[MASK]"))
    _, path = written(tmp_path, vocabs={"text": bpe, "letters": VOCAB})
    vocabs = load(tmp_path / "tiny").vocabs
    assert vocabs["letters"].tokens == VOCAB.tokens
    assert vocabs["text"].encode("lowly 字") == bpe.encode("lowly 字") != list("lowly 字".encode())
    assert (vocabs["text"].merges, vocabs["text"].specials) == (bpe.merges, ("[PAD]", "[MASK]"))

    card = json.loads(path.read_text())
    card["vocabs"]["text"]["merges"][0] = [0, 999]
    path.write_text(json.dumps(card))
    with pytest.raises(ValueError, match=r"(?s)the merge \(0, 999\) is of ids outside.*train it again"):
        load(tmp_path / "tiny")


def test_half_precision_and_tied_weights_once(tmp_path):
    """2 bytes a weight: what is tied is stored once."""
    config = TiedConfig(vocab_size=100, width=64)
    save(Tied(config), tmp_path / "tiny", vocabs={}, **TRAINING)
    size = (tmp_path / "tiny.safetensors").stat().st_size
    assert 2 * 100 * 64 < size < 2 * 100 * 64 + 1000


def test_saving_leaves_the_model_as_it_was(tmp_path):
    model, _ = written(tmp_path)
    assert model.training and model.head.weight.dtype == torch.float32


def test_names_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoints, "SHIPPED", tmp_path)
    assert names() == []
    save(Tied(TiedConfig(5)), "small-one", vocabs={}, **TRAINING)
    assert names() == ["small-one"]
    assert load("small-one").model.config.vocab_size == 5
    with pytest.raises(KeyError, match="'large-one' comes with the book; there are small-one"):
        load("large-one")
    with pytest.raises(FileNotFoundError, match="large-one"):
        load(tmp_path / "large-one")


@pytest.mark.parametrize("name", names())
def test_every_checkpoint_of_the_book_loads_and_is_small(name):
    loaded = load(name)
    assert all(parameter.isfinite().all() for parameter in loaded.model.parameters())
    assert (checkpoints.SHIPPED / f"{name}.safetensors").stat().st_size <= 8e6


def test_all_checkpoints_of_the_book_are_small_together():
    assert sum(file.stat().st_size for file in checkpoints.SHIPPED.glob("*.safetensors")) <= 30e6


@pytest.mark.parametrize("key", checkpoints.MODELS)
def test_every_model_is_where_the_registry_says(key):
    model = checkpoints._imported(checkpoints.MODELS[key])
    assert issubclass(model, nn.Module) and model.Config.__dataclass_params__.frozen


@pytest.mark.parametrize("cut", [1, 50, 10**6])
def test_truncated_weights(tmp_path, cut):
    written(tmp_path)
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=r"damaged.*train it again"):
        load(tmp_path / "tiny")


def test_weights_of_another_training(tmp_path):
    written(tmp_path / "a")
    written(tmp_path / "b")
    (tmp_path / "a" / "tiny.safetensors").replace(tmp_path / "b" / "tiny.safetensors")
    with pytest.raises(ValueError, match=r"not the one that tiny.json describes"):
        load(tmp_path / "b" / "tiny")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda card: card["config"].update(width=4), "size mismatch"),
        (lambda card: card["config"].update(depth=4), "unexpected keyword argument 'depth'"),
        (lambda card: card.update(model="os:system"), "names the model 'os:system'; known are recurrent"),
        (lambda card: card["vocabs"]["text"].update(tokens=["a", "a"]), "more than once"),
        (lambda card: card.pop("sha256"), "lacks sha256"),
    ],
)
def test_a_card_that_does_not_fit(tmp_path, change, message):
    _, path = written(tmp_path)
    card = json.loads(path.read_text())
    change(card)
    path.write_text(json.dumps(card))
    with pytest.raises(ValueError, match=f"(?s){message}.*train it again"):
        load(tmp_path / "tiny")


@pytest.mark.parametrize("text", ["", '{"model": "ti', "[]", "3"])
def test_a_damaged_card(tmp_path, text):
    _, path = written(tmp_path)
    path.write_text(text)
    with pytest.raises(ValueError, match="not a checkpoint's card"):
        load(tmp_path / "tiny")


@pytest.mark.parametrize("value", [math.nan, 1e6])
def test_weights_that_half_precision_cannot_hold(tmp_path, value):
    model = Tied(TiedConfig(5))
    nn.init.constant_(model.head.bias, value)
    with pytest.raises(ValueError, match=r"head.bias holds nan, or numbers beyond"):
        save(model, tmp_path / "tiny", vocabs={}, **TRAINING)
    assert not list(tmp_path.iterdir())


def test_nothing_half_written(tmp_path):
    with pytest.raises(ValueError, match="nan"):
        written(tmp_path, metrics={"accuracy": math.nan})
    with pytest.raises(TypeError, match="not JSON serializable"):
        written(tmp_path, metrics={"accuracy": torch.tensor(1.0)})
    assert not list(tmp_path.iterdir())


def test_a_model_nobody_registered(tmp_path, monkeypatch):
    monkeypatch.delitem(checkpoints.MODELS, "tiny")
    with pytest.raises(ValueError, match=r"test_checkpoints:Tied is not in vec2gpt.hub.checkpoints.MODELS"):
        written(tmp_path)
