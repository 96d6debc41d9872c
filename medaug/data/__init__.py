"""From public files to an image store, and from a store to batches.

Start with `medaug.data.readers` (a folder of files in, a table out), then `prepare` (table to store; slides:
`medaug.data.slides.cutting`, then ``storing``), then `store`, which everything later opens, and `sampling`,
which gives batches of it. `table` says what columns there are, `split` and `skew` who is in which split.

May import `medaug.engine.distributed`, transforms and what lies below; nothing above: no phantoms, no models.
"""
