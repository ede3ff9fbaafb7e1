"""The charts of the report, as Vega-Lite specifications made with Altair."""
