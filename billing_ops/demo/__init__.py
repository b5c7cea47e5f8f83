"""A sample company whose month is metered, closed, reviewed, invoiced and paid out before your eyes."""
