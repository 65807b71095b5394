"""What models/README.md shows can be typed into a notebook as it stands."""

import re
from pathlib import Path

import pytest

from models import registry

README = Path(registry.__file__).parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_runs(example):
    exec(compile(example, str(README), "exec"), {})


def test_one_text_alone_is_not_translated_letter_by_letter():
    with pytest.raises(TypeError, match="list of texts .* \\['Der Hund'\\]"):
        registry.load("translator").translator.translate("Der Hund")
