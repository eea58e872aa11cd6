"""What units of a model read, in words, and how far the words can be trusted."""
