"""Text, pictures and sound as vectors: what a prompt says, and the published encoders that evaluations compare with."""
