"""Two databases behind the same verbs: SQL as text in `sql/`, rows in and out in `rows.py`, one driver each."""
