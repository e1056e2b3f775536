"""New questions about images, written and verified by a vision-language teacher."""
