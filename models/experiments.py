"""The experiments one can make with a model and a text; each is a function from a run to its trace."""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import cast

from models import registry
from models.run import Run
from models.trace import Trace


def forward(run: Run) -> Trace:
    """The model reads the text once, changed where the run says so."""
    loaded = registry.load(run.model)
    if run.change is None:
        return loaded.forward(run.text)
    return replace(cast(registry.Changeable, loaded).forward(run.text, run.change), change=str(run.change))


def gradients(run: Run) -> Trace:
    """The model reads the text, and gradients flow back from its losses."""
    from models import gradients

    return gradients.trace(run)


def attributions(run: Run) -> Trace:
    """The model reads the text, and gradients, erasures and heads switched off say what counted."""
    from models import attributions

    return attributions.trace(run)


def distances(run: Run) -> Trace:
    """The model reads the text, and its sentence vector stands beside the distances of unrelated sentences."""
    from models import distances

    return distances.trace(run)


def erasures(run: Run) -> Trace:
    """The model reads the text, and once more for each token with that token erased."""
    from models import erasure

    return erasure.trace(run)


def gradient_input(run: Run) -> Trace:
    """The model reads the text, and the slope of its answer along each word vector says what the word adds."""
    from models import attributions

    return attributions.slope_trace(run)


def memory(run: Run) -> Trace:
    """The model reads the text, and probes read its states."""
    from models import memory

    return memory.trace(run)


def expectations(run: Run) -> Trace:
    """The model reads the text, and says of every piece how likely it comes next."""
    from models import expectation

    return expectation.trace(run)


def masked(run: Run) -> Trace:
    """The model reads the text, and once more for each word with that word masked."""
    from models import masked

    return masked.trace(run)


def pipeline(run: Run) -> Trace:
    """The model reads the text and says what it has to say, with its own head."""
    from models import pipeline

    return pipeline.trace(run)


def positions(run: Run) -> Trace:
    """The model reads the text, and shows its vectors for all places."""
    from models import positions

    return positions.trace(run)


def timing(run: Run) -> Trace:
    """The networks read texts of several lengths, and a clock runs."""
    from models import timing

    return timing.trace(run)


def trajectory(run: Run) -> Trace:
    """The model reads the text, and its states become points of a plane."""
    from models import planes

    return planes.trace(run)


def neighbours(run: Run) -> Trace:
    """Each word is looked up, and the words nearest to it."""
    from models import neighbours

    return neighbours.trace(run)


def contexts(run: Run) -> Trace:
    """The model reads the text, and each word's states stand beside its own vector and the pieces near them."""
    from models import contexts

    return contexts.trace(run)


def translation(run: Run) -> Trace:
    """The model reads the text and writes its translation; greedily, or with beams."""
    from models import translating

    return translating.trace(run)


def across(run: Run) -> Trace:
    """The model writes, and each step looks at the text."""
    from models import translating

    return translating.across(run)


def decoder(run: Run) -> Trace:
    """The model writes, and each step looks at what it has written."""
    from models import translating

    return translating.decoder(run)


def timing_rounds(run: Run) -> Generator[None, None, Trace]:
    """The same in rounds."""
    from models import timing

    return timing.rounds(run)


LONG: dict[str, Callable[[Run], Generator[None, None, Trace]]] = {"timing": timing_rounds}
EXPERIMENTS: dict[str, Callable[[Run], Trace]] = {
    "forward": forward,
    "across": across,
    "attributions": attributions,
    "contexts": contexts,
    "decoder": decoder,
    "distances": distances,
    "erasures": erasures,
    "expectations": expectations,
    "gradient_input": gradient_input,
    "gradients": gradients,
    "gradient_map": gradients,
    "masked": masked,
    "memory": memory,
    "neighbours": neighbours,
    "pipeline": pipeline,
    "positions": positions,
    "timing": timing,
    "trajectory": trajectory,
    "translation_beams": translation,
    "translation_greedy": translation,
}
