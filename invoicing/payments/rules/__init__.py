"""What may follow what, what is still due, and what a gateway's words mean: plain values in, plain values out."""
