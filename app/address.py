"""Reads addresses: the query that one states, or what is wrong with it and what of it is right."""

import unicodedata
from collections.abc import Container
from urllib.parse import parse_qsl

from pydantic import ValidationError

from app.messages import Lang, say, visible
from app.options import allowed, label, typed_into
from app.query import Q, QueryError
from app.settings import settings
from app.transforms import transformed


def named(raw: bytes) -> set[str]:
    """The names of all parameters, those without a value too."""
    return {name for name, _ in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1")}


def parse(raw: bytes, names: Container[str]) -> dict[str, list[str]]:
    """The parameters of these names; raises QueryError where a value is not UTF-8."""
    found: dict[str, list[str]] = {}
    for name, value in parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1"):
        if name in names:
            try:
                found.setdefault(name, []).append(value.encode("latin-1").decode("utf-8"))
            except UnicodeError:
                raise QueryError("not_utf8", name, say("error.not_utf8", field=label(name))) from None
    return found


def read(kind: type[Q], raw: bytes, lang: Lang) -> Q:
    """The query that an address states; raises QueryError for what is wrong in it, ignores what it does not know."""
    stated: dict[str, str] = {}
    for name, values in parse(raw, kind.model_fields.keys() - {"lang"}).items():
        if len(values) > 1:
            raise QueryError("repeated", name, say("error.repeated", field=label(name)))
        stated[name] = values[0]
    for name in ("vs_model", "vs_from", *typed_into(kind)):  # "no other", as the form says it; a field left empty
        if stated.get(name) == "":
            del stated[name]
    if "vs_from" in stated:  # pressed on a page whose second field says something else
        stated.pop("vs", None)
    limit = settings().characters
    for name in ("text", "vs"):
        if name in stated:  # a letter and its mark may come as two characters, which no vocabulary knows
            stated[name] = unicodedata.normalize("NFC", stated[name])
        value = stated.get(name)
        if value is not None and len(value) > limit:
            raise QueryError(
                "too_many_characters", name, say("error.too_many_characters", count=len(value), limit=limit),
                fix={name: value[:limit]},
            )  # fmt: skip
        if value is not None and not value.strip():
            raise QueryError("empty_text", name, say("error.empty_text"))
    try:
        return paired(kind(lang=lang, **stated)).completed()
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0])
        raise QueryError(
            "wrong_value",
            field,
            say(
                "error.wrong_value",
                field=label(field),
                value=visible(stated.get(field, "")),
                allowed=allowed(kind, field, lang),
            ),
        ) from None


def paired(query: Q) -> Q:
    """The query with its second sentence made as it says; raises QueryError where there are no two nouns to swap."""
    if query.vs_from is None:
        return query
    partner = transformed(query.text, query.vs_from)
    if partner is None:
        raise QueryError("too_few_nouns", "text", say("error.too_few_nouns"))
    return query.changed(vs=partner, vs_from=None)


def salvaged(kind: type[Q], raw: bytes, lang: Lang) -> Q:
    """As much of a wrong address as still makes a page: the sentences as typed, and each value that is right."""
    given = dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, encoding="latin-1"))
    kept: dict[str, str] = {}
    for name in given.keys() & (kind.model_fields.keys() - {"lang", "vs_from"}):
        value = given[name].encode("latin-1").decode("utf-8", "replace")
        try:
            kind(**{name: value})
        except ValidationError:
            continue
        if name != "vs_model" or value:
            kept[name] = value
    return kind(lang=lang, **kept)
