"""The command line: satzblick serve, models, …; the same as python -m app."""

from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="See what RNNs and Transformers do with a sentence.")


@app.command()
def serve(
    host: Annotated[str, typer.Option(envvar="HOST", help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="PORT", help="port to listen on")] = 8000,
) -> None:
    """Starts the server."""
    import uvicorn

    uvicorn.run("app.main:create_app", factory=True, host=host, port=port, log_level="warning", access_log=False)


@app.command()
def models() -> None:
    """Lists the models: name, family, parameters, weights."""
    from models import registry

    for model in registry.catalogue().values():
        typer.echo(f"{model.name:12} {model.family:12} {model.parameters:>12,}  {model.hash}")
