"""Candidates made of candidates: blends, and a choice per lead time. A fold never scores what was learned on it."""
