"""Say any word: the module decodes as a plain loop does, and the widget tells each model's numbers apart."""

import math

import pytest
import torch

from vec2gpt.hub import g2p
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.text import SPECIALS, Vocab
from vec2gpt.widgets.say import CHOICES, LIMIT, Say, say_widget

LETTERS = Vocab([*SPECIALS, *"abcdehkt"])
PHONEMES = Vocab([*SPECIALS, "AE", "B", "K", "T", "D", "AH"])
MARKS = ("<stop>", "<start>", "<pad>")
OTHER_LETTERS = Vocab([*"tackbe", "<pad>", "<stop>", "<start>", "d"], specials=MARKS)  # no h, other numbers
OTHER_PHONEMES = Vocab(["T", "AE1", "K", "AE0", *MARKS], specials=MARKS)
VOCABS = LETTERS, PHONEMES
OTHERS = OTHER_LETTERS, OTHER_PHONEMES


def model(letters=LETTERS, phonemes=PHONEMES, *, bos="<bos>", eos="<eos>", pad="<pad>", **options):
    torch.manual_seed(0)
    sizes = {"width": 6, "hidden": 7, "bos": phonemes[bos], "eos": phonemes[eos], "pad": letters[pad]}
    made = Seq2Seq(Seq2SeqConfig(len(letters), len(phonemes), **sizes | options)).eval()
    for weight in made.parameters():  # far from the start, where all phonemes are as likely
        torch.nn.init.normal_(weight)
    return made


def other_model():
    return model(OTHER_LETTERS, OTHER_PHONEMES, bos="<start>", eos="<stop>")


def plain_decoding(model, source_ids):
    """The probabilities (V,) at each step of a loop that knows nothing of the widget."""
    state, said, seen = model.encode(source_ids), model.config.bos, []
    for _ in range(LIMIT):
        logits, state = model.step(torch.tensor([said]), state)
        seen.append(logits[0].softmax(0))
        said = seen[-1].argmax().item()
    return seen


KINDS = [
    {},
    {"encoder": "lstm", "decoder": "lstm", "encoder_layers": 2, "decoder_layers": 2},
    {"handover": "every step"},
    {"handover": "concat", "bidirectional": True, "decoder": "lstm", "decoder_layers": 2},
]


@torch.no_grad()
@pytest.mark.parametrize("options", KINDS)
def test_it_says_what_a_plain_loop_says(options):
    one, source_ids = model(**options), torch.tensor([[*LETTERS.encode("hatbed"), 2]])
    ids, choices, probabilities = Say(one)(source_ids)
    assert ids.shape == (1, LIMIT) and choices.shape == probabilities.shape == (1, LIMIT, CHOICES)
    for t, p in enumerate(plain_decoding(one, source_ids)):
        best = p.topk(CHOICES)
        assert ids[0, t] == best.indices[0] and choices[0, t].tolist() == best.indices.tolist()
        assert probabilities[0, t].tolist() == pytest.approx(best.values.tolist(), abs=1e-5)


@torch.no_grad()
def test_of_fewer_than_five_tokens_it_shows_all():
    few = Vocab([*SPECIALS, "T"])
    _, choices, probabilities = Say(model(phonemes=few))(torch.tensor([[3, 2]]))
    assert choices.shape == (1, LIMIT, 4) and probabilities.sum(-1).tolist()[0] == pytest.approx([1] * LIMIT)


def test_the_pretrained_model_says_words_as_cmudict_lists_them():
    pretrained, letters, phonemes = g2p.load()
    widget = say_widget(pretrained, (letters, phonemes), "through")
    said = phonemes.decode(widget.first["ids"]["data"])
    assert said[: said.index("<eos>")] == ["TH", "R", "UW1"]


