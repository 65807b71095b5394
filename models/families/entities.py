"""Token classifiers that mark named entities: the traced networks of recurrent and encoder with another head.

The recurrent ones read from left to right, so a name is decided before what follows it is known.
"""

from functools import partial
from typing import TYPE_CHECKING, Any

from models.entities import LABELS, best_labels, spans, words
from models.families import encoder, recurrent
from models.registry import Model
from models.trace import Entity, LabelledWord, Labelling, Token, typed_places

if TYPE_CHECKING:
    from torch import Tensor


def labelled(at_last: bool, logits: "Tensor", tokens: tuple[Token, ...]) -> dict[str, Any]:
    """The labels of the words from logits [tokens, labels], decided at each word's last piece or else at its first."""
    probabilities = logits.softmax(-1).numpy()
    typed = typed_places(tokens)
    parts = [typed[start:end] for start, end in words([tokens[number].text for number in typed])]
    places = [part[-1 if at_last else 0] for part in parts]
    labels = best_labels(probabilities[places])
    borders = [(tokens[part[0]].start, tokens[part[-1]].end) for part in parts]
    said = Labelling(
        label_names=LABELS,
        label_probabilities=probabilities,
        words=tuple(
            LabelledWord(*border, place, label) for border, place, label in zip(borders, places, labels, strict=True)
        ),
        entities=tuple(Entity(borders[span.start][0], borders[span.end - 1][1], span.name) for span in spans(labels)),
    )
    return {"labelling": said}


def left_to_right(model: Model) -> recurrent.Recurrent:
    """Reads the weights into memory."""
    from models import weights

    return recurrent.Recurrent(model, weights.recurrent_classifier(model.folder), partial(labelled, True))


def both_sides(model: Model) -> encoder.Transformer:
    """Reads the weights into memory."""
    from models import capture, weights

    network = weights.token_encoder(model.folder, attention=capture.IMPLEMENTATION)
    return encoder.traced(model, network, partial(labelled, False))


MODELS = [
    *(
        Model(
            name=f"{cell}-entities",
            title=f"model.{cell}-entities.title",
            family="recurrent",
            fields=(*recurrent.fields(cell), "label_probabilities"),
            gate_names=gates,
            load=left_to_right,
        )
        for cell, gates in recurrent.GATE_NAMES.items()
    ),
    Model(
        name="encoder-entities",
        title="model.encoder-entities.title",
        family="encoder",
        fields=(*encoder.FIELDS, "label_probabilities"),
        load=both_sides,
    ),
]
