"""Data sets that leave the house: written as other Re-ID code reads them, and checked, whoever wrote them.

`members.exported` makes the files, `folder.write` or `reid.files.images.write_zip` writes them, `checks.check` looks
at a folder or zip.
"""
