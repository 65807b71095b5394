"""One file per model family. A file lists its models as MODELS and says how one is loaded and run."""
