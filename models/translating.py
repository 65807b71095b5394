"""Writing a translation: the search of transformers, then one pass over what it wrote, with its attention recorded."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from models import registry
from models.run import Run
from models.tokenizer import CLS, SEP
from models.trace import Trace, Written

if TYPE_CHECKING:
    from models.families.translator import Reader

MOST = 64  # tokens written at most
BEAMS = {"greedy": 1, "beams": 4}


def trace(run: Run) -> Trace:
    """The German side's trace, and the English tokens with their probabilities and where each of them looked.

    `run.experiment` ends in the kind of search. Row t of the cross-attention is the step that wrote token t; in the
    rows of a step all German tokens together have 1.
    """
    import torch

    from models import capture

    reader = cast("Reader", registry.load(run.model))
    whole = reader.forward(run.text)
    network: Any = reader.translator.network
    ids = torch.tensor([[token.id for token in whole.tokens]])
    beams = BEAMS[run.experiment.rpartition("_")[2]]
    with torch.inference_mode():
        found = network.generate(
            ids, attention_mask=torch.ones_like(ids), num_beams=beams, do_sample=False, max_length=MOST + 1
        )[0]
        assert int(found[0]) == CLS
        with capture.recording() as calls:
            logits = network(input_ids=ids, decoder_input_ids=found[None, :-1]).logits[0]
        written = found[1:]
        shares = logits.softmax(-1).gather(1, written[:, None])[:, 0]
    layers = network.config.decoder_layers
    crossed = calls[-2 * layers + 1 :: 2]  # behind the encoder's: by turns over what is written and what was read
    english = reader.translator.english
    return replace(
        whole,
        written=Written(
            words=tuple(english.id_to_token(piece) or "" for piece in written.tolist()),
            sentence=english.decode(found.tolist()),
            ended=int(written[-1]) == SEP,
            target_probabilities=shares.numpy(),
            cross_attention=np.stack([call.attention[0].numpy() for call in crossed]),
        ),
    )
