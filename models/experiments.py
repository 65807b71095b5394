"""The experiments one can make with a model and a text; each is a function from a run to its trace."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, cast

from models import registry
from models.registry import Model
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


def having(*fields: str) -> Callable[[Model], bool]:
    """Whether the traces of a model have these arrays."""
    return lambda model: {*fields} <= {*model.fields}


def of_family(*families: str) -> Callable[[Model], bool]:
    """Whether a model is of these families and was trained here."""
    return lambda model: model.family in families and not model.source


def language_model(*families: str) -> Callable[[Model], bool]:
    """Whether a model of these families scores the shared pieces, having no task of its own."""
    tasks = {"class_probabilities", "label_probabilities"}
    return lambda model: of_family(*families)(model) and not tasks & {*model.fields}


def timed(model: Model) -> bool:
    """Whether a measurement takes this network in turn."""
    from models.timing import NETWORKS

    return model.name in NETWORKS


class Experiment(NamedTuple):
    """How an experiment is made, which models fit it, and whether they can be changed for it."""

    make: Callable[[Run], Trace]
    fits: Callable[[Model], bool] = having()
    changes: bool = False


EXPERIMENTS = {
    "forward": Experiment(forward, changes=True),
    "across": Experiment(across, having("cross_attention")),
    "attributions": Experiment(attributions, of_family("encoder", "decoder")),
    "contexts": Experiment(contexts, of_family("encoder", "decoder")),
    "decoder": Experiment(decoder, having("cross_attention")),
    "distances": Experiment(distances, changes=True),
    "erasures": Experiment(erasures, having("class_probabilities")),
    "expectations": Experiment(expectations, language_model("recurrent", "encoder", "decoder"), changes=True),
    "gradient_input": Experiment(gradient_input, having("class_probabilities")),
    "gradients": Experiment(gradients, language_model("recurrent"), changes=True),
    "gradient_map": Experiment(gradients, language_model("recurrent"), changes=True),
    "masked": Experiment(masked, language_model("encoder")),
    "memory": Experiment(memory, language_model("recurrent")),
    "neighbours": Experiment(neighbours, of_family("word_vectors")),
    "pipeline": Experiment(pipeline),
    "positions": Experiment(positions, having("positions")),
    "timing": Experiment(timing, timed),
    "trajectory": Experiment(trajectory, having("hidden")),
    "translation_beams": Experiment(translation, having("cross_attention")),
    "translation_greedy": Experiment(translation, having("cross_attention")),
}


def takes(model: Model, experiment: str) -> bool:
    """Whether this experiment can be made with the model."""
    return EXPERIMENTS[experiment].fits(model)


def required(run: Run) -> Experiment:
    """The experiment of a run; raises ValueError where there is none, or where model or change do not fit it."""
    found = EXPERIMENTS.get(run.experiment)
    if found is None:
        raise ValueError(f"there is no experiment {run.experiment!r}; there are: {', '.join(EXPERIMENTS)}")
    model = registry.get(run.model)
    if not found.fits(model) and not model.fault:  # of one that cannot be loaded, loading says why
        fitting = ", ".join(each.name for each in registry.catalogue().values() if found.fits(each))
        raise ValueError(f"{run.experiment} cannot be made with {run.model}; it can with {fitting}")
    if run.change is not None and not found.changes:
        raise ValueError(f"{run.experiment} cannot be made with the change {run.change}")
    return found
