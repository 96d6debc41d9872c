"""The judge of synthetic images: whether they are good enough to train a classifier on.

Images are compared as what a network sees in them (`image_features`): whether they look like real ones and
are as varied (`fidelity`), whether what was asked for can be seen (`probes`), whether they are copies of
patients (`copies`). `limits` turns the numbers (`measures`) into checks, and `judgement` into one answer.
"""
