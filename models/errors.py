"""What can be wrong with a request to a model; the app turns each into a sentence by its code and values."""


class InputError(ValueError):
    """A text or an argument that a model cannot take; `code` names the app's sentence, `values` fill it.

    `sentence` is what a notebook shows.
    """

    code, sentence = "input", "this input cannot be taken"

    def __init__(self, **values: str | int):
        super().__init__(self.sentence.format(**values))
        self.values = values


class UnknownModel(InputError):
    """No model has this name."""

    code, sentence = "unknown_model", "there is no model {model!r}; there are: {models}"


class EmptyText(InputError):
    """There is no word in the text."""

    code, sentence = "empty_text", "there is no word in the text"


class TooManyTokens(InputError):
    """The text has `count` tokens, more than `limit`; its first `characters` characters would fit."""

    code = "too_many_tokens"
    sentence = "the text has {count} tokens, at most {limit} are possible; its first {characters} characters would fit"


class PieceWithoutVector(InputError):
    """The model's tokenizer cuts out `piece`, for which its table of `rows` word vectors has none."""

    code = "piece_without_vector"
    sentence = "the tokenizer of {model!r} knows {piece!r}, its table of {rows} word vectors does not"


class ModelUnavailable(RuntimeError):
    """The weights of a model cannot be read, or are not what its code expects."""


class CaptureError(RuntimeError):
    """The model's code computes its attention out of reach, so there is nothing true to show."""
