"""Kinds of things out of many: entities, items, vectors of them."""
