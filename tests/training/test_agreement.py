"""Agreement: which words differ, and how decisions are counted."""

import pytest
import torch

from models import weights
from models.tokenizer import CLS, MASK, SEP, tokenizer
from models.training import agreement, evaluate, likelihood
from models.training.likelihood import Blank


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


def test_agreement_is_the_mean_over_cases(folders, pairs):
    result = evaluate.score("agreement", "gru", pairs, weights=folders)  # likes "lacht" wherever it stands
    assert result["cases"] == {"far": 1.0, "near": 0.5}
    assert result["accuracy"] == 0.75
    assert result["accuracy_all_pairs"] == pytest.approx(2 / 3, abs=1e-4)
    assert result["word_positions"] == {"2": 0.5, "5": 1.0}


def test_different_words_are_found_with_all_their_pieces():
    right, wrong = (
        tokenizer().encode(sentence, add_special_tokens=False)
        for sentence in ("Der Roboterhund bellt.", "Der Roboterhunden bellt.")
    )
    (start, end), (_, wrong_end) = agreement.different(right, wrong)
    assert start == 1
    assert "".join(right.tokens[start:end]).replace("##", "") == "Roboterhund"
    assert "".join(wrong.tokens[start:wrong_end]).replace("##", "") == "Roboterhunden"


def test_pairs_with_unequal_numbers_of_pieces_are_counted(folders, tmp_path):
    file = tmp_path / "pairs.tsv"
    file.write_text("\t".join(agreement.COLUMNS) + "\na\tMann\tRoboterhunden\t0\na\tMann\tHund\t0\n", encoding="utf-8")
    assert evaluate.score("agreement", "encoder", file, weights=folders)["unequal_pieces"] == 1


def test_the_blanks_of_a_word_are_guessed_from_left_to_right():
    assert likelihood.blanks_of_word([7, 8, 9, 10], 1, 3) == [
        Blank((CLS, 7, MASK, MASK, 10, SEP), 2, 8),
        Blank((CLS, 7, 8, MASK, 10, SEP), 3, 9),
    ]


def test_blanks_in_a_batch_are_scored_like_each_alone(folders):
    model = weights.masked_language_model(folders / "encoder")
    sentences = [ids("Der Mann lacht."), ids("Die Katze schläft auf der Bank."), ids("Hund")]
    blanks = [blank for sentence in sentences for blank in likelihood.blanks_of_word(sentence, 0, 1)]
    for blank, found in zip(blanks, likelihood.of_blanks(model, blanks), strict=True):
        logits = model(torch.tensor([blank.ids])).logits[0, blank.place]
        assert found == pytest.approx(float(logits.log_softmax(-1)[blank.target]), abs=1e-4)


def test_the_decoder_decides_by_the_probabilities_of_both_sentences(folders, pairs):
    model = weights.next_word_model(folders / "decoder")
    decisions = []
    for pair in agreement.read(pairs):
        losses = []
        for sentence in (pair.right, pair.wrong):
            row = torch.tensor([[CLS, *sentence, SEP]])
            losses.append(float(model(row, labels=row).loss) * (row.shape[1] - 1))  # transformers gives the mean
        decisions.append(losses[0] < losses[1])
    result = evaluate.score("agreement", "decoder", pairs, weights=folders)
    assert result["accuracy_all_pairs"] == pytest.approx(sum(decisions) / len(decisions), abs=1e-4)
    assert result["cases"]["far"] == float(decisions[2])
