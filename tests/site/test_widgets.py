"""Every widget, moved as a reader moves it, on the finished page, where ONNX Runtime Web computes."""

import json
import random
import re
from itertools import pairwise
from urllib.parse import urlencode

import numpy as np
import pytest
import torch
from browsing import mounted

import vec2gpt.training
from vec2gpt import corpora, grammar
from vec2gpt.bert import Bert, BertConfig
from vec2gpt.bpe import BPE
from vec2gpt.classifiers import Classifier
from vec2gpt.decoding import greedy
from vec2gpt.hub import checkpoints, g2p
from vec2gpt.objectives import OBJECTIVES
from vec2gpt.positions import POSITIONS
from vec2gpt.reader import Reader, ReaderConfig
from vec2gpt.search import beam_search
from vec2gpt.stepping import scheduled
from vec2gpt.vectors import WordVectors
from vec2gpt.widgets import blanks, calculator, heads, opinion, painter, repaint, valves, waves, writer
from vec2gpt.widgets.composer import PRESETS, Composition
from vec2gpt.widgets.export import SMALL
from vec2gpt.widgets.gradient import ACTIVATIONS, GradientThroughTime, fresh_models

WORKBENCH = "book/workbench.html"
NAMES = ["softmax", "valves", "repaint", "writer", "arithmetic", "training_map", "gradient", "say", "tree"]
NAMES += ["heads", "waves", "calculator", "merges", "painter", "blanks", "composer", "opinion"]


@pytest.fixture
def widget(visit):
    """Open the workbench, at a state if one is given, and find one of a view on it."""

    def find(name: str, state: dict | None = None, nth: int = 0, **options):
        v = visit(**options)
        linked = f"{name}-{nth + 1}" if nth else name
        v.open(WORKBENCH + ("#" + urlencode({linked: json.dumps(state)}) if state else ""))
        found = v.widget(name, nth)
        found.root.scroll_into_view_if_needed()
        return answered(found) if state else found

    return find


def answered(widget):
    """The widget, once it has answered for the first time."""
    has_answered = "root => +root.dataset.answers > 0"
    widget.page.wait_for_function(has_answered, arg=widget.root.element_handle(), timeout=60_000)
    return widget


def come_back_by_its_link(widget):
    """Copy the link, leave, and follow it: until the page is mounted, what stands there is only a picture."""
    widget.part("link").click()
    address = widget.page.evaluate("location.href")
    widget.page.goto("about:blank")
    widget.page.goto(address)
    mounted(widget.page)
    answered(widget)


def data(widget, output: str, shape):
    return np.array(widget.context(f"result.{output}.data")).reshape(shape)


# ---- the page computes what torch computes, at the shortest and the longest ----


