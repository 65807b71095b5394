"""Imports go one way, slow things are imported late, and every text that a person reads is in both catalogues."""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from string import Formatter
from typing import Any, get_args, get_type_hints

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from app import answers, cards, outcome, outputs, tradeoffs, views
from app.api import EmbedQuery, StillQuery, TraceQuery
from app.embedding import FILES, SNIPPETS
from app.messages import LANGUAGES, LOCALE
from app.oembed import OEmbedQuery
from app.transforms import TRANSFORMS
from app.views import attention_heads, attention_steps, order, party, pipeline, speed
from app.words import Kind
from models import errors, faithfulness, registry
from models.entities import CLASSES
from models.families import entities, intents
from models.training import kinds
from models.weights import configuration

ROOT = Path(__file__).parent.parent
APP = sorted((ROOT / "app").rglob("*.py"))
MODELS = sorted((ROOT / "models").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").glob("*.html"))
SPEAKING = ("say", "translate", "known", "_", "told")  # calls whose first or second argument is a key


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, path
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def names_of(paths) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("path", MODELS, ids=names_of(MODELS))
def test_models_know_nothing_of_the_app(path):
    packages = {name.split(".")[0] for name in imported(path)}
    assert not packages & {"app", "fastapi", "starlette", "plotly", "jinja2", "uvicorn", "babel", "markupsafe"}


@pytest.mark.parametrize("path", sorted((ROOT / "app/views").glob("*.py")), ids=lambda path: path.name)
def test_views_know_nothing_of_addresses_and_runs(path):
    forbidden = {
        "app.routes",
        "app.outcome",
        "app.responses",
        "app.pages",
        "app.render",
        "app.tables",
        "app.form",
        "app.runs",
        "app.main",
        "app.api",
        "fastapi",
        "starlette",
        "torch",
    }
    assert not imported(path) & forbidden


@pytest.mark.parametrize("path", APP, ids=names_of(APP))
def test_only_runs_carries_a_run_out(path):
    if path.name not in ("runs.py", "calls.py", "floor.py", "peer.py"):
        assert not imported(path) & {"models.run.perform", "torch", "transformers"}
        experiments = {name for name in imported(path) if name.startswith("models.experiments")}
        assert experiments in (set(), {"models.experiments", "models.experiments.takes"})


@pytest.mark.parametrize("path", APP + MODELS, ids=names_of(APP + MODELS))
def test_a_file_is_named_for_what_it_owns(path):
    assert path.stem not in ("utils", "helpers", "common", "manager", "service", "misc")
    assert ast.get_docstring(ast.parse(path.read_text("utf-8"))) or not path.read_text("utf-8").strip()


LATE = (
    "sklearn",
    "torch",
    "transformers",
    "gensim",
    "tokenizers",
    "safetensors",
    "babel",
    "plotly",
    "matplotlib",
    "typer",
)


def loaded_after(code: str) -> set[str]:
    """Which of the slow packages a fresh interpreter has after running this."""
    asked = f"import sys; {code}; print(*(name for name in {LATE!r} if name in sys.modules))"
    result = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(result.stdout.split())


def test_the_app_starts_without_anything_slow():
    assert loaded_after("import app.main; app.main.create_app()") == set()


def test_what_there_is_can_be_listed_without_loading_a_model():
    code = "from app import api; api.models_json(); api.views_json()"
    assert loaded_after(code) <= {"babel"}


def test_a_recurrent_run_needs_no_transformers():
    code = "from models.run import Run, perform; perform(Run('lstm', 'Der Hund'))"
    assert loaded_after(code) == {"torch", "tokenizers", "safetensors"}


def po(lang: str) -> Catalog:
    with (LOCALE / lang / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=lang)


CATALOGUES = {lang: {message.id: message.string for message in po(lang) if message.id} for lang in LANGUAGES}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def strings(node: ast.expr) -> list[str | None]:
    """The keys that an expression may be; None where it is made at run time."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return strings(node.body) + strings(node.orelse)
    return [None]


def spoken() -> dict[str, list[tuple[str, set[str] | None]]]:
    """Every literal key in a call of the app, with where it stands and the values it is given (None: not known)."""
    found: dict[str, list[tuple[str, set[str] | None]]] = {}
    for path in APP:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id not in SPEAKING:
                continue
            given = {keyword.arg for keyword in node.keywords}
            for argument in node.args[:2]:
                for key in strings(argument):
                    if key and re.fullmatch(r"[a-z_0-9]+(\.[a-z_0-9]+)+", key):
                        values = None if None in given else {name for name in given if name}
                        found.setdefault(key, []).append((f"{path.name}:{node.lineno}", values))
    for path in TEMPLATES:
        for key, rest in re.findall(r"""_\(\s*["']([\w.]+)["']((?:[^()]|\([^()]*\))*)\)""", path.read_text("utf-8")):
            found.setdefault(key, []).append((path.name, set(re.findall(r"(\w+)\s*=", rest))))
    return found


def constants() -> set[str]:
    """Every string in the app and the models that looks like a key: names of columns, titles of models."""
    found = set()
    for path in APP + MODELS:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def families_listed() -> list[Any]:
    files = pkgutil.iter_modules([str(ROOT / "models" / "families")])
    return [importlib.import_module(f"models.families.{file.name}") for file in files]


def families() -> dict[str, bool]:
    """The keys that are made at run time from what the app itself knows; False where the app does without a text."""
    catalogue = views.catalogue()
    made: dict[str, bool] = {}
    for name, view in catalogue.items():
        made |= {f"{name}.{part}": True for part in ("title", "question", "lead")}
        made |= {f"{name}.{part}": False for part in ("read", "formula", "limits", "hover", "bar", "bar.signed")}
        own = {model.family for family in families_listed() for model in family.MODELS} | {
            "encoder_decoder"  # from elsewhere
        }  # also of those to be trained
        parts = ("question", "lead", "read", "formula", "limits")
        made |= {f"{name}.{part}.{family}": False for part in parts for family in own}
        if "units.drawing" in Path(sys.modules[view.figure.__module__].__file__).read_text("utf-8"):
            made |= {f"{name}.hover": True, f"{name}.bar": True}
        properties = view.query.model_json_schema()["properties"]
        for option, schema in properties.items():
            made |= {f"option.{option}": True} if option != "lang" else {}
            for entry in schema.get("anyOf", [schema]):
                values = [*entry.get("enum", ()), *([entry["const"]] if "const" in entry else ())]
                made |= {f"option.{option}.{value}": option in view.query.__annotations__ for value in values}
    made |= {
        f"option.{name}": True
        for kind in (EmbedQuery, StillQuery, TraceQuery, OEmbedQuery)
        for name in kind.model_fields
        if name != "lang"
    }
    made |= {
        model.title: True for family in families_listed() for model in family.MODELS
    }  # also of those not trained yet
    made |= {f"translation.summary.{by}{how}": True for by in ("", "by.") for how in ("beams", "greedy")}
    moved = ("hidden_states", "trajectory")
    made |= {f"{view}.summary{how}{one}": True for view in moved for how in ("", ".parallel") for one in ("", ".one")}
    made |= {f"looks.{part}": True for part in ("decoder", "cross")}
    made |= {f"loss_per_step.axis{which}{alone}": True for which in ("", ".sum") for alone in ("", ".alone")}
    made |= {f"loss_per_step.summary.{how}": True for how in ("same", "worse", "better")}
    made |= {f"gradient_flow.axis.{source}": True for source in ("last", "sum")}
    made |= {f"pipeline.{part}.{kind}": True for part in ("output", "hover") for kind in outputs.KINDS}
    asked = ("next_word", "next_word.hidden", "next_word.behind")
    made |= {f"{how}.{part}": True for how in asked for part in ("hover", "summary")}
    made |= {f"pipeline.summary.{kind}": True for kind in outputs.KINDS}
    made |= {f"pipeline.{part}.{step}": True for part in ("step", "hover") for step in pipeline.STEPS[:-1]}
    made |= {f"pipeline.step_name.{step}": True for step in pipeline.STEPS}
    made |= {f"pipeline.part.{part}": True for part in pipeline.PARTS}
    made |= {f"positions.bar.{how}": True for how in ("vectors", "product", "cosine")}
    made |= {f"positions.axis.{how}": True for how in ("product", "cosine")}
    made |= {f"positions.{how}.hover": True for how in ("product", "cosine")}
    made |= speed_texts()
    made |= {f"four_lanes.{map_}": True for map_ in ("moved", "felt", "felt.alone")}
    made |= {f"class.{name}": True for name in configuration(registry.get("rnn-intent").folder)["classes"]}
    made |= {f"network.{model.split('-')[0]}": True for model in order.MODELS}
    made |= {f"network.{model.name.split('-')[0]}": True for family in (intents, entities) for model in family.MODELS}
    made |= {f"entity.{name}": True for name in ("O", *CLASSES)}
    made |= {f"sentence.{number}": True for number in (1, 2)}
    made |= {f"method.{name}": True for name in (*faithfulness.methods(0), "even", "head")}
    made |= {f"method.{name}.short": False for name in faithfulness.methods(0)}
    made |= {f"faithfulness.summary.verdict.{kind}": True for kind in (*get_args(answers.Kind), "hidden.right")}
    parts = ("bar", "words.hover", "effect", "summary", "summary.still")
    made |= {f"classification.{part}.{by}": True for part in parts for by in ("erasure", "gradient_input")}
    made |= {f"training.summary.{part}{one}": True for part in ("attention", "word", "loss") for one in ("", ".one")}
    gates = {gate for model in registry.catalogue().values() for gate in model.gate_names} | {"cell"}
    made |= {f"option.gate.{gate}": True for gate in gates}
    made |= {f"{part}.{how}": True for part in ("form.note", "option.vs_from") for how in TRANSFORMS}
    points = ("words", "others", "near", "near_others", "summary.nearest", "summary.farthest", "summary.pair")
    made |= {f"embedding_space.{part}": True for part in points}
    made |= {f"option.align.{how}": True for how in ("word", "position")}
    made |= {f"contexts.stage.{stage}": True for stage in ("table", "inputs", "embeddings")}
    made |= {f"contexts.usual.{name}": True for name in ("same", "different")}
    made |= {f"contexts.summary.{how}": True for how in ("farther", "nearer")}
    made |= {
        f"attention_map.summary.{place}": True for place in ("before", "itself", "after", "renormalised", "hidden")
    }
    made |= {f"attention_heads.{part}.{kind}": True for part in ("caption", "kind") for kind in attention_heads.KINDS}
    made |= {f"attention_heads.at.{place}": True for place in attention_heads.PLACES}
    made |= {f"column.{place}": True for place in attention_heads.PLACES}
    made |= {f"attention_map.summary.rollout.{special}": True for special in ("renormalised", "hidden")}
    made |= {f"attention_map.bar.{stage}": True for stage in ("raw", "scaled", "masked", "softmax", "rollout")}
    made |= {f"attention_steps.{part}.{step}": True for part in ("row", "step") for step in attention_steps.ROWS}
    made |= {f"attention_steps.{step}.hover": True for step in attention_steps.ROWS}
    made |= {f"attention_steps.{step}.total.hover": True for step in attention_steps.TOTALS}
    made |= {f"attention_steps.bar.{name}": True for name in ("scores", "added", "vectors")}
    made |= {f"attention_steps.row.scaled.{kind}": True for kind in ("unscaled", "other")}
    made |= {f"attention_steps.row.masked.{kind}": True for kind in ("biased", "none")}
    made |= {f"attention_map.steps{part}": True for part in ("", ".1", ".2")}
    made |= {f"party.{part}.{number}": True for part in ("guest", "topic") for number in party.GUESTS}
    made |= {f"party.step.{step}": True for step in (*party.STEPS, "said")}
    changes = ("reset_after", "no_positions", "spectral_norm", "initial_weights")  # those that tables name
    made |= {f"change.{kind}": True for kind in changes}
    made |= {f"party.{step}.{kind}.hover": True for step in (*party.STEPS, "total") for kind in ("real", "invented")}
    made |= {f"party.row.{step}.{kind}": True for step in ("match", "mixture") for kind in ("real", "invented")}
    tempers = get_args(get_type_hints(party.Party.tempered.fget)["return"])
    made |= {f"party.{part}.{kind}": True for part in ("row.divided", "summary") for kind in tempers}
    made |= {"party.row.shares": True}
    made |= {f"option.theme.{theme}": True for theme in ("auto", "light", "dark")}
    made |= {f"option.bg.{bg}": True for bg in ("solid", "transparent")}
    made |= {f"slides.{name}{part}": True for name in SNIPPETS for part in ("", ".note")}
    made |= {f"slides.file.{kind}": True for kinds_ in FILES.values() for kind in kinds_}
    made |= {f"chapter.{chapter}": True for chapter in views.CHAPTERS}
    made |= {f"models.{part}.{group}": True for part in ("group", "note") for group in cards.GROUPS}
    made |= {f"score.{task}": True for task in cards.MEASURES}
    made |= {f"score.{task}.{name}": True for task, names in cards.MEASURES.items() for name in names}
    made |= {f"score.{task}.{part}": False for task in cards.MEASURES for part in cards.PARTS}
    made |= {f"card.what.{kind}": True for kind in (*kinds.KINDS, "extra")}
    made |= {f"card.weak.{key}": True for key in kinds.WEAK}
    made |= {f"card.source.{name}{part}": True for name in kinds.SOURCES for part in ("", ".by")}
    made |= {f"card.curve.{axis}": True for axis in ("updates", "loss")}
    facts = ("parameters", "file", "fingerprint", "epochs", "updates", "tokens", "minutes", "speed")
    made |= {f"card.{fact}": True for fact in facts}
    made |= {f"token.{kind}": True for kind in get_args(Kind) if kind != "word"}
    made |= {f"notes.{kind}": True for kind in ("read", "formula", "limits")}
    made |= {f"run.{number}": True for number in (1, 2)}
    made |= {model.title: model.title.startswith("model.") for model in registry.catalogue().values()}
    codes = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.InputError)
    }
    codes |= {"unknown_view", "unknown_language", "unknown_suffix", "address_too_long", "body_too_large", "method"}
    codes |= set(get_args(outcome.Lack))
    made |= {f"error.{code}": True for code in codes - {"input"}}
    return made


def speed_texts() -> dict[str, bool]:
    """What the page about speed makes of quantities, curves and rows of the course's table."""
    made = {f"speed.axis.{show}": True for show in speed.UNITS}
    made |= {f"speed.curve.{way}": True for way in (*speed.FIRST, "words", "again", "maps", "pairs")}
    made |= {f"speed.{unit}.{power}": True for unit in ("bytes", "operations") for power in (0, 3, 6, 9)}
    made |= {f"speed.summary.{key}": True for key in ("both", "only", "more", "less")}
    made |= {f"speed.share.{key}": True for key in ("both", "only")}
    made |= {f"network.{name}.the": True for name in speed.MODELS}
    made |= {f"speed.{part}.{row}": True for part in ("row", "course") for row in tradeoffs.ROWS}
    made |= {f"speed.verdict.{row}.agrees": True for row in tradeoffs.ROWS}
    made |= {f"speed.verdict.{row}.disagrees": True for row in tradeoffs.ROWS if row != "order"}
    quantities = ("whole", "next", "kept", "operations", "parameters", "training")
    made |= {f"speed.quantity.{name}": True for name in quantities}
    kinds_ = ("recurrent", "transformer")
    made |= {f"speed.cell.{row}.{kind}": True for row in ("kept", "operations", "reach", "order") for kind in kinds_}
    made |= {f"speed.cell.reach.{kind}.unscored": True for kind in kinds_}
    return made | {"speed.cell.order.causal": True, "speed.vs_model.none": True}


def test_both_languages_have_the_same_keys():
    assert set(CATALOGUES["de"]) == set(CATALOGUES["en"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_texts_stand_in_the_order_of_their_keys(lang):
    keys = list(CATALOGUES[lang])
    late = [key for key, before in zip(keys[1:], keys, strict=False) if key < before]
    assert late == [], f"further down than it belongs: {', '.join(late)}"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_text_is_empty_or_unsure(lang):
    assert [key for key, text in CATALOGUES[lang].items() if not text.strip()] == []
    assert [message.id for message in po(lang) if message.fuzzy and message.id] == []


def test_both_languages_take_the_same_values():
    for key, german in CATALOGUES["de"].items():
        assert placeholders(german) == placeholders(CATALOGUES["en"][key]), key


def test_every_key_that_is_said_has_a_text_with_its_values():
    for key, places in spoken().items():
        assert key in CATALOGUES["de"], f"{key}, said in {places[0][0]}, has no text"
        for place, values in places:
            if values is not None and not re.search(r"\.(hover|bar)$", key):  # Plotly fills in those
                assert placeholders(CATALOGUES["de"][key]) <= values, (key, place)


def test_every_key_made_at_run_time_has_a_text():
    missing = sorted(key for key, required in families().items() if required and key not in CATALOGUES["de"])
    assert missing == [], f"without a text in app/locale/*/LC_MESSAGES/messages.po: {', '.join(missing)}"


def test_every_column_has_a_text():
    columns = {text for text in constants() if re.fullmatch(r"column\.\w+", text)}
    assert columns and columns <= set(CATALOGUES["de"])


def test_no_text_is_dead():
    used = set(spoken()) | set(families()) | constants()
    dead = sorted(set(CATALOGUES["de"]) - used)
    assert dead == [], f"nobody says, or families() above does not name: {', '.join(dead)}"


def test_german_texts_quote_the_german_way():
    for key, text in CATALOGUES["de"].items():
        assert text.count("„") == text.count("“"), key
        assert not re.search("[\"'”‚‘«»]", text), key
        assert "..." not in text and " - " not in text, key


def test_english_texts_quote_the_english_way():
    for key, text in CATALOGUES["en"].items():
        assert text.count("“") == text.count("”"), key
        assert "„" not in text and '"' not in text, key


def test_templates_hold_no_text_of_their_own():
    for path in TEMPLATES:
        if path.name == "api.html":
            continue
        text = re.sub(r"{% block (page|scripts) %}.*?{% endblock %}", " ", path.read_text("utf-8"), flags=re.S)
        text = re.sub(r"{#.*?#}|{%.*?%}|{{.*?}}|<!--.*?-->|<(script|style|svg|title)\b.*?</\1>", " ", text, flags=re.S)
        words = re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", " ", text))
        assert set(words) <= {"Satz", "blick", "Satzblick", "CSV", "JSON", "SVG", "PDF", "PNG"}, (path.name, words)


def test_nothing_is_loaded_from_elsewhere():
    for path in TEMPLATES + [path for path in sorted((ROOT / "static").rglob("*.*")) if "vendor" not in path.parts]:
        found = re.findall(r"https?://[^\s\"')]+", path.read_text("utf-8"))
        assert [address for address in found if "www.w3.org/" not in address] == [], path.name
