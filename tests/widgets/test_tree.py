"""The search tree: what the view gets is the search itself, and the samples are what chance says."""

import json
import pathlib
from random import Random

import pytest
import torch

from vec2gpt.decoding import greedy, restrict
from vec2gpt.search import beam_search
from vec2gpt.seq2seq import Seq2Seq, Seq2SeqConfig
from vec2gpt.text import Vocab
from vec2gpt.widgets.tree import OUTPUTS, SAMPLES, WIDEST, SearchTree, tree_widget

LETTERS, PHONEMES = Vocab.build("abc"), Vocab.build(["AA", "B", "K", "S"])
LIMIT, WORD = 7, "abacab"
GOLDEN = pathlib.Path(__file__).parents[1] / "js" / "golden" / "tree.json"
SEEDS = 32, 35  # of models where a beam of 3 finds another text than greedy search
QUESTIONS = [(1, 0.0), (2, 0.0), (3, 1.0), (8, 0.0), (8, 2.0)]  # width, alpha


def a_model(seed=SEEDS[0]):
    """A model that is sure of little, so that hypotheses overtake each other."""
    model, dice = (
        Seq2Seq(Seq2SeqConfig(len(LETTERS), len(PHONEMES), width=3, hidden=5)).eval(),
        Random(seed),
    )  # not torch's, which may change
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(
                torch.tensor([dice.gauss(0, 1.5) for _ in range(weight.numel())]).reshape(weight.shape)
            )
        for mark in (model.config.pad, model.config.bos):
            model.decoder.head.bias[mark] -= 20  # never said
    return model


def ask(model, *, width=3, alpha=1.0, temperature=1.0, top_k=7, top_p=1.0, draw=0, limit=LIMIT):
    """The answer to one question, output → tensor."""
    numbers = [
        torch.tensor([x]) for x in (width, float(alpha), float(temperature), top_k, float(top_p), draw)
    ]
    with torch.no_grad():
        answer = SearchTree(model, limit=limit)(source(), *numbers)
    return dict(zip(OUTPUTS, answer, strict=True))


def source():
    return torch.tensor([[*LETTERS.encode(WORD), LETTERS["<eos>"]]])


def beam(model, width, alpha, limit=LIMIT):
    return beam_search(
        model.step, *model.start(source()), eos=model.config.eos, width=width, limit=limit, alpha=alpha
    )


def cut(ids, eos):
    """A row of ids up to its end, that included."""
    return ids[: ids.index(eos) + 1] if eos in ids else ids


def hypotheses(answer, eos):
    """The texts that the rows of the tree end in, followed from slot to slot: [ids, log p, score]."""
    texts, told = [[]], []
    rows = (answer[name].tolist() for name in OUTPUTS[:5])
    for parent, token, chance, log_p, score in zip(*rows, strict=True):
        if not any(chance):
            break
        kept = [k for k in range(WIDEST) if chance[k]]
        texts = [cut([*texts[parent[k]], token[k]], eos) for k in kept]
        told = [[text, log_p[k], score[k]] for text, k in zip(texts, kept, strict=True)]
    return told


def golden():
    """Searches, samples, and the texts that Python's own search found: what the view's tree is held to."""
    cases = []
    for seed in SEEDS:
        model = a_model(seed)
        for width, alpha in QUESTIONS:
            answer, found = ask(model, width=width, alpha=alpha), beam(model, width, alpha)
            expected = [cut(ids, model.config.eos) for ids in found.ids[0].tolist()]
            plain = {
                name: {"dims": list(value.shape), "data": [round(x, 4) for x in value.flatten().tolist()]}
                for name, value in answer.items()
            }
            cases.append({"eos": model.config.eos, "width": width, "answer": plain, "ids": expected})
            cases[-1] |= {"score": [round(x, 4) for x in found.score[0].tolist()]}
    return cases


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("width", "alpha"), QUESTIONS)
def test_the_tree_ends_in_what_beam_search_finds(width, alpha, seed):
    model = a_model(seed)
    found, eos = beam(model, width, alpha), model.config.eos
    texts = hypotheses(ask(model, width=width, alpha=alpha), eos)
    assert [ids for ids, *_ in texts] == [cut(ids, eos) for ids in found.ids[0].tolist()]
    assert [log_p for _, log_p, _ in texts] == pytest.approx(found.log_p[0].tolist(), abs=1e-5)
    assert [score for *_, score in texts] == pytest.approx(found.score[0].tolist(), abs=1e-5)


def test_what_is_pruned_is_the_likeliest_of_what_did_not_survive():
    model = a_model()
    answer, eos = ask(model, width=2), model.config.eos
    _, state = model.start(source())
    first_logits, _ = model.step(torch.tensor([model.config.bos]), state)
    order = first_logits[0].log_softmax(-1).sort(descending=True)
    assert answer["token"][0, :2].tolist() == order.indices[:2].tolist()
    assert answer["token"][0, WIDEST:].tolist() == order.indices[2:6].tolist()
    assert answer["log_p"][0, WIDEST:].tolist() == pytest.approx(order.values[2:6].tolist(), abs=1e-5)
    for t in range(1, LIMIT):
        rows = {(p, k) for p, k, c in zip(*(answer[n][t].tolist() for n in OUTPUTS[:3]), strict=True) if c}
        there = int((answer["chance"][t] > 0).sum())
        assert len(rows) == there  # nothing is told twice
        ended = [k for k in range(2) if answer["token"][t - 1, k] == eos]
        assert not {p for p in answer["parent"][t, WIDEST:][answer["chance"][t, WIDEST:] > 0].tolist()} & set(
            ended
        )