@pytest.mark.parametrize("length", [1, 30, valves.LIMIT])
@pytest.mark.parametrize(("cell", "nth", "values"), [("lstm", 0, [0.25, None, 1]), ("gru", 1, [0.25, None])])
def test_the_valves_on_the_page_are_the_torch_model(widget, cell, nth, values, length):
    model, vocabs, _ = checkpoints.load(f"shakespeare-{cell}")
    text = (
        "To be, or not to be, that is the question: whether it is nobler in the mind to suffer the slings"
        + " " * 10
    )[:length]
    held = {str(length // 2): values}
    w = widget("valves", {"text": text, "held": held, "unit": 3}, nth)
    by_hand = torch.full((1, length, len(values)), -1.0)
    by_hand[0, length // 2] = torch.tensor([-1.0 if value is None else value for value in values])
    with torch.no_grad():
        trace, surprise, *_ = valves.Valves(model)(
            torch.tensor([vocabs["text"].encode(text)]), by_hand, torch.tensor([3])
        )
    assert w.context("state.held") == held
    assert np.abs(data(w, "trace", trace.shape) - trace.numpy()).max() < 1e-3
    assert np.abs(data(w, "surprise", surprise.shape) - surprise.numpy()).max() < 1e-2


PAIR = grammar.pair(random.Random(0), length=(repaint.LIMIT, repaint.LIMIT))
READ = [("spelling to sounds", word) for word in ("a", "attention", "a" * repaint.LIMIT)]
READ += [("English to French", text) for text in ("cats", "the blue car", " ".join(PAIR.source))]


@pytest.mark.parametrize(("name", "text"), READ)
def test_the_repainted_matrix_on_the_page_is_the_torch_model(widget, name, text):
    spelling = name == "spelling to sounds"
    model, vocabs, _ = checkpoints.load("cmudict-attention" if spelling else "grammar-attention")
    parts = list(text) if spelling else text.split()
    ids = torch.tensor([[*vocabs["source"].encode(parts), vocabs["source"]["<eos>"]]])
    painted = torch.full((1, repaint.STEPS, ids.shape[1]), -1.0)
    painted[0, 1] = torch.eye(ids.shape[1])[0]
    paint = {"text": text, "rows": {"1": painted[0, 1].tolist()}, "locked": {}}
    w = widget("repaint", {"model": name, "text": text, "paint": paint, "temperature": 0.5})
    with torch.no_grad():
        said, weights, *_ = repaint.Repaint(model)(ids, painted, torch.tensor([0.5]))
    assert w.context("result.of.text") == text
    assert (data(w, "ids", said.shape) == said.numpy()).all()
    assert np.abs(data(w, "weights", weights.shape) - weights.numpy()).max() < 1e-3


@pytest.mark.parametrize("prompt", ["K", "KING RICHARD:\nNow is the winter of our discontent\n"])
def test_the_writer_on_the_page_is_the_torch_model(widget, prompt):
    model, vocabs, _ = checkpoints.load("shakespeare-gpt")
    w = widget("writer", {"prompt": prompt, "length": 16, "topK": 10, "topP": 0.9, "temperature": 0.7})
    u = torch.tensor([w.context("settings.uniform")[: writer.STRIDE]])
    ids = torch.tensor([vocabs["text"].encode(prompt)])
    with torch.no_grad():
        answer = writer.Writer(model)(ids, u, torch.tensor([0.7]), torch.tensor([10]), torch.tensor([0.9]))
    for name, value in zip(writer.OUTPUTS, answer, strict=True):
        if value.is_floating_point():  # the page's weights are float16
            assert np.abs(data(w, name, value.shape) - value.numpy()).max() < 1e-2, name
        elif name == "written":  # near ties among the choices may change places
            assert (data(w, name, value.shape) == value.numpy()).all()


# ---- moved by mouse, finger and keyboard ----


def test_the_page_says_that_it_computes(widget):
    w = widget("softmax")
    assert w.part("who").inner_text() == "computed in this page"


def test_temperature_flattens_softmax(widget):
    w = widget("softmax")
    before = max(w.context("result.probabilities.data"))
    w.slide("temperature", 5)
    assert max(w.context("result.probabilities.data")) < before
    assert "temperature 5.0" in w.sentence()


def test_a_score_is_dragged_and_reset(widget):
    w = widget("softmax")
    first, box = w.sentence(), w.part("picture").locator("svg").bounding_box()
    x = box["x"] + box["width"] * 0.9

    def drag():
        w.page.mouse.move(x, box["y"] + box["height"] * 0.25)
        w.page.mouse.down()
        w.page.mouse.move(x, box["y"] + box["height"] * 0.08)
        w.page.mouse.up()

    w.after(drag)
    w.page.wait_for_function("root => root.context.state.logits.at(-1) > 3", arg=w.root.element_handle())
    w.after(w.part("reset").click)
    assert w.sentence() == first


def test_a_score_is_changed_by_keyboard(widget):
    w = widget("softmax")
    w.part("picture").focus()
    w.page.keyboard.press("ArrowRight")
    w.after(lambda: w.page.keyboard.press("PageUp"))
    assert w.context("state.logits")[1] == pytest.approx(2.0)


def test_a_held_gate_changes_what_follows_and_nothing_before(widget):
    w = widget("valves")
    length = len(w.context("state.text"))
    w.after(lambda: w.control("text").fill(w.context("state.text")[:-1]))
    _, before = data(w, "trace", (2, length - 1, 6))
    w.part("picture").focus()
    w.page.keyboard.press("Home")
    for _ in range(20):
        w.page.keyboard.press("ArrowRight")
    w.after(w.control("keep").click)
    free, after = data(w, "trace", (2, length - 1, 6))
    assert np.abs(free - before).max() < 1e-4  # beside it the text is read with all gates free
    assert (after[:20] == before[:20]).all()
    assert after[20, :3] == pytest.approx([1, 0, 1])
    assert after[20, 4] == pytest.approx(after[19, 4])  # (f, i, o) = (1, 0, 1): the memory stays
    assert np.abs(after[21:] - before[21:]).max() > 1e-3
    assert "held by hand" in w.sentence() and "→" in w.sentence()


def test_gates_held_at_every_letter_cost_bits_that_the_page_names(widget):
    w = widget("valves")
    w.control("where").select_option("all")
    w.after(w.control("keep").click)  # from the empty memory on nothing is ever written
    length = len(w.context("state.text"))
    free, held = data(w, "surprise", (2, length)).sum(1) / (length - 1)
    assert held > free + 1  # bits a letter, of a trained model
    assert f"{free:.2f} → {held:.2f} bits a letter: +{held - free:.2f}" in w.part("picture").inner_text()
    _, trace = data(w, "trace", (2, length, 6))
    assert np.abs(trace[:, 4:]).max() == 0
    first, second = w.part("bars").all()
    assert first.inner_text() != second.inner_text()
    w.after(w.control("free").click)
    assert w.part("bars").count() == 1 and "→" not in w.sentence()


def test_the_valves_of_a_text_that_ends_say_what_is_missing(widget):
    w = widget("valves")
    sentence = w.sentence()
    w.after(lambda: w.control("text").fill(""))
    assert "Type a text" in w.part("advice").inner_text() and w.sentence() == sentence
    w.after(lambda: w.control("text").fill("a"))
    assert w.part("advice").inner_text() == "" and "type a second one" in w.sentence()
    w.after(lambda: w.control("text").fill("a😀b"))
    assert "“😀”" in w.part("note").inner_text() and w.context("result.of.text") == "ab"


def test_a_copied_link_holds_the_gates(widget):
    w = widget("valves")
    w.control("where").select_option("all")
    w.after(w.control("replace").click)
    sentence = w.sentence()
    come_back_by_its_link(w)
    assert w.sentence() == sentence and w.context("state.every") == [0, 1, 1]


def test_the_labels_stay_beside_the_picture_of_a_long_text_on_a_phone(widget):
    w = widget("valves", viewport={"width": 360, "height": 780}, has_touch=True)
    picture = w.part("picture")
    labels, bars = picture.locator("[data-key=labels]"), w.part("bars").first
    picture.evaluate("picture => { picture.scrollLeft = 300; }")
    left = picture.bounding_box()["x"]
    for part in (labels, bars):
        assert part.bounding_box()["x"] == pytest.approx(left, abs=2)
    assert bars.bounding_box()["width"] <= picture.bounding_box()["width"]
    box = picture.locator("svg").first.bounding_box()  # beyond the left edge
    w.after(lambda: w.page.touchscreen.tap(box["x"] + 13 * 35 + 6, box["y"] + 24 + 22))
    assert w.context("state.held")["35"][0] == pytest.approx(0.5, abs=0.06)
    held = w.context("state.held")
    place = labels.bounding_box()
    w.page.touchscreen.tap(place["x"] + 40, place["y"] + 40)  # over letters that are out of sight
    assert w.context("state.held") == held


def swipe(page, start, *, right, down):
    """One finger from `start` to so many pixels further, in steps as a screen tells them."""
    hand, (x, y) = page.context.new_cdp_session(page), start

    def touch(kind, *places):
        hand.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [*places]})

    touch("touchStart", {"x": x, "y": y})
    for k in range(1, 21):
        touch("touchMove", {"x": x + right * k / 20, "y": y + down * k / 20})
        page.wait_for_timeout(10)
    touch("touchEnd")
    page.wait_for_timeout(200)


@pytest.mark.parametrize(
    ("name", "x", "start", "end", "moved"),
    [("valves", 71, 64, 26, "state.held"), ("softmax", 40, 80, 20, "state.logits")],
)
def test_a_finger_drags_a_grip_and_the_page_stays(widget, name, x, start, end, moved):
    w = widget(name, viewport={"width": 360, "height": 780}, has_touch=True)
    w.part("picture").scroll_into_view_if_needed()
    box, stood = w.part("picture").locator("svg").first.bounding_box(), w.page.evaluate("scrollY")
    states = [w.context(moved)]
    for up in (end, (start + end) / 2):
        swipe(w.page, (box["x"] + x, box["y"] + start), right=0, down=up - start)
        assert w.page.evaluate("scrollY") == stood
        assert w.context(moved) not in states  # it is where the finger left it, not where it first touched
        states.append(w.context(moved))


def test_a_gate_is_dragged_with_the_mouse(widget):
    w = widget("valves")
    w.part("picture").scroll_into_view_if_needed()
    box = w.part("picture").locator("svg").first.bounding_box()

    def drag():
        w.page.mouse.move(box["x"] + 13 * 5 + 6, box["y"] + 24 + 40)
        w.page.mouse.down()
        w.page.mouse.move(box["x"] + 13 * 5 + 6, box["y"] + 24 + 2)
        w.page.mouse.up()

    w.after(drag)
    assert w.context("state.held")["5"][0] == pytest.approx(0.95, abs=0.06)


def cell(w, t, s):
    """Where the cell of step `t` and letter `s` stands on the screen."""
    w.part("picture").scroll_into_view_if_needed()
    box = w.part("picture").locator("svg").first.bounding_box()
    return box["x"] + 28 * s + 14, box["y"] + 28 * t + 14


def own(w):
    """The weights (T, S) of the reading that the hand has changed."""
    return data(w, "weights", w.context("result.weights.dims"))[1]


def test_a_painted_row_is_drawn_at_once_and_the_output_follows(widget):
    w = widget("repaint")
    w.part("picture").focus()
    w.after(lambda: w.page.keyboard.press(" "))  # the first row looks at the first letter only
    assert own(w)[0] == pytest.approx([1] + [0] * (own(w).shape[1] - 1))
    assert "painted by hand" in w.sentence()
    w.after(lambda: w.page.keyboard.press("Delete"))
    assert "as the model has it" in w.sentence() and "alone says the same" in w.sentence()


def test_a_row_is_painted_with_the_mouse_and_another_output_follows(widget):
    w = widget("repaint")
    said = w.part("table").inner_text()

    def drag(*stations):
        w.page.mouse.move(*cell(w, *stations[0]))
        w.page.mouse.down()
        for station in stations[1:]:
            w.page.mouse.move(*cell(w, *station))
        w.page.mouse.up()

    w.after(lambda: drag((1, 6), (1, 8), (1, 7)))
    w.page.wait_for_function(
        "root => root.context.result.of.paint.rows[1]?.[7] === 2",
        arg=w.root.element_handle(),
    )
    assert w.context("state.paint.rows") == {"1": [0, 0, 0, 0, 0, 0, 1, 2, 1, 0]}
    assert own(w)[1][6:9] == pytest.approx([0.25, 0.5, 0.25])
    assert w.part("table").inner_text() != said and "≠" in w.part("picture").inner_text()
    w.after(w.part("reset").click)
    assert w.part("table").inner_text() == said


def test_a_row_is_painted_with_a_finger_and_the_page_still_scrolls(widget):
    w = widget("repaint", viewport={"width": 360, "height": 780}, has_touch=True)
    w.after(lambda: w.page.touchscreen.tap(*cell(w, 0, 1)))
    assert [row.index(1) for row in w.context("state.paint.rows").values()] == [1]
    before, rows = w.page.evaluate("scrollY"), w.context("state.paint.rows")
    swipe(w.page, cell(w, 1, 0), right=0, down=-200)
    assert w.page.evaluate("scrollY") > before + 100
    assert w.context("state.paint.rows") == rows
    w.after(lambda: swipe(w.page, cell(w, 1, 0), right=56, down=8))
    assert w.context("state.paint.rows")["1"][:4] == [1, 1, 1, 0]
    painted, heads = w.context("state.paint.rows"), w.part("picture").locator("[data-key=heads]")
    x, y = cell(w, 0, 4)
    swipe(w.page, (x, y - 28), right=-80, down=0)  # along the names of the columns, which scrolls
    assert heads.bounding_box()["x"] < x - 28 * 4 - 14 - 30 and w.context("state.paint.rows") == painted


def read_aloud(w, key: str) -> list[str]:
    """What a key makes the page say: the sentences that it writes anew."""
    sentence = w.part("sentence").element_handle()
    w.page.evaluate(
        """sentence => {
            globalThis.heard = [];
            const hear = (news) => heard.push(...news.map(({ target }) => target.textContent));
            const all = { childList: true, characterData: true, subtree: true };
            new MutationObserver(hear).observe(sentence, all);
        }""",
        sentence,
    )
    w.part("picture").press(key)
    w.page.wait_for_timeout(50)
    return w.page.evaluate("heard")


def test_an_arrow_key_reads_the_cell_aloud_and_not_all_that_is_said(widget):
    w = widget("repaint")
    w.part("picture").press("ArrowDown")
    [heard] = read_aloud(w, "ArrowRight")
    assert heard.startswith("Step 2, “t”") and heard.endswith("as the model has it.")
    assert heard in w.sentence() and heard != w.sentence()
    w.after(lambda: w.part("picture").press(" "))
    assert "painted by hand" in w.sentence() and "becomes" in w.sentence()


def test_a_press_that_is_let_go_elsewhere_paints_nothing(widget):
    w = widget("repaint")
    w.page.mouse.move(*cell(w, 1, 2))
    w.page.mouse.down()
    w.page.mouse.move(*cell(w, 4, 2))
    w.page.mouse.up()
    assert w.context("state.paint.rows") == {} and w.context("state.brush") == ""


def test_a_sentence_typed_for_a_model_that_spells_goes_to_the_one_that_translates(widget):
    w = widget("repaint")
    w.control("text").fill("the blue car")
    w.after(w.part("advice").get_by_role("button", name="English to French").click)
    assert "“the blue car” becomes la voiture bleue" in w.sentence()
    w.after(lambda: w.control("model").select_option("spelling to sounds"))
    assert "“attention” becomes " in w.sentence()


def test_locked_rows_outlast_what_is_done_to_every_row_and_another_text(widget):
    w = widget("repaint")
    kept = own(w)[3]
    w.after(w.part("picture").locator("[data-key=lock3]").click)
    w.control("where").select_option("all")
    w.after(w.control("even").click)
    assert own(w)[3] == pytest.approx(kept, abs=1e-3) and np.ptp(own(w)[4]) == pytest.approx(0)
    w.after(lambda: w.control("text").fill("attenzion"))
    assert own(w)[3] == pytest.approx(kept, abs=1e-3) and np.ptp(own(w)[4]) > 0
    w.after(w.part("picture").locator("[data-key=lock3]").click)
    assert w.context("state.paint.locked") == {}


def test_a_cold_softmax_looks_at_one_place(widget):
    w = widget("repaint")
    w.slide("temperature", 5)
    flat = own(w)[0].max()
    w.slide("temperature", 0.1)
    assert own(w)[0].max() > flat + 0.1 and "temperature" not in w.part("note").inner_text()


def test_a_new_word_is_read_and_spoken(widget):
    w = widget("repaint")
    w.after(lambda: w.control("text").fill("Banana"))
    assert "“banana” becomes " in w.sentence()


def test_the_other_model_reads_sentences_of_words_that_it_knows(widget):
    w = widget("repaint")
    w.after(lambda: w.control("model").select_option("English to French"))
    first = w.sentence()
    w.after(lambda: w.control("text").fill("the blue cra"))
    assert "“cra” is none of its words" in w.part("advice").inner_text() and w.sentence() == first
    w.after(w.part("advice").get_by_role("button", name="the blue car", exact=True).click)
    assert "“the blue car” becomes la voiture bleue" in w.sentence()
    w.control("list").check()
    assert "voiture" not in w.part("below").inner_text() and " boats " in w.part("below").inner_text()
    w.after(w.root.get_by_role("button", name="knight").click)  # the first model that can read it
    assert w.control("model").input_value() == "spelling to sounds" and "“knight” becomes " in w.sentence()


def test_the_heat_map_scrolls_inside_a_phone(widget):
    w = widget("repaint", {"text": "a" * repaint.LIMIT}, viewport={"width": 360, "height": 740})
    assert w.page.evaluate("document.documentElement.scrollWidth") <= 360
    w.part("picture").focus()
    w.page.keyboard.press("End")
    box, frame = (w.part("picture").locator(".cursor").bounding_box(), w.part("picture").bounding_box())
    assert box["x"] + box["width"] <= frame["x"] + frame["width"] + 1


def text_of(w) -> str:
    return w.part("picture").locator(".v2g-text").inner_text()


def test_the_writer_writes_as_much_as_asked_and_shows_its_choices(widget):
    w = widget("writer")
    w.after(w.control("again").click)
    assert len(w.context("result.written.data")) == w.context("state.length")
    first = text_of(w)
    w.after(w.control("again").click)
    assert text_of(w) != first
    w.part("picture").locator("[data-key=token5]").click()
    assert w.sentence().startswith(f"Character {len(w.context('state.prompt')) + 6}, ")
    w.slide("length", 400)
    assert len(w.context("result.written.data")) == 400
    assert re.search(r"it read the last \d+ again and wrote on\.", w.sentence())


def test_a_cold_writer_leaves_no_choice_at_top_k_1(widget):
    w = widget("writer")
    w.slide("topK", 1)
    assert set(w.context("result.chance.data")) == {1}
    assert w.part("picture").get_by_text("out").count() == writer.CHOICES - 1


def test_a_branch_is_taken_by_mouse_and_undone_and_its_link_brings_it_back(widget):
    w = widget("writer")
    w.after(w.control("again").click)
    before = w.context("result.written.data")
    w.part("picture").locator("[data-key=token7]").click()
    other = w.part("picture").locator("li[data-key^=pick]:not(.at)").first
    taken = int(other.get_attribute("data-key").removeprefix("pick"))
    w.after(other.click)
    [branch] = w.context("state.taken")
    assert branch["ids"] == [*before[:7], taken] and branch["was"] == before[7]
    assert "was put there by you" in w.sentence() and "Branches you took" in w.part("below").inner_text()
    text = text_of(w)
    w.slide("temperature", 1.5)  # what stood before the branch stays
    kept = len(w.context("state.prompt")) + 5
    assert text_of(w) != text and text_of(w)[:kept] == text[:kept]
    w.slide("temperature", 0.8)
    assert text_of(w) == text
    come_back_by_its_link(w)
    assert text_of(w) == text
    w.after(w.control("undo").click)
    assert w.context("result.written.data") == before and w.context("state.taken") == []


def test_a_branch_is_taken_by_keyboard_also_in_the_prompt(widget):
    w = widget("writer")
    w.part("picture").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowDown"):
        w.page.keyboard.press(key)
    if "Enter puts" not in w.sentence():  # the token stood last of its choices
        w.page.keyboard.press("ArrowUp")
    assert "Enter puts" in w.sentence()
    w.after(lambda: w.page.keyboard.press("Enter"))
    [branch] = w.context("state.taken")
    assert branch["from"] == len(w.context("state.prompt")) - 2 and len(branch["ids"]) == 1
    w.after(lambda: w.page.keyboard.press("Backspace"))
    assert w.context("state.taken") == []


def test_the_writer_says_what_it_does_with_no_prompt_one_too_long_and_strange_characters(widget):
    w = widget("writer")
    w.after(lambda: w.control("prompt").fill(""))
    assert "Nothing is typed: the text begins after a line break." in w.sentence()
    w.after(lambda: w.control("prompt").fill("to be or not to be " * 30))
    assert re.search(r"has 570 characters .* it reads the last \d+ and writes on\.", w.sentence())
    w.after(lambda: w.control("prompt").fill("My lord😀"))
    assert "“😀”" in w.part("note").inner_text() and w.context("state.prompt") == "My lord"


def test_the_writer_turns_to_another_vocabulary(widget):
    w = widget("writer")
    w.after(lambda: w.control("model").select_option(index=1))
    assert w.sentence().startswith("Token ")
    w.after(lambda: w.control("prompt").fill("中文 and 😀"))
    assert w.context("result.of.prompt") == "中文 and 😀" and not w.part("note").inner_text()
    w.after(lambda: w.control("model").select_option(index=0))
    assert w.context("state.prompt").strip() == "and"  # of what was typed, what this model can read


def neighbours(w) -> list[str]:
    return w.part("bars").locator("li span:first-child").all_inner_texts()


def test_typed_words_are_answered_as_by_the_vectors(widget):
    vectors = WordVectors(*corpora.glove(10_000))
    w = widget("arithmetic", {"a": "paris", "b": "france", "c": "italy"})
    assert neighbours(w) == [one.word for one in vectors.analogy("france", "paris", "italy", count=10)]
    w.after(lambda: w.control("c").fill("Japan"))  # whatever its case
    assert w.sentence().startswith("paris − france + japan ≈ tokyo")
    for slot in "bc":
        w.after(lambda slot=slot: w.control(slot).fill(""))
    assert neighbours(w) == [one.word for one in vectors.neighbours("paris")]
    assert w.sentence().startswith("Nearest to paris:")


def test_an_unknown_word_gets_an_offer_that_can_be_pressed(widget):
    w = widget("arithmetic")
    first = w.sentence()
    w.after(lambda: w.control("b").fill("frnace"))
    assert "No “frnace” here." in w.part("advice").inner_text()
    assert w.sentence() == first and w.part("shown").inner_text() == "≈ ?"
    w.after(w.part("advice").get_by_role("button", name="france").click)
    assert w.control("b").input_value() == "france" and w.part("advice").inner_text() == ""
    assert w.sentence().startswith("king − france + woman")
    assert w.page.evaluate("document.activeElement.name") == "b"


def test_a_pressed_neighbour_is_walked_on_from_in_list_and_map_and_by_keyboard(widget):
    w = widget("arithmetic", {"b": "", "c": ""})
    w.after(w.part("bars").locator("li").nth(2).click)
    third = w.control("a").input_value()
    assert w.sentence().startswith(f"Nearest to {third}:")
    best = neighbours(w)[0]
    w.after(w.part("picture").locator("svg text.best").click)
    assert w.control("a").input_value() == best
    w.part("picture").focus()
    second = neighbours(w)[1]
    w.page.keyboard.press("ArrowDown")
    w.page.keyboard.press("ArrowDown")
    assert f"Number 2 is {second}" in w.sentence()
    w.after(lambda: w.page.keyboard.press("Enter"))
    assert w.control("a").input_value() == second


def test_a_link_keeps_the_cursor_and_another_question_takes_it_back(widget):
    w = widget("arithmetic", {"a": "paris", "b": "france", "c": "italy", "at": 3})
    assert w.sentence().startswith("Number 4 is ") and w.context("state.at") == 3
    moves = [
        lambda: w.control("allowed").check(),
        lambda: w.control("model").select_option("noise"),
        lambda: w.control("b").fill("germany"),
    ]
    for move in moves:
        w.part("picture").focus()
        w.page.keyboard.press("ArrowDown")
        assert w.context("state.at") >= 0
        w.after(move)
        assert w.context("state.at") == -1


def test_an_example_fills_the_sum_and_the_trick_is_told(widget):
    w = widget("arithmetic", {"a": "moon", "b": "", "c": ""})
    w.after(w.root.get_by_role("button", name="king − man + woman").click)
    assert "king itself would be nearer" in w.sentence()
    w.after(w.control("allowed").check)
    assert neighbours(w)[0] == "king" and "Most accounts leave out the words asked" in w.sentence()
    assert w.part("shown").inner_text() == "≈ king"


def test_other_vectors_have_another_vocabulary(widget):
    w = widget("arithmetic")
    before = w.sentence()
    w.after(lambda: w.control("model").select_option("noise"))
    assert neighbours(w) and w.sentence() != before
    w.after(lambda: w.control("a").fill("throne"))
    assert "No “throne” here." in w.part("advice").inner_text()
    w.after(lambda: w.control("model").select_option("GloVe"))
    assert w.part("advice").inner_text() == "" and w.sentence().startswith("throne − man + woman")


def test_the_training_is_scrubbed_from_noise_to_meaning(widget):
    w = widget("training_map")
    last, places = neighbours(w), w.context("result.places.data")
    w.slide("position", 0)
    assert w.sentence().startswith("Before training") and neighbours(w) != last
    assert np.abs(np.subtract(w.context("result.places.data"), places)).max() > 0.1
    w.slide("position", 2.5)
    assert "At step 250 " in w.sentence()
    w.after(w.part("reset").click)
    assert neighbours(w) == last


def test_the_training_plays_from_the_start_pauses_and_is_followed_by_ear_only_at_rest(widget):
    w = widget("training_map")
    button = w.part("play")
    w.after(button.click)
    assert button.inner_text() == "Pause" and w.part("sentence").get_attribute("aria-live") == "off"
    w.page.wait_for_function("root => root.context.state.position > 0.3", arg=w.root.element_handle())
    assert w.context("state.position") < 7
    button.click()
    held = w.context("state.position")
    w.page.wait_for_timeout(300)
    assert w.context("state.position") == held and button.inner_text() == "Play"
    assert w.part("sentence").get_attribute("aria-live") == "polite"
    w.slide("position", 6.8)
    button.click()
    w.page.wait_for_function("root => root.context.state.position === 7", arg=w.root.element_handle())
    assert button.inner_text() == "Play"


def test_a_key_on_the_picture_takes_the_training_over_and_what_was_reached_is_read_aloud(widget):
    w = widget("training_map")
    w.slide("position", 0)
    w.root.evaluate(
        """root => {
            const place = root.querySelector(".v2g-sentence");
            root.heard = [];
            const hear = () => { if (place.ariaLive === "polite") root.heard.push(place.textContent); };
            new MutationObserver(hear).observe(place, { childList: true, subtree: true });
        }"""
    )
    w.part("play").click()
    w.page.wait_for_function("root => root.context.state.position > 1", arg=w.root.element_handle())
    assert w.root.evaluate("root => root.heard") == []
    w.part("picture").focus()
    w.after(lambda: w.page.keyboard.press("Home"))
    w.page.wait_for_timeout(300)
    assert w.context("state.position") == 0 and w.part("play").inner_text() == "Play"
    assert w.root.evaluate("root => root.heard.at(-1)").startswith("Before training")
    w.part("play").click()
    w.page.wait_for_function("root => root.context.state.position > 1", arg=w.root.element_handle())
    w.part("play").click()
    w.page.wait_for_timeout(300)
    assert w.root.evaluate("root => root.heard.at(-1)") == w.sentence()


def test_a_reader_who_wants_no_motion_sees_the_training_hop(widget):
    w = widget("training_map", reduced_motion="reduce")
    w.root.evaluate(
        """root => {
            root.seen = new Set();
            const look = () => root.seen.add(root.context.state.position);
            new MutationObserver(look).observe(root, { subtree: true, childList: true });
        }"""
    )
    w.part("play").click()
    w.page.wait_for_function("root => root.context.state.position >= 2", arg=w.root.element_handle())
    w.part("play").click()
    assert {0, 1, 2} <= set(w.root.evaluate("root => [...root.seen]")) <= set(range(8))


def test_a_word_is_followed_by_typing_pressing_and_arrows(widget):
    w = widget("training_map")
    w.after(lambda: w.control("word").fill("money"))  # not on the map, but known
    assert "nearest to money are" in w.sentence()
    w.after(lambda: w.control("word").fill("mony"))
    assert "nearest to money are" in w.sentence()
    w.after(w.part("advice").get_by_role("button", name="money").click)
    assert w.control("word").input_value() == "money"
    w.after(w.part("picture").locator("svg text", has_text="july").click)
    assert "nearest to july are" in w.sentence()
    w.part("picture").focus()
    w.after(lambda: w.page.keyboard.press("ArrowDown"))
    w.after(lambda: w.page.keyboard.press("Home"))
    assert w.sentence().startswith("Before training") and "july" not in w.sentence().split(":")[0]


def test_the_gradient_on_the_page_is_the_torch_model(widget):
    models = fresh_models(len(set(widget("gradient").context("settings.tokens"))))
    for length, name, activation in [
        (1, "random U", "tanh"),
        (30, "chained U", "none"),
        (100, "random U", "relu"),
    ]:
        wish = {"length": length, "model": name, "activation": activation, "scale": 0.9, "clip": -1}
        w = widget("gradient", wish)
        ids = w.context("settings.ids")
        with torch.no_grad():
            norms, _, shares, sizes, spectrum = GradientThroughTime(models[name])(
                torch.tensor([ids[-1 - length : -1]]),
                torch.tensor(ids[-1:]),
                torch.tensor([0.9]),
                torch.tensor([ACTIVATIONS.index(activation)]),
                torch.tensor([0.1]),
            )
        for output, value in {"norms": norms, "sizes": sizes, "spectrum": spectrum}.items():
            assert data(w, output, value.shape) == pytest.approx(value.numpy(), rel=1e-2, abs=1e-37), output
        assert data(w, "shares", shares.shape) == pytest.approx(shares.numpy(), abs=1e-3)


def test_the_gradient_vanishes_explodes_and_overflows_in_words(widget):
    w = widget("gradient")
    first = w.sentence()
    assert first.endswith("the gradient vanishes.")
    w.after(lambda: w.control("activation").select_option("none"))
    w.slide("scale", 1.5)
    assert w.sentence().endswith("the gradient explodes.")
    w.slide("length", 100)
    w.slide("scale", 3)
    assert "beyond what float32 holds" in w.sentence()
    assert w.part("picture").bounding_box()["height"] > 200 and "NaN" not in w.root.inner_text()
    assert not w.root.get_attribute("data-problem")
    w.after(w.part("reset").click)
    assert w.sentence() == first


def test_clipping_shortens_the_step_and_leaves_every_share(widget):
    w = widget("gradient", {"scale": 1.2, "activation": "relu"})
    shares, (whole, same) = w.context("result.shares.data"), w.context("result.sizes.data")
    assert whole == same and "clipped to" not in w.part("picture").inner_text()
    w.slide("clip", -2)
    assert w.context("result.sizes.data")[1] == pytest.approx(0.01, rel=1e-3)
    assert w.context("result.shares.data") == shares
    assert "clipped to 0.01" in w.part("picture").inner_text() and "keep their share" in w.sentence()


def test_a_step_of_the_way_back_is_chosen_with_mouse_and_keys_and_the_matrix_scaled(widget):
    w = widget("gradient")
    box = w.part("picture").locator("svg").first.bounding_box()
    w.page.mouse.click(box["x"] + box["width"] * 372 / 380, box["y"] + box["height"] / 2)
    assert w.sentence().startswith("At the last step the norm of the gradient is")
    w.part("picture").focus()
    w.page.keyboard.press("ArrowLeft")
    assert w.sentence().startswith("1 step back, at “e”")
    w.after(lambda: w.page.keyboard.press("ArrowUp"))
    assert w.control("scale").input_value() == "0.85"


def test_bars_and_numbers_of_the_gradient_stand_one_below_the_other_on_a_phone(widget):
    w = widget("gradient", viewport={"width": 360, "height": 780}, has_touch=True)
    first, second = (w.part("pair").locator(part).bounding_box() for part in ("> figure", "> div"))
    assert first["y"] + first["height"] <= second["y"]
    for box in [first, second, w.root.bounding_box()]:
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360


def spelled(word, letters):
    return torch.tensor([[*letters.encode(word), letters["<eos>"]]])


def said_by(model, word, letters, phonemes):
    """What torch says for a word, as the page writes it."""
    ids = greedy(model.step, *model.start(spelled(word, letters)), eos=model.config.eos, limit=32)
    return " ".join(token for token in phonemes.decode(ids[0].tolist()) if token != "<eos>")


@pytest.mark.parametrize("word", ["a", "supercalifragilistic", "zzyzx"])
@pytest.mark.parametrize("name", ["long run", "pretrained g2p"])
def test_a_word_is_said_as_torch_says_it(widget, name, word):
    if name == "long run":
        model, vocabs, _ = checkpoints.load("cmudict-gru")
        letters, phonemes = vocabs["source"], vocabs["target"]
    else:
        model, letters, phonemes = g2p.load()
    w = widget("say", {"word": word, "model": name})
    assert w.part("said").locator("strong").inner_text() == said_by(model, word, letters, phonemes)
    assert word in w.sentence()


def test_a_listed_word_is_judged_and_an_invented_one_is_not(widget):
    w = widget("say")
    before = w.part("picture").inner_text()
    assert "✓" in before or "✗" in before
    w.after(lambda: w.control("word").fill("blickish"))
    assert w.context("result.of.word") == "blickish" and "blickish" in w.sentence()
    after = w.part("picture").inner_text()
    assert "✓" not in after and "✗" not in after


def test_a_step_of_a_word_is_read_by_keyboard(widget):
    w = widget("say")
    w.part("picture").focus()
    for key in ("Home", "ArrowRight"):
        before = w.sentence()
        w.page.keyboard.press(key)
        w.page.wait_for_function("([part, old]) => part.innerText !== old", arg=[sentence_of(w), before])


def sentence_of(w):
    return w.part("sentence").element_handle()


def best_of(w):
    """The first text of the search tree's list."""
    return w.part("table").locator("tbody tr td").first.inner_text()


@pytest.mark.parametrize(
    ("word", "width", "alpha"), [("comedy", 1, 0), ("comedy", 5, 0), ("extraordinary", 8, 1)]
)
def test_the_search_on_the_page_finds_what_torch_finds(widget, word, width, alpha):
    model, vocabs, _ = checkpoints.load("cmudict-gru")
    letters, phonemes = vocabs["source"], vocabs["target"]
    w = widget("tree", {"word": word, "width": width, "alpha": alpha})
    eos = model.config.eos
    found = beam_search(
        model.step, *model.start(spelled(word, letters)), eos=eos, width=width, limit=32, alpha=float(alpha)
    )
    expected = [token for token in phonemes.decode(found.ids[0, 0].tolist()) if token != "<eos>"]
    assert best_of(w) == " ".join(expected)
    assert w.part("table").locator("tbody tr").count() == width + 1  # and greedy search's


def test_the_tree_is_walked_step_by_step_and_drawn_again(widget):
    w = widget("tree")
    for _ in range(3):
        w.control("back").click()
    assert w.sentence().startswith("Step ")
    w.control("all").click()
    assert w.sentence().startswith("For “comedy”")
    w.after(w.control("again").click)
    assert "samples for “comedy”" in w.sentence()
    first = w.part("table").inner_text()
    w.slide("temperature", 2)
    w.slide("top_k", 3)
    assert "temperature 2.0, top-k 3" in w.sentence() and w.part("table").inner_text() != first


@pytest.mark.parametrize("name", ["say", "tree"])
@pytest.mark.parametrize("typed", ["", "Ab 9", "naïve", "你好", "a" * 200, "<b>x</b>"])
def test_what_cannot_be_spelled_is_answered_and_the_last_word_stays(widget, name, typed):
    w = widget(name)
    picture = w.part("picture").inner_text()
    w.control("word").fill(typed)
    w.page.wait_for_timeout(150)
    assert not w.root.get_attribute("data-problem")
    assert w.part("advice").inner_text() or w.part("note").inner_text()
    assert w.part("picture").inner_text() == picture or typed == "a" * 200  # which may be cut, and says so


# ---- heads, and how a token knows its place ----


def pressed(w, key: str) -> None:
    """Press a part of the picture: `head2.1` is the small map of the third layer's second head."""
    w.part("picture").locator(f"[data-key='{key}']").click()


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize(
    ("name", "text"),
    [("spelling to sounds", "a"), ("spelling to sounds", "attention"), ("English to French", "the blue car")],
)
def test_the_heads_on_the_page_are_those_of_the_torch_model(widget, name, text, masked):
    spelling = name == "spelling to sounds"
    model, vocabs, _ = checkpoints.load("cmudict-transformer" if spelling else "grammar-transformer")
    parts = list(text) if spelling else text.split()
    ids = torch.tensor([[*vocabs["source"].encode(parts), vocabs["source"]["<eos>"]]])
    w = widget("heads", {"model": name, "text": text, "off": ["cross.0.1"], "masked": masked})
    on = torch.ones(*w.context("settings.size"))
    off = on.clone()
    off[0, 1] = 0
    with torch.no_grad():
        answer = heads.Heads(model)(ids, on, on, off, torch.tensor([int(masked)]))
    assert w.context("result.of.text") == text
    for output, value in zip(heads.OUTPUTS, answer, strict=True):
        got = data(w, output, value.shape)
        if value.is_floating_point():
            assert np.abs(got - value.numpy()).max() < 5e-3, output
        elif output == "ids":
            assert (got == value.numpy()).all()


def test_a_head_is_chosen_by_a_press_and_switched_off_and_another_comes_by_keyboard(widget):
    w = widget("heads")
    pressed(w, "head1.2")
    assert w.context("state.at") == [1, 2] and w.sentence().startswith("Layer 2, head 3 (on)")
    w.after(w.control("toggle").click)
    assert w.sentence().startswith("Layer 2, head 3 (off)")
    before = w.context("result.probabilities.data")
    w.part("picture").press("ArrowLeft")
    assert w.sentence().startswith("Layer 2, head 2 (on)")
    w.after(lambda: w.part("picture").press("Enter"))
    assert w.context("state.off") == ["cross.1.1", "cross.1.2"]
    assert w.context("result.probabilities.data") != before
    w.after(w.control("allOn").click)
    assert "the model alone says the same." in w.sentence()


def test_without_all_looks_at_the_source_something_else_is_said(widget):
    w = widget("heads")
    w.after(w.control("only").click)
    w.after(w.control("toggle").click)
    assert len(w.context("state.off")) == w.part("picture").locator("g[data-key^=head]").count()
    assert "the model alone says" in w.sentence() and "says the same" not in w.sentence()


def test_without_the_mask_the_decoder_sees_ahead(widget):
    w = widget("heads", {"kind": "decoder"})
    shape = w.context("result.decoder.dims")
    assert not np.triu(data(w, "decoder", shape), 1).any()
    w.after(w.control("masked").click)
    assert np.triu(data(w, "decoder", shape), 1).any()
    assert "Without the mask, what is said is still the likeliest at" in w.sentence()


@pytest.mark.parametrize("name", ["sinusoidal", "rotary"])
def test_the_places_on_the_page_are_those_of_torch(widget, name):
    w = widget("waves", {"model": name, "own": True})
    places, width = w.context("result.told.dims")
    query, key = (torch.tensor([one]) for one in w.context("settings.content"))
    positions = POSITIONS[name](width, context=places, head_width=width)
    for output, value in zip(("told", "scores"), waves.Waves(positions, places)(query, key), strict=True):
        assert np.abs(data(w, output, value.shape) - value.numpy()).max() < 0.05, output
    assert ("Places equally far apart have the same dot product" in w.sentence()) == (name == "rotary")


def test_a_place_is_moved_by_slider_keys_and_mouse(widget):
    w = widget("waves")
    w.control("place").fill("7")
    assert w.sentence().startswith("At place 7 ")
    w.part("picture").press("ArrowRight")
    w.part("picture").press("ArrowDown")
    assert w.sentence().startswith(f"At place 8 pair {w.context('settings.pair') + 1} ")
    box = w.part("picture").locator("svg").bounding_box()
    w.page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.2)
    assert w.context("state.place") > w.context("settings.places") * 0.8


