"""Model organisms: deliberately misaligned models, and clean twins, each from a recipe."""
