"""Satzblick's web app: addresses in, pages, figures and numbers out; it computes nothing that models does not."""

import os

# Before numpy is loaded: a picture's small products gain nothing by a second thread, and lose tens of milliseconds
# to it where the other core is busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