# ---- what a text costs ----


def costs_asked(w) -> dict[str, np.ndarray]:
    """What torch says to the question that the widget's last answer is of."""
    asked = w.context("result.asked")
    n = asked.pop("length")
    with torch.no_grad():
        answer = calculator.Calculator()(torch.tensor([n, 2 * n]), torch.tensor([*asked.values()]))
    return {name: value.numpy() for name, value in zip(calculator.OUTPUTS, answer, strict=True)}


@pytest.mark.parametrize(
    "state",
    [
        {"length": "16", "width": "8", "heads": "1"},
        {"length": "1000", "width": "96", "heads": "3", "layers": "5", "window": "700"},
        {"length": "1,048,576", "width": "16384", "heads": "128", "layers": "128", "batch": "1024"},
    ],
)
def test_the_costs_on_the_page_are_those_of_the_formulas(widget, state):
    w = widget("calculator", state)
    for name, value in costs_asked(w).items():
        assert data(w, name, value.shape) == pytest.approx(value, rel=1e-6), name
    assert f"n = {int(state['length'].replace(',', '')):,}" in w.part("picture").inner_text()


def test_a_length_comes_by_slider_field_keys_and_mouse(widget):
    w = widget("calculator")
    w.slide("power", 12)
    assert w.control("length").input_value() == "4096" and "read 4,096 tokens" in w.sentence()
    w.after(lambda: w.control("length").fill("2,048"))
    assert w.control("power").input_value() == "11" and "read 2,048 tokens" in w.sentence()
    w.after(lambda: w.part("picture").press("PageDown"))
    assert "read 1,024 tokens" in w.sentence()
    first = w.sentence()
    w.part("picture").press("ArrowDown")
    assert w.sentence() != first and w.context("state.at") == 2
    box = w.part("picture").locator("svg").bounding_box()
    w.after(lambda: w.page.mouse.click(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.5))
    assert w.context("result.asked.length") > 50_000


