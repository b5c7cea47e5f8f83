"""What goes on which account: plain values in, plain values out."""
