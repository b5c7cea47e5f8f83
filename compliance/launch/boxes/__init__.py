"""One module per box: it looks, and answers with what it found and the proof of it."""
