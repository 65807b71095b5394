FROM python:3.12-slim

ENV HOST=0.0.0.0 PORT=8000 PIP_NO_CACHE_DIR=1 PYTHONUNBUFFERED=1 MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /srv/satzblick

# First and alone, because it is most of the image and seldom changes; CPU build, whatever the machine.
RUN pip install --index-url https://download.pytorch.org/whl/cpu torch==2.13.0

COPY . .
RUN pip install --editable . && python -m compileall -q app models && useradd --system --create-home satzblick
USER satzblick

EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://localhost:{os.environ[\"PORT\"]}/health', timeout=4)"]
CMD ["sh", "-c", "exec satzblick serve --host \"$HOST\" --port \"$PORT\""]
