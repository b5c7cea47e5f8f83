"""What reaches which line: plain values in, plain values out."""
