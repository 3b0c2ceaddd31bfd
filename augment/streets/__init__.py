"""The embedded data set, rendered: a Re-ID set of any size, with everything that is true of each image.

`studio.render` writes one. From the parts to the whole: body, stance, outfit, garments, hair, fabric and belongings
make `people`; `scene` is what is around them, `camera` what looks at them; `rendering` casts the rays; `world` takes
one picture; `collection` says which pictures make up a set, `extra` which ones enlarge a training set.
"""
