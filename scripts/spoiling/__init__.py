"""Files as hospitals have them: odd, old or damaged, each with what is right known from how it was made."""
