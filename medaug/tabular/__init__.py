"""Tables as people write them: one careful reading of files and cells, for readers and for predictions.

`reading` turns a file into cells of text, each in its own column; `cells` and `people` say what cells mean
(names, numbers, ages, sexes); `remarks` tells how many could not be understood, without showing them.
"""
