"""The three families of Transformers, their models, and BERT against GPT: what chapter 14 compares.

Vaswani et al. 2017 built an encoder and a decoder. Radford et al. 2018 kept the decoder, without its look at
the encoder; Devlin et al. 2019 kept the encoder; Raffel et al. 2020 and Lewis et al. 2020 kept both. A number
of parameters stands here only where the model's makers have published it, as they rounded it; of a model in
several sizes, the largest. What is said elsewhere of the size of others is rumour, and left out; so are
models, GPT-4 among them, whose makers do not say how they are built.
"""

from typing import NamedTuple

import pandas as pd


class Family(NamedTuple):
    """What the models of a family share."""

    architecture: str
    objective: str
    attention: str
    strength: str
    weakness: str
    tasks: str
    examples: tuple[str, ...]  # names of MODELS


FAMILIES = {
    "encoder-only": Family(
        architecture="the Transformer's encoder, and a small head for each task",
        objective="fill gaps in a text: masked language modelling",
        attention="every token sees every token, on both sides",
        strength="one vector a token, or a text, that knows its whole surroundings, in one pass",
        weakness="writes no free text: its outputs stand where its inputs stand",
        tasks="classes of texts, names in them, pairs, search",
        examples=("BERT", "RoBERTa", "DistilBERT"),
    ),
    "decoder-only": Family(
        architecture="the Transformer's decoder without cross-attention",
        objective="predict the next token: causal language modelling",
        attention="every token sees itself and those before it",
        strength="writes, and takes any task that can be put as a text to be continued",
        weakness="reads in one direction, and writes one token after another",
        tasks="free text, code, dialogue, examples in a prompt",
        examples=("GPT-2", "GPT-3", "LLaMA"),
    ),
    "encoder-decoder": Family(
        architecture="both, joined by cross-attention",
        objective="write what was damaged: cut-out spans (T5), or the text as it was (BART)",
        attention="both sides of the input; of the output what was written; from each output to all inputs",
        strength="reads its input from both sides and writes another text of any length",
        weakness="two stacks to train and to keep; needs a clear cut between input and output",
        tasks="translation, summaries, spelling to sound",
        examples=("Transformer", "T5", "BART"),
    ),
}


class Model(NamedTuple):
    family: str  # of FAMILIES
    year: int  # first made public
    parameters: float | None  # published, in millions, of the largest; None: not published
    what: str
    paper: str  # key in references.bib
    by: str
    chapter: int
    size_from: str = ""  # key of the paper that has the number, if another


MODELS = {
    "Transformer": Model("encoder-decoder", 2017, 213, "translates", "vaswani2017", "Vaswani et al. 2017", 7),
    "GPT": Model(
        *("decoder-only", 2018, 117, "tuned for each task"),
        *("radford2018", "Radford et al. 2018", 12, "radford2019"),
    ),
    "BERT": Model(
        "encoder-only", 2018, 340, "gaps, and pairs of sentences", "devlin2019", "Devlin et al. 2019", 10
    ),
    "BioBERT": Model(
        "encoder-only", 2019, None, "BERT, read on in biomedicine", "lee2020", "Lee et al. 2020", 10
    ),
    "GPT-2": Model("decoder-only", 2019, 1542, "some tasks untold", "radford2019", "Radford et al. 2019", 12),
    "RoBERTa": Model("encoder-only", 2019, 355, "BERT, trained longer", "liu2019", "Liu et al. 2019", 10),
    "FinBERT": Model("encoder-only", 2019, None, "BERT, read on in finance", "araci2019", "Araci 2019", 10),
    "ALBERT": Model(
        "encoder-only", 2019, 235, "one layer, used many times", "lan2020", "Lan et al. 2020", 10
    ),
    "DistilBERT": Model(
        "encoder-only", 2019, 66, "a small BERT, taught by BERT", "sanh2019", "Sanh et al. 2019", 10
    ),
    "T5": Model(
        "encoder-decoder", 2019, 11_000, "all tasks as text into text", "raffel2020", "Raffel et al. 2020", 14
    ),
    "BART": Model("encoder-decoder", 2019, None, "mends damaged texts", "lewis2020", "Lewis et al. 2020", 14),
    "GPT-3": Model(
        "decoder-only", 2020, 175_000, "learns from the prompt", "brown2020", "Brown et al. 2020", 12
    ),
    "LEGAL-BERT": Model(
        "encoder-only", 2020, None, "BERT for laws and courts", "chalkidis2020", "Chalkidis et al. 2020", 10
    ),
    "InstructGPT": Model(
        "decoder-only", 2022, 175_000, "does what is asked", "ouyang2022", "Ouyang et al. 2022", 13
    ),
    "BLOOM": Model(
        "decoder-only", 2022, 176_000, "46 languages, open", "lescao2022", "Le Scao et al. 2022", 14
    ),
    "LLaMA": Model(
        "decoder-only", 2023, 65_200, "smaller, trained longer", "touvron2023", "Touvron et al. 2023", 12
    ),
    "PaLM-E": Model(
        "decoder-only", 2023, 562_000, "pictures among the words", "driess2023", "Driess et al. 2023", 14
    ),
}

BERT_AND_GPT = {  # row by row
    "architecture": ("the encoder", "the decoder without cross-attention"),
    "objective": ("fill gaps: 15% of the tokens are asked", "predict the next token: all are asked"),
    "attention": ("both sides", "only what came before"),
    "one text of n tokens teaches": ("about 0.15 n answers", "n answers"),
    "the answer": ("a vector for each token", "a distribution over the next token"),
    "strength": ("understanding a text that is there", "writing one that is not"),
    "use": ("a head and some labels: fine-tuning", "a prompt, with or without examples; fine-tuning too"),
    "tasks": ("classes, names, pairs, search", "free text, dialogue, code; others put as text"),
    "cost of use": ("one pass a text", "one pass a token, with its keys and values kept"),
    "sizes, as published": ("110 and 340 million", "117 million, then 1.5 and 175 billion"),
    "not what is often said": (
        "no classifier by itself: it fills gaps, a tuned head classifies",
        "its block is not the decoder's: cross-attention is left out",
    ),
}


def families() -> pd.DataFrame:
    """The families side by side: a row an aspect, a column a family."""
    aspects = {aspect: [getattr(one, aspect) for one in FAMILIES.values()] for aspect in Family._fields}
    aspects["examples"] = [", ".join(names) for names in aspects["examples"]]
    return pd.DataFrame([[aspect, *told] for aspect, told in aspects.items()], columns=["", *FAMILIES])


def models() -> pd.DataFrame:
    """The models, oldest first; "millions" are the published parameters, NaN where there are none."""
    rows = [
        {
            "model": name,
            "family": one.family,
            "year": one.year,
            "millions": float("nan") if one.parameters is None else one.parameters,
            "what it is": one.what,
            "by": one.by,
            "chapter": one.chapter,
        }
        for name, one in MODELS.items()
    ]
    return pd.DataFrame(rows)


def bert_and_gpt() -> pd.DataFrame:
    """BERT against GPT: a row a question."""
    rows = [{"": question, "BERT": bert, "GPT": gpt} for question, (bert, gpt) in BERT_AND_GPT.items()]
    return pd.DataFrame(rows)