def test_another_model_is_an_example_or_typed_and_what_does_not_fit_is_told(widget):
    w = widget("calculator")
    w.after(w.root.get_by_role("button", name="GPT-3").click)
    assert w.control("width").input_value() == "12288" and "trillion operations" in w.sentence()
    sentence = w.sentence()
    w.after(lambda: w.control("heads").fill("7"))
    assert "7 heads do not share a width of 12,288" in w.part("advice").inner_text()
    assert w.sentence() == sentence
    w.after(w.part("advice").get_by_role("button", name="8").click)
    assert w.part("advice").inner_text() == "" and w.context("result.asked.heads") == 8
    w.after(lambda: w.control("layers").fill("0"))
    assert "give a whole number from 1 to 128" in w.part("advice").inner_text()


def test_each_cost_has_its_axis_and_a_kind_goes_with_its_switch(widget):
    w = widget("calculator")
    for what, unit in {"write": "operations", "look": "iB", "keep": "iB", "read": "operations"}.items():
        w.control("what").select_option(what)
        assert unit in w.part("below").locator("table").inner_text()
    w.control("LSTM").uncheck()
    assert w.part("below").locator("tbody tr").count() == 4 and "LSTM" not in w.part("below").inner_text()


@pytest.mark.parametrize("name", ["heads", "waves", "calculator", "composer"])
def test_maps_and_waves_stay_within_a_phone(widget, name):
    w = widget(name, viewport={"width": 360, "height": 740}, has_touch=True)
    assert w.page.evaluate("document.documentElement.scrollWidth") <= 360
    for svg in w.part("picture").locator("svg").all():
        box = svg.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360


