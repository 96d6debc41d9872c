"""Tables, figures and the report: one HTML file that a clinician can read on paper and on screen.

Start with `medaug.report.html.write_report`: the results of an evaluation in, ``report.html`` out. It is made
of numbered sections (`medaug.report.sections`), these of tables and pictures (`medaug.report.parts`) from a
module for each kind: performance, posterior, improvement, data, slides, skew, curves. The answer at the top
is `medaug.report.answer`; which rows of the metrics a table or figure takes, `medaug.report.tidy`; names in
words in place of the keys of arms and groups, `medaug.report.naming`. Beside the
report stand the short text of `medaug.report.summary`, TensorBoard (`medaug.report.tensorboard_metrics`) and
heat maps of slides (`medaug.report.heatmap`).

The room computes no metric: it imports `medaug.evaluation` for results, names and directions of metrics, and
`medaug.data` for the stores that it describes. Patients, images and files are counted, never named.
"""
