"""Files that are read and written: sample tables, image archives, pretrained weights."""
