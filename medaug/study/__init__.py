"""The reader study (Section 3.3): a page on which experts rate images, and the scores of what they said.

Start with the command line, ``python -m medaug.study make | score`` (`medaug.study.__main__`). Making chooses
real and synthetic images (`medaug.study.choice`), writes the page without a word of what they are
(`medaug.study.page`) and keeps that in a key (`medaug.study.key`); scoring reads what the page exported
(`medaug.study.exports`) and computes accuracy and agreement of the raters (`medaug.study.score`); the
diagnosis of the others, by which a rater is measured too, is in `medaug.study.other_raters`.

The room imports `medaug.data` for image stores, the task and the small modules beside it; nothing imports it.
"""
