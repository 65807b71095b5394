"""What a client says it takes, as the Accept headers write it: names with quality values."""

from starlette.requests import Request


def accepted(request: Request, header: str) -> dict[str, float]:
    """Each name in the header, in lower case, with its quality from 0 to 1; one that cannot be read counts as 1."""
    found: dict[str, float] = {}
    for entry in request.headers.get(header, "").lower().replace(" ", "").split(","):
        name, _, quality = entry.partition(";q=")
        try:
            found.setdefault(name, min(max(float(quality), 0.0), 1.0))
        except ValueError:
            found.setdefault(name, 1.0)
    return found
