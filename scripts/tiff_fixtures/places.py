"""Where it is: transforms and coordinate reference systems."""
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.transform import Affine, from_origin

from .base import SOUND, case, patched, pixels, setter, write

case('point', data=pixels('uint8'), file_tags={'AREA_OR_POINT': 'Point'})
patched('tiepoint-offset', setter(33922, 12, [10.0, 20, 0, 500000, 5000000, 0]))
patched('negative-scale-y', setter(33550, 12, [10.0, -10, 0]))
case('rotated', data=pixels('uint8'), transform=Affine.translation(500000, 5000000) * Affine.rotation(30) * Affine.scale(10, -12))
case('rotated-point', data=pixels('uint8'), transform=Affine.translation(500000, 5000000) * Affine.rotation(-20) * Affine.scale(10, -12), file_tags={'AREA_OR_POINT': 'Point'})
case('south-up', data=pixels('uint8'), transform=Affine(10, 0, 500000, 0, 10, 4000000))
case('antimeridian', data=pixels('uint8'), crs='EPSG:4326', transform=from_origin(170, 10, 20 / 70, 0.4))
case('antimeridian-utm', data=pixels('uint8'), crs='EPSG:32660', transform=from_origin(600000, 5000000, 5000, 5000))
case('whole-world', data=pixels('uint8'), crs='EPSG:4326', transform=from_origin(-180, 90, 360 / 70, 180 / 50))
# GDAL's warper leaves the half beyond 180° empty.
case('zero-to-360', told=dict(warped=False), data=pixels('uint8'), crs='EPSG:4326', transform=from_origin(0, 90, 360 / 70, 180 / 50))
case('south-pole', data=pixels('uint8'), crs='EPSG:3031', transform=from_origin(-3500000, 2500000, 100000, 100000))
for n, (crs, x, y) in {
    'laea': ('+proj=laea +lat_0=52 +lon_0=10 +x_0=4321000 +y_0=3210000 +ellps=GRS80 +units=m', 4000000, 3000000),
    'lcc-2sp': ('+proj=lcc +lat_1=33 +lat_2=45 +lat_0=39 +lon_0=-96 +x_0=0 +y_0=0 +datum=NAD83 +units=m', 1000, 1000),
    'lcc-1sp': ('+proj=lcc +lat_1=46.8 +lat_0=46.8 +lon_0=2.3 +k_0=0.99987742 +x_0=600000 +y_0=2200000 +ellps=GRS80 +units=m', 600000, 2200000),
    'tmerc': ('+proj=tmerc +lat_0=31 +lon_0=35 +k=1.0000067 +x_0=219529.584 +y_0=626907.39 +ellps=GRS80 +units=m', 219000, 626000),
    'tmerc-feet': ('+proj=tmerc +lat_0=40 +lon_0=-76 +k=0.9999 +x_0=249999.9998983998 +y_0=0 +datum=NAD83 +units=us-ft', 820000, 1000),
    'stere-ts': ('+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=10 +x_0=0 +y_0=0 +datum=WGS84 +units=m', 100000, 2000000),
    'stere-k': ('+proj=stere +lat_0=90 +lon_0=-45 +k=0.994 +x_0=2000000 +y_0=2000000 +datum=WGS84 +units=m', 2100000, 2900000),
    'aea': ('+proj=aea +lat_0=0 +lon_0=132 +lat_1=-18 +lat_2=-36 +x_0=0 +y_0=0 +ellps=GRS80 +units=m', 100000, -2000000),
    'sinu-sphere': ('+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m', 1000000, 4000000),
    'eqc': ('+proj=eqc +lat_ts=0 +lon_0=0 +x_0=0 +y_0=0 +datum=WGS84 +units=m', 1000000, 4000000),
    'merc-ts': ('+proj=merc +lat_ts=41 +lon_0=10 +x_0=0 +y_0=0 +datum=WGS84 +units=m', 100000, 4000000),
    'utm-wgs84': ('+proj=utm +zone=33 +datum=WGS84 +units=m', 500000, 5000000),
    'moll-by-wkt': ('+proj=moll +lon_0=0 +datum=WGS84 +units=m', -3500, 6000000),
    'longlat-sphere': ('+proj=longlat +R=6371229', 10, 50),
    'longlat-wgs84': ('+proj=longlat +datum=WGS84', 10, 50),
}.items():
    step = 0.01 if 'longlat' in n else 100
    case(f'crs-{n}', told=dict(place=2) if n == 'lcc-2sp' else {}, data=pixels('uint8'), crs=rasterio.crs.CRS.from_string(crs), transform=from_origin(x, y, step, step))
case('crs-unknown-projection', 'tiff-crs-unsupported', told=SOUND, data=pixels('uint8'), crs=rasterio.crs.CRS.from_string('+proj=robin +lon_0=0 +datum=WGS84 +units=m'))
case('crs-unknown-wkt', 'tiff-crs-unsupported', told=SOUND, data=pixels('uint8'), crs=rasterio.crs.CRS.from_string('+proj=eck4 +lon_0=0 +datum=WGS84 +units=m'))
case('metres-as-degrees', 'tiff-outside-crs', told=SOUND, data=pixels('uint8'), crs='EPSG:4326')
case('no-crs', 'tiff-no-crs', told=SOUND, data=pixels('uint8'), crs=None)


