"""Corpora of a few sentences, and weights of small models that have learned nothing."""

import gzip
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertForMaskedLM
from transformers.models.gpt2.configuration_gpt2 import GPT2Config
from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel
from transformers.models.marian.configuration_marian import MarianConfig
from transformers.models.marian.modeling_marian import MarianMTModel

from models.recurrence import RecurrentLanguageModel
from models.tokenizer import CLS, PAD, SEP, tokenizer
from models.training import corpora, outcome, translator
from models.training.lesson import Lesson
from models.training.loop import Progress, Recipe
from models.training.text import LONGEST
from models.training.translator import english_tokenizer

SENTENCES = ["Der Hund bellt laut.", "Die Katze schläft auf der Bank.", "Der Mann kommt nicht.", "Das Haus ist groß."]
ENGLISH = ["The dog barks loudly.", "The cat isn't awake.", "The man doesn't come.", "The house is big."]


@pytest.fixture
def corpora_folder(tmp_path):
    """The training files of Tatoeba, Klexikon and Wikipedia, with four sentences."""
    content = {
        corpora.TATOEBA: "".join(f"{german}\t{english}\n" for german, english in zip(SENTENCES, ENGLISH, strict=True)),
        corpora.KLEXIKON: "\n".join([*SENTENCES[:2], "", *SENTENCES[2:], ""]),
        corpora.WIKIPEDIA: "\n\n".join(SENTENCES * 3),
    }
    for name, written in content.items():
        path = tmp_path / "corpora" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(written.encode()))
    return tmp_path / "corpora"


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
