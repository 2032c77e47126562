"""The translation ladder's task: from a word's spelling to its phonemes, on words the model never saw."""

from functools import cache
from itertools import chain, groupby

from vec2gpt import corpora
from vec2gpt.decoding import greedy, until_end
from vec2gpt.metrics import token_error_rate, word_error_rate
from vec2gpt.pairs import bucketed, padded
from vec2gpt.phonemes import unstressed
from vec2gpt.recipes.task import Task, device
from vec2gpt.text import Vocab

LONGEST = 32  # phonemes a model may say; no word of the dictionary needs more
CONTEXT = 48  # room for the letters of every word, and for as many phonemes
GLANCE = 5  # every fifth validation word is spoken for a quick look


@cache
def vocabs():
    """The letters and the phonemes of the training words, stress marks dropped: (source, target)."""
    said, words = corpora.cmudict(), corpora.cmudict_split()
    source = Vocab.build(chain.from_iterable(words.train))
    return source, Vocab.build(chain.from_iterable(said[word][0] for word in words.train))


def spell(word, vocab):
    """The ids of a word's letters and of the <eos> behind them, on which attention rests when all is said."""
    return [*vocab.encode(word), vocab["<eos>"]]


def pairs(words, *, spell=spell):
    """The ids of each word's spelling, and of its usual pronunciation."""
    said, (source, target) = corpora.cmudict(), vocabs()
    return [(spell(word, source), target.encode(said[word][0])) for word in words]


def batches(*, size, spell=spell):
    """Draw `size` training words of one length, as `pairs.bucketed` does."""
    _, target = vocabs()
    marks = {name: target[f"<{name}>"] for name in ("bos", "eos", "pad")}
    return bucketed(pairs(corpora.cmudict_split().train, spell=spell), size=size, **marks)


def task(*, size):
    """Batches of `size` words, and the share of unseen words and phonemes that a model says wrong."""
    words = corpora.cmudict_split()
    source, target = vocabs()

    def validate(model):
        return judge(model, words.validation[::GLANCE])["word_error_rate"]

    def measure(model):
        return {
            f"{part}_{name}": rate
            for part in ("validation", "test")
            for name, rate in judge(model, getattr(words, part)).items()
        }

    data = corpora.corpus("cmudict").sha256
    return Task({"source": source, "target": target}, batches(size=size), measure, data, validate)


def judge(model, words, *, source=None, target=None, spell=spell):
    """How much of `words` a model says wrong: the word and the phoneme error rate, 0 … 1.

    Any pronunciation that the dictionary lists is right; the phonemes are counted from the nearest of them.
    The vocabularies are those of the task unless both others are given.
    """
    if source is None or target is None:
        source, target = vocabs()
    spoken = pronounce(model, words, source=source, target=target, spell=spell)
    said = corpora.cmudict()
    listed = [said[word] for word in words]
    return {
        "word_error_rate": word_error_rate(spoken, listed),
        "phoneme_error_rate": token_error_rate(spoken, listed),
    }


def pronounce(model, words, *, source, target, spell=spell):
    """What the model says greedily for each word: a list of phonemes each, without stress."""
    spoken = {}
    for _, group in groupby(sorted(set(words), key=_by_length), key=len):  # equal lengths: no padding
        group = list(group)
        letters = padded([spell(word, source) for word in group], source["<pad>"]).to(device(model))
        ids = greedy(model.step, *model.start(letters), eos=model.config.eos, limit=LONGEST)
        spoken |= zip(group, phonemes(ids, target), strict=True)
    return [spoken[word] for word in words]


def phonemes(ids, target):
    """The phonemes of each row of ids (B, T) up to its end, without stress."""
    texts = until_end(ids, eos=target["<eos>"])
    return [[unstressed(token) for token in target.decode(text)] for text in texts]


def _by_length(word):
    return len(word), word  # the same rows together in every process
