"""Losses, advantages, adapters and trainers."""
