"""The embedded teacher: it writes and answers questions about drawn pictures from their scenes."""
