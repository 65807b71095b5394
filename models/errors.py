"""What can be wrong with a request to a model; the app turns each into a sentence by its code and values."""


class InputError(ValueError):
    """A text or an argument that a model cannot take; `code` names the sentence, `values` fill it."""

    code = "input"

    def __init__(self, **values: str | int):
        super().__init__(f"{self.code}: {values}")
        self.values = values


class UnknownModel(InputError):
    """No model has this name."""

    code = "unknown_model"


class EmptyText(InputError):
    """There is no word in the text."""

    code = "empty_text"


class TooManyTokens(InputError):
    """The text has `count` tokens, more than `limit`; its first `characters` characters would fit."""

    code = "too_many_tokens"


class ModelUnavailable(RuntimeError):
    """The weights of a model cannot be read, or are not what its code expects."""


class CaptureError(RuntimeError):
    """The model's code computes its attention out of reach, so there is nothing true to show."""
