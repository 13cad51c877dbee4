"""Kinds of images and of what is in them."""
