"""Sets up .venv for `make` (python install.py [EXTRA]), choosing a torch build that fits the machine.

`python install.py --browser` prints the path of a Chromium for the tests, getting one if there is none.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
BROWSERS = ROOT / ".browser"
OLDEST, FIRST_TOO_NEW = (3, 11), (3, 15)  # torch 2.13.0 has wheels for 3.11 to 3.14
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_SECONDS = 15
LEAN = ("--no-compile", "--prefer-binary")
WARM_UP = """
import babel.messages.mofile, babel.messages.pofile, fastapi, fastapi.openapi.utils, jinja2, orjson, pydantic_settings
import safetensors.torch, tokenizers, typer, uvicorn.main, uvicorn.lifespan.on, uvicorn.protocols.http.auto
import uvicorn.loops.auto, uvicorn.protocols.websockets.auto
from transformers import BertForMaskedLM
"""
SYSTEM_BROWSERS = ("chromium", "chromium-browser", "google-chrome")

if not OLDEST <= sys.version_info[:2] < FIRST_TOO_NEW:
    sys.exit(
        f"Satzblick needs Python 3.11 to 3.14, and {sys.executable} is {sys.version.split()[0]}. "
        "Name another one: make run PYTHON=python3.12"
    )


def main() -> None:
    """Runs what the command line asks for."""
    if sys.argv[1:] == ["--browser"]:
        find_browser()
    else:
        install(sys.argv[1] if len(sys.argv) > 1 else "")


def install(extra: str) -> None:
    """Makes the virtual environment if need be and installs Satzblick with one of its extras."""
    started = time.monotonic()
    say(f"Installing into {VENV.name} (a few minutes the first time) …")
    make_venv()
    if wants_cpu_torch():
        install_cpu_torch()
    done = pip("install", *LEAN, "--editable", f".[{extra}]" if extra else ".")
    if done.returncode:
        sys.exit(done.returncode)
    compile_what_runs()
    say(f"Installed in {time.monotonic() - started:.0f} s.")


def compile_what_runs() -> None:
    """Byte-compiles the modules a server imports, by importing them, even where Python is told not to keep bytecode.

    pip would compile all of torch and transformers: half a minute and 270 MB more.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([str(VENV_PYTHON), "-c", WARM_UP], cwd=ROOT, env=environment, check=True)


def make_venv() -> None:
    """A virtual environment whose interpreter runs; one that no longer does is replaced."""
    if VENV_PYTHON.exists() and quiet([VENV_PYTHON, "-m", "pip", "--version"]):
        return
    if find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info[1]}-venv"
        if not install_debian_package(package):
            sys.exit(f"{sys.executable} cannot make virtual environments; on Debian: apt-get install {package}")
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=True)


def wants_cpu_torch() -> bool:
    """True where torch is missing and the default registry would bring gigabytes of CUDA: Linux without NVIDIA."""
    nvidia = shutil.which("nvidia-smi") or Path("/proc/driver/nvidia").exists() or Path("/dev/nvidiactl").exists()
    there = f"from importlib.metadata import version; assert version('torch').split('+')[0] == '{torch_version()}'"
    return sys.platform == "linux" and not nvidia and not quiet([VENV_PYTHON, "-c", there])


def install_cpu_torch() -> None:
    """The CPU build from pip's own sources, else from PyTorch's index if it answers; else a word of warning.

    Each source is asked for `+cpu` by name: a plain version would be satisfied by the CUDA build as well.
    """
    build = f"torch=={torch_version()}+cpu"
    if pip("install", *LEAN, "--no-deps", build, capture=True).returncode == 0:
        return
    from_index = [*LEAN, "--no-deps", "--index-url", CPU_INDEX, build]
    if holds(CPU_INDEX, build) and pip("install", *from_index).returncode == 0:
        return
    say(f"Neither pip's sources nor {CPU_INDEX} offer {build}: taking the default build, with CUDA (gigabytes).")


def torch_version() -> str:
    """The one version that pyproject.toml names; read as text, for Python 3.11's venv may have no TOML tools yet."""
    found = re.search(r'"torch==([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert found, "pyproject.toml names no torch version"
    return found[1]


def holds(index: str, build: str) -> bool:
    """Whether an index answers within PROBE_SECONDS and has the build for this machine.

    pip's own timeout holds for one address of a host only, hence the clock around the process.
    """
    name, version = build.split("==")
    command = [VENV_PYTHON, "-m", "pip", "index", "versions", name, "--index-url", index]
    try:
        answer = subprocess.run(
            [*map(str, command), "--timeout", "5", "--retries", "0"],
            capture_output=True, text=True, timeout=PROBE_SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    return version in re.split(r"[\s,]+", answer.stdout)


def find_browser() -> None:
    """Prints the path of a Chromium: the system's, else Debian's package where root, else Playwright's download."""
    path = system_browser()
    if not path and install_debian_package("chromium"):
        path = system_browser()
    path = path or playwright_browser()
    if path:
        print(path)
        return
    say("No Chromium was found, and none could be installed: put chromium or google-chrome on the PATH.")
    if os.environ.get("CI") == "true":
        sys.exit(1)
    say("The tests that need a browser will fail.")


def system_browser() -> str:
    """A browser on the PATH that starts (Ubuntu's chromium-browser may be a stub that asks for a snap)."""
    paths = (shutil.which(name) for name in SYSTEM_BROWSERS)
    return next((path for path in paths if path and quiet([path, "--version"])), "")


def playwright_browser() -> str:
    """Playwright's own Chromium in .browser, downloaded if it is not there yet."""
    os.environ["PLAYWRIGHT_BROWSERS_PATH"] = str(BROWSERS)
    if not find_spec("playwright"):
        return ""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    if not Path(path).exists():
        say("Downloading Playwright's Chromium …")
        download = [sys.executable, "-m", "playwright", "install", "chromium"]
        subprocess.run(download, stdout=sys.stderr)
    return path if Path(path).exists() and quiet([path, "--version"]) else ""


def install_debian_package(name: str) -> bool:
    """Installs a package where apt-get and the right to use it are at hand; False elsewhere or on failure."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    say(f"Installing Debian's {name} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "-y", "--no-install-recommends", name]):
        command = ["apt-get", "-qq", "-o", "Acquire::http::Timeout=30", *step]
        if subprocess.run(command, env=environment, stdout=sys.stderr).returncode and step != ["update"]:
            return False
    return True


def pip(*arguments: str, capture: bool = False) -> subprocess.CompletedProcess[bytes]:
    """pip of the virtual environment, saying only what went wrong (nothing at all if captured)."""
    options = ["-qq", "--no-input", "--disable-pip-version-check"]
    command = [str(VENV_PYTHON), "-m", "pip", *options, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=capture)


def quiet(command: list[str | Path]) -> bool:
    """Whether a command ends well within half a minute; its output is thrown away."""
    try:
        return subprocess.run([*map(str, command)], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def say(sentence: str) -> None:
    """Tells the person what happens; standard output is kept for the browser's path."""
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