def no_georeference(path):
    with rasterio.open(path, 'w', driver='GTiff', width=70, height=50, count=1, dtype='uint8', crs='EPSG:32631') as d:
        d.write(pixels('uint8'))


case('no-georeference', 'tiff-no-georeference', told=SOUND, make=no_georeference)


def gcps(path):
    points = [GroundControlPoint(row=r, col=c, x=500000 + c * 10 + r, y=5000000 - r * 10) for r in (0, 49) for c in (0, 69)]
    with rasterio.open(path, 'w', driver='GTiff', width=70, height=50, count=1, dtype='uint8') as d:
        d.write(pixels('uint8'))
        d.gcps = (points, rasterio.crs.CRS.from_epsg(32631))


case('gcps', 'tiff-gcp-only', told=SOUND, make=gcps)


def rpcs(path):
    """Rational polynomials only, as with imagery straight from the satellite."""
    from rasterio.rpc import RPC
    terms = [0.0, 1.0] + [0.0] * 18
    one = [1.0] + [0.0] * 19
    with rasterio.open(path, 'w', driver='GTiff', width=70, height=50, count=1, dtype='uint8', crs='EPSG:4326') as d:
        d.write(pixels('uint8'))
        d.rpcs = RPC(height_off=0, height_scale=500, lat_off=50, lat_scale=0.1, line_den_coeff=one, line_num_coeff=terms, line_off=25, line_scale=25,
                     long_off=10, long_scale=0.1, samp_den_coeff=one, samp_num_coeff=terms, samp_off=35, samp_scale=35)


case('rpcs', 'tiff-rpc-only', make=rpcs)


def world_file(path):
    no_georeference(path)
    open(path[:-4] + '.tfw', 'w').write('10\n0\n0\n-10\n500005\n4999995\n')


case('world-file-only', 'tiff-no-georeference', told=SOUND, make=world_file)


def aux_georeference(path):
    """GDAL takes transform and CRS from FILE.aux.xml, before those of the file; here they have to be in the file."""
    no_georeference(path)
    open(path + '.aux.xml', 'w').write('<PAMDataset><SRS>EPSG:32631</SRS><GeoTransform>500000,10,0,5000000,0,-10</GeoTransform></PAMDataset>')


case('aux-xml-georeference', 'tiff-no-georeference', told=SOUND, make=aux_georeference)


def map_info_table(path):
    no_georeference(path)
    corners = ['(0,0) (0,0) Label "a"', '(700,0) (70,0) Label "b"', '(0,-500) (0,50) Label "c"']
    text = '!table\n!version 300\nDefinition Table\n  File "{}"\n  Type "RASTER"\n  {}\n  CoordSys Earth Projection 1, 104\n  Units "degree"\n'
    open(path[:-4] + '.tab', 'w').write(text.format(path.split('/')[-1], ',\n  '.join(corners)))


case('tab-file-only', 'tiff-no-georeference', told=SOUND, make=map_info_table)
# Projected, and nothing but words say how.
patched('crs-citation-only', lambda t: (t.set(34735, 3, [1, 1, 0, 4, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32767, 3073, 34737, 9, 0]), t.set(34737, 2, b'Somewhere|\0')),
        'tiff-crs-unsupported')


def aux(path):
    """What FILE.aux.xml says (statistics, a CRS, nodata) is not read; that it is there is told."""
    write(path, pixels('uint8'))
    open(path + '.aux.xml', 'w').write('<PAMDataset><Metadata><MDI key="X">1</MDI></Metadata></PAMDataset>')


case('aux-xml', told=dict(notes=['tiff-aux-ignored']), make=aux)
patched('point-tiepoint-offset', setter(33922, 12, [10.0, 20, 0, 500000, 5000000, 0]), file_tags={'AREA_OR_POINT': 'Point'})
case('crs-compound', data=pixels('uint8'), crs='EPSG:25832+5783', told=dict(notes=['tiff-vertical-ignored']))
case('crs-grads', 'tiff-crs-unsupported', told=SOUND, data=pixels('uint8'), crs='EPSG:4807', transform=from_origin(2, 54, 0.01, 0.01))
for code, x, y in [(2193, 1600000, 5400000), (2056, 2600000, 1200000), (27700, 400000, 300000), (28992, 155000, 463000), (3413, -500000, -900000),
                   (3031, 500000, 900000), (3035, 4300000, 3200000), (2154, 700000, 6600000), (5070, 0, 1800000), (3857, 1000000, 6000000), (4326, 8, 50)]:
    step = 0.01 if code == 4326 else 100
    case(f'epsg-{code}', data=pixels('uint8'), crs=f'EPSG:{code}', transform=from_origin(x, y, step, step), told=dict(place=8) if code == 27700 else {})
