"""The merges on the reader's text: the page has the tokenizer's merges, and begins as Python reads."""

import doctest
import json
import pathlib
import random

import pytest

import vec2gpt.widgets.merges as module
from vec2gpt.bpe import BPE
from vec2gpt.pretokens import gpt_cut
from vec2gpt.widgets.merges import LIMIT, merges_widget

GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "bpe.json"
TOLD = (
    "understanding is what the sailor has of the sea, the sea has no understanding; "
    "understanding l'été 中文中文"
)
TEXTS = [
    "",
    " ",
    "understanding the sea",
    "It's 42,  isn't it?\n\n  they'LL x_y ½Ⅳ٣",
    "naïve l'été ŒUVRE ﬁn 中文没有空格 日本語 한국어 עברית ไทย",
    "😀👩‍🚀🇫🇷 e\u0301 \u200b\ufeff\x00\x85\x1c\u3000\u2028 \ufffd [MASK]",
    "中" * 20,
    "the " * 5,
]


@pytest.fixture
def bpe():
    return a_tokenizer()


def a_tokenizer():
    return BPE.train([TOLD], size=320, specials=("[PAD]", "[MASK]"))


def golden():
    """What Python cuts, reads and names: what the page's own code is held to."""
    bpe, draw = a_tokenizer(), random.Random(0)
    characters = [
        chr(code) for code in [*range(32, 0x3000), *range(0x4E00, 0x4F00), *range(0x1F600, 0x1F640)]
    ]
    texts = TEXTS + ["".join(draw.choices(characters + list(" the sea") * 300, k=60)) for _ in range(12)]
    few = {most: BPE(bpe.merges[:most], specials=bpe.specials) for most in (0, 10)}
    cases = [
        {
            "text": text,
            "pretokens": gpt_cut(text),
            "ids": bpe.encode(text),
            "few": {most: one.encode(text) for most, one in few.items()},
        }
        for text in texts
    ]
    broken = [bpe.encode("中")[1:], bpe.encode("é中")[:-1], [1, 0, *range(2, 258)]]
    return {
        "settings": {"merges": bpe.merges, "specials": bpe.specials},
        "cases": cases,
        "tokens": bpe.tokens,
        "steps": {word: bpe.steps(word) for word in ("understanding", " understands", "中文", "x")},
        "decoded": [[ids, bpe.decode(ids)] for ids in broken],
    }


def test_the_golden_ids_that_the_view_is_tested_with_are_those_of_today():
    """After a change of the tokenizer: python -m tests.widgets.test_merges writes them anew."""
    assert json.loads(GOLDEN.read_text()) == json.loads(json.dumps(golden()))


def test_the_widget_holds_what_its_view_needs(bpe):
    ids = bpe.encode("understanding 中文")
    widget = merges_widget(bpe, "understanding 中文", examples=["sea", "understanding 中文", "été"])
    settings = widget.settings
    assert BPE(settings["merges"], specials=settings["specials"]).tokens == bpe.tokens
    assert settings["examples"] == ["understanding 中文", "sea", "été"]
    assert widget.first == {"ids": {"dims": [1, len(ids)], "data": ids}}
    assert repr(widget) == "LiveModel(merges: ids → )"
    json.dumps([settings, widget.first, widget.spec], allow_nan=False)


def test_the_example_of_the_docstring_is_true(bpe):
    failed, tried = doctest.testmod(module, extraglobs={"bpe": bpe})
    assert (failed, tried) == (0, 1)


def test_without_examples_there_is_no_row_of_them(bpe):
    assert merges_widget(bpe, "sea").settings["examples"] == []


def test_no_model_is_exported(bpe, monkeypatch, tmp_path):
    monkeypatch.setenv("VEC2GPT_SITE", str(tmp_path))
    widget = merges_widget(bpe, "sea")
    assert widget.spec["order"] == [] and widget.spec["models"] == {} and not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "examples", "said"),
    [
        ("", (), "'' has 0 characters; give 1 to 200"),
        ("x" * (LIMIT + 1), (), "'xxxxxxxxxxxxxxxxxxxx' has 201 characters"),
        ("sea", ("",), "'' has 0 characters"),
        ("sea\ud800", (), "half a surrogate pair"),
    ],
)
def test_the_widget_says_what_it_takes(bpe, text, examples, said):
    with pytest.raises(ValueError, match=said):
        merges_widget(bpe, text, examples=examples)


def test_a_tokenizer_without_merges_is_refused():
    with pytest.raises(ValueError, match="no merges to show"):
        merges_widget(BPE([]), "sea")


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden()) + "\n")
