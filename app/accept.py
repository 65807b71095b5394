"""What a client says it takes, as the Accept headers write it: names with quality values."""

from starlette.requests import Request

from app.messages import LANGUAGES, Lang


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


def preferred(request: Request) -> Lang:
    """The language the reader asks for, German where in doubt."""
    wanted: dict[Lang, float] = {}
    for name, quality in accepted(request, "accept-language").items():
        if (code := name[:2]) in LANGUAGES:
            wanted[code] = max(quality, wanted.get(code, 0.0))
    best = max(wanted, key=lambda code: wanted[code], default=None)  # the first of equals
    return best if best and wanted[best] else "de"
