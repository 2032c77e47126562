"""metrics.overlap beside sacrebleu and rouge-score, and numbers worked by hand."""

import doctest
import math
import random
from collections import Counter
from itertools import combinations, zip_longest

import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF

from vec2gpt.metrics import overlap
from vec2gpt.metrics.overlap import (
    alignment_error_rate,
    bleu,
    brevity_penalty,
    chrf,
    clipped_matches,
    longest_common_subsequence,
    ngram_counts,
    rouge,
    sentence_bleu,
)


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(overlap)
    assert (failed, tried > 0) == (0, True)


# ---- random texts: of few words, so that they repeat and match; some short, some hypotheses empty ----


def corpora(count, *, longest=9, references=1, seed=0):
    """Pairs of hypotheses and references, 1 to 6 sentences each, with 1 to `references` references each."""
    choose = random.Random(seed)

    def sentence(shortest):
        return choose.choices(("la", "le", "voiture", "bleue", "est"), k=choose.randint(shortest, longest))

    for _ in range(count):
        size = choose.randint(1, 6)
        meant = [[sentence(1) for _ in range(choose.randint(1, references))] for _ in range(size)]
        # half of the hypotheses are a reference with some words left out, so that long n-grams match too
        said = [
            [word for word in choose.choice(listed) if choose.random() < 0.85]
            if choose.random() < 0.5
            else sentence(0)
            for listed in meant
        ]
        yield said, meant


def text(tokens):
    return " ".join(tokens)


def streams(references):
    """As sacrebleu wants them: all first references, all second ones, …; None where a sentence has fewer."""
    return list(zip_longest(*([text(tokens) for tokens in listed] for listed in references)))


KINDS = pytest.mark.parametrize(
    ("longest", "references"), [(9, 1), (9, 4), (3, 1), (3, 2), (40, 1), (40, 3)]
)  # sentences of 3 tokens have no 4-gram, those of 40 repeat theirs


def test_the_random_texts_hold_the_odd_cases():
    sample = [pair for pairs in corpora(200, references=4) for pair in zip(*pairs, strict=True)]
    assert any(not said for said, _ in sample)
    assert any(0 < len(said) < 4 for said, _ in sample)
    assert any(len(said) > len(set(said)) for said, _ in sample)
    assert {len(listed) for _, listed in sample} == {1, 2, 3, 4}


# ---- n-grams ----


def test_ngrams_are_the_runs_of_tokens():
    tokens = list("ababc")
    assert ngram_counts(tokens, 2) == Counter({("a", "b"): 2, ("b", "a"): 1, ("b", "c"): 1})
    assert [ngram_counts(tokens, n).total() for n in range(1, 8)] == [5, 4, 3, 2, 1, 0, 0]


# ---- BLEU ----


@KINDS
def test_bleu_is_that_of_sacrebleu(longest, references):
    positive = 0
    for said, meant in corpora(150, longest=longest, references=references, seed=longest):
        score = bleu(said, meant)
        wanted = BLEU(tokenize="none").corpus_score([text(tokens) for tokens in said], streams(meant)).score
        assert score == pytest.approx(wanted, abs=1e-9)
        positive += score > 0
    assert positive > 30 or longest < 4


@KINDS
def test_bleu_of_a_sentence_is_that_of_sacrebleu(longest, references):
    peer, positive = BLEU(tokenize="none", effective_order=True), 0
    for pairs in corpora(100, longest=longest, references=references, seed=longest):
        for said, listed in zip(*pairs, strict=True):
            wanted = peer.sentence_score(text(said), [text(tokens) for tokens in listed]).score
            assert sentence_bleu(said, listed) == pytest.approx(wanted, abs=1e-9)
            positive += wanted > 0
    assert positive > 50


@KINDS
def test_the_parts_of_bleu_are_those_of_sacrebleu(longest, references):
    for said, meant in corpora(50, longest=longest, references=references, seed=longest + 1):
        peer = BLEU(tokenize="none").corpus_score([text(tokens) for tokens in said], streams(meant))
        assert clipped_matches(said, meant) == list(zip(peer.counts, peer.totals, strict=True))
        assert brevity_penalty(said, meant) == pytest.approx(peer.bp)


def test_the_example_of_the_paper_is_clipped():
    """Papineni et al., section 2.1: "the" seven times has a unigram precision of 2/7, not 7/7."""
    references = ["the cat is on the mat", "there is a cat on the mat"]
    assert clipped_matches([["the"] * 7], [list(map(str.split, references))])[0] == (2, 7)


