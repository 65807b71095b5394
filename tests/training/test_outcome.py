"""What a training wrote is read back by models.weights."""

import math

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers.models.bert.configuration_bert import BertConfig
from transformers.models.bert.modeling_bert import BertForMaskedLM
from transformers.models.gpt2.configuration_gpt2 import GPT2Config
from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel
from transformers.models.marian.modeling_marian import MarianMTModel

from models import weights
from models.tokenizer import CLS, SEP, tokenizer


def ids(sentence):
    return tokenizer().encode(sentence, add_special_tokens=False).ids


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
