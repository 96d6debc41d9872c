"""Drawn images that stand in for data, in the public sets' own file formats, for the real readers to read.

No person was ever examined for these images. There is one package a modality (`chest`, `skin`, `slides`),
each with a module ``trees`` that writes whole folders; a folder of phantoms holds a file by which whatever is
made from it can say so (`medaug.phantoms.mark`). `medaug.phantoms.drawing` draws those of a modality.
"""
