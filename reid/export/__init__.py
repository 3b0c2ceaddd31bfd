"""Export of augmented data sets in the layout that other Re-ID libraries read, and checks of any set in that layout.

`members.exported` makes the files, `write_folder` or `write_zip` of `reid.files.images` writes them, `checks.check`
checks a folder or zip.
"""
