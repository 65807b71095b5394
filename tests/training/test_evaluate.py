import gzip
import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertForMaskedLM
from transformers.models.gpt2.configuration_gpt2 import GPT2Config
from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel
from transformers.models.marian.configuration_marian import MarianConfig
from transformers.models.marian.modeling_marian import MarianMTModel
from typer.testing import CliRunner

from models import weights
from models.recurrence import RecurrentLanguageModel
from models.tokenizer import CLS, MASK, PAD, SEP, UNK, tokenizer
from models.training import agreement, card, evaluate, likelihood, masked, next_word, outcome, similarity, translator
from models.training.lesson import Lesson
from models.training.likelihood import Blank
from models.training.loop import Progress, Recipe
from models.training.text import LONGEST
from models.training.translator import english_tokenizer
from models.translation import Translator

RECIPE = Recipe(steps=2, batch_tokens=64, learning_rate=1e-3)
PAIRS = """case\tright\twrong\tword_position
near\tDer Mann lacht.\tDer Mann lachen.\t2
near\tDie Schüler lachen.\tDie Schüler lacht.\t2
far\tDer Mann, der spät kommt, lacht.\tDer Mann, der spät kommt, lachen.\t5
"""
# Vectors whose cosines with "Hund" are 1, 0.8, 0.6 and 0.
VECTORS = {"Hund": [2.0, 0.0], "Hunde": [1.0, 0.0], "Katze": [0.8, 0.6], "Maus": [0.6, 0.8], "weil": [0.0, 3.0]}


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


def untaught(model):
    """A lesson that is only written to files."""
    if isinstance(model, RecurrentLanguageModel):
        vocabulary, units = model.vectors.weight.shape
        config = {"cell": model.cell, "vocabulary": vocabulary, "units": units, "layers": model.layers.num_layers}
    else:
        config = model.config.to_dict()
    return Lesson(model.eval(), config, loss_of=None, batches_from=None)


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
    causal = GPT2Config(
        vocab_size=vocabulary, n_positions=LONGEST, n_embd=8, n_layer=2, n_head=2, bos_token_id=CLS, eos_token_id=SEP,
        initializer_range=0.5,
    )  # fmt: skip
    models = {
        "lstm": RecurrentLanguageModel("lstm", vocabulary, units=8, layers=2),
        "gru": biased,
        "encoder": BertForMaskedLM(config),
        "decoder": GPT2LMHeadModel(causal),
    }
    for name, model in models.items():
        outcome.write(untaught(model), RECIPE, Progress(step=2, curve=[(1, 9.5), (2, 9.0)]), folder / name)
    (folder / "words").mkdir()
    (folder / "words" / "words.txt").write_text("\n".join(VECTORS) + "\n", encoding="utf-8")
    save_file({"vectors": torch.tensor(list(VECTORS.values())).half()}, folder / "words" / "model.safetensors")
    (folder / "words" / "config.json").write_text('{"model_type": "word_vectors"}')
    write_translator(folder / "translator")
    return folder


def write_translator(folder):
    """A translator that has learned nothing, with some English pieces of its own."""
    english = english_tokenizer(["The dog barks.", "The cat sleeps."] * 5, folder / "english.json")
    config = MarianConfig(
        vocab_size=tokenizer().get_vocab_size(), decoder_vocab_size=english.get_vocab_size(), d_model=8,
        encoder_layers=2, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16,
        decoder_ffn_dim=16, max_position_embeddings=128, share_encoder_decoder_embeddings=False, scale_embedding=True,
        pad_token_id=PAD, bos_token_id=CLS, eos_token_id=SEP, forced_eos_token_id=SEP, decoder_start_token_id=CLS,
        init_std=0.5,
    )  # fmt: skip
    outcome.write(replace(untaught(MarianMTModel(config)), keeps=translator.learned), RECIPE, Progress(step=2), folder)


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