@pytest.mark.parametrize("name", ["say", "tree", "writer"])
def test_words_and_trees_stay_within_a_phone(widget, name):
    w = widget(name, viewport={"width": 360, "height": 740})
    assert w.page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", ["arithmetic", "training_map"])
def test_list_and_map_stand_one_below_the_other_on_a_phone_and_nothing_sticks_out(widget, name):
    w = widget(name, viewport={"width": 360, "height": 780}, has_touch=True)
    boxes = [w.part("picture").locator(part).first.bounding_box() for part in (".v2g-bars", "figure svg")]
    first, second = sorted(boxes, key=lambda box: box["y"])
    assert first["y"] + first["height"] <= second["y"]
    for box in [*boxes, w.root.bounding_box()]:
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360
    w.after(w.part("bars").locator("li").first.tap)
    assert not w.root.get_attribute("data-problem")


# ---- merges, masks and blanks ----


def tokenizer_of(w, most: int | None = None) -> BPE:
    """The tokenizer that a widget holds, by its first `most` merges, or all."""
    merges = w.context("settings.merges")[:most]
    return BPE([tuple(pair) for pair in merges], specials=w.context("settings.specials"))


def boxes(w) -> list[int]:
    """The ids of the tokens that the merges' picture shows."""
    return [int(text) for text in w.part("picture").locator("[data-key] small").all_inner_texts()]


@pytest.mark.parametrize("most", [0, 1, 60, None])
@pytest.mark.parametrize(
    "text",
    [
        "a",
        "The king's  history,\n42 kings!",
        "l'été ½ 中文没有空格",
        "👩‍🚀 e\u0301 \u3000[MASK]",
        "the " * 50,
    ],
)
def test_the_tokens_on_the_page_are_those_of_the_tokenizer(widget, text, most):
    w = widget("merges", {"text": text} | ({} if most is None else {"merges": most}))
    assert w.context("state.text") == text
    assert boxes(w) == w.context("result.ids.data") == tokenizer_of(w, most).encode(text)


def test_the_slider_and_the_steps_allow_merges_and_each_step_changes_the_text(widget):
    w = widget("merges")
    text, every = w.context("state.text"), len(w.context("settings.merges"))
    assert boxes(w) == tokenizer_of(w).encode(text)
    w.slide("merges", 0)
    assert len(boxes(w)) == len(text.encode()) and "every token is one byte" in w.sentence()
    sizes = [len(boxes(w))]
    for _ in range(3):
        w.after(w.control("next").click)
        sizes.append(len(boxes(w)))
        assert f"{sizes[-2]} tokens became {sizes[-1]}" in w.sentence()
    assert all(before > after for before, after in pairwise(sizes))
    w.after(w.control("back").click)
    assert len(boxes(w)) == sizes[-2]
    w.after(w.control("all").click)
    assert w.control("merges").input_value() == str(every) and boxes(w) == tokenizer_of(w).encode(text)
    w.after(w.control("none").click)
    assert len(boxes(w)) == sizes[0]


def test_another_script_is_typed_or_an_example_and_falls_into_bytes(widget):
    w = widget("merges")
    w.after(lambda: w.control("text").fill("Ω"))
    assert boxes(w) == tokenizer_of(w).encode("Ω") and "1 character is 2 tokens" in w.sentence()
    assert "CE" in w.part("picture").inner_text() and "A9" in w.part("picture").inner_text()
    assert w.part("below").locator("td").all_inner_texts() == ["1", "2", "2", "0.50"]
    w.after(w.root.get_by_role("button", name="敏捷的棕色狐狸").click)
    assert len(boxes(w)) == 3 * 7 and "No merge that was learned" in w.sentence()
    w.after(lambda: w.control("text").fill(""))
    assert "Type a text" in w.part("advice").inner_text() and boxes(w) == []


def test_a_token_is_chosen_by_mouse_and_keys_and_says_what_it_was_made_of(widget):
    w = widget("merges")
    w.after(lambda: w.control("text").fill("a the"))
    assert [tokenizer_of(w).decode([one]) for one in boxes(w)] == ["a", " the"]
    w.part("picture").locator("[data-key='0']").click()
    assert f"Token 1 is “a”, id {boxes(w)[0]}: the single byte 61." in w.sentence()
    w.part("picture").press("ArrowRight")
    assert f"Token 2 is “␣the”, id {boxes(w)[1]}: merge " in w.sentence()
    w.part("picture").press("Delete")
    assert "Token " not in w.sentence()
    w.after(lambda: w.part("picture").press("Home"))
    assert len(boxes(w)) == 5 and w.control("merges").input_value() == "0"
    w.after(lambda: w.part("picture").press("ArrowUp"))
    assert len(boxes(w)) < 5
    w.after(lambda: w.part("picture").press("End"))
    assert len(boxes(w)) == 2


def a_reader(name: str, size: int) -> Reader:
    """The reader of the workbench's cell, as its page keeps it."""
    torch.manual_seed(OBJECTIVES.index(name))
    reader = Reader(ReaderConfig(size, context=40, width=32)).eval()
    for weight in reader.parameters():
        if weight.dim() > 1:
            weight.data *= 3
        if weight.numel() >= SMALL:
            weight.data = weight.data.half().float()
    return reader


PAINT = {"0.3": 1, "2.0": 0, "2.4": 1, **{f"5.{s}": 0 for s in range(13)}, **{f"6.{s}": 1 for s in range(13)}}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_both_readings_on_the_page_are_those_of_the_torch_model(widget, name):
    w = widget("painter", {"model": name, "painted": PAINT})
    bpe, text = tokenizer_of(w), w.context("state.text")
    marks = painter.Marks((), bpe["[MASK]"], tuple(bpe[mark] for mark in ("<X>", "<Y>", "<Z>")))
    ids = bpe.encode(text)
    asked = painter.places(name, range(len(ids)), length=len(ids), marks=marks)
    question = painter.question(painter.asking(name, ids, asked, marks=marks))
    changed = {cell for cell, open_ in PAINT.items() if question["masks"][1][place(cell)] != open_}
    for cell in changed:
        question["masks"][1][place(cell)] = PAINT[cell]
    assert set(w.context("state.painted")) == changed and len(changed) > 7
    with torch.no_grad():
        answer = painter._painter(name)(a_reader(name, len(bpe)))(*question.values())
    for output, value in zip(painter.OUTPUTS, answer, strict=True):
        got = data(w, output, value.shape)
        if value.is_floating_point():
            assert np.isfinite(got).all() and np.abs(got - value.numpy()).max() < 1e-3, output
        else:
            assert (got == value.numpy()).mean() > 0.98, output  # of two as likely either may stand first


