"""What a trigger policy may say and when it counts: plain values in, plain values out."""
