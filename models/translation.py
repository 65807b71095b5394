"""The translator from German to English: a MarianMT network together with the tokenizer of its English side."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from models.tokenizer import CLS, PAD, SEP, tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import MarianMTModel

LONGEST = 128  # tokens on either side, [CLS] and [SEP] included
BEAMS = 4
BATCH = 64  # texts


class Translator(nn.Module):
    """Reads [CLS] German pieces [SEP] and writes English pieces after [CLS] until [SEP]."""

    def __init__(self, network: "MarianMTModel", english: "Tokenizer"):
        super().__init__()
        self.network = network
        self.english = english

    def translate(self, texts: Sequence[str], beams: int = BEAMS) -> list[str]:
        """The best translation that a search with so many beams finds (transformers' generate; 1 is greedy).

        Of a text over 128 tokens only the beginning is read.
        """
        if isinstance(texts, str):  # its letters would be translated one by one
            raise TypeError(f"a list of texts is translated, such as [{texts!r}]")
        encoded = [encoding.ids for encoding in tokenizer().encode_batch_fast(list(texts), add_special_tokens=False)]
        found = [""] * len(texts)
        order = iter(sorted(range(len(texts)), key=lambda index: len(encoded[index])))
        while batch := list(islice(order, BATCH)):
            written = self.generate([encoded[index] for index in batch], beams)
            for index, text in zip(batch, written, strict=True):
                found[index] = text
        return found

    def generate(self, sources: Sequence[list[int]], beams: int) -> list[str]:
        """Translates one batch of German pieces."""
        ids = source(sources)
        network: Any = self.network  # the type that generate asks of its model is none that a Marian has
        with torch.inference_mode():
            written: Tensor = network.generate(
                ids, attention_mask=(ids != PAD).long(), num_beams=beams, do_sample=False, max_length=LONGEST
            )
        return self.english.decode_batch(written.tolist())


def source(sequences: Sequence[Sequence[int]]) -> Tensor:
    """The German side as the network reads it: rows [CLS] pieces [SEP], filled up with [PAD]."""
    rows = [torch.tensor([CLS, *ids[: LONGEST - 2], SEP]) for ids in sequences]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
