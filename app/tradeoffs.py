"""The lecture's table of recurrent networks against Transformers, with what was measured in its cells."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from babel.dates import format_datetime

from app.messages import Lang, Message, percent, say, translate, whole
from app.pace import FAR, NEAR, Network, amount, rounded
from app.views import Comparison, Contrast
from models import record, registry
from models.trace import Timing

CLAUSE = "obj_rel_across_anim"  # the case of CLAMS whose verb stands behind a relative clause
ROWS = ("whole", "next", "kept", "operations", "reach", "order", "training")
VISIBLE = 1.15  # times: a growth that a clock can be believed


class Quantity(NamedTuple):
    """Something both networks need an amount of: its name, how many times as much the second one needs, and both."""

    title: str
    ratio: float
    both: str


def kinds(networks: Sequence[Network]) -> tuple[Network, Network] | None:
    """The recurrent network and the Transformer, where there is one of each."""
    if len(networks) != 2 or networks[0].transformer == networks[1].transformer:
        return None
    first, second = networks
    return (second, first) if first.transformer else (first, second)


def quantities(lang: Lang, first: Network, second: Network) -> list[Quantity]:
    """What both need for the longest text, in the order of the pictures; what no one wrote down is left out."""
    amounts: dict[str, tuple[str, Callable[[Network], float]]] = {
        "whole": ("ms", lambda one: one.at(one.whole, FAR)),
        "next": ("ms", lambda one: one.at(one.next, FAR)),
        "kept": ("bytes", lambda one: one.kept),
        "operations": ("operations", lambda one: one.operations(FAR)),
        "parameters": ("operations", lambda one: one.timing.core_parameters),
        "training": ("µs", lambda one: 1e6 / max(1, trained(one.name))),
    }
    found = []
    for name, (unit, of) in amounts.items():
        if name == "training" and not (trained(first.name) and trained(second.name)):
            continue
        told = [amount(lang, of(one), unit) for one in (first, second)]
        title = translate(lang, f"speed.quantity.{name}", tokens=FAR)
        both = translate(lang, "speed.told", first=told[0], second=told[1])
        found.append(Quantity(title, of(second) / of(first), both))
    return found


def trained(name: str) -> int:
    """Tokens a second in the network's training, as written down beside its weights; 0 where nothing is."""
    return int((record.training(registry.get(name).folder) or {}).get("tokens_per_second", 0))


def agreement(name: str) -> float | None:
    """Which share of verbs behind a relative clause the network puts into the right number, as scored before."""
    model = registry.get(name)
    for result in record.scores(model.folder, model.hash).get("agreement", {}).values():
        return float(result["cases"][CLAUSE])
    return None


def table(lang: Lang, networks: Sequence[Network]) -> Comparison:
    """The rows of the lecture's table, each with its measured cells."""
    rows = [
        Contrast(
            translate(lang, f"speed.row.{name}"),
            translate(lang, f"speed.course.{name}"),
            [cell(lang, name, network).text(lang) for network in networks],
            " ".join(message.text(lang) for message in verdict(lang, name, networks)),
        )
        for name in ROWS
    ]
    return Comparison(
        [network.title for network in networks], rows, measured(lang, [network.timing for network in networks])
    )


def measured(lang: Lang, timings: Sequence[Timing]) -> str:
    """When, how often, and on what machine."""
    found = timings[0]
    passes = max((len(each.step_seconds) for each in timings if each.step_seconds is not None), default=0)
    return translate(
        lang, "speed.measured", cores=found.machine.cores, torch=found.machine.torch, count=found.seconds.shape[1],
        date=date(lang, found), passes=translate(lang, "speed.measured.passes", count=passes) if passes else "",
    )  # fmt: skip


def date(lang: Lang, found: Timing, short: bool = False) -> str:
    """Day and time of a measurement, UTC; or the day alone."""
    return format_datetime(
        found.measured_at, translate(lang, "speed.date.short" if short else "speed.date"), locale=lang
    )


def cell(lang: Lang, name: str, one: Network) -> Message:
    """What a network showed in a row of the table."""
    kind = "transformer" if one.transformer else "recurrent"
    if name == "whole":
        value = amount(lang, one.at(one.whole, FAR), "ms")
        if one.words is None:
            return say("speed.cell.whole.only", tokens=FAR, value=value)
        return say("speed.cell.whole", tokens=FAR, value=value, words=amount(lang, one.at(one.words, FAR), "ms"))
    if name == "next":
        ends = [amount(lang, one.at(one.next, length), "ms") for length in (NEAR, FAR)]
        key = "speed.cell.next" if one.words is not None else "speed.cell.next.again"
        return say(key, near=NEAR, far=FAR, first=ends[0], last=ends[1])
    if name == "kept":
        sizes = [amount(lang, float(one.timing.kept_bytes[one.place(length)]), "bytes") for length in (NEAR, FAR)]
        return say(f"speed.cell.kept.{kind}", near=NEAR, far=FAR, first=sizes[0], last=sizes[1])
    if name == "operations":
        share = percent(lang, one.square_share(FAR))
        value = amount(lang, one.operations(FAR), "operations")
        return say(f"speed.cell.operations.{kind}", tokens=FAR, value=value, share=share)
    if name == "reach":
        if (share_right := agreement(one.name)) is None:
            return say(f"speed.cell.reach.{kind}.unscored", steps=FAR - 1)
        return say(f"speed.cell.reach.{kind}", steps=FAR - 1, share=percent(lang, share_right))
    if name == "order":
        key = "causal" if one.name == "decoder" else kind
        return say(f"speed.cell.order.{key}", numbers=whole(lang, places_learned(one)))
    return say("speed.cell.training", pace=whole(lang, trained(one.name)))


def places_learned(one: Network) -> int:
    """How many of a Transformer's numbers are vectors for places."""
    if not one.transformer:
        return 0
    sizes = registry.sizes(registry.get(one.name).weights)
    return next((size for name, size in sizes.items() if "position_embeddings" in name or ".wpe." in name), 0)


def verdict(lang: Lang, name: str, networks: Sequence[Network]) -> Iterable[Message]:
    """Whether what was measured agrees with the lecture, and if not, why; nothing of two networks of one kind."""
    if (pair := kinds(networks)) is None:
        return
    recurrent, transformer = pair
    told: dict[str, str | int] = {"recurrent": recurrent.the(lang), "transformer": transformer.the(lang), "tokens": FAR}
    if name == "whole":
        agrees = transformer.at(transformer.whole, FAR) < recurrent.at(recurrent.whole, FAR)
        told["factor"] = rounded(lang, transformer.operations(FAR) / recurrent.operations(FAR))
    elif name == "next":
        growth = transformer.at(transformer.next, FAR) / transformer.at(transformer.next, NEAR)
        agrees = growth > VISIBLE
        told["share"] = percent(lang, transformer.grown_share(FAR))
    elif name == "kept":
        agrees = recurrent.timing.kept_bytes[0] == recurrent.kept < transformer.kept
        told["factor"] = rounded(lang, transformer.kept / recurrent.kept)
    elif name == "operations":
        agrees = transformer.turning <= FAR
        told |= {"turning": whole(lang, round(transformer.turning)),
                 "share": percent(lang, transformer.square_share(FAR))}  # fmt: skip
    elif name == "reach":
        shares = [agreement(one.name) for one in pair]
        if shares[0] is None or shares[1] is None:
            return
        agrees = shares[1] > shares[0]
    elif name == "training":
        agrees = trained(transformer.name) > trained(recurrent.name)
    else:
        agrees = True
    yield say(f"speed.verdict.{name}.{'agrees' if agrees else 'disagrees'}", **told)
