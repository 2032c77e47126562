"""king − man + woman as the widget does it: the neighbours of `WordVectors`, and a true plane to see them."""

import pytest
import torch

from vec2gpt.vectors import WordVectors, principal_components
from vec2gpt.widgets.arithmetic import (
    LARGEST,
    SHOWN,
    SMALLEST,
    Arithmetic,
    main_direction,
    plane,
    word_arithmetic_widget,
)

WORDS = ["king", "man", "woman", "queen", *(f"w{k}" for k in range(60))]


@pytest.fixture
def vectors():
    return WordVectors(WORDS, torch.randn(len(WORDS), 8, generator=torch.Generator().manual_seed(0)))


def answer(vectors, *words, allowed=0):
    ids = [vectors.vocab[word] if word else -1 for word in words]
    return Arithmetic(vectors)(torch.tensor(ids), torch.tensor([allowed]))


def test_the_neighbours_are_those_of_the_analogy(vectors):
    nearest, cosines, *_ = answer(vectors, "king", "man", "woman")
    expected = vectors.analogy("man", "king", "woman", count=SHOWN)
    assert vectors.vocab.decode(nearest.tolist()) == [one.word for one in expected]
    assert cosines.tolist() == pytest.approx([one.cosine for one in expected], abs=1e-3)


def test_one_word_has_its_neighbours(vectors):
    nearest, *_ = answer(vectors, "", "", "queen")
    expected = vectors.neighbours("queen", count=SHOWN)
    assert vectors.vocab.decode(nearest.tolist()) == [one.word for one in expected]


def test_the_words_asked_answer_only_if_they_may(vectors):
    banned, *_ = answer(vectors, "king", "", "man")
    allowed, cosines, asked, *_ = answer(vectors, "king", "", "man", allowed=1)
    assert not {0, 1} & set(banned.tolist())
    assert {0, 1} == set(allowed[:2].tolist())  # a + c lies between them
    assert asked[[0, 2]].sort(descending=True).values.tolist() == pytest.approx(cosines[:2].tolist())
    assert asked[1] == 0  # an empty slot


def test_the_first_word_may_answer_where_a_slot_is_empty(vectors):
    twins = WordVectors(WORDS, torch.cat([vectors.matrix[:4], vectors.matrix[:1], vectors.matrix[5:]]))
    nearest, *_ = answer(twins, "w0", "", "")
    assert nearest[0] == 0


def test_three_words_and_their_sum_make_a_parallelogram_in_the_plane(vectors):
    *_, places, off = answer(vectors, "king", "man", "woman")
    a, b, c, total = places[:4]
    assert off[:4].tolist() == pytest.approx([0] * 4, abs=1e-5)
    assert (total - c).tolist() == pytest.approx((a - b).tolist(), abs=1e-5)
    assert b.tolist() == pytest.approx([0, 0], abs=1e-6) and a[1] == pytest.approx(0, abs=1e-6)
    assert c[1] > 0  # up
    king, man = vectors.directions[:2]
    assert a[0].item() == pytest.approx((king - man).norm().item(), abs=1e-3)


def test_places_and_distances_give_back_the_length_of_each_step(vectors):
    nearest, _, _, places, off = answer(vectors, "king", "man", "woman")
    steps = (vectors.directions[nearest] - vectors.directions[1]).norm(dim=1)
    assert (places[4:].square().sum(1) + off[4:].square()).sqrt().tolist() == pytest.approx(
        steps.tolist(), abs=2e-3
    )


def test_fewer_words_are_seen_along_their_principal_components(vectors):
    nearest, *_, places, _ = answer(vectors, "king", "man", "")
    shown = vectors.directions[[0, 1, *nearest.tolist()]]
    ours = places[[0, 1, *range(4, 14)]]
    best = (shown - shown.mean(0)) @ principal_components(shown).T
    assert ours.var(0).sum() > 0.97 * best.var(0).sum()  # the power method stops early


def test_the_main_direction_is_the_first_principal_component():
    rows = torch.randn(30, 5, generator=torch.Generator().manual_seed(1)) * torch.tensor([1.0, 4, 1, 1, 1])
    rows = rows - rows.mean(0)
    assert main_direction(rows).dot(principal_components(rows)[0]).abs().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("across", [[0.0, 0, 0], [1.0, 2, 3]])
@pytest.mark.parametrize("up", [[0.0, 0, 0], [2.0, 4, 6], [0.0, 1, 0]])
def test_axes_have_length_one_and_right_angles_even_where_words_fall_together(across, up):
    spread = torch.randn(10, 3, generator=torch.Generator().manual_seed(2))
    axes = plane(torch.tensor(across), torch.tensor(up), spread)
    assert (axes @ axes.T).tolist() == [pytest.approx([1, 0], abs=1e-5), pytest.approx([0, 1], abs=1e-5)]


@pytest.mark.parametrize("words", [("king", "king", ""), ("king", "king", "king"), ("", "king", "king")])
def test_words_that_cancel_leave_finite_numbers(vectors, words):
    _, cosines, *rest = answer(vectors, *words)
    assert all(torch.isfinite(value).all() for value in rest)
    assert (cosines == 0).all() == (words[0] == "" or words[2] == "")


def test_equal_questions_give_equal_pictures_and_small_changes_small_moves(vectors):
    nudged = WordVectors(WORDS, vectors.matrix + 1e-3 * vectors.matrix.roll(1, 0))
    for words in (("king", "man", "woman"), ("king", "man", ""), ("king", "", "")):
        first, again = answer(vectors, *words), answer(vectors, *words)
        assert all((a == b).all() for a, b in zip(first, again, strict=True))
        moved = answer(nudged, *words)
        assert (moved[3][[0, 3]] - first[3][[0, 3]]).abs().max() < 0.05


def test_the_widget_knows_each_vocabulary_and_the_examples_that_it_can_do(vectors):
    small = WordVectors([f"v{k}" for k in range(SMALLEST)], torch.randn(SMALLEST, 4))
    widget = word_arithmetic_widget({"large": vectors, "small": small})
    assert widget.settings["words"] == {"large": WORDS, "small": small.vocab.tokens}
    assert widget.settings["examples"] == [("king", "man", "woman")]
    assert list(widget.spec["models"]) == ["large", "small"]
    assert widget.first["places"]["dims"] == [14, 2]


def test_without_vectors_it_says_what_it_takes():
    with pytest.raises(ValueError, match="no vectors: give WordVectors"):
        word_arithmetic_widget({})


def test_it_computes_where_its_vectors_are(vectors):
    model = Arithmetic(vectors).to("meta")  # a device that any machine has
    ids, allowed = torch.ones(3, dtype=torch.long, device="meta"), torch.ones(1, device="meta")
    assert {value.device.type for value in model(ids, allowed)} == {"meta"}


@pytest.mark.parametrize(
    ("size", "words", "problem"),
    [
        (SMALLEST - 1, ("w0", "", ""), f"give {SMALLEST} to"),
        (LARGEST + 1, ("w0", "", ""), r"as vectors.first\(…\) does"),
        (20, ("", "", ""), "at least one"),
        (20, ("w0", "w1", "w222"), "near it: 'w2'"),
    ],
)
def test_the_widget_says_what_it_takes(size, words, problem):
    vectors = WordVectors([f"w{k}" for k in range(size)], torch.ones(size, 2))
    with pytest.raises((ValueError, KeyError), match=problem):
        word_arithmetic_widget(vectors, *words)
