"""The translation ladder's task: from a word's spelling to its phonemes, on words the model never saw."""

from itertools import groupby

import torch
from torch.nn.utils.rnn import pad_sequence

from vec2gpt import corpora
from vec2gpt.decoding import greedy
from vec2gpt.language import IGNORED
from vec2gpt.recipes.task import Task
from vec2gpt.text import Vocab

LONGEST = 32  # phonemes a model may say; no word of the dictionary needs more


def task(*, size):
    """Batches of `size` words of one length, each with its usual pronunciation, stress marks dropped."""
    said, words = corpora.cmudict(), corpora.cmudict_split()
    source = Vocab.build(letter for word in words.train for letter in word)
    target = Vocab.build(phoneme for word in words.train for phoneme in said[word][0])

    def measure(model):
        return {"word_exact_match": exact_match(model, words.test, said, source=source, target=target)}

    pairs = [(spell(word, source), target.encode(said[word][0])) for word in words.train]
    draw = same_length(pairs, size=size, bos=target["<bos>"], eos=target["<eos>"], pad=target["<pad>"])
    return Task({"source": source, "target": target}, draw, measure, corpora.corpus("cmudict").sha256)


def spell(word, vocab):
    """The ids of a word's letters and of the <eos> behind them, on which attention rests when all is said."""
    return [*vocab.encode(word), vocab["<eos>"]]


def same_length(pairs, *, size, bos, eos, pad):
    """Draw `(source_ids, decoder_ids, targets)` of `size` pairs whose sources are equally long.

    A length comes up as often as it has pairs, so every pair is as likely as any other.
    """
    by_length = {}
    for source, target in pairs:
        by_length.setdefault(len(source), []).append((source, target))
    buckets = [_tensors(bucket, bos=bos, eos=eos, pad=pad) for bucket in by_length.values()]
    sizes = torch.tensor([float(len(bucket)) for bucket in by_length.values()])

    def draw(generator):
        bucket = buckets[torch.multinomial(sizes, 1, generator=generator).item()]
        chosen = torch.randint(len(bucket[0]), (size,), generator=generator)
        source, decoder, targets = (tensor[chosen] for tensor in bucket)
        needed = (targets != IGNORED).any(0)  # the longest target drawn decides T
        return source, decoder[:, needed], targets[:, needed]

    return draw


def _tensors(pairs, *, bos, eos, pad):
    """Sources (N, S), decoder inputs <bos> y₁ … yₙ and targets y₁ … yₙ <eos>, both (N, T) and padded."""
    source = torch.tensor([source for source, _ in pairs])
    decoder = [torch.tensor([bos, *target]) for _, target in pairs]
    targets = [torch.tensor([*target, eos]) for _, target in pairs]
    return (
        source,
        pad_sequence(decoder, batch_first=True, padding_value=pad),
        pad_sequence(targets, batch_first=True, padding_value=IGNORED),
    )


def exact_match(model, words, said, *, source, target):
    """The share of words that the model pronounces in one of the listed ways, said[word]."""
    right = 0
    for _, group in groupby(sorted(words, key=len), key=len):  # words of one length need no padding
        group = list(group)
        spoken = pronounce(model, group, source=source, target=target)
        right += sum(phonemes in said[word] for word, phonemes in zip(group, spoken, strict=True))
    return right / len(words)


def pronounce(model, words, *, source, target):
    """What the model says for each word: a list of phonemes each."""
    letters = [torch.tensor(spell(word, source)) for word in words]
    ids = greedy(model, pad_sequence(letters, batch_first=True, padding_value=source["<pad>"]), limit=LONGEST)
    return [[token for token in target.decode(row) if token not in target.specials] for row in ids.tolist()]
