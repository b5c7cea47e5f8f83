"""What opens and shuts a gate: plain values in, plain values out."""
