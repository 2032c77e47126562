"""Our byte-level BPE and WordPiece beside `tokenizers`, which is compiled: learning merges, and reading.

One thread each: ours has no other, and a batch of texts would only hide what a text costs.
"""

import os
from collections.abc import Callable, Iterator

from tokenizers import BertWordPieceTokenizer, Tokenizer, models, pre_tokenizers, trainers

from benchmarks.row import Row, Unmeasured, ratio, seconds
from vec2gpt import corpora
from vec2gpt.bpe import BPE
from vec2gpt.wordpiece import WordPiece

SIZE = 3000  # tokens, as many as the book's own tokenizer has
ROUNDS = 3


def rows() -> Iterator[Row]:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    texts = corpora.shakespeare().split("\n\n")
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    time = seconds(lambda: BPE.train(texts, size=SIZE))
    yield Row(f"BPE: {megabytes:.1f} MB learned, {SIZE} tokens", megabytes / time * 60, "MB/min", "≥ 1")
    texts = texts[: len(texts) // 10]  # half a MB: read a few times by four
    ours, peer = BPE.train(texts, size=SIZE), trained(texts)
    yield beside("BPE", texts, ours.encode, lambda text: peer.encode(text).ids)
    vocabulary = corpora.member("minilm", "vocab.txt")
    bert = BertWordPieceTokenizer(str(vocabulary))
    yield beside(
        "WordPiece",
        texts,
        WordPiece.load(vocabulary).encode,
        lambda text: bert.encode(text, add_special_tokens=False).ids,
    )


def beside(name: str, texts: list[str], ours: Callable, peer: Callable) -> Row:
    """How fast one reads beside the other, who must read the same."""
    if [ours(text) for text in texts] != [peer(text) for text in texts]:
        raise Unmeasured(f"{name}: ours and the peer's ids differ, so their times say nothing")
    slower = ratio(lambda: [*map(ours, texts)], lambda: [*map(peer, texts)], rounds=ROUNDS)
    return Row(f"{name}: characters a second, ours / tokenizers'", 1 / slower, "×", "≥ 0.2")


def trained(texts: list[str]) -> Tokenizer:
    """The peer's BPE, learned from the same texts."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=SIZE, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
