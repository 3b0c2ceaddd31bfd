"""Evaluating Re-ID: features, search, ranking by the Market-1501 protocol, multi-query, significance."""
