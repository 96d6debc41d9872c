"""The simplified settings of the paper's Appendix D, one module each, and their figures."""