@pytest.mark.parametrize("name", ["lstm", "encoder", "decoder", "translator"])
@pytest.mark.parametrize("change", ["missing", "extra"])
def test_a_number_missing_or_too_many_is_an_error(folders, tmp_path, name, change):
    stored = load_file(folders / name / "model.safetensors")
    if change == "missing":
        stored.pop(sorted(stored)[0])
    else:
        stored["extra"] = torch.zeros(1)
    save_file(stored, tmp_path / "model.safetensors")
    for file in (folders / name).glob("*.json"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(RuntimeError):
        weights.read(tmp_path)


def test_the_decoder_keeps_its_tie_and_computes_what_transformers_computes(folders):
    model = weights.next_word_model(folders / "decoder")
    assert model.lm_head.weight is model.transformer.wte.weight
    reference = GPT2LMHeadModel(GPT2Config.from_dict(weights.configuration(folders / "decoder"))).eval()
    stored = load_file(folders / "decoder" / "model.safetensors")
    reference.load_state_dict({name: value.float() for name, value in stored.items()}, strict=False)
    batch = torch.tensor([[CLS, *ids("Der Hund schläft."), SEP]])
    with torch.no_grad():
        torch.testing.assert_close(model(batch).logits, reference(batch).logits)


def test_the_translator_gets_its_positions_back(folders):
    model = weights.translator(folders / "translator").network
    assert model.lm_head.weight is model.get_decoder().embed_tokens.weight
    for side in (model.get_encoder(), model.get_decoder()):
        rows = side.embed_positions.weight
        assert rows[3, 0] == pytest.approx(math.sin(3))  # the sines come first, then the cosines
        assert rows[3, 4] == pytest.approx(math.cos(3))
        assert rows[5, 1] == pytest.approx(math.sin(5 / 10_000 ** (2 / 8)))
    reference = MarianMTModel(model.config).eval()
    stored = load_file(folders / "translator" / "model.safetensors")
    reference.load_state_dict({name: value.float() for name, value in stored.items()}, strict=False)
    batch = torch.tensor([[CLS, *ids("Der Hund schläft."), SEP]])
    with torch.no_grad():
        expected = reference(batch, decoder_input_ids=torch.tensor([[CLS, 5]])).logits
        torch.testing.assert_close(model(batch, decoder_input_ids=torch.tensor([[CLS, 5]])).logits, expected)


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


@pytest.mark.parametrize("name", ["lstm", "decoder"])
def test_a_line_is_scored_the_same_alone_and_in_a_batch(folders, name):
    model = weights.read(folders / name)
    texts = [ids(sentence) for sentence in ("Der Mann lacht.", "Hund", "Die Katze schläft auf der Bank am Fluss.")]
    together = likelihood.of_texts(model, texts)
    for sequence, found in zip(texts, together, strict=True):
        row = torch.tensor([[CLS, *sequence, SEP]])
        logits = model.logits(model(row)) if name == "lstm" else model(row).logits
        expected = logits[0].log_softmax(-1)[:-1].gather(1, row[0, 1:, None]).sum()
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


# next words


def test_each_beginning_is_read_in_few_known_pieces():
    assert len(set(next_word.BEGINNINGS)) == 20
    for beginning in next_word.BEGINNINGS:
        assert len(ids(beginning)) <= 8
        assert UNK not in ids(beginning)


def test_the_likeliest_next_words_are_those_of_the_whole_model(folders, tmp_path):
    file = tmp_path / "beginnings.txt"
    file.write_text("Der Hund\n", encoding="utf-8")
    (row,) = evaluate.score("next_word", "decoder", file, weights=folders)["sentences"]
    with torch.no_grad():
        logits = weights.next_word_model(folders / "decoder")(torch.tensor([[CLS, *ids("Der Hund")]])).logits[0, -1]
    best = logits.softmax(-1).topk(5)
    assert row["top"] == [tokenizer().id_to_token(id_) for id_ in best.indices.tolist()]
    assert row["probabilities"] == pytest.approx(best.values.tolist(), abs=1e-4)


# similarity


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


# translation


def test_a_search_with_one_beam_takes_the_likeliest_piece_each_time(folders):
    model = weights.translator(folders / "translator")
    source = torch.tensor([[CLS, *ids("Der Hund schläft."), SEP]])
    written = [CLS]
    with torch.no_grad():
        while written[-1] != SEP and len(written) < 127:
            logits = model.network(source, decoder_input_ids=torch.tensor([written])).logits[0, -1]
            written.append(int(logits.argmax()))
    found = model.translate(["Der Hund schläft."], beams=1)
    assert found == [model.english.decode(written)]


def test_translations_come_back_in_the_order_of_the_texts(folders):
    model = weights.translator(folders / "translator")
    texts = ["Die Katze schläft auf der Bank am Fluss.", "Hund", "Der Mann kommt."]
    assert model.translate(texts) == [model.translate([text])[0] for text in texts]


def test_bleu_is_that_of_sacrebleu(folders, tmp_path, monkeypatch):
    file = tmp_path / "pairs.tsv"
    file.write_text("Hund\tThe dog barks at the cat.\nKatze\tThe cat sleeps.\n", encoding="utf-8")
    monkeypatch.setattr(Translator, "translate", lambda *_: ["The dog barks at a cat.", "The cat sleeps."])
    result = evaluate.score("translation", "translator", file, weights=folders)
    # n-grams found: 10 of 11 words, 7 of 9, 4 of 7, 2 of 5; as long as the reference
    assert result["bleu"] == pytest.approx(100 * (10 / 11 * 7 / 9 * 4 / 7 * 2 / 5) ** (1 / 4), abs=1e-3)
    assert (result["items"], result["beams"]) == (2, 4)
    assert "version:" in result["signature"]


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
        (("poetry", "--model", "gru"), "There is no task 'poetry'; there are lm, agreement, masked"),
        (("lm", "--model", "gru"), "needs a file"),
        (("lm", "--model", "gru", "--file", "nowhere.txt"), "There is no file nowhere.txt."),
        (("lm", "--model", "parrot", "--file", "FILE"), "The model 'parrot' is not in"),
        (("lm", "--model", "encoder", "--file", "FILE"), "The model 'encoder' does not read from left to right"),
        (("masked", "--model", "gru"), "The model 'gru' does not fill in masked words"),
        (("next_word", "--model", "encoder"), "The model 'encoder' does not read from left to right"),
        (("similarity", "--model", "gru", "--file", "FILE"), "The model 'gru' has no vectors of whole words"),
        (("translation", "--model", "gru", "--file", "FILE"), "The model 'gru' does not translate"),
        (("lm", "--model", "words", "--file", "FILE"), "The model 'words' does not read from left to right"),
        (("agreement", "--model", "words", "--file", "PAIRS"), "The model 'words' does not read from left to right"),
        (("masked", "--model", "words"), "The model 'words' does not fill in masked words"),
        (("similarity", "--model", "words", "--file", "FILE"), "must name the columns wort_a, wort_b, score_0_50"),
        (("similarity", "--model", "words", "--file", "NONE"), "There are no two pairs of known words"),
        (("similarity", "--model", "words", "--file", "SCORE"), "'viel' in"),
        (("translation", "--model", "translator", "--file", "FILE"), "has 1 cells instead of 2"),
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
    header = "\t".join(similarity.COLUMNS)
    contents |= {"NONE": f"{header}\nUfo\tUhu\t3\n".encode(), "SCORE": f"{header}\nHund\tKatze\tviel\n".encode()}
    contents |= {"PAIRS": PAIRS.encode()}
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
