"""How the field came here, as data: what was found when, by whom, and which chapter builds it.

A year is the one in which a thing was first made public, on arXiv or in print; the paper that is cited may
be a year or two younger, and goes by its key in book/references.bib. Within a year the order is that in which
they came. Left out: all that the book does not lead up to, speech and vision among them; and whoever had the
same idea earlier and was not heard.
"""

from typing import NamedTuple

THREADS = {  # of the story, from top to bottom
    "counting": "counts of what follows what",
    "words": "a word as a vector",
    "memory": "networks that carry a state",
    "translation": "one sequence into another",
    "attention": "looking back",
    "pretraining": "learning without labels first",
    "scale": "the same, larger",
    "assistants": "doing what is asked",
    "beyond text": "pictures and robots",
}


class Event(NamedTuple):
    year: int
    name: str
    thread: str  # of THREADS
    what: str  # in a sentence
    by: str  # who, and the year of the paper that is cited
    paper: str  # its key in references.bib
    chapter: int  # which builds it, or tells of it


# year | thread | chapter | name | by | paper, and below it what it is
_TOLD = """
1913 | counting | 2 | Markov's chains | Markov 1913 | markov1913
    Markov counts which kind of letter follows which in 20,000 letters of Eugene Onegin.
1948 | counting | 2 | n-grams | Shannon 1948 | shannon1948
    Shannon writes English by the counts of letters and words before it, and measures text in bits.
1951 | counting | 2 | The guessing game | Shannon 1951 | shannon1951
    Shannon lets people guess the next letter: printed English has about one bit a letter.
1954 | words | 1 | Distributions | Harris 1954 | harris1954
    Harris: words that stand in the same contexts have similar meanings.
1990 | words | 1 | Latent semantic analysis | Deerwester et al. 1990 | deerwester1990
    A matrix of counts is cut down to a few directions: words become short, dense vectors.
1990 | memory | 2 | Elman's network | Elman 1990 | elman1990
    A network that reads its own last state finds structure in a sequence of words.
1991 | memory | 2 | Vanishing gradients | Hochreiter 1991 | hochreiter1991
    Hochreiter shows why a recurrent network hardly learns from what is long past.
1993 | translation | 4 | Translation by counting | Brown et al. 1993 | brown1993
    Five models learn from pairs of sentences alone which word translates which.
1995 | counting | 2 | Kneser-Ney smoothing | Kneser and Ney 1995 | kneser1995
    What was never counted is judged by how many different words a word has followed.
1997 | memory | 3 | LSTM | Hochreiter and Schmidhuber 1997 | hochreiter1997
    A cell that adds to its state instead of multiplying it keeps gradients alive over long times.
2003 | words | 2 | A neural language model | Bengio et al. 2003 | bengio2003
    One network learns vectors of words and the probability of the next word together.
2003 | translation | 4 | Phrases | Koehn et al. 2003 | koehn2003
    Statistical translation moves from words to phrases, and stays ahead until the networks come.
2010 | memory | 2 | Recurrent language models | Mikolov et al. 2010 | mikolov2010
    A recurrent network predicts the next word better than n-grams do.
2013 | words | 1 | word2vec | Mikolov et al. 2013 | mikolov2013a
    Vectors from a task so simple that billions of words can be read; sums of them answer analogies.
2013 | translation | 4 | Translation by one network | Kalchbrenner and Blunsom 2013 | kalchbrenner2013
    A sentence becomes a vector, and the vector a sentence in another language.
2014 | memory | 3 | GRU | Cho et al. 2014 | cho2014
    Two gates instead of three, in an encoder and a decoder that rate phrases.
2014 | attention | 6 | Attention | Bahdanau et al. 2015 | bahdanau2015
    The decoder looks back at every state of the encoder, and learns where to look.
2014 | translation | 4 | Seq2Seq | Sutskever et al. 2014 | sutskever2014
    Two LSTMs of four layers translate whole sentences through one vector.
2014 | words | 1 | GloVe | Pennington et al. 2014 | pennington2014
    Vectors fitted to counts of a whole corpus: counting and learning meet.
2014 | beyond text | 4 | Show and tell | Vinyals et al. 2015 | vinyals2015
    A network that sees hands over to one that writes: captions of pictures.
2015 | attention | 6 | Dot, general, concat | Luong et al. 2015 | luong2015
    Simpler scores for attention, looked up after the decoder's step.
2015 | translation | 9 | Subwords | Sennrich et al. 2016 | sennrich2016
    Rare words are cut into pieces by byte pair encoding: nothing is unknown any more.
2016 | translation | 6 | Google's translator | Wu et al. 2016 | wu2016
    LSTMs of eight layers with attention go into daily use.
2017 | scale | 12 | Experts | Shazeer et al. 2017 | shazeer2017
    Of thousands of feed-forward networks each token uses a few.
2017 | assistants | 13 | Learning from preferences | Christiano et al. 2017 | christiano2017
    People say which of two is better; a model of their choices becomes the reward.
2017 | attention | 7 | Transformer | Vaswani et al. 2017 | vaswani2017
    Attention alone, without recurrence: all tokens are read at once.
2018 | pretraining | 11 | ULMFiT | Howard and Ruder 2018 | howard2018
    A pretrained LSTM is tuned for any task, layer by layer, with few labels.
2018 | pretraining | 10 | ELMo | Peters et al. 2018 | peters2018
    A word's vector depends on its sentence: states of language models in both directions.
2018 | pretraining | 12 | GPT | Radford et al. 2018 | radford2018
    A Transformer's decoder, pretrained on books from left to right, then tuned.
2018 | pretraining | 10 | BERT | Devlin et al. 2019 | devlin2019
    A Transformer's encoder fills gaps, and so sees both sides of every word.
2019 | pretraining | 10 | BioBERT | Lee et al. 2020 | lee2020
    BERT reads on in biomedical papers, and is better at their names and questions.
2019 | scale | 12 | GPT-2 | Radford et al. 2019 | radford2019
    1.5 billion parameters continue any text, and do some tasks untold.
2019 | pretraining | 9 | XLNet | Yang et al. 2019 | yang2019
    The order of prediction is permuted: each token is predicted from any others.
2019 | pretraining | 10 | RoBERTa | Liu et al. 2019 | liu2019
    BERT, trained longer on more text and without pairs, is much better.
2019 | pretraining | 10 | DistilBERT | Sanh et al. 2019 | sanh2019
    A small BERT learns from a large one, and keeps most of what it can.
2019 | pretraining | 14 | T5 | Raffel et al. 2020 | raffel2020
    Every task as text into text, for one encoder and decoder; every choice compared.
2019 | pretraining | 14 | BART | Lewis et al. 2020 | lewis2020
    An encoder reads a damaged text, a decoder writes it whole.
2020 | scale | 12 | Scaling laws | Kaplan et al. 2020 | kaplan2020
    The loss falls as a power of parameters, data and computing, over many orders of magnitude.
2020 | assistants | 13 | Retrieval | Lewis et al. 2020 | lewis2020b
    A model looks up passages first, and writes from what it found.
2020 | scale | 12 | GPT-3 | Brown et al. 2020 | brown2020
    175 billion parameters do new tasks from a few examples in the prompt.
2020 | assistants | 13 | Summaries people prefer | Stiennon et al. 2020 | stiennon2020
    Preferences, a reward model and a policy on a leash: summaries chosen above those people wrote.
2020 | pretraining | 10 | LEGAL-BERT | Chalkidis et al. 2020 | chalkidis2020
    BERT for laws and courts: trained on, or anew, on legal text.
2021 | pretraining | 11 | LoRA | Hu et al. 2021 | hu2021
    A large model is tuned through two thin matrices beside each of its own.
2021 | assistants | 13 | Instruction tuning | Wei et al. 2022 | wei2022
    Tuned on many tasks put as instructions, a model does others that it was never tuned on.
2022 | assistants | 13 | InstructGPT | Ouyang et al. 2022 | ouyang2022
    Tuned by demonstrations and preferences, 1.3 billion parameters please people more than GPT-3's 175.
2022 | scale | 12 | Chinchilla | Hoffmann et al. 2022 | hoffmann2022
    For the same computing a smaller model on more text is better: about 20 tokens a parameter.
2022 | attention | 8 | FlashAttention | Dao et al. 2022 | dao2022
    The same attention, computed in tiles: no matrix of all scores is ever stored.
2022 | scale | 14 | BLOOM | Le Scao et al. 2022 | lescao2022
    176 billion parameters, 46 languages, trained in the open by hundreds of researchers.
2022 | assistants | 13 | ChatGPT | OpenAI 2022 | openai2022
    A model that follows instructions is given a chat window, and everyone can try it.
2023 | scale | 12 | LLaMA | Touvron et al. 2023 | touvron2023
    7 to 65 billion parameters from public data: smaller models trained longer, their weights for research.
2023 | beyond text | 14 | PaLM-E | Driess et al. 2023 | driess2023
    Pictures and a robot's state stand among the words that a language model reads; it plans.
2023 | assistants | 12 | GPT-4 | OpenAI 2023 | openai2023
    Reads text and pictures; size and data are not published.
2023 | assistants | 13 | DPO | Rafailov et al. 2023 | rafailov2023
    Preferences tune a model directly, without a reward model beside it.
"""


def _event(line: str, what: str) -> Event:
    year, thread, chapter, name, by, paper = line.split(" | ")
    return Event(int(year), name, thread, what.strip(), by, paper, int(chapter))


_LINES = _TOLD.strip().split("\n")
EVENTS = tuple(
    _event(line, what) for line, what in zip(_LINES[::2], _LINES[1::2], strict=True)
)  # oldest first


def of_thread(thread: str) -> list[Event]:
    """The events of a thread, oldest first; of "", all.

    >>> [event.name for event in of_thread("beyond text")]
    ['Show and tell', 'PaLM-E']

    ValueError: no such thread.
    """
    if thread and thread not in THREADS:
        raise ValueError(f"thread is {thread!r}: choose one of {', '.join(THREADS)}, or '' for all")
    return [event for event in EVENTS if thread in ("", event.thread)]
