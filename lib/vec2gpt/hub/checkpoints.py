"""Trained models on disk: two files that rebuild a model by themselves.

`NAME.safetensors` holds the weights in half precision; `NAME.json`, the card, says what they are: which
model, its configuration and vocabularies, how it was trained and what it reached. Those that come with the
book lie in the package's `checkpoints` folder and go by their name, any other by its path.

Nothing in a card is executed: a model is looked up in `MODELS`, and safetensors holds numbers only.
"""

import copy
import dataclasses
import hashlib
import json
from collections.abc import Sequence
from importlib import import_module, resources
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from vec2gpt.bpe import BPE
from vec2gpt.files import replacing
from vec2gpt.text import Vocab

SHIPPED = Path(str(resources.files("vec2gpt"))) / "checkpoints"

# key in the card -> import path of the model, whose `Config` is its configuration; imported only when needed
MODELS = {
    "recurrent": "vec2gpt.language:RecurrentLanguageModel",
    "window": "vec2gpt.language:WindowLanguageModel",
    "seq2seq": "vec2gpt.seq2seq:Seq2Seq",
    "attention": "vec2gpt.attentive:AttentionSeq2Seq",
    "transformer": "vec2gpt.transformer:Transformer",
    "gpt": "vec2gpt.gpt:GPT",
    "reader": "vec2gpt.reader:Reader",
    "masked-lm": "vec2gpt.bert:MaskedLM",
    "classifier": "vec2gpt.classifiers:Classifier",
    "tagger": "vec2gpt.classifiers:Tagger",
    "adapters": "vec2gpt.adapters:Adapters",
}


class Checkpoint(NamedTuple):
    """A trained model, ready to use (evaluation mode, float32), its vocabularies, and its card."""

    model: nn.Module
    vocabs: dict[str, Vocab | BPE]
    card: dict


def names() -> list[str]:
    """The checkpoints that come with the book."""
    return sorted(file.stem for file in SHIPPED.glob("*.json"))


def save(
    model: nn.Module,
    target: str | Path,
    *,
    vocabs: dict[str, Vocab | BPE],
    seed: int,
    steps: int,
    data: str,
    metrics: dict[str, float],
    curve: Sequence[tuple[int, float]] = (),
) -> Path:
    """Write `model` as a checkpoint and return the path of its card.

    target: a plain name ("shakespeare-gpt") for the package's own folder, or a path without suffix
        ("runs/mine", or any Path).
    vocabs: by role, such as {"text": …} or {"source": …, "target": …}; of a BPE the card keeps the merges.
    data: the hash of what it was trained on. metrics: what it reached, with the unit in the name.
    curve: pairs (step, value), what a quick look on the way showed.

    The weights are rounded to half precision: about three decimal digits of each.
    """
    weights, card = _files(target)
    with replacing(weights) as draft:
        save_model(_halved(model), str(draft))
        draft.chmod(0o644)  # safetensors makes it readable for its owner alone
        content = {
            "model": _key(model),
            "config": dataclasses.asdict(model.config),
            "seed": seed,
            "steps": steps,
            "data": data,
            "metrics": metrics,
            "curve": [[step, round(value, 4)] for step, value in curve],
            "torch": torch.__version__,
            "sha256": _hash(draft),
            "vocabs": {role: _plain(vocab) for role, vocab in vocabs.items()},
        }
        text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)
    with replacing(card) as draft:
        draft.write_text(text + "\n", encoding="utf-8")
    return card


def load(target: str | Path) -> Checkpoint:
    """Rebuild a checkpoint from its name or path.

    KeyError: no checkpoint of that name comes with the book. FileNotFoundError: no file at that path.
    ValueError: the files are damaged or do not belong together.
    """
    weights, card = _files(target)
    if _named(target) and not card.exists():
        raise KeyError(f"no checkpoint {target!r} comes with the book; there are {', '.join(names())}")
    content = _read(card)
    if _hash(weights) != content["sha256"]:
        raise ValueError(f"{weights} is damaged or not the one that {card.name} describes. {_wayout(target)}")
    try:
        model = _build(content)
        load_model(model, str(weights))
        vocabs = {role: _vocab(plain) for role, plain in content["vocabs"].items()}
    except (TypeError, ValueError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f"{card} does not fit its weights or this library: {error}. {_wayout(target)}"
        ) from error
    return Checkpoint(model.eval(), vocabs, content)


def _named(target: str | Path) -> bool:
    return isinstance(target, str) and Path(target).name == target


def _files(target: str | Path) -> tuple[Path, Path]:
    base = SHIPPED / target if _named(target) else Path(target)
    return base.with_name(base.name + ".safetensors"), base.with_name(base.name + ".json")


def _key(model: nn.Module) -> str:
    """The model's key in MODELS."""
    path = f"{type(model).__module__}:{type(model).__qualname__}"
    for key, known in MODELS.items():
        if known == path:
            return key
    raise ValueError(f"{path} is not in vec2gpt.hub.checkpoints.MODELS: add it there")


def _halved(model: nn.Module) -> nn.Module:
    half = copy.deepcopy(model).half()
    for name, parameter in half.named_parameters():
        if not parameter.isfinite().all():
            raise ValueError(
                f"{name} holds nan, or numbers beyond half precision's largest, 65504: not saved"
            )
    return half


def _build(card: dict) -> nn.Module:
    """The card's model with fresh weights; torch's random state stays as it was."""
    if card["model"] not in MODELS:
        raise ValueError(f"the card names the model {card['model']!r}; known are {', '.join(MODELS)}")
    model = _imported(MODELS[card["model"]])
    with torch.random.fork_rng(devices=[]):
        return getattr(model, "from_config", model)(model.Config(**card["config"]))


def _plain(vocab: Vocab | BPE) -> dict:
    """What a vocabulary is made from again, ready for JSON."""
    if isinstance(vocab, BPE):
        return {"merges": vocab.merges, "specials": vocab.specials}
    return {"tokens": vocab.tokens, "specials": vocab.specials, "unknown": vocab.unknown}


def _vocab(plain: dict) -> Vocab | BPE:
    return (BPE if "merges" in plain else Vocab)(**plain)


def _imported(path: str):
    module, name = path.split(":")
    return getattr(import_module(module), name)


def _read(card: Path) -> dict:
    try:
        content = json.loads(card.read_text(encoding="utf-8"))
        missing = {"model", "config", "vocabs", "sha256"} - content.keys()
    except (UnicodeDecodeError, json.JSONDecodeError, AttributeError) as error:
        raise ValueError(f"{card} is not a checkpoint's card: {error}. {_wayout(card)}") from error
    if missing:
        raise ValueError(f"{card} lacks {', '.join(sorted(missing))}. {_wayout(card)}")
    return content


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _wayout(target: str | Path) -> str:
    return f"Restore both files of {target}, or train it again."
