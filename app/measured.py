"""What the measurements of two networks come to in sentences: time, the next word, memory, multiply–adds, ratios."""

from collections.abc import Iterable

import numpy as np

from app import tradeoffs
from app.messages import Lang, Listed, Message, Strong, decimal, percent, say, valued, whole
from app.pace import FAR, NEAR, QUARTER, Network, amount, rounded


def listed(key: str, values: Iterable[tuple[Network, dict[str, str]]]) -> Listed:
    """The networks with their numbers."""
    return Listed([
        say(key, network=network.title, **{name: Strong(value) for name, value in told.items()})
        for network, told in values
    ])  # fmt: skip


def ms(lang: Lang, value: float) -> str:
    """Milliseconds to two digits."""
    return amount(lang, value, "ms")


def times(lang: Lang, networks: list[Network]) -> Iterable[Message]:
    """The longest text in one call and word by word; how the time grows; and whether the lecture is right here."""
    for key, chosen in (("both", [one for one in networks if one.words is not None]),
                        ("only", [one for one in networks if one.words is None])):  # fmt: skip
        told = []
        for network in chosen:
            words = "" if network.words is None else ms(lang, network.at(network.words, FAR))
            told.append((network, {"value": ms(lang, network.at(network.whole, FAR)), "words": words}))
        if told:
            yield say(f"speed.summary.{key}", tokens=FAR, shares=listed(f"speed.share.{key}", told))
    growth = []
    for network in networks:
        factor = network.at(network.whole, FAR) / network.at(network.whole, QUARTER)
        exponent = float(np.log(factor) / np.log(FAR / QUARTER))
        growth.append(valued(network.title, decimal(lang, exponent, 1)))
    yield say("speed.summary.growth", near=QUARTER, far=FAR, shares=Listed(growth))
    yield from tradeoffs.verdict(lang, "whole", networks)


def one_more(lang: Lang, networks: list[Network]) -> Iterable[Message]:
    """The next word after a short and after a long text; what keys and values save; where the growth hides."""
    told = [
        (network, {"near": ms(lang, network.at(network.next, NEAR)), "far": ms(lang, network.at(network.next, FAR))})
        for network in networks if network.words is not None
    ]  # fmt: skip
    if told:
        yield say("speed.summary.next", near=NEAR, far=FAR, shares=listed("speed.share.next", told))
    for network in networks:
        if not network.transformer:
            continue
        key = "speed.summary.again" if network.words is not None else "speed.summary.again.always"
        name = network.the(lang, opens=network.words is None)
        yield say(key, network=name, far=FAR, value=Strong(ms(lang, network.at(network.whole, FAR))))
        if network.words is not None:
            growth = network.at(network.next, FAR) / network.at(network.next, NEAR)
            share = percent(lang, network.grown_share(FAR))
            # nine of ten times are below nine of ten others, whatever the machine did meanwhile
            apart = network.next[2][network.place(NEAR)] < network.next[0][network.place(FAR)]
            key = "speed.summary.grows" if growth > tradeoffs.VISIBLE and apart else "speed.summary.hidden"
            yield say(
                key,
                network=network.the(lang, opens=True),
                far=FAR,
                share=Strong(share),
                factor=rounded(lang, growth),
            )


def memory(lang: Lang, networks: list[Network]) -> Iterable[Message]:
    """What is kept of the longest text, and what the attention maps take."""
    for network in networks:
        key = "speed.summary.keys" if network.transformer else "speed.summary.state"
        if network.transformer and network.words is None:  # it cannot read on, and so keeps nothing
            key = "speed.summary.keys.once"
        first = amount(lang, float(network.timing.kept_bytes[0]), "bytes")
        kept, maps = (amount(lang, float(value), "bytes") for value in (network.kept, network.timing.map_bytes[-1]))
        yield say(
            key,
            network=network.the(lang, opens=True),
            near=NEAR,
            far=FAR,
            first=Strong(first),
            kept=Strong(kept),
            maps=Strong(maps),
        )
    small, large = (choose(networks, key=lambda network: network.kept) for choose in (min, max))
    if large.kept > small.kept:
        yield say("speed.summary.kept_ratio", far=FAR, factor=Strong(rounded(lang, large.kept / small.kept)))


def operations(lang: Lang, networks: list[Network]) -> Iterable[Message]:
    """Multiply–adds for the longest text, which part of them is T², and from which length on that is more than half."""
    needed = [valued(network.title, amount(lang, network.operations(FAR), "operations")) for network in networks]
    yield say("speed.summary.operations", tokens=FAR, shares=Listed(needed))
    for network in networks:
        if network.transformer:
            yield say(
                "speed.summary.square", network=network.the(lang, opens=True), tokens=FAR,
                share=Strong(percent(lang, network.square_share(FAR))),
                turning=Strong(whole(lang, round(network.turning))),
            )  # fmt: skip
    if pair := tradeoffs.kinds(networks):
        recurrent, transformer = pair
        length = recurrent.timing.linear / transformer.timing.quadratic
        yield say("speed.summary.overtakes", recurrent=recurrent.the(lang), tokens=Strong(whole(lang, round(length))))


def ratios(lang: Lang, networks: list[Network]) -> Iterable[Message]:
    """Where the second network needs most, compared with the first, and where it needs less."""
    first, second = networks[0], networks[-1]
    found = tradeoffs.quantities(lang, first, second)
    for key, chosen in (
        ("more", [each for each in found if each.ratio > 1]),
        ("less", [e for e in found if e.ratio < 1]),
    ):
        if chosen:
            told = [valued(each.title, f"{rounded(lang, each.ratio)} ×") for each in chosen]
            yield say(
                f"speed.summary.{key}",
                first=first.the(lang),
                second=second.the(lang, opens=True),
                shares=Listed(told, ", "),
            )
    if len(networks) == 1:
        yield say("speed.summary.alone", network=first.the(lang, opens=True))
