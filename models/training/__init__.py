"""From corpora to weights and scores; never imported by the running app."""
