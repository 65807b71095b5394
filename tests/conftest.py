"""Hand-made traces with known numbers, and the app as a client that gets to see a 500 instead of an exception."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from starlette.testclient import TestClient

from app import views
from app.attended import AttentionMapQuery
from app.main import create_app
from app.options import settled
from app.settings import settings
from models.trace import Attention, Check, Recurrence, States, Token, Trace

LAYERS, HEADS, UNITS, HEAD_UNITS = 2, 3, 5, 2
GATES = {"rnn": (), "lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "new")}
SPECIAL = ("[CLS]", "[SEP]")

NASTY = "</script><b>&amp;"
MakeTrace = Callable[..., Trace]
MakeClient = Callable[..., TestClient]


def tokens_of(pieces: tuple[str, ...]) -> tuple[str, tuple[Token, ...]]:
    """The text that these pieces make up, with blanks between words, and its tokens."""
    text, tokens = "", []
    for number, piece in enumerate(pieces):
        if piece in SPECIAL:
            tokens.append(Token(piece, number, len(text), len(text), special=True))
            continue
        typed = piece.removeprefix("##")
        text += typed if not text or piece.startswith("##") else f" {typed}"
        tokens.append(Token(piece, number, len(text) - len(typed), len(text), special=False))
    return text, tuple(tokens)


def counted(*shape: int) -> np.ndarray:
    """Different numbers between −1 and 1 in no simple order."""
    numbers = np.arange(1, np.prod(shape) + 1, dtype=np.float64) * 0.618034
    return (2 * (numbers % 1) - 1).astype(np.float32).reshape(shape)


def states(tokens: int) -> States:
    """The vectors of a hand-made trace."""
    embedded = counted(tokens, UNITS)
    return States(inputs=embedded, embeddings=embedded, hidden=counted(LAYERS, tokens, UNITS))


def recurrent(*pieces: str, model: str = "gru") -> Trace:
    """A recurrent model's trace, of [CLS] Der Hund ##e if nothing else is said."""
    text, tokens = tokens_of(pieces or ("[CLS]", "Der", "Hund", "##e"))
    names, count = GATES[model], len(tokens)
    gates = counted(LAYERS, len(names), count, UNITS)
    for number, name in enumerate(names):
        if name not in ("candidate", "new"):
            gates[:, number] = (gates[:, number] + 1) / 2
    cell = 3 * counted(LAYERS, count, UNITS) if model == "lstm" else None
    return Trace(
        model=model,
        text=text,
        tokens=tokens,
        check=Check(2.7e-8, "torch.nn.GRU"),
        states=states(count),
        recurrence=Recurrence(gate_names=names, gates=gates, cell=cell) if names else None,
    )


def attentive(*pieces: str, model: str = "encoder", causal: bool = False) -> Trace:
    """An attention model's trace, of [CLS] Hund ##e [SEP] if nothing else is said."""
    text, tokens = tokens_of(pieces or ("[CLS]", "Hund", "##e", "[SEP]"))
    count = len(tokens)
    queries, keys, values = (sign * counted(LAYERS, HEADS, count, HEAD_UNITS) for sign in (2, -3, 1))
    scaling = np.full(LAYERS, HEAD_UNITS**-0.5, np.float32)
    scores = (queries @ keys.swapaxes(-1, -2)) * scaling[:, None, None, None]
    if causal:
        scores = np.where(np.tri(count, dtype=bool), scores, np.float32(-np.inf))
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    attention = weights / weights.sum(-1, keepdims=True)
    matrices, bias = counted(LAYERS, HEADS, HEAD_UNITS, UNITS), np.float32(0.25)
    part = Attention(
        queries=queries, keys=keys, values=values, scaling=scaling, scores=scores, attention=attention,
        output_weights=matrices, attention_output=(attention @ values @ matrices).sum(1) + bias,
        feed_forward=counted(LAYERS, count, UNITS),
    )  # fmt: skip
    check = Check(0.0, "transformers")
    return Trace(model=model, text=text, tokens=tokens, check=check, states=states(count), attention=part)


@pytest.fixture(scope="session")
def make_recurrent() -> MakeTrace:
    """Makes a recurrent trace from pieces: 2 layers, 5 units, the gates of the model named."""
    return recurrent


@pytest.fixture(scope="session")
def make_attentive() -> MakeTrace:
    """Makes an attention trace from pieces: 2 layers, 3 heads, 2 units each; `causal` masks what comes later."""
    return attentive


@pytest.fixture
def attention(make_attentive: MakeTrace) -> tuple[AttentionMapQuery, list[Trace], views.Figure]:
    """A drawn attention map whose first word would be markup: its query, its run and the figure."""
    trace = make_attentive("[CLS]", NASTY, "Hund", "[SEP]")
    query = settled(AttentionMapQuery(text=trace.text, model="encoder"), trace)
    return query, [trace], views.catalogue()["attention_map"].figure(query, [trace])


@pytest.fixture(scope="session")
def make_client() -> Iterator[MakeClient]:
    """Makes a client of an app with these settings; it does not follow redirects."""
    opened: list[TestClient] = []

    def make(**chosen: object) -> TestClient:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in chosen.items():
                patch.setenv(f"SATZBLICK_{name.upper()}", str(value))
            settings.cache_clear()
            app = create_app()
        settings.cache_clear()
        opened.append(TestClient(app, raise_server_exceptions=False, follow_redirects=False))
        return opened[-1].__enter__()

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture(scope="session")
def client(make_client: MakeClient) -> TestClient:
    """The app as it is by default."""
    return make_client()
