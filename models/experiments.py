"""The experiments one can make with a model and a text; each is a function from a run to its trace."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
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


def found_in(module: str, function: str = "trace") -> Callable[[Run], Trace]:
    """A function of a module beside this one, imported when it is needed: what computes takes long to import."""

    def make(run: Run) -> Trace:
        made: Trace = getattr(import_module(f"models.{module}"), function)(run)
        return made

    return make


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
    "across": Experiment(found_in("translating", "across"), having("cross_attention")),
    "attributions": Experiment(found_in("attributions"), of_family("encoder", "decoder")),
    "contexts": Experiment(found_in("contexts"), of_family("encoder", "decoder")),
    "decoder": Experiment(found_in("translating", "decoder"), having("cross_attention")),
    "distances": Experiment(found_in("distances"), changes=True),
    "erasures": Experiment(found_in("erasure"), having("class_probabilities")),
    "expectations": Experiment(
        found_in("expectation"), language_model("recurrent", "encoder", "decoder"), changes=True
    ),
    "gradient_input": Experiment(found_in("attributions", "slope_trace"), having("class_probabilities")),
    "gradients": Experiment(found_in("gradients"), language_model("recurrent"), changes=True),
    "gradient_map": Experiment(found_in("gradients"), language_model("recurrent"), changes=True),
    "masked": Experiment(found_in("masked"), language_model("encoder")),
    "memory": Experiment(found_in("memory"), language_model("recurrent")),
    "neighbours": Experiment(found_in("neighbours"), of_family("word_vectors")),
    "pipeline": Experiment(found_in("pipeline")),
    "positions": Experiment(found_in("positions"), having("positions")),
    "timing": Experiment(found_in("timing"), timed),
    "trajectory": Experiment(found_in("planes"), having("hidden")),
    "translation_beams": Experiment(found_in("translating"), having("cross_attention")),
    "translation_greedy": Experiment(found_in("translating"), having("cross_attention")),
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