def test_the_closest_length_counts_and_the_shorter_of_two():
    references = [["a"] * 2, ["a"] * 4, ["a"] * 9]
    assert brevity_penalty([["a"] * 3], [references]) == 1
    assert brevity_penalty([["a"] * 7], [references]) == pytest.approx(math.exp(1 - 9 / 7))
    assert brevity_penalty([[]], [references]) == 0


def test_what_is_said_word_for_word_has_bleu_100_and_any_order_counts_for_less():
    sentence = ["the", "blue", "car", "stands", "in", "front", "of", "the", "red", "house"]
    assert bleu([sentence], [[sentence]]) == pytest.approx(100)
    assert 0 < bleu([sentence[5:] + sentence[:5]], [[sentence]]) < 100
    assert bleu([["nothing", "at", "all", "alike"]], [[sentence]]) == 0


def test_where_bleu_misleads_short_sentences_score_nothing_though_right():
    assert bleu([["la", "voiture"]], [[["la", "voiture"]]]) == 0
    assert sentence_bleu(["la", "voiture"], [["la", "voiture"]]) == pytest.approx(100)


# ---- ROUGE ----


class Spaces:
    """For rouge-score, whose own tokenizer drops what is neither a–z nor a digit."""

    tokenize = staticmethod(str.split)


@KINDS
def test_rouge_is_the_mean_of_that_of_rouge_score(longest, references):
    peer, positive = RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=Spaces()), 0
    for said, meant in corpora(60, longest=longest, references=references, seed=longest):
        wanted = [
            peer.score_multi([text(tokens) for tokens in listed], text(tokens))
            for tokens, listed in zip(said, meant, strict=True)
        ]
        for name, score in rouge(said, meant).items():
            mean = [sum(column) / len(wanted) for column in zip(*(w[name] for w in wanted), strict=True)]
            assert score == pytest.approx(mean)
            positive += name == "rouge2" and score.f1 > 0
    assert positive > 30


def one(said, meant):
    return rouge([said.split()], [[meant.split()]])


def test_rouge_counts_in_both_directions():
    """Of a summary of two words, both in a reference of eight, all is right and a quarter is there."""
    score = one("police killed", "police killed the gunman in front of it")
    assert (score["rouge1"].precision, score["rouge1"].recall) == (1, 1 / 4)
    assert (score["rouge2"].precision, score["rouge2"].recall) == (1, 1 / 7)
    assert score["rougeL"].f1 == pytest.approx(2 * 1 * (1 / 4) / (5 / 4))


def test_the_order_of_parts_is_seen_by_rouge_l_alone():
    """Lin (2004), section 3.1: both keep three words and "the gunman" whole, but only one the order."""
    first = one("police kill the gunman", "police killed the gunman")
    second = one("the gunman kill police", "police killed the gunman")
    assert first["rouge1"] == second["rouge1"] and first["rouge2"] == second["rouge2"]
    assert (first["rougeL"].f1, second["rougeL"].f1) == (3 / 4, 1 / 2)


def test_a_subsequence_is_the_longest_of_those_in_both():
    choose = random.Random(0)
    for _ in range(60):
        first, second = (choose.choices("abc", k=choose.randrange(7)) for _ in range(2))
        of_first, of_second = subsequences(first), subsequences(second)
        assert longest_common_subsequence(first, second) == max(map(len, of_first & of_second))


def subsequences(tokens):
    return {part for size in range(len(tokens) + 1) for part in combinations(tokens, size)}


# ---- chrF ----


@KINDS
def test_chrf_is_that_of_sacrebleu(longest, references):
    positive = 0
    for said, meant in corpora(60, longest=longest, references=references, seed=longest):
        said, meant = (
            [text(tokens) for tokens in said],
            [[text(tokens) for tokens in listed] for listed in meant],
        )
        wanted = CHRF().corpus_score(said, list(zip_longest(*meant))).score
        assert chrf(said, meant) == pytest.approx(wanted, abs=1e-9)
        positive += wanted > 0
    assert positive > 30


def test_chrf_of_few_characters_is_that_of_sacrebleu():
    """Shorter than 6 characters, so that n-grams are missing on the one side, the other, or both."""
    choose = random.Random(0)
    for _ in range(500):
        said, *meant = ("".join(choose.choices("abé \t", k=choose.randint(0, 8))) for _ in range(3))
        meant = ["a" + string for string in meant]
        wanted = CHRF().sentence_score(said, meant).score
        assert chrf([said], [meant]) == pytest.approx(wanted, abs=1e-9)


