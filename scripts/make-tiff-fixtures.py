#!/usr/bin/env python3
"""Makes awkward TIFFs, one line a case (tiff_fixtures/), into a folder, with a manifest of what is to be expected of each.

Usage: make-tiff-fixtures.py FOLDER            Needs rasterio (GDAL >= 3.7), numpy and, for some JPEGs, Pillow.
manifest.json: [{"file", "expect": "served" | a refusal code, "tolerance", …}], see base.case.
"""
import json
import os
import sys

from tiff_fixtures import codecs, damaged, layouts, meaning, places, refused  # noqa: F401 (each adds its cases)
from tiff_fixtures.base import cases


def main(folder):
    os.makedirs(folder, exist_ok=True)
    manifest = []
    for name, expected, make in cases:
        entry = dict(file=f'{name}.tif', **expected)
        try:
            make(os.path.join(folder, entry['file']))
        except Exception as error:  # a GDAL without this codec: the case is skipped, and says so
            entry['unmade'] = f'{type(error).__name__}: {error}'[:200]
        manifest.append(entry)
    with open(os.path.join(folder, 'manifest.json'), 'w') as f:
        json.dump(manifest, f, indent=1)


if __name__ == '__main__':
    main(sys.argv[1])