def place(cell: str) -> tuple[int, int]:
    row, column = cell.split(".")
    return int(row), int(column)


def on_screen(w, row: int, column: int) -> list[float]:
    """Where the middle of a cell of the mask stands on the screen."""
    grid = w.part("picture").locator("svg")
    grid.scroll_into_view_if_needed()
    js = """(svg, [x, y]) => {
        const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
        return [at.x, at.y];
    }"""
    return grid.evaluate(js, [18 * column + 9, 18 * row + 9])


def test_a_mask_is_painted_with_the_mouse_and_the_answer_shows_through(widget):
    w = widget("painter")
    first = w.sentence()
    w.after(lambda: w.page.mouse.click(*on_screen(w, 11, 12)))
    assert w.context("state.painted") == {"11.12": 1} and w.context("state.at") == [11, 12]
    assert "At 1 of 12 rows the answer itself can now be seen" in w.sentence()
    assert "With the objective’s own mask" in w.sentence()
    shape = w.context("result.own.dims")
    own, now = data(w, "own", shape)
    assert own[11] != now[11] and own[:11] == pytest.approx(now[:11], abs=1e-6)  # they see what they saw

    def drag():
        w.page.mouse.move(*on_screen(w, 7, 2))
        w.page.mouse.down()
        w.page.mouse.move(*on_screen(w, 7, 5), steps=4)
        w.page.mouse.up()

    w.after(drag)
    cells = {"11.12": 1, **{f"7.{s}": 0 for s in range(2, 6)}}
    assert w.context("state.painted") == cells and w.context("state.brush") == -1
    w.after(w.control("all").click)
    assert "At 12 of 12 rows the answer" in w.sentence()
    w.after(w.control("past").click)
    assert w.context("state.painted") == {}
    w.after(w.part("reset").click)
    assert w.sentence() == first


def test_a_mask_is_painted_by_keyboard_and_a_row_that_sees_nothing_has_an_answer(widget):
    w = widget("painter")
    picture = w.part("picture")
    for key in ("ArrowDown", "ArrowDown", "End"):
        picture.press(key)
    assert w.context("state.at") == [2, 12]
    w.after(lambda: picture.press(" "))
    assert w.context("state.painted") == {"2.12": 1}
    w.after(lambda: picture.press("Delete"))
    assert w.context("state.painted") == {}
    picture.press("Home")
    for _ in range(3):
        w.after(lambda: picture.press("Enter"))
        picture.press("ArrowRight")
    assert w.context("state.painted") == {"2.0": 0, "2.1": 0, "2.2": 0}
    assert "sees 0 of 13 tokens" in w.sentence() and "NaN" not in w.root.inner_text()
    assert np.isfinite(w.context("result.own.data")).all()
    w.after(lambda: picture.press("Backspace"))
    assert "nothing is asked there" in w.sentence()
    picture.press("PageDown")
    assert w.context("state.at")[0] == 3


def test_tokens_to_ask_are_pressed_and_another_objective_asks_others(widget):
    w = widget("painter", {"model": "masked"})
    picture = w.part("picture")
    asked = picture.locator("span[data-key^=token][style*='solid']")
    before = asked.count()
    w.after(picture.locator("[data-key=token0]").click)
    assert asked.count() == before + 1
    assert "[MASK]" in w.sentence()  # the row that is now asked reads the mark
    w.after(lambda: w.control("model").select_option("spans"))
    assert "<X>" in picture.inner_text() and "cut out of the text" in w.part("below").inner_text()
    w.after(lambda: w.control("model").select_option("permuted"))
    sentence = w.sentence()
    w.after(w.control("another").click)
    assert w.sentence() != sentence and w.context("state.draw") == 2


def test_a_text_to_paint_on_is_typed_or_an_example_and_what_does_not_fit_is_told(widget):
    w = widget("painter")
    w.after(w.root.get_by_role("button", name="to be or not to be").click)
    assert w.context("result.guesses.dims")[1] == len(tokenizer_of(w).encode("to be or not to be"))
    sentence = w.sentence()
    w.after(lambda: w.control("text").fill("t"))
    assert "the text has 1: type more" in w.part("advice").inner_text() and w.sentence() == sentence
    w.after(lambda: w.control("text").fill("the king " * 20))
    assert f"the first {painter.LIMIT} are read" in w.sentence() and w.part("advice").inner_text() == ""
    w.after(lambda: w.control("text").fill("中文 and 😀"))
    assert w.context("result.guesses.dims")[1] == len(tokenizer_of(w).encode("中文 and 😀"))


def test_a_mask_is_painted_with_a_finger_and_the_page_still_scrolls(widget):
    w = widget("painter", viewport={"width": 360, "height": 780}, has_touch=True)
    w.after(lambda: w.page.touchscreen.tap(*on_screen(w, 1, 2)))
    assert w.context("state.painted") == {"1.2": 1}
    before = w.page.evaluate("scrollY")
    swipe(w.page, on_screen(w, 3, 4), right=0, down=-200)
    assert w.page.evaluate("scrollY") > before + 100
    assert w.context("state.painted") == {"1.2": 1} and w.context("state.brush") == -1
    w.after(lambda: swipe(w.page, on_screen(w, 4, 0), right=18 * 3, down=2))
    assert w.context("state.painted") == {"1.2": 1, **{f"4.{s}": 0 for s in range(4)}}


@pytest.mark.parametrize(
    ("text", "blank"),
    [
        ("The cat sat on the mat.", []),
        ("The cat sat on the mat.", [0, 2, 6]),
        ("Antidisestablishmentarianism,  42 中文 e\u0301 😀", [0]),
        ("a", [0]),
        (" the" * 62, [3, 30]),
    ],
)
def test_the_filled_blanks_on_the_page_are_those_of_the_torch_model(widget, text, blank):
    model, vocabs, _ = checkpoints.load("prose-bert")
    w = widget("blanks", {"text": text, "blanks": blank})
    assert w.context("result.of.text") == text and w.context("result.of.blanks") == blank
    ids, truth = blanks.asked(text, blank, vocabs["text"], room=blanks.LIMIT - 2)
    with torch.no_grad():
        answer = blanks.Blanks(model.eval())(ids, truth)
    for output, value in zip(blanks.OUTPUTS, answer, strict=True):
        got = data(w, output, value.shape)
        if value.is_floating_point():
            assert np.abs(got - value.numpy()).max() < 1e-2, output  # the page keeps halves
        elif output == "guesses":
            assert (got[..., 0] == value[..., 0].numpy()).mean() > 0.9


def test_words_are_blanked_by_mouse_and_shown_again(widget):
    w = widget("blanks")
    assert w.context("state.blanks") == [2] and "“sat” is blank." in w.sentence()
    w.after(w.part("picture").locator("[data-key=word1]").click)
    assert w.context("state.blanks") == [1, 2] and "“cat” is blank" in w.sentence()
    assert "2 of 7 words are blank" in w.sentence()
    assert w.part("picture").locator("strong").all_inner_texts() == ["1. cat", "2. sat"]
    w.part("picture").locator("strong", has_text="sat").click()
    assert w.context("state.at") == 2 and w.context("state.blanks") == [1, 2]
    w.after(w.part("picture").locator("[data-key=word2]").click)
    assert w.context("state.blanks") == [1] and "“sat” is not blank: the model sees it" in w.sentence()
    w.after(w.control("every").click)
    assert "All words are blank" in w.sentence()
    w.after(w.control("clear").click)
    assert "Nothing is blank: press a word." in w.sentence()


def test_words_and_heads_are_chosen_by_keyboard_and_a_head_by_a_press(widget):
    w = widget("blanks")
    picture, looks = w.part("picture"), w.context("result.weights.data")
    picture.press("End")
    assert "“.” is not blank" in w.sentence() and "From there layer 1, head 1 looks at" in w.sentence()
    w.after(lambda: picture.press("Enter"))
    assert w.context("state.blanks") == [2, 6] and w.context("result.weights.data") != looks
    picture.press("Home")
    picture.press("ArrowRight")
    picture.press("ArrowDown")
    assert "“cat” is not blank" in w.sentence() and "layer 1, head 2 looks at" in w.sentence()
    w.after(lambda: picture.press(" "))
    assert w.context("state.blanks") == [1, 2, 6]
    picture.locator("[data-key='head1.0'] text").click()
    assert "layer 2, head 1 looks at" in w.sentence()


def test_a_sentence_is_typed_around_its_blanks_and_one_too_long_is_offered_shorter(widget):
    w = widget("blanks")
    w.after(lambda: w.control("text").fill("The black cat sat on the mat."))
    assert w.context("state.blanks") == [3] and "“sat” is blank." in w.sentence()
    sentence = w.sentence()
    w.after(lambda: w.control("text").fill("the cat " * 45))
    assert f"reads at most {blanks.LIMIT - 2}: shorten it" in w.part("advice").inner_text()
    assert w.sentence() == sentence
    w.after(w.part("advice").get_by_role("button").click)
    assert w.part("advice").inner_text() == "" and w.sentence() != sentence
    w.after(w.root.get_by_role("button", name="The capital of France").click)
    assert "“Paris” is blank" in w.sentence()
    w.after(lambda: w.control("text").fill(" "))
    assert "There is no word to blank" in w.part("advice").inner_text()


COMPOSED = [
    PRESETS["thawing: both"],
    PRESETS["layers: head"],
    Composition("constant", 0, lr=3e-6, layers=12),
    Composition("exponential", 7, lr=1.5e-4, steps=200, decay=0.83, layers=4),
    Composition("one cycle", 35, lr=0.05, steps=110, every=13, still=1),
    Composition("cyclical", 21, steps=70, decay=0.3, every=2, still=5, layers=12),
]


def linked(one: Composition, w) -> dict:
    """A composition as a link holds it: its rate by the place among those that can be chosen."""
    same = {name: getattr(one, name) for name in ("kind", "share", "steps", "decay", "every", "still")}
    return same | {"rate": w.context("settings.rates").index(one.lr), "layers": str(one.layers)}


