"""What a second training changed is said of related models and one sentence only, with the numbers of the runs."""

import numpy as np

from app import tuning
from app.query import Query
from models.run import Run, perform

TEXT = "Angela Merkel besuchte am Montag Siemens in München."


def test_attention_and_states_of_a_model_and_its_heir():
    query = Query(lang="en")
    traces = [perform(Run(name, TEXT)) for name in ("encoder", "encoder-entities")]
    (said,) = tuning.attention(query, traces)
    moved = np.abs(np.diff([np.asarray(trace.attention.attention) for trace in traces], axis=0))[0].sum(-1) / 2
    for layer, share in enumerate(moved.mean((1, 2)), start=1):
        assert f"layer {layer} {100 * share:.0f}%" in said.text("en")
    (said,) = tuning.states(query, traces)
    (reversed_,) = tuning.states(query, traces[::-1])
    assert said.text("de") == reversed_.text("de")
    before, after = (np.asarray(trace.states.hidden) for trace in traces)
    share = (np.linalg.norm(after - before, axis=-1) / np.linalg.norm(before, axis=-1)).mean(1)[3]
    assert f"layer 4 {100 * share:.0f}%" in said.text("en")


def test_nothing_is_said_of_others():
    query = Query(lang="en")
    one, other = perform(Run("encoder", TEXT)), perform(Run("encoder@500", TEXT))
    assert not list(tuning.attention(query, [one, other])) and not list(tuning.states(query, [one]))
    heir = perform(Run("encoder-entities", "Der Hund"))
    assert not list(tuning.attention(query, [one, heir]))
