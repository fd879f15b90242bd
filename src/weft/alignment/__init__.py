"""The geometry of meaning: how far embeddings of several modalities are from saying the same, and losses upon it."""