def test_a_wrong_ending_costs_chrf_less_than_bleu():
    said, meant = "la voiture bleu est petit", "la voiture bleue est petite"
    assert chrf([said], [[meant]]) > 80 > 40 > bleu([said.split()], [[meant.split()]])


def test_spaces_do_not_count():
    assert chrf(["la voi ture"], [["lavoiture"]]) == pytest.approx(100)
    assert chrf(["xyz"], [["abc"]]) == chrf([" "], [["abc"]]) == 0


# ---- alignments ----

SURE, POSSIBLE = {(0, 0), (1, 2)}, {(2, 1), (2, 2)}


def test_the_error_rate_of_alignments_by_hand():
    """Found 4, of them 1 sure and 2 possible, of 2 sure: 1 − (1 + 2) / (4 + 2)."""
    found = {(0, 0), (2, 1), (0, 1), (1, 1)}
    assert alignment_error_rate(found, SURE, POSSIBLE) == pytest.approx(1 / 2)
    assert alignment_error_rate(found, SURE, POSSIBLE | SURE) == pytest.approx(1 / 2)


def test_possible_links_may_be_drawn_or_not():
    assert alignment_error_rate(SURE, SURE, POSSIBLE) == 0
    assert alignment_error_rate(SURE | POSSIBLE, SURE, POSSIBLE) == 0
    assert alignment_error_rate(SURE | POSSIBLE, SURE) == pytest.approx(1 - 4 / 6)
    assert alignment_error_rate(set(), SURE) == alignment_error_rate({(9, 9)}, SURE, POSSIBLE) == 1


def test_where_all_links_are_sure_it_is_one_minus_f1():
    choose = random.Random(0)
    for _ in range(50):
        found, sure = ({(choose.randrange(4), choose.randrange(4)) for _ in range(6)} for _ in range(2))
        precision, recall = len(found & sure) / len(found), len(found & sure) / len(sure)
        f1 = 2 * precision * recall / (precision + recall) if precision else 0
        assert alignment_error_rate(list(found), iter(sure)) == pytest.approx(1 - f1)


# ---- what a reader can get wrong ----


@pytest.mark.parametrize("score", [bleu, rouge, clipped_matches, brevity_penalty])
@pytest.mark.parametrize(
    ("hypotheses", "references", "complaint"),
    [
        ([], [], "hypotheses are empty"),
        ([["a"]], [[["a"]], [["b"]]], "1 hypotheses, but references for 2"),
        (["la voiture"], [[["la", "voiture"]]], r"hypotheses\[0\] is 'la voiture', not a list of tokens"),
        ([["la"]], [["la"]], r"references\[0\]\[0\] is 'la', not a list of tokens"),
        ([["la"]], [[[]]], r"references\[0\]\[0\] is empty"),
    ],
)
def test_what_cannot_be_judged_is_refused(score, hypotheses, references, complaint):
    with pytest.raises(ValueError, match=complaint):
        score(hypotheses, references)


def test_one_sentence_is_asked_about_in_the_same_way():
    with pytest.raises(ValueError, match=r"references\[0\]\[0\] is 'la', not a list of tokens"):
        sentence_bleu(["la"], ["la"])


@pytest.mark.parametrize(
    ("hypotheses", "references", "complaint"),
    [
        ([["la"]], [["la"]], r"hypotheses\[0\] is \['la'\], not a string"),
        (["la"], ["la"], r"references\[0\] is 'la': give a list of one reference or more"),
        (["la"], [[["la"]]], r"references\[0\]\[0\] is \['la'\], not a string"),
        (["la"], [["la", " \n"]], r"references\[0\]\[1\] is empty"),
    ],
)
def test_chrf_takes_strings(hypotheses, references, complaint):
    with pytest.raises(ValueError, match=complaint):
        chrf(hypotheses, references)


def test_links_are_tuples_and_some_are_sure():
    with pytest.raises(ValueError, match="sure is empty"):
        alignment_error_rate(SURE, set(), POSSIBLE)
    with pytest.raises(ValueError, match=r"found hold \[0, 0\]: a link is a tuple of places"):
        alignment_error_rate([[0, 0]], SURE)
    with pytest.raises(ValueError, match="possible hold 2"):
        alignment_error_rate(SURE, SURE, (2, 1))
