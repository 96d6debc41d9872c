"""Files and tables as hospitals have them: odd, old or spoiled, each with what is right by its making."""
