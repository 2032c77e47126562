"""Shared by the tests of recipes that tune: opinions that the project made, and a network small enough."""

from itertools import product
from zlib import crc32

import torch

from vec2gpt.bert import Bert, BertConfig
from vec2gpt.classifiers import Classifier
from vec2gpt.recipes import recorded
from vec2gpt.recipes.understanding.opinions import Rated
from vec2gpt.recipes.understanding.understanding import Network, Steps
from vec2gpt.splits import Split

AGAINST, FOR = ("bad", "dull", "poor", "sad", "weak"), ("good", "fine", "rich", "warm", "bright")
ABOUT = ("film", "plot", "cast", "song", "scene", "score", "joke", "end")


def made(domain, count, *, start=0):
    """Texts of two classes in turn, no two of them alike: 40 of each class at most."""
    pairs = list(product(ABOUT, zip(AGAINST, FOR, strict=True)))
    texts = [f"the {about} of this {domain} was {word} {start}" for about, words in pairs for word in words]
    return Rated(tuple(texts[:count]), torch.arange(count) % 2)


def parts(domain):
    """60 texts to learn from, 8 and 20 held out."""
    return Split(made(domain, 60), made(domain, 8, start=1), made(domain, 20, start=2))


def small():
    """A BERT of three blocks of 16 that has read nothing; an id is a word's hash."""
    config = BertConfig(97, width=16, heads=2, inner=16, layers=3, context=16)
    return Network(
        Classifier(Bert(config), 2),
        lambda texts: [[1 + crc32(word.encode()) % 96 for word in text.split()] for text in texts],
    )


SMALL = Steps(small, {}, 1e-3)


def check_recorded(name, axes, experiment, *, but=()):
    """The table that came with the book is whole, in order, and of the settings that the code gives today.

    but: columns in which a value may be missing.
    """
    found = recorded(name)
    assert found.drop(columns=list(but)).notna().all(axis=None)
    places = found[list(axes)]
    assert len(places) == len(places.drop_duplicates())
    assert {axis: tuple(places[axis].unique()) for axis in axes} == axes
    for row in found.to_dict("records"):
        today = experiment.settings(**{axis: row[axis] for axis in axes})
        assert {key: str(row[key]) for key in today} == {key: str(value) for key, value in today.items()}
    assert found["data"].unique().tolist() == [experiment.data[:12]] and found["text"].nunique() == 1
    return found
