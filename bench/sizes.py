"""What the product is filled with before it is measured."""

LIBRARIES, READABLE = 20, 10
"""All of them, and those that the reader may read."""

CHUNKS = 1_000
"""In each library."""

READER, PASSWORD = "reader@example.com", "as-read-by-the-bench"
