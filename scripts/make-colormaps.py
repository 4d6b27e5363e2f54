"""Writes src/kernels/colormaps-table.ts from matplotlib's colour maps (PyPI matplotlib, its licence is PSF-like).

    python -m venv /tmp/mpl && /tmp/mpl/bin/pip install matplotlib==3.10.8
    /tmp/mpl/bin/python scripts/make-colormaps.py

Each map is 256 RGB triplets. They are stored as differences between neighbours, deflated together, in base64: smooth
ramps shrink to a few dozen bytes. The reversed form of a map (`_r`) is computed, not stored.
"""

import base64
import pathlib
import zlib

import matplotlib
import numpy

PER_CHANNEL_STEPS = 256


def samples(name):
    rgba = matplotlib.colormaps[name](numpy.linspace(0, 1, PER_CHANNEL_STEPS))
    return (rgba[:, :3] * 255).astype(numpy.uint8)  # cut off, as titiler does


def differences(rgb):
    planes = rgb.T.astype(numpy.int16)
    return numpy.diff(planes, axis=1, prepend=0).astype(numpy.uint8).tobytes()


maps = {}
for name in matplotlib.colormaps:
    if not name.endswith('_r'):
        maps.setdefault(name.lower(), samples(name))
names = sorted(maps)
packer = zlib.compressobj(9, zlib.DEFLATED, -15)
packed = packer.compress(b''.join(differences(maps[n]) for n in names)) + packer.flush()

out = pathlib.Path(__file__).parent.parent / 'src' / 'kernels' / 'colormaps-table.ts'
out.write_text(
    f'// Made by scripts/make-colormaps.py from matplotlib {matplotlib.__version__}. Do not edit.\n'
    f"export const NAMES =\n  '{' '.join(names)}';\n"
    f"export const PACKED =\n  '{base64.b64encode(packed).decode()}';\n"
)
print(len(names), 'maps,', len(packed), 'bytes')
