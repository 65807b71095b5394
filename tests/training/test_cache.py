"""What is cut off while it is written is made again, not read."""

import numpy as np
import pytest

from models.training import text, vectors
from models.training.cache import whole


def test_a_cut_leaves_what_was_there(tmp_path):
    file = tmp_path / "new" / "numbers.txt"
    with whole(file) as partial:
        partial.write_text("1 2 3")
    with pytest.raises(KeyboardInterrupt), whole(file) as partial:
        partial.write_text("1")
        raise KeyboardInterrupt
    assert file.read_text() == "1 2 3"
    assert list(file.parent.iterdir()) == [file], "no half of it is left"


def test_trainings_side_by_side_do_not_write_into_each_others_file(tmp_path):
    file = tmp_path / "numbers.txt"
    with whole(file) as one:
        with whole(file) as other:
            other.write_text("1 2 3")
            one.write_text("1")
        assert file.read_text() == "1 2 3"
        one.write_text("1 2 3")
    assert file.read_text() == "1 2 3"


@pytest.mark.parametrize(("writer", "last"), [("savez", "wikipedia.npz"), ("save", "piece_vectors_4.npy")])
def test_text_and_vectors_that_were_cut_off_are_made_again(corpora_folder, tmp_path, monkeypatch, writer, last):
    write = getattr(np, writer)

    def cut(file, *arrays, **named):
        write(file, *arrays, **named)
        if file.name.endswith(last):
            file.write_bytes(file.read_bytes()[:100])
            raise KeyboardInterrupt

    def made(cache):
        return vectors.piece_vectors(text.read(corpora_folder, cache), 4, 1, cache)

    with monkeypatch.context() as patched:
        patched.setattr(np, writer, cut)
        with pytest.raises(KeyboardInterrupt):
            made(tmp_path)
    assert np.array_equal(made(tmp_path), made(tmp_path / "other"))
