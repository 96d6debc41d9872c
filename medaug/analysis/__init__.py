"""The paper's closer looks (Sections 3.3, F.3 and G): tables from predictions, metrics, features and stores.

- `medaug.analysis.distances`: MMD between training, evaluation and generated images (Table G1);
- `medaug.analysis.components`: principal components that hold most of the variance (Figure G8);
- `medaug.analysis.missed`: cases that every training of an arm misses (Figure G9);
- `medaug.analysis.by_condition`: a metric of each condition (Figure G3);
- `medaug.analysis.against`: a metric against a setting, the label budget (G2) or the sampling scheme (G10).

Each returns a table, which `medaug.report` draws. `medaug.analysis.features` gives the features of a trained
classifier; all other modules take any array (N, d).
"""
