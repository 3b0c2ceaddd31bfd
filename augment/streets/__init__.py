"""A renderer of Re-ID data sets of any size, with exact annotations of each image; it made the embedded data set.

`studio.render` writes a set. From the parts to the whole: `body`, `stance`, `outfit`, `garments`, `hair`, `fabric` and
`belongings` make `people`; `scene` is a camera's surroundings, `camera` the camera itself; `rendering` casts the rays;
`world` takes single pictures; `collection` decides which pictures make up a set.
"""
