"""Which should I use? A flow chart of questions, as data: each leaf names a model and what it must beat.

The advice is of this book: where its ladders have measured a leaf, `rows` says where, and `measured` reads
the figures. Left out: price, licence, and what your users may want; they decide as often.
"""

from functools import cache
from typing import NamedTuple

from vec2gpt.scoreboard import LADDERS, SPREAD, scoreboard

_board = cache(scoreboard)


class Row(NamedTuple):
    """Of which row of a scoreboard a leaf speaks."""

    ladder: str
    budget: str
    model: str
    labels: int | None = None


class Question(NamedTuple):
    asks: str
    why: str
    options: dict[str, str]  # the answer -> the next question, or leaf


class Advice(NamedTuple):
    use: str
    why: str
    chapter: int  # which builds it
    beat: str  # the baseline: what must be worse, or the model is not worth it
    beat_chapter: int
    mind: str  # what goes wrong
    rows: tuple[Row, ...] = ()  # of the model, then of the baseline


START = "output"
QUESTIONS = {
    "output": Question(
        "What should come out?",
        "What comes out decides the family; what goes in is text in every case.",
        {
            "A class or a number for each text, or pair of texts": "labels",
            "Something for each word: names, parts of speech": "a head on tokens",
            "Another text that says the same: translation, summary, sounds": "pairs",
            "A text that goes on, or answers": "free",
            "The texts, or words, that are most alike": "alike",
        },
    ),
    "labels": Question(
        "How many labelled examples have you?",
        "Labels are the dearest part: a pretrained model stands in for many of them.",
        {"None": "a prompt", "Tens": "frozen encoder", "Hundreds or more": "language"},
    ),
    "language": Question(
        "Is there a pretrained encoder for your language?",
        "Its tokenizer must know the script, and its texts should resemble yours.",
        {"Yes": "domain", "No": "tf-idf"},
    ),
    "domain": Question(
        "Do your texts read like those it was pretrained on?",
        "Reviews and news do; contracts, case notes and chemistry do not.",
        {"Yes, more or less": "tuned encoder", "No, and I have many of them unlabelled": "encoder, read on"},
    ),
    "pairs": Question(
        "Is there a model pretrained for it?",
        "For translation and summaries in large languages there is; for your own codes there is not.",
        {
            "Yes": "T5, BART, Marian",
            "No, but I have many pairs of texts": "hours",
            "Neither": "few-shot prompt",
        },
    ),
    "hours": Question(
        "How long may it train?",
        "A Transformer needs more steps than a recurrent network before it is ahead.",
        {"Minutes": "recurrent, with attention", "An hour or more": "Transformer"},
    ),
    "free": Question(
        "Must it do what people ask of it?",
        "A language model continues. To answer is a habit that is taught.",
        {
            "Yes, any request": "an assistant",
            "Yes, and from documents of mine": "search and assistant",
            "No: it continues text of one kind": "own-text",
        },
    ),
    "own-text": Question(
        "May it be large, and pretrained by others?",
        "Style is learned from a few megabytes; knowledge is not.",
        {"Yes": "GPT, tuned", "No: small, and from my text alone": "small"},
    ),
    "small": Question(
        "How long may it train?",
        "Counting is done in seconds, and is hard to beat.",
        {"Seconds": "n-gram", "An hour": "small GPT"},
    ),
    "alike": Question(
        "Texts or words?",
        "A word's vector is looked up; a text's is computed.",
        {"Texts": "sentence vectors", "Words": "word vectors"},
    ),
}

