"""vec2gpt.wikitext: what a reader would see remains, what nests goes whole."""

import doctest

import pytest

from vec2gpt import wikitext
from vec2gpt.wikitext import plain


def test_the_examples_of_the_docstrings_are_true():
    failed, tried = doctest.testmod(wikitext)
    assert (failed, tried > 0) == (0, True)


@pytest.mark.parametrize(
    ("markup", "shown"),
    [
        ("a [[tree]] grows", "a tree grows"),
        ("a [[tree (plant)|tree]] grows", "a tree grows"),
        ("[[tree]]s", "trees"),
        ("'''bold''' and ''slanted'' and '''''both'''''", "bold and slanted and both"),
        ("a{{cite|b={{nested|{{deep}}}}}}c", "ac"),
        ("[[File:a.jpg|thumb|A [[cat]] {{lang|la|felis}} on a [[mat (rug)|mat]]]]after", "after"),
        ("[[Category:Trees]][[fr:Arbre]][[zh-min-nan:x]]end", "end"),
        ("{| class=x\n|-\n| a {{b}} || [[c]]\n{| nested |}\n|}after", "after"),
        ("one<ref>Li, {{cite}}, p. 3</ref> two<ref name=x /> three<ref name='y'>z</ref>", "one two three"),
        ("a<ref name=x/>b<ref>c</ref>d", "abd"),  # the first is closed: it must not reach to the second's end
        ("kept <!-- not\nkept --> kept", "kept  kept"),
        ("let <math>x^2 < 3</math> be", "let  be"),
        ("H<sub>2</sub>O &amp;nbsp;&amp; ice", "H2O &nbsp;& ice"),
        ("== Title ==\n* one\n# two\n:; three\n\n\n", "Title\none\ntwo\nthree"),
        ("see [http://example.org/x?y=1 the page] now", "see  the page now"),
        ("a lone ]] or }} or [[ is dropped", "a lone  or  or  is dropped"),
        ("few &lt;10 ppm, p &lt; 0.05\n\nand &gt; 3", "few <10 ppm, p < 0.05\nand > 3"),  # not a tag
        ("few <10 ppm\n\nand <small>x > 3</small>", "few <10 ppm\nand x > 3"),
        ("&lt;ref> &amp;lt; &#91;&#91;x]]", "<ref> &lt; [[x"),  # what is written as an entity is text
        ("one<br>two<BR />three", "one two three"),
        ("[[wikt:albedo|albedo]]", "albedo"),
        (
            "[[Avatar: The Last Airbender]] and [[Ben-Hur: A Tale|Ben-Hur]]",
            "Avatar: The Last Airbender and Ben-Hur",
        ),
        ("[[Anarchism: A History]]", "Anarchism: A History"),
        ("[[image: a.jpg|thumb|A cat]][[Category: Trees|*]]end", "end"),
        ("", ""),
    ],
)
def test_what_is_shown(markup, shown):
    assert plain(markup) == shown


def test_what_has_no_markup_is_the_same_text():
    prose = "It rained, so – as ever – we stayed: 3 of us (and Zoë's dog)."
    assert plain(prose) == prose


def test_a_thousand_brackets_end():
    assert plain("[[" * 1000 + "x" + "]]" * 1000) == "x"
    assert plain("{{" * 1000) == ""
