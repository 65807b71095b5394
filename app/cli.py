"""The command line: satzblick serve, models, …; the same as python -m app."""

import sys
from dataclasses import asdict, replace
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Any

import typer

LEAVING = 8  # seconds that requests have to end in when the server shall: less than the ten that Docker waits
SERVED: dict[str, Any] = {  # for uvicorn
    "access_log": False, "ws": "none", "http": "app.parser:Parser", "timeout_graceful_shutdown": LEAVING,
}  # fmt: skip

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def checked() -> None:
    """See what RNNs and Transformers do with a sentence."""
    if isinstance(sys.stdout, TextIOWrapper):  # to a file or pipe Windows writes in an encoding without ≤
        sys.stdout.reconfigure(errors="backslashreplace")
    from pydantic import ValidationError

    from app.settings import settings

    try:
        settings()
    except ValidationError as error:
        for wrong in error.errors():
            variable, why = f"SATZBLICK_{str(wrong['loc'][0]).upper()}", wrong["msg"].removeprefix("Value error, ")
            typer.echo(f"{variable}={wrong['input']}: {why}", err=True)
        raise typer.Exit(2) from None


@app.command()
def serve(
    host: Annotated[str, typer.Option(envvar="HOST", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", min=0, max=65_535, help="port to listen on")] = 8000,
) -> None:
    """Starts the server."""
    import uvicorn

    uvicorn.run("app.main:create_app", factory=True, host=host, port=port, log_level="info", **SERVED)


@app.command()
def models() -> None:
    """Lists the models: name, family, parameters, weights; or why one cannot be loaded."""
    from models import registry

    found = registry.catalogue().values()
    name, family = (max(len(getattr(model, column)) for model in found) for column in ("name", "family"))
    for model in found:
        told = model.fault or f"{model.family:{family}} {model.parameters:>12,}  {model.hash}"
        typer.echo(f"{model.name:{name}}  {told}")


@app.command()
def bench(
    quick: Annotated[bool, typer.Option(help="few repetitions, nothing written")] = False,
    json: Annotated[bool, typer.Option(help="the figures as one JSON object on the last line")] = False,
    peer: Annotated[
        bool, typer.Option(help="also against BertViz; needs the extras bench and test, npm, Chromium")
    ] = False,
) -> None:
    """Measures a server of its own and writes BENCHMARKS.md; fails where a bar is missed."""
    import orjson

    from app import benchmarks
    from app.bench import measure

    plan = replace(benchmarks.QUICK if quick else benchmarks.Plan(), peer=peer)
    lines = []
    for line in measure(plan, told=lambda text: typer.echo(text, err=True)):
        lines.append(line)
        name, value, bar, note = line.shown()
        typer.echo(f"{name:75} {value:>16}  {bar:18} {note}")
    if json:
        figures = [{**asdict(line), "met": line.met} for line in lines]
        typer.echo(orjson.dumps({**benchmarks.machine(), "figures": figures}).decode())
    if not quick:
        benchmarks.REPORT.write_text(benchmarks.report(lines, plan), encoding="utf-8")
    if any(line.met is False for line in lines):
        raise typer.Exit(1)


@app.command()
def export(
    address: Annotated[
        str,
        typer.Argument(help="an address of this server, such as '/de/gates.json?text=Hallo', or a deck: a .toml file"),
    ],
    out: Annotated[Path, typer.Option(help="the file to write, the folder for a deck")],
    pdf: Annotated[bool, typer.Option("--pdf", help="of a deck: a PDF of each figure too")] = False,
) -> None:
    """Writes what an address answers into a file, or a deck into a folder, without starting a server."""
    from app import export as exporting

    if address.endswith(".toml"):
        export_deck(Path(address), out, pdf)
        return
    try:
        out.write_bytes(exporting.export(address))
    except (exporting.ExportError, OSError) as error:
        typer.echo(error, err=True)
        raise typer.Exit(1) from None


def export_deck(file: Path, folder: Path, pdf: bool) -> None:
    """Writes a bundle for a room without network; tells each wrong entry with its line and fails then."""
    from tqdm import tqdm

    from app import bundle
    from app.messages import translate

    try:
        text = file.read_text(encoding="utf-8")
        deck = bundle.read(text)
        with tqdm(total=len(deck.entries), unit=translate(deck.language, "bundle.unit"), leave=False) as bar:

            def told(steps: int, what: str) -> None:
                bar.set_description(what[:40])
                bar.update(steps)

            wrong = bundle.write(deck, text, folder, pdf, told)
    except (OSError, UnicodeError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(1) from None
    except bundle.DeckError as error:
        for each in error.wrong:
            typer.echo(f"{file}:{each}", err=True)
        raise typer.Exit(1) from None
    for each in wrong:
        typer.echo(f"{file}:{each}", err=True)
    count = len(deck.entries) - len(wrong)
    typer.echo(translate(deck.language, "bundle.written", count=count, total=len(deck.entries), place=str(folder)))
    if wrong:
        raise typer.Exit(1)
