"""A live page on this machine that shows pictures, documents, tables and charts."""

from __future__ import annotations
