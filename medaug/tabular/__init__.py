"""Tables as people write them: one careful reading of files and cells, for readers and for predictions.

`table_files` turns a file into cells of text, each in its own column; `values` and `people` say what cells
mean (names, numbers, ages, sexes); `messages` tells how many could not be understood, without showing them.
"""
