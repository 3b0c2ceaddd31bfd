"""What is read and written: sample tables, image archives, pretrained weights."""
