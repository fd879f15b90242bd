"""Embeddings of text (later: video, audio): what a prompt says, as vectors and as scores over closed words."""