def test_the_first_text_is_the_greedy_one_and_each_has_the_log_p_that_the_model_gives_it():
    model = a_model()
    answer = ask(model, alpha=0.5)
    eos, texts, said = model.config.eos, answer["texts"].tolist(), answer["said"].bool()
    best = greedy(model.step, *model.start(source()), eos=eos, limit=LIMIT)[0].tolist()
    assert cut(texts[0], eos) == cut(best, eos)
    for ids, mask, log_p, score in zip(texts, said, answer["text_log_p"], answer["text_score"], strict=True):
        text = cut(ids, eos)
        assert mask.tolist() == [t < len(text) for t in range(LIMIT)]
        logits, _ = model(source(), torch.tensor([[model.config.bos, *text[:-1]]]))
        expected = logits[0].log_softmax(-1).gather(1, torch.tensor(text)[:, None]).sum().item()
        assert log_p.item() == pytest.approx(expected, abs=1e-4)
        assert score.item() == pytest.approx(expected / len(text) ** 0.5, abs=1e-4)


def test_samples_obey_their_limits_and_another_draw_is_another():
    model = a_model()
    assert ask(model, top_k=1)["texts"].unique(dim=0).shape[0] == 1  # the greedy one, seven times
    assert (ask(model, top_k=1)["drawn"][ask(model, top_k=1)["said"][1:] > 0] == 1).all()
    free, other = ask(model), ask(model, draw=1)
    assert free["texts"][1:].unique(dim=0).shape[0] > 1
    assert not torch.equal(free["texts"][1:], other["texts"][1:]) and torch.equal(
        free["texts"], ask(model)["texts"]
    )
    logits, _ = model.step(torch.tensor([model.config.bos]), model.start(source())[1])
    cold = restrict(logits[0], 0.5, 3, 0.9)
    drawn = ask(model, temperature=0.5, top_k=3, top_p=0.9)
    firsts = drawn["texts"][1:, 0]
    assert drawn["drawn"][:, 0].tolist() == pytest.approx(cold[firsts].tolist(), abs=1e-5)


def test_the_golden_trees_that_the_view_is_tested_with_are_those_of_today():
    """After a change of the search: python -m tests.widgets.test_tree writes them anew."""
    for stored, today in zip(json.loads(GOLDEN.read_text()), golden(), strict=True):
        assert (stored["ids"], stored["width"]) == (today["ids"], today["width"])
        assert stored["score"] == pytest.approx(today["score"], abs=2e-4)
        for name in OUTPUTS:
            assert stored["answer"][name]["dims"] == today["answer"][name]["dims"]
            assert stored["answer"][name]["data"] == pytest.approx(today["answer"][name]["data"], abs=2e-4)


def test_the_widget_holds_what_its_view_needs():
    model, pair = a_model(), (LETTERS, PHONEMES)
    widget = tree_widget(
        {"a": model, "b": model}, pair, "cab", dictionary={"cab": [["K", "AA", "B"]]}, width=2
    )
    assert list(widget.spec["models"]) == list(widget.settings["models"]) == ["a", "b"]
    assert widget.settings["start"] == {
        "width": 2,
        "alpha": 1.0,
        "temperature": 1.0,
        "top_k": 7,
        "top_p": 1.0,
    }
    assert set(widget.settings["ranges"]) == set(widget.settings["start"])
    assert widget.first["texts"]["dims"] == [SAMPLES + 1, 32]
    json.dumps(widget.first, allow_nan=False)  # JSON knows neither ∞ nor NaN


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"word": ""}, "has 0 letters"),
        ({"word": "a" * 33}, "has 33 letters; give 1 to 32"),
        ({"word": "cat"}, "holds 't'"),
        ({"dictionary": {"dog": []}}, "'dog' holds"),
        ({"dictionary": {"cab": [["K", "Æ"]]}}, "'Æ' is none of the 39 phonemes"),
        ({"width": 0}, "width is 0; the slider goes from 1 to 8"),
        ({"width": 9}, "width is 9"),
        ({"width": 2.5}, "width is 2.5; give a whole number"),
        ({"alpha": -0.1}, "alpha is -0.1"),
        ({"alpha": float("nan")}, "alpha is nan"),
        ({"temperature": 0}, "temperature is 0; the slider goes from 0.1 to 2"),
        ({"top_k": 0}, "top_k is 0"),
        ({"top_k": 8}, "top_k is 8; the slider goes from 1 to 7"),
        ({"top_p": 0}, "top_p is 0"),
        ({"top_p": 1.1}, "top_p is 1.1"),
    ],
)
def test_what_cannot_be_searched_is_refused(options, said):
    with pytest.raises((ValueError, KeyError), match=said):
        tree_widget(a_model(), (LETTERS, PHONEMES), **({"word": "cab"} | options))


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(json.dumps(golden()) + "\n")
