"""vec2gpt.vectors: counts and vectors beside numbers worked by hand and torch's own decompositions."""

import doctest
import math
from collections import Counter

import pytest
import torch

from vec2gpt import corpora, vectors
from vec2gpt.text import Vocab
from vec2gpt.vectors import (
    Accuracy,
    Agreement,
    WordVectors,
    agreement,
    analogy_accuracy,
    cooccurrence,
    one_hot,
    ppmi,
    principal_components,
    svd,
    unit,
)


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(vectors, optionflags=doctest.ELLIPSIS)
    assert (failed, tried > 0) == (0, True)


# ---- one-hot ----


def test_one_hot_is_torchs_and_any_two_words_are_equally_far_apart():
    ids = torch.randint(7, (2, 3, 4), generator=torch.Generator().manual_seed(0))
    assert torch.equal(one_hot(ids, 7), torch.nn.functional.one_hot(ids, 7).float())
    assert one_hot(torch.tensor(1), 3).tolist() == [0, 1, 0]  # of a single id too
    words = one_hot(torch.arange(7), 7)
    torch.testing.assert_close(torch.cdist(words, words), math.sqrt(2) * (1 - torch.eye(7)))
    assert torch.equal(words @ words.T, torch.eye(7))


@pytest.mark.parametrize("ids", [[0, 3], [-1, 0]])
def test_ids_outside_the_vocabulary_are_refused(ids):
    for function in (lambda ids: one_hot(ids, 3), lambda ids: cooccurrence(ids, 3, window=1)):
        with pytest.raises(ValueError, match=f"ids run from {ids[0]} to {ids[1]}, .* has 0 to 2"):
            function(torch.tensor(ids))


# ---- counts ----


def test_cooccurrence_by_hand():
    """ "the cat sat on the mat", two places either way."""
    the, cat, sat, on, mat = range(5)
    counts = cooccurrence(torch.tensor([the, cat, sat, on, the, mat]), 5, window=2)
    pairs = {(the, cat): 1, (the, sat): 2, (the, on): 1, (the, mat): 1}
    pairs |= {(cat, sat): 1, (cat, on): 1, (sat, on): 1, (on, mat): 1}
    expected = torch.zeros(5, 5)
    for (a, b), count in pairs.items():
        expected[a, b] = expected[b, a] = count
    assert torch.equal(counts, expected)


@pytest.mark.parametrize("window", [1, 3, 40])
def test_cooccurrence_is_what_two_loops_count(window):
    ids = torch.randint(6, (30,), generator=torch.Generator().manual_seed(0))
    expected = Counter(
        (ids[i].item(), ids[j].item())
        for i in range(30)
        for j in range(max(0, i - window), min(30, i + window + 1))
        if i != j
    )
    counts = cooccurrence(ids, 6, window=window)
    assert {(a, b): counts[a, b].item() for a, b in counts.nonzero().tolist()} == dict(expected)
    assert torch.equal(counts, counts.T)


def test_a_window_of_nothing_is_refused_and_no_text_has_no_company():
    with pytest.raises(ValueError, match="window is 0"):
        cooccurrence(torch.tensor([0]), 1, window=0)
    assert not cooccurrence(torch.tensor([], dtype=torch.long), 3, window=2).any()


# ---- PPMI ----


def test_ppmi_by_hand():
    """Words 16 and 1 times as contexts: smoothed 8 and 1, so p(c) is 8/9 and 1/9."""
    counts = torch.tensor([[15.0, 0], [1, 1]])  # words 15 and 2 of 17, contexts 16 and 1
    expected = torch.tensor([[math.log(9 / 8), 0], [0, math.log(1 / 2 * 9)]])  # ln (1/2)/(8/9) < 0 becomes 0
    torch.testing.assert_close(ppmi(counts), expected)
    plain = torch.tensor([[math.log(17 / 16), 0], [0, math.log(17 / 2)]])
    torch.testing.assert_close(ppmi(counts, smoothing=1), plain)


def test_whole_numbers_and_shares_are_weighed_as_counts_are():
    counts = torch.tensor([[15, 0, 0], [1, 1, 0], [0, 0, 0]])
    for smoothing in (0.75, 1):
        expected = ppmi(counts.float(), smoothing=smoothing)
        torch.testing.assert_close(ppmi(counts, smoothing=smoothing), expected)
        torch.testing.assert_close(
            ppmi(counts / 1000, smoothing=smoothing), expected
        )  # rows sum to less than 1