_LABELS = "understanding", "few labels"
ADVICE = {
    "a prompt": Advice(
        "A large decoder that follows instructions, with a prompt",
        "Without labels nothing can be tuned; a template with a slot puts the task as text.",
        12,
        "tf-idf and logistic regression on 50 labels, which an hour gives you",
        11,
        "Wordings differ by many points: label a few dozen to find out how good it is.",
    ),
    "frozen encoder": Advice(
        "A pretrained encoder, frozen, and logistic regression on its vectors",
        "Few numbers are learned from few labels; it runs without a GPU.",
        11,
        "the mean of GloVe vectors, and the same regression",
        11,
        "At this size the spread over samples of labels is as large as most differences.",
        (Row(*_LABELS, "minilm, frozen", 50), Row(*_LABELS, "glove", 50)),
    ),
    "tuned encoder": Advice(
        "A pretrained encoder, tuned whole, with a head",
        "From some hundreds of labels on, tuning is ahead of freezing.",
        11,
        "tf-idf and logistic regression",
        11,
        "Several seeds: tuning fails now and then. It forgets what it was not tuned for.",
        (Row(*_LABELS, "minilm, tuned", 800), Row(*_LABELS, "tf-idf", 800)),
    ),
    "encoder, read on": Advice(
        "The encoder, pretrained on with your unlabelled texts, then tuned",
        "It learns your words from gaps before it learns your labels.",
        10,
        "the same encoder, tuned without reading on",
        11,
        "Try the plain one first: reading on helps where texts are far away and many.",
    ),
    "tf-idf": Advice(
        "tf-idf and logistic regression",
        "Counting needs no pretraining and no GPU, and gains with every label.",
        11,
        "always saying the more frequent class",
        11,
        "Words it has never counted say nothing. With few labels try word vectors too, if there are some.",
        (Row(*_LABELS, "tf-idf", 2400), Row(*_LABELS, "bert from scratch", 2400)),
    ),
    "a head on tokens": Advice(
        "A pretrained encoder with a head on every token",
        "Each token's vector knows both sides of it.",
        11,
        "a list of the names seen in training, and capital letters",
        11,
        "Count whole spans, not tokens, and names that were never seen apart.",
    ),
    "T5, BART, Marian": Advice(
        "That encoder-decoder: T5, BART or Marian, tuned on your pairs",
        "It reads from both sides and writes at another length.",
        14,
        "for summaries the first sentences; for translation a phrase table or the model untuned",
        5,
        "It may write fluently what the input does not say: check facts, not only ROUGE or BLEU.",
    ),
    "few-shot prompt": Advice(
        "A large decoder, with a few pairs in its prompt",
        "What a prompt shows needs no training.",
        12,
        "the rules that you would write by hand in a day",
        4,
        "Order and choice of the examples matter: measure over several.",
    ),
    "recurrent, with attention": Advice(
        "A recurrent encoder-decoder with attention",
        "After a minute of training it is ahead of a Transformer of its size.",
        6,
        "the same without attention",
        4,
        "Scaled dot scores; a bidirectional encoder helps.",
        (
            Row("translation", "equal steps", "attention: scaled dot"),
            Row("translation", "equal steps", "gru"),
        ),
    ),
    "Transformer": Advice(
        "A Transformer with encoder and decoder, from scratch",
        "Given time and pairs enough it is ahead of all that came before.",
        7,
        "the recurrent one with attention",
        6,
        "Warm-up, and enough pairs: on few it learns them by heart.",
        (
            Row("translation", "long run", "cmudict-transformer"),
            Row("translation", "long run", "cmudict-attention"),
        ),
    ),
    "an assistant": Advice(
        "A large decoder, tuned on instructions and preferences",
        "Pretraining gives it knowledge, tuning the habit of answering.",
        13,
        "the same model untuned, with a good prompt and examples",
        12,
        "It is most fluent where it is wrong. What it was rewarded for is not what you want.",
    ),
    "search and assistant": Advice(
        "A search for passages, and an assistant that writes from them",
        "What was found can be named, renewed and checked; what a model remembers cannot.",
        13,
        "the search alone, showing its best passages",
        13,
        "What is not found is not known: measure the search by itself first.",
    ),
    "GPT, tuned": Advice(
        "A pretrained decoder, tuned on your text with LoRA",
        "It brings the language; your text brings the kind.",
        12,
        "the same model untuned, with a page of your text as its prompt",
        12,
        "It repeats what it has read: look for your own sentences in what it writes.",
    ),
    "n-gram": Advice(
        "An n-gram model with Kneser-Ney or Witten-Bell smoothing",
        "It counts all of the text in seconds; at this budget no network is ahead.",
        2,
        "counts of single letters",
        2,
        "It sees a few letters, and nothing further back.",
        (Row("language", "equal steps", "n-gram"), Row("language", "equal steps", "unigram")),
    ),
    "small GPT": Advice(
        "A small GPT, trained from scratch",
        "It looks back hundreds of letters, and pays for it in training.",
        12,
        "the best n-gram on all of your text",
        2,
        "Of few letters it learns every one by heart: watch the held-out loss.",
        (Row("language", "long run", "shakespeare-gpt"), Row("language", "equal steps", "n-gram")),
    ),
    "sentence vectors": Advice(
        "A pretrained encoder that was tuned for whole sentences, such as MiniLM",
        "Near vectors were taught to mean alike texts; a plain BERT's were not.",
        10,
        "tf-idf vectors and their cosine",
        11,
        "Longer texts are cut off, or must be read in pieces.",
    ),
    "word vectors": Advice(
        "Word vectors: skip-gram or GloVe",
        "They are trained once, and looking up costs nothing.",
        1,
        "counts of neighbours as PPMI, cut down by SVD",
        1,
        "One vector a word: a river's bank and a money's bank share theirs.",
    ),
}


def follow(*answers: str) -> Question | Advice:
    """What stands at the end of these answers.

    >>> follow("The texts, or words, that are most alike", "Words").chapter
    1

    ValueError: an answer is none of the question's, or there is no more question.
    """
    at = START
    for answer in answers:
        if at in ADVICE:
            raise ValueError(f"{answer!r} answers nothing: {ADVICE[at].use!r} is already the advice")
        options = QUESTIONS[at].options
        if answer not in options:
            raise ValueError(f"{QUESTIONS[at].asks} {answer!r} is none of {', '.join(map(repr, options))}")
        at = options[answer]
    return ADVICE[at] if at in ADVICE else QUESTIONS[at]


def measured(advice: Advice) -> list[dict]:
    """What the scoreboards say of the advice's rows: each row's place, its score, mean, spread and seeds.

    KeyError: a scoreboard has no such row.
    """
    return [_figures(row) for row in advice.rows]


def _figures(row: Row) -> dict:
    table, score = _board(row.ladder), next(iter(LADDERS[row.ladder].scores))
    is_it = (table["model"] == row.model) & (table["budget"] == row.budget)
    if row.labels is not None:
        is_it &= table["labels"] == row.labels
    if is_it.sum() != 1:
        raise KeyError(f"the scoreboard {row.ladder!r} has {is_it.sum()} rows for {row}: mend `choosing`")
    [found] = table[is_it].to_dict("records")
    spread = None if found["seeds"] < 2 else found[SPREAD + score]
    return row._asdict() | {"score": score, "mean": found[score], "spread": spread, "seeds": found["seeds"]}