def test_each_model_is_asked_and_answers_in_its_own_numbers():
    models = {"ours": model(), "theirs": other_model()}
    widget = say_widget(models, {"ours": VOCABS, "theirs": OTHERS}, "cake")
    ours, theirs = widget.settings["models"].values()
    assert (ours["end"], ours["eos"]) == (LETTERS["<eos>"], PHONEMES["<eos>"]) == (2, 2)
    assert (theirs["end"], theirs["eos"]) == (OTHER_LETTERS["<stop>"], OTHER_PHONEMES["<stop>"]) == (7, 4)
    assert theirs["source"] == OTHER_LETTERS.tokens and theirs["target"] == OTHER_PHONEMES.tokens
    assert widget.settings["alphabet"] == "abcdekt"  # what both know
    asked = {"source_ids": torch.tensor([[*OTHER_LETTERS.encode("cake"), 7]])}
    best = plain_decoding(models["theirs"], asked["source_ids"])[0].argmax()
    assert widget.answer("theirs", asked)["ids"][0, 0] == best


def test_what_is_shown_first_is_the_first_models_answer_to_the_word():
    one = model()
    widget = say_widget({"ours": one, "theirs": other_model()}, {"ours": VOCABS, "theirs": OTHERS}, "cake")
    seen = plain_decoding(one, torch.tensor([[*LETTERS.encode("cake"), 2]]))
    assert widget.first["ids"]["data"] == [p.argmax().item() for p in seen]


def test_the_view_is_told_how_every_sound_is_written_and_heard():
    dictionary = {"cat": [["K", "AE", "T"]], "the": [["DH", "IY"]], "back": []}
    widget = say_widget(model(), VOCABS, "cat", dictionary=dictionary)
    sounds = widget.settings["sounds"]
    assert sounds["T"] == ["t", "tea"] and sounds["DH"] == ["ð", "thee"]  # one said, one only listed
    assert sounds.keys() == {"AE", "B", "K", "T", "D", "AH", "DH", "IY"}
    assert list(widget.settings["dictionary"]) == ["cat", "the", "back"]


def test_a_curve_goes_from_short_words_to_long_ones():
    widget = say_widget(model(), VOCABS, "cat", curve={"model": {7: 0.25, 3: 1.0, 12: 0}})
    assert widget.settings["curve"] == {"model": [[3, 1.0], [7, 0.25], [12, 0.0]]}


def holding(number):
    one = model()
    with torch.no_grad():
        one.decoder.head.bias[0] = number
    return one


@pytest.mark.parametrize(
    ("models", "vocabs", "word", "options", "problem"),
    [
        ({}, VOCABS, "cat", {}, "no model: give at least one"),
        ({"a": model()}, {"b": VOCABS}, "cat", {}, r"a has no vocabularies: give its \(source, target\)"),
        (model(), OTHERS, "cat", {}, "reads 11 tokens and writes 9, but its vocabularies have 10 and 7"),
        (holding(math.nan), VOCABS, "cat", {}, "holds NaN or ∞"),
        (model(), VOCABS, "", {}, "'' has 0 letters; give 1 to 32"),
        (model(), VOCABS, "a" * 33, {}, "has 33 letters; give 1 to 32"),
        (model(), VOCABS, "Cät", {}, "holds 'C', 'ä'; the models know the letters abcdehkt"),
        (model(), VOCABS, "cat", {"dictionary": {"c t": []}}, "'c t' holds ' '"),
        (model(), VOCABS, "cat", {"dictionary": {"cat": [["K", "Æ"]]}}, "'Æ' is none of the 39 phonemes"),
        (model(), VOCABS, "cat", {"curve": {"b": {3: 1}}}, "curve tells of 'b', but the models are model"),
        (model(), VOCABS, "cat", {"curve": {"model": {3: 41}}}, "41 for model at 3 letters; a share is 0 to"),
    ],
)
def test_the_widget_says_what_it_takes(models, vocabs, word, options, problem):
    with pytest.raises((ValueError, KeyError), match=problem):
        say_widget(models, vocabs, word, **options)
