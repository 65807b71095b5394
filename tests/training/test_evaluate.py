import gzip
import json
import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertForMaskedLM
from typer.testing import CliRunner

from models import weights
from models.recurrence import RecurrentLanguageModel
from models.tokenizer import CLS, MASK, PAD, SEP, UNK, tokenizer
from models.training import agreement, card, evaluate, likelihood, masked
from models.training.likelihood import Blank
from models.training.loop import Progress, Recipe
from models.training.text import LONGEST
from models.training.train import write

RECIPE = Recipe(steps=2, batch_tokens=64, learning_rate=1e-3)
PAIRS = """case\tright\twrong\tword_position
near\tDer Mann lacht.\tDer Mann lachen.\t2
near\tDie Schüler lachen.\tDie Schüler lacht.\t2
far\tDer Mann, der spät kommt, lacht.\tDer Mann, der spät kommt, lachen.\t5
"""


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A folder of weights: `lstm` random, `gru` all zero but for its bias, `encoder` random."""
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("weights")
    vocabulary = tokenizer().get_vocab_size()
    biased = RecurrentLanguageModel("gru", vocabulary, units=8, layers=1)
    with torch.no_grad():
        for parameter in biased.parameters():
            parameter.zero_()
        biased.bias[ids("lacht")] = 3.0
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=LONGEST, type_vocab_size=1, pad_token_id=PAD, hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0, initializer_range=0.5,
    )  # fmt: skip
    models = {
        "lstm": RecurrentLanguageModel("lstm", vocabulary, units=8, layers=2),
        "gru": biased,
        "encoder": BertForMaskedLM(config),
    }
    for name, model in models.items():
        write(name, model.eval(), RECIPE, Progress(step=2, curve=[(1, 9.5), (2, 9.0)]), folder / name)
    return folder


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text(PAIRS, encoding="utf-8")
    return path


def run(folders, *arguments):
    return CliRunner().invoke(evaluate.app, [*map(str, arguments), "--weights", str(folders)])


# reading weights


def test_what_was_written_is_read_back_as_float32_without_gradients(folders):
    model = weights.recurrent(folders / "lstm")
    stored = load_file(folders / "lstm" / "model.safetensors")
    assert all(torch.equal(value, stored[name].float()) for name, value in model.state_dict().items())
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_the_encoder_keeps_its_ties_and_computes_what_transformers_computes(folders):
    model = weights.masked_language_model(folders / "encoder")
    assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight
    assert model.cls.predictions.decoder.bias is model.cls.predictions.bias
    reference = BertForMaskedLM(BertConfig.from_dict(weights.configuration(folders / "encoder"))).eval()
    stored = load_file(folders / "encoder" / "model.safetensors")
    reference.load_state_dict({name: value.float() for name, value in stored.items()}, strict=False)
    batch = torch.tensor([[CLS, *ids("Der Hund schläft."), SEP]])
    with torch.no_grad():
        torch.testing.assert_close(model(batch).logits, reference(batch).logits)


@pytest.mark.parametrize("name", ["lstm", "encoder"])
@pytest.mark.parametrize("change", ["missing", "extra"])
def test_a_number_missing_or_too_many_is_an_error(folders, tmp_path, name, change):
    stored = load_file(folders / name / "model.safetensors")
    if change == "missing":
        stored.pop(sorted(stored)[0])
    else:
        stored["extra"] = torch.zeros(1)
    save_file(stored, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folders / name / "config.json").read_bytes())
    with pytest.raises(RuntimeError):
        weights.read(tmp_path)


# bits per character


def test_bits_per_character_are_those_of_a_known_distribution(folders, tmp_path):
    file = tmp_path / "text.txt.gz"
    file.write_bytes(gzip.compress(b"  Der Mann lacht.\n\nlacht\n"))
    result = evaluate.score("lm", "gru", file, weights=folders)
    rest = math.log2(tokenizer().get_vocab_size() - 1 + math.exp(3))
    surprises = [rest] * (3 + 1) + [rest - 3 / math.log(2)] + [rest] + [rest - 3 / math.log(2)]
    assert result["bits_per_character"] == pytest.approx(
        sum(surprises) / (len("Der Mann lacht.") + len("lacht")), abs=1e-4
    )
    assert result["perplexity_per_piece"] == pytest.approx(2 ** (sum(surprises) / 7), rel=1e-4)
    assert (result["items"], result["pieces"], result["unknown_share"]) == (2, 5, 0)


def test_a_line_is_scored_the_same_alone_and_in_a_batch(folders):
    model = weights.recurrent(folders / "lstm")
    texts = [ids(sentence) for sentence in ("Der Mann lacht.", "Hund", "Die Katze schläft auf der Bank am Fluss.")]
    together = likelihood.of_texts(model, texts)
    for sequence, found in zip(texts, together, strict=True):
        row = torch.tensor([[CLS, *sequence, SEP]])
        expected = model.logits(model(row))[0].log_softmax(-1)[:-1].gather(1, row[0, 1:, None]).sum()
        assert found == pytest.approx(float(expected), abs=1e-4)


def test_long_lines_are_cut_into_windows_that_hold_each_piece_once():
    sequence = list(range(5, 600))
    parts = likelihood.windows(sequence)
    assert [len(part) for part in parts] == [256, 256, 87]
    assert all(part[0] == CLS for part in parts)
    assert [id_ for part in parts for id_ in part[1:]] == [*sequence, SEP]
    assert likelihood.windows(sequence[:254]) == [(CLS, *sequence[:254], SEP)]


def test_unknown_characters_are_counted(folders, tmp_path):
    file = tmp_path / "text.txt"
    file.write_text("Mann \U00012000", encoding="utf-8")
    assert ids("\U00012000") == [UNK]
    assert evaluate.score("lm", "gru", file, weights=folders)["unknown_share"] == 0.5


# agreement


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


# masked words


def test_each_removed_word_is_one_piece_of_the_vocabulary():
    assert len(masked.SENTENCES) == 20
    for sentence, removed in masked.SENTENCES:
        assert ids(sentence).count(MASK) == 1
        assert len(ids(removed)) == 1, removed


def test_the_five_likeliest_words_are_listed(folders):
    result = evaluate.score("masked", "encoder", None, limit=2, weights=folders)
    assert result["items"] == 2
    for row in result["sentences"]:
        assert len(row["top"]) == 5
        assert row["probabilities"] == sorted(row["probabilities"], reverse=True)


# the command


def test_the_last_line_is_one_json_object(folders, pairs):
    answer = run(folders, "agreement", "--model", "lstm", "--file", pairs, "--json")
    assert answer.exit_code == 0
    result = json.loads(answer.stdout.splitlines()[-1])
    assert (result["task"], result["model"], result["file"], result["items"]) == ("agreement", "lstm", str(pairs), 3)
    assert 0 <= result["accuracy"] <= 1


def test_without_json_the_figures_are_readable_lines(folders, pairs):
    answer = run(folders, "agreement", "--model", "gru", "--file", pairs, "--limit", 2)
    assert any(line.split() == ["accuracy", "0.5"] for line in answer.stdout.splitlines())
    assert any(line.split() == ["limit", "2"] for line in answer.stdout.splitlines())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("poetry", "--model", "gru"), "There is no task 'poetry'; there are lm, agreement, masked."),
        (("lm", "--model", "gru"), "needs a file"),
        (("lm", "--model", "gru", "--file", "nowhere.txt"), "There is no file nowhere.txt."),
        (("lm", "--model", "parrot", "--file", "FILE"), "The model 'parrot' is not in"),
        (("lm", "--model", "encoder", "--file", "FILE"), "The model 'encoder' does not read from left to right"),
        (("masked", "--model", "gru"), "The model 'gru' does not fill in masked words"),
        (("agreement", "--model", "gru", "--file", "FILE"), "must name the columns case, right, wrong, word_position"),
        (("lm", "--model", "gru", "--file", "FAKE"), "is not a whole gzip file."),
        (("lm", "--model", "gru", "--file", "CUT"), "is not a whole gzip file."),
        (("lm", "--model", "gru", "--file", "BINARY"), "is not UTF-8 text"),
        (("lm", "--model", "gru", "--file", "EMPTY"), "There is no line with text in"),
        (("lm", "--model", "gru", "--file", "FOLDER"), "cannot be read"),
        (("lm", "--model", "gru", "--file", "FILE", "--limit", "1", "--save"), "not saved"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(folders, tmp_path, arguments, message):
    zipped = gzip.compress(b"Der Hund bellt.\n" * 50)
    contents = {"FILE": b"Hund\n", "FAKE": b"Hund\n", "CUT": zipped[:-12], "BINARY": zipped, "EMPTY": b"\n \n"}
    for name, content in contents.items():
        (tmp_path / name).with_suffix(".gz" if name in ("FAKE", "CUT") else ".txt").write_bytes(content)
    (tmp_path / "FOLDER.txt").mkdir()
    known = {path.stem: path for path in tmp_path.iterdir()}
    answer = run(folders, *(known.get(argument, argument) for argument in arguments))
    assert answer.exit_code == 2
    assert message in answer.stderr.splitlines()[-1]
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\tMann\tMann\t0", "Pair 1 of .* has the same right and wrong sentence"),
        ("a\tMann\tHund\tzero", "Pair 1 of .* has the word position 'zero'"),
        ("a\tMann\tHund", "Line 2 of .* has 3 cells"),
        ("a\t" + "Mann " * 300 + "\tHund\t0", "Pair 1 of .* is longer than 256 tokens"),
        ("", "There are no sentence pairs"),
    ],
)
def test_a_pair_that_cannot_be_scored_is_named(folders, tmp_path, line, message):
    file = tmp_path / "pairs.tsv"
    file.write_text("\t".join(agreement.COLUMNS) + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(evaluate.WrongFormat, match=message):
        evaluate.score("agreement", "gru", file, weights=folders)


# cards


def test_a_card_states_what_was_measured_and_the_command_that_prints_it(folders, pairs, tmp_path):
    for name in ("gru", "encoder"):
        (tmp_path / name).mkdir()
        for file in (folders / name).iterdir():
            (tmp_path / name / file.name).write_bytes(file.read_bytes())
    run(tmp_path, "agreement", "--model", "gru", "--file", pairs, "--save")
    run(tmp_path, "masked", "--model", "encoder", "--save")
    for name in ("gru", "encoder"):
        assert CliRunner().invoke(card.app, [name, "--weights", str(tmp_path)]).exit_code == 0
    gru, encoder = ((tmp_path / name / "README.md").read_text(encoding="utf-8") for name in ("gru", "encoder"))
    assert f"evaluate agreement --model gru --file CORPORA/{pairs.parent.name}/pairs.tsv" in gru
    assert "**0.750** mean over cases (far 1.000, near 0.500)" in gru
    assert "CC BY-SA" in gru and "CC BY 2.0 FR" in gru
    assert encoder.count("＿＿") == 20


def test_scores_of_other_weights_stay_off_the_card(folders, pairs, tmp_path):
    for file in (folders / "gru").iterdir():
        (tmp_path / "gru").mkdir(exist_ok=True)
        (tmp_path / "gru" / file.name).write_bytes(file.read_bytes())
    run(tmp_path, "agreement", "--model", "gru", "--file", pairs, "--save")
    (tmp_path / "gru" / "model.safetensors").write_bytes((folders / "lstm" / "model.safetensors").read_bytes())
    assert "Not scored yet." in card.text("gru", tmp_path / "gru")


def test_a_model_below_the_line_has_not_learned_agreement():
    scores = {"agreement": {"x": {"accuracy": 0.55, "cases": {"a": 0.55}}}}
    assert "has not learned agreement" in card.measured_weaknesses(scores)[0]
    scores["agreement"]["x"]["accuracy"] = 0.7
    assert "worst in `a`" in card.measured_weaknesses(scores)[0]


def test_there_is_no_card_for_an_unknown_model(folders):
    answer = CliRunner().invoke(card.app, ["parrot", "--weights", str(folders)])
    assert answer.exit_code == 2
    assert "There is no card for 'parrot'" in answer.stderr
