"""python -m app: the same commands as satzblick."""

from app.cli import app

app()
