"""A query states its runs and its addresses."""

import pytest

from app.address import read
from app.attended import AttentionMapQuery
from app.query import Query
from models.run import Run


def test_one_run_two_sentences_two_models():
    assert Query(model="lstm", text="a").runs() == [Run("lstm", "a")]
    assert Query(model="lstm", text="a", vs="b").runs() == [Run("lstm", "a"), Run("lstm", "b")]
    assert Query(model="lstm", text="a", vs_model="gru").runs() == [Run("lstm", "a"), Run("gru", "a")]
    both = Query(model="lstm", text="a", vs="b", vs_model="gru")
    assert both.runs() == [Run("lstm", "a"), Run("gru", "b")]
    assert not both.one_sentence and Query(text="a").one_sentence
    assert not Query(text="a", vs="a").one_sentence
    assert Query(text="a", vs="a", model="rnn", vs_model="lstm").one_sentence


def test_an_address_says_the_text_and_what_differs():
    query = AttentionMapQuery(text="a & b=c", model="encoder", layer=2, head=3, special="shown")
    address = query.address("/de/attention_map")
    assert address == "/de/attention_map?text=a+%26+b%3Dc&model=encoder&layer=2&head=3&special=shown"
    assert read(AttentionMapQuery, address.partition("?")[2].encode(), "de") == query
    assert query.address("/x", bg="solid").endswith("&bg=solid")


def test_the_default_text_stays_in_the_address():
    assert "text=" in Query().address("/de")


@pytest.mark.parametrize("name", ["model", "layer", "head", "stage", "align", "vs"])
def test_addresses_of_many_values_are_those_of_each(name):
    query = AttentionMapQuery(text="Der Hund & <b>", layer=2, head=3, special="hidden", theme="dark")
    values = {"model": ["encoder", "decoder"], "layer": [1, 2, 4], "head": ["mean", 1, 3],
              "stage": ["raw", "softmax"], "align": ["word", "position"], "vs": ["Ü", "a&b"]}[name]  # fmt: skip
    each = [query.changed(**{name: value}).address("/de/attention_map", scale=1.5) for value in values]
    assert query.addresses("/de/attention_map", name, values, scale=1.5) == each