def test_words_and_contexts_that_do_not_depend_on_each_other_surprise_nobody():
    independent = torch.tensor([1.0, 2, 4])[:, None] * torch.tensor([3.0, 5, 7])
    torch.testing.assert_close(ppmi(independent, smoothing=1), torch.zeros(3, 3), rtol=0, atol=1e-6)


def test_smoothing_makes_rare_contexts_surprise_less():
    counts = torch.tensor([[70.0, 0], [25, 5]])
    assert 0 < ppmi(counts)[1, 1] < ppmi(counts, smoothing=1)[1, 1]


def test_a_word_without_company_has_an_empty_row():
    counts = torch.tensor([[0.0, 0, 0], [0, 0, 3], [0, 3, 0]])
    weighed = ppmi(counts)
    assert weighed.isfinite().all() and not weighed[0].any() and not weighed[:, 0].any()
    assert weighed[1, 2] == pytest.approx(math.log(2))


# ---- SVD and PCA ----


def random_matrix(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_svd_is_torchs_up_to_signs():
    torch.manual_seed(0)
    matrix = random_matrix(30, 20)
    u, s, _ = torch.linalg.svd(matrix, full_matrices=False)
    ours, theirs = svd(matrix, dim=5), u[:, :5] * s[:5].sqrt()
    torch.testing.assert_close(ours.abs(), theirs.abs(), rtol=0, atol=1e-3)
    assert ours.shape == (30, 5)


def test_no_matrix_of_that_rank_is_nearer():
    """Eckart and Young (1936): the error is the root of the sum of squares of the dropped singular values."""
    torch.manual_seed(0)
    root = random_matrix(12, 12)
    matrix = root @ root.T  # symmetric and positive, so both halves are the same
    half, values = svd(matrix, dim=4), torch.linalg.svdvals(matrix)
    error = (matrix - half @ half.T).norm()
    assert error.item() == pytest.approx(values[4:].square().sum().sqrt().item(), rel=1e-4)
    for seed in range(20):
        other = half + 0.1 * random_matrix(12, 4, seed=seed)
        assert (matrix - other @ other.T).norm() > error


def test_a_matrix_of_that_rank_is_kept_whole():
    torch.manual_seed(0)
    root = random_matrix(40, 6)
    half = svd(root @ root.T, dim=6)
    torch.testing.assert_close(half @ half.T, root @ root.T, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("dim", [0, 4])
def test_svd_in_more_dimensions_than_there_are_is_refused(dim):
    with pytest.raises(ValueError, match=rf"dim is {dim}; a matrix of shape \(5, 3\) has 3"):
        svd(torch.ones(5, 3), dim=dim)


def test_principal_components_are_the_covariances_eigenvectors():
    points = random_matrix(200, 4) * torch.tensor([1.0, 5, 2, 0.1]) + 7
    components = principal_components(points, dim=2)
    _, eigenvectors = torch.linalg.eigh(points.T.cov())
    torch.testing.assert_close(components.abs(), eigenvectors.T.flip(0)[:2].abs(), rtol=0, atol=1e-4)
    assert components[0].abs().argmax() == 1 and components[1].abs().argmax() == 2


def test_unit_vectors_have_length_1_and_nothing_stays_nothing():
    vectors = random_matrix(3, 4, 5)
    vectors[0, 0] = 0
    lengths = unit(vectors).norm(dim=-1)
    assert lengths[0, 0] == 0 and unit(vectors).isfinite().all()
    torch.testing.assert_close(lengths.flatten()[1:], torch.ones(11))


# ---- WordVectors ----

# Two directions that mean something, royal and female, and two words off them.
FAMILY = {
    "man": [0.0, 0, 1],
    "woman": [0.0, 1, 1],
    "king": [1.0, 0, 1],
    "queen": [1.0, 1, 1],
    "cat": [-1.0, 0.2, -1],
    "dog": [-1.0, 0.1, -1],
}


@pytest.fixture
def family() -> WordVectors:
    return WordVectors(list(FAMILY), torch.tensor(list(FAMILY.values())))


def test_a_word_vector_is_its_row_and_words_are_numbered_in_their_order(family):
    assert len(family) == 6 and repr(family) == "WordVectors(6 words, 3 dimensions)"
    assert family["queen"].tolist() == FAMILY["queen"]
    assert "cat" in family and "mouse" not in family
    assert family.first(2).vocab.tokens == ["man", "woman"] and len(family.first(6)) == 6
    assert torch.equal(family.first(2)["woman"], family["woman"])


def test_only_some_of_the_words(family):
    two = family.only(word for word in ("woman", "man"))
    assert two.vocab.tokens == ["woman", "man"] and torch.equal(two["man"], family["man"])
    with pytest.raises(KeyError, match="'womn' is not among"):
        family.only(["womn"])


def test_cosine_is_torchs(family):
    expected = torch.cosine_similarity(family["king"], family["cat"], dim=0)
    assert family.cosine("king", "cat") == pytest.approx(expected.item())
    assert family.cosine("king", "king") == pytest.approx(1)


def test_vectors_may_come_from_numpy_a_parameter_or_with_a_vocabulary(family):
    matrix = torch.tensor(list(FAMILY.values()))
    for other in (
        WordVectors(FAMILY, matrix.numpy().astype("float64")),
        WordVectors(Vocab(FAMILY, specials=()), torch.nn.Parameter(matrix)),
    ):
        assert other.neighbours("king") == family.neighbours("king")
        assert not other.matrix.requires_grad


def test_training_on_does_not_move_the_vectors():
    table = torch.nn.Parameter(torch.eye(2))
    vectors = WordVectors(["a", "b"], table)
    table.data.fill_(7)
    assert torch.equal(vectors.matrix, torch.eye(2)) and torch.equal(vectors.directions, torch.eye(2))


def test_what_cannot_be_asked_is_refused(family):
    east = torch.tensor([1.0, 0, 0])
    asked = {
        "count is 0; ask for 1": lambda: family.neighbours("king", count=0),
        r"leave_out is a list of words: \['cat'\]": lambda: family.neighbours(east, leave_out="cat"),
        r"has the shape \(3,\), got \(2,\)": lambda: family.neighbours(east[:2]),
        r"has the shape \(3,\), got \(1, 3\)": lambda: family.neighbours(east[None]),
        "holds nan or inf": lambda: family.neighbours(east / 0),
        "count is 0, but there are 1 to 6": lambda: family.first(0),
        "count is 7, but there are 1 to 6": lambda: family.first(7),
        r"four words .* not \('man', 'king'\)": lambda: analogy_accuracy(family, [("man", "king")]),
        "four words .* not 'mane'": lambda: analogy_accuracy(family, ["mane"]),
    }
    for said, ask in asked.items():
        with pytest.raises(ValueError, match=said):
            ask()


def test_neighbours_are_sorted_complete_and_never_the_word_itself(family):
    for word in FAMILY:
        others = {other: pytest.approx(family.cosine(word, other)) for other in FAMILY if other != word}
        found = family.neighbours(word)
        assert dict(found) == others
        assert [n.cosine for n in found] == sorted((n.cosine for n in found), reverse=True)
        assert family.neighbours(word, count=2) == found[:2]


def test_neighbours_of_a_place_between_words(family):
    found = family.neighbours(torch.tensor([-1.0, 0.2, -1]), count=2)
    assert [n.word for n in found] == ["cat", "dog"] and found[0].cosine == pytest.approx(1)


@pytest.mark.parametrize("leave_out", [["cat", "dog"], ("cat", "dog", "cat"), iter(["cat", "dog"])])
def test_what_is_left_out_is_left_out(family, leave_out):
    found = family.neighbours(torch.tensor([-1.0, 0.2, -1]), leave_out=leave_out)
    assert {n.word for n in found} == {"man", "woman", "king", "queen"}
    assert all(math.isfinite(n.cosine) for n in found)


def test_asking_changes_nothing(family):
    before = family.directions.clone()
    family.neighbours("king"), family.analogy("man", "king", "woman")
    assert torch.equal(family.directions, before)


def test_an_analogy_is_solved_with_vectors_of_length_1(family):
    found = family.analogy("man", "king", "woman", count=2)
    assert found[0].word == "queen"
    a, b, c = (unit(family[word]) for word in ("man", "king", "woman"))
    expected = torch.cosine_similarity(b - a + c, family["queen"], dim=0)
    assert found[0].cosine == pytest.approx(expected.item())
    assert not {"man", "king", "woman"} & {n.word for n in family.analogy("man", "king", "woman")}


def test_an_unknown_word_is_answered_with_the_nearest_known(family):
    asked = (
        lambda: family["quen"],
        lambda: family.cosine("king", "quen"),
        lambda: family.neighbours("quen"),
        lambda: family.neighbours("king", leave_out=["quen"]),
        lambda: family.analogy("man", "king", "quen"),
    )
    for ask in asked:
        with pytest.raises(KeyError, match=r"'quen' is not among the 6 tokens known.*'queen'"):
            ask()


@pytest.mark.parametrize("shape", [(5, 3), (6,), (6, 3, 1)])
def test_words_need_as_many_rows(shape):
    with pytest.raises(ValueError, match="6 words need as many rows"):
        WordVectors(list(FAMILY), torch.zeros(shape))


# ---- how good they are ----


def test_agreement_by_hand(family):
    """cat-dog above king-queen above man-cat, as people have it; two pairs are not known."""
    pairs = [("cat", "dog", 9.0), ("king", "queen", 8.0), ("man", "cat", 1.0), ("cat", "mouse", 5.0)]
    pairs.append(("mouse", "dog", 0.0))
    assert agreement(family, pairs) == Agreement(pytest.approx(1), 3, 5)
    upside_down = [(a, b, -score) for a, b, score in pairs]
    assert agreement(family, iter(upside_down)).rho == pytest.approx(-1)


def test_one_known_pair_has_no_order(family):
    with pytest.raises(ValueError, match="of 2 pairs, 1 have two known words"):
        agreement(family, [("cat", "dog", 1.0), ("cat", "mouse", 2.0)])


def test_analogy_accuracy_is_what_asking_one_by_one_gives(family):
    questions = [
        ("man", "king", "woman", "queen"),  # right
        ("man", "woman", "king", "queen"),  # right
        ("man", "king", "woman", "dog"),  # wrong
        ("man", "king", "mouse", "queen"),  # unknown
    ]
    accuracy = analogy_accuracy(family, questions)
    alone = [q for q in questions if "mouse" not in q and family.analogy(*q[:3])[0].word == q[3]]
    assert accuracy == Accuracy(len(alone), 3, 4) == Accuracy(2, 3, 4)
    assert accuracy.share == pytest.approx(2 / 3)


def test_the_words_asked_are_the_answer_where_they_may_be():
    """woman is nearest to itself, moved a little towards the king."""
    vectors = WordVectors(
        ["man", "king", "woman", "queen"], torch.tensor([[1.0, 0], [1.0, 0.2], [0, 1], [-0.4, 1]])
    )
    question = [("man", "king", "woman", "queen")]
    assert analogy_accuracy(vectors, question).right == 1
    assert analogy_accuracy(vectors, question, leave_out_asked=False).right == 0
    asked = [("man", "king", "woman", "woman")]
    assert analogy_accuracy(vectors, asked, leave_out_asked=False).right == 1


@pytest.mark.parametrize("questions", [[], [("a", "b", "c", "d")]])
def test_questions_that_cannot_be_asked_have_no_share_of_right_answers(family, questions):
    accuracy = analogy_accuracy(family, questions)
    assert accuracy == Accuracy(0, 0, len(questions)) and math.isnan(accuracy.share)


# ---- the real thing ----


@pytest.fixture(scope="module")
def glove() -> WordVectors:
    return WordVectors(*corpora.glove())


@pytest.mark.slow
def test_glove_knows_what_it_is_known_for(glove):
    assert glove.analogy("man", "king", "woman")[0].word == "queen"
    assert "toad" in {n.word for n in glove.neighbours("frog")}
    assert agreement(glove, corpora.word_pairs("wordsim353")).rho == pytest.approx(0.50, abs=0.01)
    assert agreement(glove, corpora.word_pairs("simlex999")).rho == pytest.approx(0.265, abs=0.01)


@pytest.mark.slow
def test_glove_answers_half_of_the_analogies(glove):
    questions = [question for category in corpora.analogies().values() for question in category[:60]]
    accuracy = analogy_accuracy(glove.first(50_000), questions)
    assert accuracy.covered > 600 and 0.3 < accuracy.share < 0.65
