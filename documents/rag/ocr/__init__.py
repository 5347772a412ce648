"""Text read from pictures of pages, in a process of its own."""
