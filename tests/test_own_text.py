import hashlib
import re

import pytest
import torch

from vec2gpt.gpt import GPT, GPTConfig
from vec2gpt.hub import checkpoints
from vec2gpt.recipes import run
from vec2gpt.recipes.__main__ import main
from vec2gpt.recipes.language import shakespeare
from vec2gpt.recipes.own_text import OwnText
from vec2gpt.training import fit

SENTENCE = "Der Zug fährt über die Brücke, 橋を渡る; 12 Wagen.\r\n"
ENOUGH = 20 * 101  # characters, for windows of 100


def write(folder, text, name="mine.txt"):
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def long(text, size):
    return (text * (size // len(text) + 1))[:size]


# ---- reading it ----


def test_a_text_is_what_its_file_says(tmp_path):
    content = b"\xef\xbb\xbf" + SENTENCE.encode()
    text = OwnText.read(write(tmp_path, content))
    assert text.characters == SENTENCE.replace("\r\n", "\n"), "no byte order mark, one kind of line end"
    assert text.sha256 == hashlib.sha256(content).hexdigest()
    assert text.vocab.tokens == sorted(set(text.characters))
    assert str(text) == f"mine.txt: {len(SENTENCE) - 1} characters, a vocabulary of {len(text.vocab)}"
    assert text.start == "Der" and OwnText("", "\n \n", "").start == "\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"mine.txt cannot be read \(No such file or directory\): name a text file"),
        (b"", "mine.txt is empty"),
        (b"\xef\xbb\xbf", "mine.txt is empty"),
        ("naïve".encode("latin-1"), r"mine.txt is not UTF-8 \(its byte 2 is 0xef\): save it as UTF-8"),
        ("abc".encode("utf-16"), r"not UTF-8 \(its byte 0 is 0xff\)"),
        ("a" * (ENOUGH - 1), r"has 2,019 characters, too short for windows of 100: give at least 2,020,"),
    ],
)
def test_what_cannot_be_read_is_a_sentence_and_leaves_nothing(content, message, tmp_path, capsys):
    path = tmp_path / "mine.txt" if content is None else write(tmp_path, content)
    assert main(["shakespeare-rnn", "--text", str(path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert said.err.startswith("error: ") and re.search(message, said.err) and not said.out
    assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="cannot be read"):
        OwnText.read(tmp_path)  # a folder


def test_only_language_models_take_a_text_and_only_with_a_place_for_it(tmp_path):
    readers = "shakespeare-rnn, shakespeare-lstm, shakespeare-gru, shakespeare-gpt do"
    path = write(tmp_path, "a")
    for name in ("prose-bert", "language-ladder"):
        with pytest.raises(ValueError, match=f"{name} takes no text; {readers}"):
            run(name, out=tmp_path, text=path)
    with pytest.raises(ValueError, match="name a folder in --out"):
        run("shakespeare-gpt", text=path)


# ---- its parts ----


@pytest.mark.parametrize("size", [ENOUGH, 5_003, 100_000, 512_000])
def test_the_first_nine_tenths_are_learnt_and_the_rest_is_in_order(size):
    numbers = torch.arange(size) % 1000
    text = OwnText("", "".join(chr(0x4E00 + number) for number in numbers.tolist()), "")
    train, validation, test = text.numbered(100)
    assert torch.equal(train, numbers[: len(train)]) and len(train) == size - 2 * (size // 20)
    begin = len(train)
    for part in (validation, test):
        assert len(part) == 1 or (len(part) <= 64 and part.shape[1] >= 400)
        assert torch.equal(part.flatten(), numbers[begin : begin + part.numel()])
        begin += size // 20
    assert len(validation) == {ENOUGH: 1, 5_003: 1, 100_000: 12, 512_000: 64}[size]


def test_a_model_of_windows_reads_it_too():
    text = OwnText("", long(SENTENCE, 2000), "12" * 32)
    task = shakespeare.seeing(text, length=16, size=4)
    ids, targets = task.draw(torch.Generator())
    assert ids.shape == targets.shape == (4, 16) and task.data == "12" * 32
    model = GPT(GPTConfig(len(text.vocab), context=16, layers=1, heads=1, width=8)).eval()
    for bits in (task.validate(model), *task.measure(model).values()):
        assert 4 < bits < 8  # it knows nothing: about log2 of 40 characters


# ---- the recipe ----


@pytest.mark.slow
def test_the_recipe_learns_a_text_and_says_how_to_write_with_it(tmp_path, capsys, monkeypatch):
    path = write(tmp_path, long(SENTENCE.replace("\r\n", "\n"), 3000))
    monkeypatch.chdir(tmp_path)
    assert main(["shakespeare-rnn", "--text", "mine.txt", "--out", ".", "--steps", "3"]) == 0
    said = capsys.readouterr().out
    vocabulary = len(set(path.read_text()))
    assert said.startswith(f"mine.txt: 3,000 characters, a vocabulary of {vocabulary}; 3 steps on the first")
    card = checkpoints.load("./shakespeare-rnn").card
    assert card["data"] == hashlib.sha256(path.read_bytes()).hexdigest() and card["steps"] == 3
    assert 0 < card["metrics"]["test_bits_per_character"] < 6

    _, told = said.split("Write with it:\n")
    exec(told.replace("\n    ", "\n").strip())
    written = capsys.readouterr().out
    assert written.startswith("Der") and len(written) == len("Der") + 200 + len("\n")

    other = write(tmp_path, long("another text. ", 3000), "other.txt")
    assert main(["shakespeare-rnn", "--text", str(other), "--out", ".", "--steps", "3"]) == 1
    assert "trained on other data, and would be lost: name another folder" in capsys.readouterr().err


@pytest.mark.slow
def test_a_stopped_text_is_not_gone_on_with_on_another(tmp_path, monkeypatch, capsys):
    """Two texts with the same characters: nothing else tells their runs apart."""
    texts = [write(tmp_path, long(some, 3000), some) for some in ("abc", "cba")]

    def stopped(model, draw, *, steps, **settings):
        calls = []

        def draw_two(generator):
            calls.append(1)
            if len(calls) > 2:
                raise KeyboardInterrupt
            return draw(generator)

        return fit(model, draw_two, steps=steps, save_every=1, **settings)

    style = {"steps": 3, "out": tmp_path / "out"}
    with monkeypatch.context() as context:
        context.setattr("vec2gpt.recipes.checkpoint.fit", stopped)
        with pytest.raises(KeyboardInterrupt, match="stopped at step 2"):
            run("shakespeare-rnn", text=texts[0], **style)
    [state] = (tmp_path / "out").iterdir()
    capsys.readouterr()
    other = run("shakespeare-rnn", text=texts[1], **style)
    assert "going on" not in capsys.readouterr().out and other.history.steps == 3
    assert state.exists(), "the first text can still be gone on with"
