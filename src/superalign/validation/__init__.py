"""Validation: search a model for problematic behaviour and internals, and reach one verdict."""