def trained_by(code: str, layers: int, monkeypatch) -> np.ndarray:
    """The rate at which the page's code trains each group of a model of so many blocks, at each step."""
    model = Classifier(Bert(BertConfig(7, context=4, width=4, heads=1, inner=4, layers=layers)), 2)
    calls = []
    monkeypatch.setattr(vec2gpt.training, "fit", lambda *models, **told: calls.append((models, told)))
    exec(code, {"model": model, "draw": "draw"})
    [((trained, _), told)] = calls
    assert trained is model
    groups = told.get("groups")  # without them `fit` trains all at one rate
    rates = [scheduled(told["lr"], told["schedule"], step, groups) for step in range(told["steps"])]
    return np.array([list(rate.values()) if groups else [rate] * (layers + 2) for rate in rates]).T


@pytest.mark.parametrize("one", COMPOSED, ids=lambda one: one.kind)
def test_the_map_on_the_page_is_python_s_and_the_code_below_it_trains_so(widget, one, monkeypatch):
    w = widget("composer", linked(one, widget("composer")))
    rates, code = one.rates().numpy(), w.part("below").locator("pre").inner_text()
    assert data(w, "rates", rates.shape) == pytest.approx(rates, rel=1e-12, abs=0)
    assert code == one.code()
    ran = trained_by(code, one.layers, monkeypatch)
    assert (ran == rates).all()
    beside = [w.part("picture").locator(f"text[x='{x}']") for x in ("75.0", "342.0")]
    names, sums = (texts.all_text_contents() for texts in beside)
    assert names[2:] == one.groups[::-1]  # the head on top; above it the two ends of the curve's axis
    assert [float(text) for text in sums] == pytest.approx(ran[::-1].sum(1), rel=0.05)
    hatches = w.part("picture").locator("path[stroke-opacity]").get_attribute("d")
    assert bool(hatches) == bool((ran == 0).any())


def on_map(w, step: int, row: int) -> list[float]:
    """Where on the screen the map has a step, counted from 1, of the row that is so many below the head's."""
    picture = w.part("picture").locator("svg")
    picture.scroll_into_view_if_needed()
    js = """(svg, [x, y]) => {
        const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
        return [at.x, at.y];
    }"""
    return picture.evaluate(js, [80 + 256 * (step - 0.5) / w.context("state.steps"), 104 + 19 * (row + 0.5)])


def test_a_step_and_a_group_are_chosen_by_mouse(widget):
    w = widget("composer")
    w.page.mouse.click(*on_map(w, 2, 0))
    assert w.sentence().startswith("Step 2 of 60: 1 of 8 groups learns. The head learns at 2e-4.")
    w.page.mouse.move(*on_map(w, 7, 1))
    w.page.mouse.down()
    w.page.mouse.move(*on_map(w, 13, 4), steps=5)
    assert "Step 13 of 60: 3 of 8 groups learn. Block 3 is frozen, and learns from step 25" in w.sentence()
    w.page.mouse.move(*on_map(w, 90, 30), steps=5)  # far beyond the map's corner
    w.page.mouse.up()
    assert "Step 60 of 60: 8 of 8 groups learn. The embedding learns at" in w.sentence()
    assert not w.answers()  # looking round asks for nothing
    w.after(w.part("reset").click)
    assert w.sentence().startswith("Step 31 of 60: 6 of 8 groups learn. Block 5 learns at")


def test_a_step_and_a_group_are_chosen_by_keyboard_and_read_aloud(widget):
    w = widget("composer")
    picture = w.part("picture")
    for key, step, group in [
        ("ArrowRight", 32, "Block 5 learns at"),
        ("ArrowUp", 32, "Block 6 learns at"),
        ("PageUp", 22, "Block 6 learns at"),
        ("Home", 1, "Block 6 is frozen, and learns from step 7 on"),
        ("End", 60, "Block 6 learns at"),
        ("ArrowDown", 60, "Block 5 learns at"),
    ]:
        picture.press(key)
        assert w.sentence().startswith(f"Step {step} of 60: ") and group in w.sentence(), key
    heard = read_aloud(w, "ArrowLeft")
    assert heard[0].startswith("Step 59 of 60") and all(text in w.sentence() for text in heard)
    assert not any("Measured" in text or "backward" in text for text in heard)  # which are as they were


def test_a_way_brings_its_whole_composition_and_another_number_makes_it_the_reader_s_own(widget):
    w = widget("composer")
    assert w.control("way").input_value() == "thawing: both" and "Not measured." in w.sentence()
    w.after(lambda: w.control("way").select_option("layers: head"))
    assert "1 of 8 groups learns" in w.sentence() and "100% of the backward passes" in w.sentence()
    assert w.context("settings.rates")[w.context("state.rate")] == PRESETS["layers: head"].lr
    w.slide("still", 6)
    assert w.control("way").input_value() == "" and "2 of 8 groups learn" in w.sentence()
    w.after(lambda: w.control("kind").select_option("cyclical"))
    assert "cyclical(60, period=20, low=0.1)" in w.part("below").locator("pre").inner_text()
    w.after(lambda: w.control("layers").select_option("12"))
    assert "8 of 14 groups learn" in w.sentence()


def test_what_does_not_go_together_is_told_and_what_was_composed_last_stays(widget):
    w = widget("composer")
    before, code = w.part("picture").inner_text(), w.part("below").inner_text()
    w.slide("every", 30)
    said = "every is 30: embedding would thaw after 210 steps, but there are 60: give 1 … 8, or 0"
    assert said in w.part("advice").inner_text()
    assert w.sentence().startswith("Picture and code are of the last composition that goes together.")
    assert (w.part("picture").inner_text(), w.part("below").inner_text()) == (before, code)
    w.after(w.part("advice").get_by_role("button", name="8").click)
    assert w.part("advice").inner_text() == "" and w.context("state.every") == 8
    w.slide("still", 8)
    w.after(w.part("advice").get_by_role("button", name="7").click)
    assert "1 of 8 groups learns" in w.sentence()


def test_a_step_is_chosen_with_a_finger_and_the_page_still_scrolls(widget):
    w = widget("composer", viewport={"width": 360, "height": 780}, has_touch=True)
    w.page.touchscreen.tap(*on_map(w, 20, 0))
    assert (w.context("state.at"), w.context("state.group")) == (19, 7)
    before = w.page.evaluate("scrollY")
    swipe(w.page, on_map(w, 30, 6), right=0, down=-200)
    assert w.page.evaluate("scrollY") > before + 100
    there, right = on_map(w, 10, 2), on_map(w, 40, 2)[0] - on_map(w, 10, 2)[0]
    swipe(w.page, there, right=right, down=2)
    assert w.context("state.at") == pytest.approx(39, abs=1) and w.context("state.group") == 5


LOVED = "It is a wonderful film, and I loved every minute."


@pytest.mark.parametrize(
    ("text", "off"),
    [
        ("Not bad at all.", []),
        (LOVED, [0, 3, 9]),
        (LOVED, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11]),
        ("Antidisestablishmentarianism,  42 中文 e\u0301 😀\nbyte \0", [1]),
        ("film", []),
        (" the" * 62, [3, 30]),
    ],
)
def test_the_opinion_on_the_page_is_that_of_the_torch_model(widget, text, off):
    model, vocabs, _ = checkpoints.load("opinions-bert")
    w = widget("opinion", {"text": text, "off": off})
    assert w.context("result.of.text") == text and w.context("result.of.off") == off
    rows = opinion.asked(text, off, vocabs["text"], room=opinion.LIMIT - 2, pad=model.pad)
    with torch.no_grad():
        [log_odds] = opinion.Opinion(model.eval())(rows)
    assert np.abs(data(w, "log_odds", len(rows)) - log_odds.numpy()).max() < 1e-2
    sure = max(log_odds[0], -log_odds[0]).sigmoid().item()
    [told] = re.findall(r"^The model says “(?:for|against)”, (?:over |under )?([\d.]+)%", w.sentence())
    assert float(told) / 100 == pytest.approx(sure, abs=0.011)


def weighs(w, word: int) -> float:
    """What a word weighs, as the page has it beside it."""
    return float(w.part("picture").locator(f"[data-key=word{word}]").get_attribute("title").replace("−", "-"))


def test_words_are_left_out_by_mouse_and_read_again(widget):
    w = widget("opinion", {"text": LOVED})
    first, whole = w.sentence(), w.context("result.log_odds.data")[0]
    word, weight = w.part("picture").locator("[data-key=word8]"), weighs(w, 8)
    assert whole > 0 and "The model says “for”" in first and word.inner_text() == "loved"
    w.after(word.click)
    assert w.context("state.off") == [8] and "1 word is left out. With “loved” again it says" in w.sentence()
    assert w.context("result.log_odds.data")[0] == pytest.approx(whole - weight, abs=0.02)
    assert weighs(w, 8) == pytest.approx(weight, abs=0.02)  # what it would change if it came back
    assert "line-through" in word.get_attribute("style")
    w.part("picture").locator("ol li").first.click()
    assert w.context("state.off") == [8]  # the list only chooses
    w.after(w.control("weaken").click)
    assert len(w.context("state.off")) == 2 and w.context("result.log_odds.data")[0] < whole - weight
    w.after(w.control("every").click)
    assert w.context("state.off") == [] and w.context("result.log_odds.data")[0] == pytest.approx(whole)
    w.after(w.part("picture").locator("[data-key=word8]").click)
    w.after(w.part("reset").click)
    assert w.context("state.text") == "Not bad at all." and w.context("state.off") == []


def test_words_are_left_out_by_keyboard_and_of_all_none_is_judged(widget):
    w = widget("opinion")
    picture = w.part("picture")
    picture.press("ArrowRight")
    [heard] = read_aloud(w, "ArrowRight")
    assert heard.startswith("Without “at” it says “") and heard in w.sentence()
    w.after(lambda: picture.press(" "))
    assert w.context("state.off") == [2] and "With “at” again it says" in w.sentence()
    w.after(lambda: picture.press("Delete"))
    assert w.context("state.off") == []
    picture.press("Home")
    for key in ("Enter", " ", "Backspace", "Delete"):
        w.after(lambda key=key: picture.press(key))
        picture.press("ArrowRight")
    assert w.context("state.off") == [0, 1, 2, 3]
    assert "“.” is the only word that is read: without it there is nothing to judge." in w.sentence()
    sentence = w.sentence()
    w.after(lambda: picture.press("Enter"))
    assert w.part("advice").inner_text() == opinion.ALL_OFF
    assert w.sentence() == sentence
    w.after(w.part("picture").locator("[data-key=word1]").click)
    assert w.part("advice").inner_text() == "" and "“bad” is the only word that is read" in w.sentence()


