"""What a proof is: plain values in, plain values out."""
