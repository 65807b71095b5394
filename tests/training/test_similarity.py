"""The rank correlation of word vectors with people."""

import numpy as np
import pytest

from models.training import evaluate, similarity


def test_ranks_of_equal_values_are_shared():
    assert similarity.ranks(np.array([3.0, 1.0, 3.0, 7.0])).tolist() == [2.5, 1, 2.5, 4]


def test_similarity_is_the_rank_correlation_over_known_pairs(folders, tmp_path):
    file = tmp_path / "pairs.tsv"
    rows = ["Hund\tHunde\t40", "hund\tKatze\t30", "Hund\tMaus\t35", "Hund\tweil\t1", "Hund\tUfo\t5"]
    file.write_text("\n".join(["\t".join(similarity.COLUMNS), *rows]), encoding="utf-8")
    result = evaluate.score("similarity", "words", file, weights=folders)
    # cosines rank 4 3 2 1, people rank 4 2 3 1: 1 - 6 * (1 + 1) / (4 * 15)
    assert result["spearman"] == pytest.approx(0.8)
    assert (result["items"], result["left_out"], result["coverage"]) == (5, 1, 0.8)
