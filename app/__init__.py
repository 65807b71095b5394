"""Satzblick's web app: addresses in, pages, figures and numbers out; it computes nothing that models does not."""

import os

# Before numpy is loaded: a picture's small products gain nothing by a second thread, and lose tens of milliseconds
# to it where the other core is busy.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Before torch is: the maps of a long text are new memory at each run, and it comes in pages of 2 MB instead of 4 kB.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
