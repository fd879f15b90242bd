"""Text, pictures and sound as vectors: what a prompt says, how near one is to another, and the published encoders that
evaluations compare with."""
