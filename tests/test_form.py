"""The form: fields of one line, what it carries along, and examples that keep the view."""

from app import form
from app.query import Query
from app.views.gates import GatesQuery


def test_examples_keep_the_view_and_its_options():
    found = form.examples(GatesQuery(model="gru", layer=2), "/de/gates")
    assert 5 <= len(found) <= 8
    assert all("model=gru" in one["url"] and "layer=2" in one["url"] and one["lang"] == "de" for one in found)
    assert "vs=Der+Hund+biss+den+Mann" in found[0]["url"]
    assert "vs=" not in found[2]["url"]


def test_a_field_of_one_line_has_blanks_for_line_breaks():
    made = form.filled(Query(text="Der\nMann\r\nbiss", vs="a\rb"), "/de/gates", {}, {})
    assert (made["text"], made["vs"]) == ("Der Mann biss", "a b")


def test_the_form_carries_everything_else_along():
    made = form.filled(GatesQuery(text="a", model="gru"), "/de/gates", {"model": "gru"}, {"text_error": "!"})
    assert made["hidden"] == [("model", "gru")] and made["text_error"] == "!" and not made["vs_open"]
    assert "vs=a" in made["compare_url"] and "vs=" not in made["uncompare_url"]
