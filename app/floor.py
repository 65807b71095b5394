"""The floor under the overhead ratios: a server that draws no page, only what no answer with a model's numbers is
without. Started by the bench alone.

A request reads its text, waits for the model's thread, makes the call that a trace makes, and sends one map or the last
states in base64, packed; the page without a model is a few bytes. So the rest of a real answer is the drawing.
"""

import asyncio
import base64
from concurrent.futures import ThreadPoolExecutor
from typing import cast
from urllib.parse import parse_qs

import torch
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.compress import gzipped
from models import capture, registry
from models.families.encoder import Transformer
from models.families.recurrent import Recurrent
from models.tokenizer import tokenize

SETTINGS = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}  # freed memory is used again
_thread = ThreadPoolExecutor(1, initializer=lambda: torch.set_num_threads(1))


def numbers(model: str, text: str) -> bytes:
    """The call of a trace, and of what it gives the least that a picture shows: a map, or states."""
    loaded = cast("Transformer | Recurrent", registry.load(model))
    ids = torch.tensor([token.id for token in tokenize(text, 256, end=isinstance(loaded, Transformer))])
    with torch.inference_mode(), capture.recording() as calls:
        if isinstance(loaded, Recurrent):
            return loaded.call(ids)[1][-1].numpy().tobytes()
        loaded.call(ids[None])
        return calls[-1].attention[0].mean(0).numpy().tobytes()


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers any path: with numbers where a model is named, without where none is."""
    given = parse_qs(Request(scope).url.query)
    body = b"{}"
    if "model" in given:
        running = asyncio.get_running_loop().run_in_executor(_thread, numbers, given["model"][0], given["text"][0])
        body = base64.b64encode(await running)
    await Response(gzipped(body), headers={"Content-Encoding": "gzip"})(scope, receive, send)
