"""What a person sees and does, in a real Chromium on a real server."""