def test_a_sentence_is_typed_around_what_is_left_out_and_one_too_long_is_offered_shorter(widget):
    w = widget("opinion")
    w.after(w.part("picture").locator("[data-key=word1]").click)
    w.after(lambda: w.control("text").fill("Really not bad at all."))
    assert w.context("state.off") == [2] and "1 word is left out." in w.sentence()
    sentence = w.sentence()
    w.after(lambda: w.control("text").fill("the film " * 40))
    assert f"reads at most {opinion.LIMIT - 2}: shorten it" in w.part("advice").inner_text()
    assert w.sentence() == sentence
    w.after(w.part("advice").get_by_role("button").click)
    assert w.part("advice").inner_text() == "" and w.sentence() != sentence
    w.after(w.root.get_by_role("button", name="The battery died").click)
    assert w.context("state.off") == [] and "“against”" in w.sentence()
    w.after(lambda: w.control("text").fill(" "))
    assert w.part("advice").inner_text() == opinion.NOTHING


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("merges", lambda w: [w.slide("merges", 40), w.part("picture").locator("[data-key='3']").click()]),
        ("painter", lambda w: w.after(lambda: w.page.mouse.click(*on_screen(w, 3, 5)))),
        ("blanks", lambda w: w.after(w.part("picture").locator("[data-key=word5]").click)),
        ("composer", lambda w: [w.slide("every", 3), w.page.mouse.click(*on_map(w, 9, 6))]),
        ("opinion", lambda w: w.after(w.part("picture").locator("[data-key=word0]").click)),
    ],
)
def test_a_copied_link_holds_what_was_chosen(widget, name, change):
    w = widget(name)
    first = w.sentence()
    change(w)
    sentence, state = w.sentence(), w.context("state")
    assert sentence != first
    come_back_by_its_link(w)
    assert w.sentence() == sentence and w.context("state") == state


@pytest.mark.parametrize("name", ["merges", "painter", "blanks", "opinion"])
def test_what_is_made_of_a_sentence_stays_within_a_phone(widget, name):
    w = widget(name, viewport={"width": 360, "height": 740}, has_touch=True)
    assert w.page.evaluate("document.documentElement.scrollWidth") <= 360
    w.after(lambda: w.control("text").fill("Donaudampfschifffahrtsgesellschaft, " + "of " * 20))
    assert w.page.evaluate("document.documentElement.scrollWidth") <= 360
    for part in ("picture", "below"):
        box = w.part(part).bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 360


# ---- links, second visits, and what can go wrong ----


def test_a_copied_link_brings_the_state_back(widget):
    w = widget("softmax")
    w.slide("temperature", 2.5)
    sentence = w.sentence()
    come_back_by_its_link(w)
    assert w.sentence() == sentence and w.control("temperature").input_value() == "2.5"


@pytest.mark.parametrize("name", NAMES)
def test_a_nonsense_link_does_no_harm(visit, name):
    v = visit()
    wish = {
        "text": 5,
        "held": [1],
        "every": 7,
        "where": "nowhere",
        "word": {"a": 1},
        "paint": "x",
        "logits": "hot",
        "prompt": None,
        "at": "?",
        "seed": "x",
        "topK": {},
        "a": 7,
        "b": ["x"],
        "allowed": "yes",
        "position": "early",
        "scale": [2],
        "length": "long",
        "activation": 3,
        "clip": {"at": 1},
        "off": {"a": 1},
        "kind": 3,
        "row": "x",
        "masked": [],
        "place": "far",
        "pair": {},
        "what": 5,
        "width": [],
        "power": "x",
        "model": "none",
        "merges": "all",
        "asked": {"a": 1},
        "painted": [["x"]],
        "draw": -1,
        "brush": "wide",
        "blanks": "all",
        "head": 7,
        "way": "mine",
        "share": "half",
        "rate": {},
        "steps": [60],
        "decay": None,
        "still": "all",
        "layers": 5,
        "group": "head",
        "taken": [{"from": "x"}, 5],
        "pick": "best",
    }
    v.open(f"{WORKBENCH}#" + urlencode({name: json.dumps(wish)}))
    assert v.widget(name).part("picture").bounding_box()["height"] > 40


def nonsense(count: int, seed: int = 0) -> list[str]:
    """Texts of any characters, surrogates apart."""
    dice = random.Random(seed)
    return [
        "".join(chr(dice.randrange(1, 0x2FFF)) for _ in range(dice.randrange(1, 60))) for _ in range(count)
    ]


TEXTS = [
    "",
    " ",
    "😀",
    "你好，世界",
    "<script>alert(1)</script>",
    "\t\u0000\u202e",
    "a" * 10_000,
    "'\"&;--",
    "ß ŒÅ ﬁ",
]


@pytest.mark.parametrize(("name", "field"), [("arithmetic", "b"), ("training_map", "word")])
def test_nonsense_typed_for_a_word_leaves_the_last_answer(widget, name, field):
    w = widget(name)
    sentence = w.sentence()
    for text in [*TEXTS[2:], *nonsense(10)]:
        w.after(lambda text=text: w.control(field).fill(text))
        assert not w.root.get_attribute("data-problem"), text
        assert w.part("advice").inner_text(), text
        assert w.sentence() == sentence, text
        assert w.part("picture").bounding_box()["height"] > 200, text


@pytest.mark.parametrize(
    ("name", "field"), [("valves", "text"), ("repaint", "text"), ("writer", "prompt"), ("heads", "text")]
)
def test_nonsense_typed_into_a_widget_is_answered_and_breaks_nothing(widget, name, field):
    w = widget(name)
    for text in [*TEXTS, *nonsense(10)]:
        w.control(field).fill(text)  # not every text is a new question, so there may be no answer to wait for
        w.page.wait_for_timeout(100)
        assert not w.root.get_attribute("data-problem"), text
        assert w.part("picture").bounding_box()["height"] > 40, text
    w.control(field).fill("a😀b")
    assert "“😀”" in w.part("note").inner_text()
    w.control(field).fill("a" * 10_000)
    assert "Cut to" in w.part("note").inner_text()


@pytest.mark.parametrize("name", ["merges", "painter", "blanks", "opinion"])
def test_nonsense_typed_for_a_tokenizer_is_read_as_bytes_and_breaks_nothing(widget, name):
    w = widget(name)
    for text in [*TEXTS, *nonsense(10)]:
        w.control("text").fill(text)
        w.page.wait_for_timeout(100)
        assert not w.root.get_attribute("data-problem"), text
        assert w.part("picture").bounding_box()["height"] > 10, text
        assert not {"NaN", "undefined"} & set(w.root.inner_text().split()), text
    w.control("text").fill("a" * 10_000)
    assert "Cut to" in w.part("note").inner_text()
    w.after(lambda: w.control("text").fill("the cat and the dog"))
    assert w.part("advice").inner_text() == "" and w.context("result.of.text") == "the cat and the dog"


def test_a_second_visit_needs_no_download(browser, visit):
    v = visit(forgive="ERR_FAILED")
    v.open(WORKBENCH)
    v.widget("softmax").slide("temperature", 2)
    v.page.route("**/*.wasm", lambda route: route.abort())
    v.page.route("**/*.onnx", lambda route: route.abort())
    v.page.reload()
    mounted(v.page)
    assert not v.widget("softmax").slide("temperature", 3).root.get_attribute("data-problem")


def test_a_missing_model_is_told_and_tried_again(visit):
    v = visit(forgive="404")
    v.open(WORKBENCH)
    v.page.route("**/*.onnx", lambda route: route.fulfill(status=404, body=""))
    w = v.widget("softmax").slide("temperature", 2)
    assert "is missing (404)" in w.part("note").inner_text()
    v.page.unroute("**/*.onnx")
    w.slide("temperature", 3)
    assert w.part("note").inner_text() == ""
    assert "temperature 3.0" in w.sentence()


def test_a_broken_model_is_told(visit):
    v = visit(forgive="error")
    v.open(WORKBENCH)
    v.page.route("**/*.onnx", lambda route: route.fulfill(status=200, body="not a model"))
    w = v.widget("softmax").slide("temperature", 2)
    assert "did not answer" in w.part("note").inner_text()
    v.page.unroute("**/*.onnx")  # what was no good was not kept
    w.slide("temperature", 3)
    assert w.part("note").inner_text() == "" and "temperature 3.0" in w.sentence()


def test_a_view_that_errs_leaves_the_picture_and_is_not_overlooked(visit):
    v = visit(forgive="no such luck")
    broken = {"status": 200, "content_type": "text/javascript", "body": "throw new Error('no such luck')"}
    v.page.route("**/softmax.mjs*", lambda route: route.fulfill(**broken))
    page = v.open(WORKBENCH)
    assert "could not start" in page.locator(".v2g-host [role=alert]").first.inner_text()
    assert page.locator(".v2g-host .v2g-picture").first.bounding_box()["height"] > 40
    assert any("no such luck" in problem for problem in v.problems)  # the console tells: a test turns red


def test_two_widgets_of_one_kind_do_not_meddle(visit):
    v = visit()
    page = v.open(f"{WORKBENCH}#" + urlencode({"softmax-2": json.dumps({"temperature": 3})}))
    first, second = (page.locator(".v2g-host[data-view*='/softmax.mjs'] > .v2g").nth(k) for k in (0, 1))
    page.wait_for_function("root => root.dataset.answers > 0", arg=second.element_handle())
    assert second.locator("[name=temperature]").input_value() == "3"
    assert first.locator("[name=temperature]").input_value() == "1"
    assert "<b>heads</b>" in second.locator("svg").text_content()
    assert second.locator("svg b").count() == 0


def test_a_link_within_the_page_is_followed(visit):
    v = visit()
    v.open(WORKBENCH)
    w = v.widget("valves")
    link = urlencode({"valves": json.dumps({"unit": 5})})
    w.after(lambda: v.page.evaluate("hash => { location.hash = hash; }", link))
    assert w.control("unit").input_value() == "5"


def test_a_drag_of_a_hundred_moves_ends_at_the_last(widget):
    w = widget("softmax")
    w.slide("temperature", 2)
    w.root.evaluate(
        """root => {
            const slider = root.querySelector("[name=temperature]");
            for (let k = 1; k <= 100; k++) {
                slider.value = 0.1 + k * 0.04;
                slider.dispatchEvent(new Event("input", { bubbles: true }));
            }
        }"""
    )
    w.page.wait_for_function(
        "root => root.querySelector('.v2g-sentence').textContent.includes('temperature 4.1')",
        arg=w.root.element_handle(),
    )
    assert w.context("result.of.temperature") == pytest.approx(4.1)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("valves", "text"),
        ("repaint", "text"),
        ("writer", "prompt"),
        ("arithmetic", "c"),
        ("training_map", "word"),
        ("merges", "text"),
        ("painter", "text"),
        ("blanks", "text"),
        ("opinion", "text"),
    ],
)
def test_a_thousand_nonsense_texts(widget, name, field):
    w = widget(name)
    for text in nonsense(1000, seed=1):
        w.control(field).fill(text)
        w.page.wait_for_timeout(10)
        assert not w.root.get_attribute("data-problem"), text
