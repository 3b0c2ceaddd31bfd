"""Export of augmented data sets in the layout that other Re-ID libraries read, and checks of any set in that layout.

`members.exported` makes the files, `folder.write` or `reid.files.images.write_zip` writes them, `checks.check` checks a
folder or zip.
"""
