"""The report: results gathered into tables, figures and one page of pictures."""
