"""Every limit and switch of the server; each can be set in the environment as SATZBLICK_<NAME>."""

from functools import cache
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings with their defaults; their descriptions are the documentation (a test holds the README to them)."""

    model_config = SettingsConfigDict(env_prefix="SATZBLICK_", frozen=True)

    public_url: str = Field("", description="the address people reach this server at, such as https://example.org")
    extra_models: str = Field("", description="other Hugging Face models to offer: alias=name-or-folder,…")
    characters: int = Field(4_000, ge=1, description="longest text that is read, in characters")
    address_bytes: int = Field(8_192, ge=256, description="longest address that is answered")
    body_bytes: int = Field(65_536, ge=0, description="largest request body that is even looked at")
    model_workers: int = Field(1, ge=1, description="model runs at once, a core each; one more for those of seconds")
    waiting_runs: int = Field(512, ge=1, description="model runs that may wait; more are answered with 429")
    waiting_seconds: float = Field(60, gt=0, description="longest wait for a run, loading of its model included")
    trace_cache_bytes: int = Field(64 * 2**20, ge=0, description="memory for finished runs")
    page_cache_bytes: int = Field(32 * 2**20, ge=0, description="memory for finished answers")

    @field_validator("public_url")
    @classmethod
    def whole(cls, value: str) -> str:
        """Scheme and host, with no slash behind; no path, since what a page leads to begins at the root of its host."""
        parts = urlsplit(value)
        more = parts.path.strip("/") or parts.query or parts.fragment
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or more or not value.isascii()):
            raise ValueError("must be http:// or https:// and a host in ASCII, no path, such as https://example.org")
        return value.rstrip("/")


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
