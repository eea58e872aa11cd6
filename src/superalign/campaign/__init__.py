"""Campaigns: an attacker with a budget against a model that stays as it is, honestly counted."""
