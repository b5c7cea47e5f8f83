"""Which line counts for whom, and when a hold ends: plain values in, plain values out."""
