"""Many texts become HTML at once, each by itself."""

from app.escaping import escaped


def test_each_text_is_written_as_html_would_read_it_back():
    assert escaped(["<b>", "", "a & b", "„x“", '"']) == ["&lt;b&gt;", "", "a &amp; b", "„x“", "&#34;"]
    assert escaped(["a"]) == ["a"]
